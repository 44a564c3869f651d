package smtpd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"time"

	"github.com/emersion/go-smtp"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// session is what go-smtp calls for commands that conn let through.
// It asks the Handler and answers by itself; the errors it returns only tell go-smtp
// that a command was refused.
type session struct {
	conn *conn
	env  *Envelope // of the transaction, nil outside one

	from    address.Address // of the MAIL command being carried out
	utf8    bool
	to      address.Address // of the RCPT command being carried out
	refused int             // recipients refused in this transaction
	logged  bool            // the transaction has its line in the log
}

// newSession is called at the client's first hello.
func newSession(sc *smtp.Conn) (smtp.Session, error) {
	c, ok := sc.Conn().(*conn)
	if !ok {
		return nil, errors.New("connection does not come from our listener") // unreachable: Serve wraps each
	}
	return c.session, nil
}

// Mail begins a transaction.
func (s *session) Mail(string, *smtp.MailOptions) error {
	c := s.conn
	if c.messages >= c.limits.Messages && !c.trusted {
		return c.answer(Reply{Code: 421, Enhanced: [3]int{4, 7, 0}, Text: "Enough messages on this connection, please open another"})
	}
	c.messages++
	s.env = &Envelope{
		ID:       rand.Text()[:16],
		RemoteIP: c.ip,
		Helo:     c.helo,
		Basic:    c.basic,
		TLS:      c.tls,
		LMTP:     c.server.LMTP,
		UTF8:     s.utf8,
		From:     s.from,
		At:       time.Now(),
	}
	s.refused, s.logged = 0, false
	return c.answer(Reply{Enhanced: [3]int{2, 1, 0}})
}

// Rcpt asks the Handler about a recipient.
func (s *session) Rcpt(string, *smtp.RcptOptions) error {
	c := s.conn
	if len(s.env.To) >= c.limits.Recipients || s.refused > c.limits.Recipients {
		return c.answer(Reply{Code: 452, Enhanced: [3]int{4, 5, 3}, Text: "Too many recipients, please send to the others in another message"})
	}
	reply := s.ask("rcpt", 1, func(ctx context.Context) ([]Reply, error) {
		r, err := c.server.Handler.Rcpt(ctx, s.env, s.to)
		if r == (Reply{}) {
			r.Enhanced = [3]int{2, 1, 5} // destination address valid (RFC 3463, section 3.2)
		}
		return []Reply{r}, err
	})[0]
	if reply.OK() {
		s.env.To = append(s.env.To, s.to)
		return c.answer(reply)
	}
	s.refused++
	c.log.Info("recipient refused", "id", s.env.ID, "from", s.env.From.String(), "to", s.to.String(),
		"code", reply.Code, "reply", reply.Text)
	if reply.Code/100 == 5 {
		c.server.Stats.Recipients.Add(1)
		c.badRcpts++
	}
	if c.badRcpts > c.limits.BadRecipients && !c.trusted {
		reply = Reply{Code: 421, Enhanced: [3]int{4, 7, 0}, Text: "Too many recipients that do not exist, closing connection"}
	}
	return c.answer(reply)
}

// Data reads the message past go-smtp, which gets an empty one, and has it judged.
// In LMTP there is an answer for each recipient (RFC 2033, section 4.2).
func (s *session) Data(io.Reader) error {
	c := s.conn
	raw, refusal, done := c.readMessage()
	defer done()
	c.next = []byte(".\r\n")
	s.env.At = time.Now()

	replies := s.judge(raw, refusal)
	s.log(replies, len(raw))
	var refused error
	for _, r := range replies {
		c.server.Stats.count(r)
		if err := c.answer(r); err != nil {
			refused = err
		} else {
			c.idleCmds = 0
		}
	}
	return refused
}

// judge returns the answers to a message.
func (s *session) judge(raw []byte, refusal Reply) []Reply {
	want := 1
	if s.env.LMTP {
		want = len(s.env.To)
	}
	if !refusal.OK() {
		return slices.Repeat([]Reply{refusal}, want)
	}
	if fault := message.Parse(raw).Check(s.conn.limits.Message); fault != "" {
		return slices.Repeat([]Reply{{Code: 554, Enhanced: [3]int{5, 6, 0}, Text: fault}}, want)
	}
	return s.ask("data", want, func(ctx context.Context) ([]Reply, error) {
		return s.conn.server.Handler.Data(ctx, s.env, raw)
	})
}

// ask calls the Handler and returns as many replies as wanted, whatever it does.
// Its error goes to the log only.
func (s *session) ask(call string, want int, f func(context.Context) ([]Reply, error)) []Reply {
	ctx, cancel := context.WithTimeout(s.conn.ctx, s.conn.limits.Handling)
	defer cancel()
	replies, err := protect(ctx, f)
	if err == nil && len(replies) != want {
		err = fmt.Errorf("handler gave %d replies instead of %d", len(replies), want)
	}
	if err == nil {
		for i := range replies {
			replies[i] = replies[i].clean()
		}
		return replies
	}
	reply := errorReply
	attrs := []any{"id", s.env.ID, "call", call, "error", err, "next", "the client will try again"}
	if p, ok := errors.AsType[*panicError](err); ok {
		reply = panicReply
		attrs = append(attrs, "stack", string(p.stack))
	}
	s.conn.log.Error("handler failed", attrs...)
	return slices.Repeat([]Reply{reply}, want)
}

// panicError is a panic of the Handler.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func protect(ctx context.Context, f func(context.Context) ([]Reply, error)) (replies []Reply, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return f(ctx)
}

// Reset ends the transaction. go-smtp calls it after each message and at RSET, EHLO and STARTTLS.
func (s *session) Reset() {
	s.finish()
	s.env = nil
}

// Logout has nothing to free: the connection's end is conn.Close.
func (s *session) Logout() error { return nil }

// finish writes the line in the log for a transaction that did not come to its message.
func (s *session) finish() {
	if s.env != nil && !s.logged {
		s.log(nil, 0)
	}
}

// log writes the one line per transaction. Its attributes are always the same.
func (s *session) log(replies []Reply, size int) {
	s.logged = true
	env := s.env
	codes := make([]int, len(replies))
	text := "abandoned"
	for i, r := range replies {
		codes[i] = r.clean().Code
		if i == 0 || !r.OK() {
			text = r.clean().Text
		}
	}
	s.conn.log.Info("transaction", "id", env.ID, "helo", env.Helo, "protocol", env.protocol(),
		"from", env.From.String(), "recipients", len(env.To), "refused", s.refused,
		"bytes", size, "codes", codes, "reply", text)
}
