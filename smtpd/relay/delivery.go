package relay

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"kairan/smtpd/queue"
)

// delivery is one call of Deliver.
type delivery struct {
	relay  *Relay
	ctx    context.Context
	domain string
	report func(*queue.Outgoing, queue.Outcome)

	c       *conn
	release func() bool     // the connection from ctx
	body    *queue.Outgoing // the server waits for its body
}

// send brings a copy as far as the server's 354 to its DATA, and the one before to its end.
// It returns false, with the copy reported, when the next hop cannot be had.
func (d *delivery) send(o *queue.Outgoing) bool {
	for {
		if d.c != nil && (!d.c.pipelining || d.c.sent+1 >= d.c.most || d.c.report != o.Report) {
			d.finish()
		}
		if d.c != nil && (d.c.sent >= d.c.most || d.c.report != o.Report) {
			d.drop(true)
		}
		if d.c == nil {
			if out := d.connect(o.Report); out.Status != "" {
				d.report(o, out)
				return false
			}
		}
		if out := d.c.unable(o); out.Status != "" {
			d.report(o, out)
			return true
		}
		c := d.c
		out, err := d.transact(o)
		if err == nil {
			if out.Status != "" {
				c.proven = c.proven || out.Status == queue.Failed
				d.report(o, out)
			}
			return true
		}
		// No body of this copy was sent. A connection that worked before is worth another one.
		d.lost(err)
		if !c.proven || d.ctx.Err() != nil {
			d.report(o, c.broken(err))
			return false
		}
	}
}

// connect takes a connection and ties it to the delivery's context.
func (d *delivery) connect(report bool) queue.Outcome {
	c, why := d.relay.connect(d.ctx, d.domain, report)
	if c == nil {
		return why
	}
	d.c = c
	d.release = context.AfterFunc(d.ctx, func() { c.nc.Close() })
	return queue.Outcome{}
}

// transact writes the body that is due and the envelope of o, and reads the replies. It returns
// o's outcome if the server refused it, and an error if the connection is of no use any more.
func (d *delivery) transact(o *queue.Outgoing) (queue.Outcome, error) {
	c := d.c
	wait := c.Envelope
	if d.body != nil {
		wait = c.Final
		if err := c.appendBody(d.body); err != nil {
			return queue.Outcome{}, err
		}
	}
	if !c.pipelining {
		return d.stepwise(o)
	}
	reset := c.dirty
	if reset {
		c.out = append(c.out, "RSET\r\n"...)
	}
	c.appendMail(o)
	c.appendRcpt(o)
	c.out = append(c.out, "DATA\r\n"...)
	if err := c.flush(); err != nil {
		return queue.Outcome{}, err
	}
	if err := d.final(wait); err != nil {
		return queue.Outcome{}, err
	}
	if reset {
		if r, err := c.reply(wait); err != nil || r.class() != 2 {
			return queue.Outcome{}, c.unexpected("RSET", r, err)
		}
	}
	c.dirty = true
	var refused queue.Outcome
	for n := range 2 {
		r, err := c.reply(wait)
		if err != nil || r.code == 421 || r.class() == 3 {
			return refused, c.unexpected("MAIL or RCPT", r, err)
		}
		if r.class() != 2 && refused.Status == "" {
			refused = r.outcome(c.host)
			c.dirty = n > 0
		}
	}
	r, err := c.reply(wait)
	return d.data(o, refused, r, err)
}

// data looks at the reply to DATA.
func (d *delivery) data(o *queue.Outgoing, refused queue.Outcome, r reply, err error) (queue.Outcome, error) {
	c := d.c
	if err != nil || r.code == 421 && refused.Status == "" || r.class() == 2 {
		return queue.Outcome{}, c.unexpected("DATA", r, err)
	}
	if r.code == 354 && refused.Status == "" {
		d.body, c.dirty = o, false
		return refused, nil
	}
	if r.code == 354 { // with nobody to get it: RFC 2920, section 3.1
		if r, err = c.command(".", c.Final); err != nil {
			return queue.Outcome{}, c.unexpected("DATA", r, err)
		}
		c.dirty = false
	}
	if refused.Status == "" {
		refused = r.outcome(c.host)
	}
	return refused, nil
}

// stepwise is the envelope for a server without PIPELINING.
func (d *delivery) stepwise(o *queue.Outgoing) (queue.Outcome, error) {
	c := d.c
	if c.dirty {
		c.out = append(c.out, "RSET\r\n"...)
		if r, err := c.ask(); err != nil || r.class() != 2 {
			return queue.Outcome{}, c.unexpected("RSET", r, err)
		}
		c.dirty = false
	}
	for _, command := range []func(*queue.Outgoing){c.appendMail, c.appendRcpt} {
		command(o)
		r, err := c.ask()
		if err != nil || r.code == 421 || r.class() == 3 {
			return queue.Outcome{}, c.unexpected("MAIL or RCPT", r, err)
		}
		if r.class() != 2 {
			return r.outcome(c.host), nil
		}
		c.dirty = true
	}
	c.out = append(c.out, "DATA\r\n"...)
	r, err := c.ask()
	return d.data(o, queue.Outcome{}, r, err)
}

func (c *conn) ask() (reply, error) {
	if err := c.flush(); err != nil {
		return reply{}, err
	}
	return c.reply(c.Envelope)
}

// final reads the reply to the body that was sent, if one was, and reports its copy.
func (d *delivery) final(wait time.Duration) error {
	o := d.body
	if o == nil {
		return nil
	}
	r, err := d.c.reply(wait)
	if err != nil {
		return d.c.unexpected("end of message", r, err)
	}
	d.body = nil
	d.judged(o, r)
	switch {
	case r.class() == 2:
		d.c.sent++
	case r.code == 421 || r.class() == 3:
		return d.c.unexpected("end of message", r, nil)
	}
	return nil
}

// judged reports what the server said about a copy.
func (d *delivery) judged(o *queue.Outgoing, r reply) {
	out := r.outcome(d.c.host)
	d.c.proven = d.c.proven || out.Status != queue.Deferred
	d.report(o, out)
}

// finish sends the body that is due.
func (d *delivery) finish() {
	if d.body == nil {
		return
	}
	err := d.c.appendBody(d.body)
	if err == nil {
		err = d.c.flush()
	}
	if err == nil {
		err = d.final(d.c.Final)
	}
	if err != nil {
		d.lost(err)
	}
}

// lost gives up the connection. A copy whose body was sent is reported with what the server last said,
// for one that refuses a body halfway may close before we have written it all.
func (d *delivery) lost(err error) {
	c := d.c
	if o := d.body; o != nil {
		d.body = nil
		r, silent := reply{}, err
		if _, ok := errors.AsType[*writeError](err); ok && d.ctx.Err() == nil {
			r, silent = c.reply(min(c.Final, 5*time.Second))
		}
		if silent == nil && r.class() != 3 {
			d.judged(o, r)
		} else {
			d.report(o, c.broken(err))
		}
	}
	d.drop(false)
}

func (d *delivery) drop(polite bool) {
	d.release()
	d.c.close(polite)
	d.c = nil
}

// close keeps the connection for the next delivery.
func (d *delivery) close() {
	if d.body != nil { // the sequence broke off: the server shall not take what it has for a message
		d.lost(fmt.Errorf("the delivery was broken off"))
	}
	if d.c != nil && d.release() {
		d.relay.keep(d.c)
	}
}

// unexpected is the error of a step that ends the connection.
func (c *conn) unexpected(step string, r reply, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return c.refused(step, r)
}

// broken is the outcome of a copy whose connection was lost.
func (c *conn) broken(err error) queue.Outcome {
	out := connectOutcome(target{host: c.host}, err)
	if out.Code == 0 {
		out.Enhanced, out.Text = "4.4.2", "connection lost: "+out.Text
	}
	return out
}

// unable says what the server would need for this copy and does not offer.
func (c *conn) unable(o *queue.Outgoing) queue.Outcome {
	switch size := sizeOf(o); {
	case o.UTF8 && !c.utf8:
		return noReply(queue.Failed, "5.6.7", c.host, "the server does not offer SMTPUTF8")
	case o.EightBit && !c.eightBit:
		return noReply(queue.Failed, "5.6.3", c.host, "the server does not offer 8BITMIME")
	case c.size > 0 && size > c.size:
		return noReply(queue.Failed, "5.3.4", c.host, fmt.Sprintf("the message has %d bytes, the server takes %d", size, c.size))
	}
	return queue.Outcome{}
}

func sizeOf(o *queue.Outgoing) (n int) {
	for _, chunk := range o.Chunks {
		n += len(chunk)
	}
	return n
}

func (c *conn) appendMail(o *queue.Outgoing) {
	b := append(append(append(c.out, "MAIL FROM:<"...), o.Sender.Wire()...), '>')
	if c.sized {
		b = strconv.AppendInt(append(b, " SIZE="...), int64(sizeOf(o)), 10)
	}
	if o.EightBit {
		b = append(b, " BODY=8BITMIME"...)
	}
	if o.UTF8 {
		b = append(b, " SMTPUTF8"...)
	}
	if c.dsn {
		b = append(b, " RET=HDRS"...) // RFC 3461: no need for the body back
	}
	c.out = append(b, "\r\n"...)
}

func (c *conn) appendRcpt(o *queue.Outgoing) {
	b := append(append(append(c.out, "RCPT TO:<"...), o.To.Wire()...), '>')
	if c.dsn && !o.Sender.IsNull() {
		b = append(b, " NOTIFY=FAILURE"...)
	}
	c.out = append(b, "\r\n"...)
}
