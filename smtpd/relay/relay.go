package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/queue"
)

// Relay is a queue.Transport over SMTP. Make one with New; it is safe for concurrent use.
type Relay struct {
	Options

	mu     sync.Mutex // protects what follows
	idle   []*conn    // kept for the next delivery; the one used last at the end
	closed bool
}

const maxIdle = 100 // connections kept

// New returns a relay. Close it at the end.
func New(opts Options) *Relay {
	return &Relay{Options: opts.withDefaults()}
}

// Deliver implements queue.Transport.
func (r *Relay) Deliver(ctx context.Context, domain string, next iter.Seq[*queue.Outgoing], report func(*queue.Outgoing, queue.Outcome)) {
	relayed := r.hop(domain).addr != ""
	d := &delivery{relay: r, ctx: ctx, domain: domain, report: func(o *queue.Outgoing, out queue.Outcome) {
		out.Relayed, out.Ours = relayed, out.Ours || relayed && out.Code == 0
		report(o, out)
	}}
	defer d.close()
	for o := range next {
		if !d.send(o) {
			return
		}
	}
	d.finish()
}

// Close ends the connections that are kept. Deliveries may go on; theirs are closed when they end.
func (r *Relay) Close() {
	r.mu.Lock()
	r.closed = true
	idle := r.idle
	r.idle = nil
	r.mu.Unlock()
	for _, c := range idle {
		if c.idle.Stop() {
			c.close(true)
		}
	}
}

// connect returns a kept or a new connection to the domain, or why there is none. One that is kept for another domain will do where it
// leads to the same address and both domains leave it to the host how it is spoken to. One for a report regards no demands and is not kept.
func (r *Relay) connect(ctx context.Context, domain string, report bool) (*conn, queue.Outcome) {
	key := domain
	if h := r.hop(domain); h.addr != "" {
		key = h.addr
	}
	if !report {
		if c := r.reuse(func(c *conn) bool { return c.key == key }); c != nil {
			return c, queue.Outcome{}
		}
	}
	var c *conn
	why := noReply(queue.Deferred, "4.4.1", "", "no connection to "+domain)
	none := r.targets(ctx, domain, report, func(t target) bool {
		if mine := t.endpoint(); mine != "" && !report {
			if c = r.reuse(func(c *conn) bool { return c.endpoint == mine }); c != nil {
				return false
			}
		}
		var err error
		if c, err = r.open(ctx, t); tooMany(err) && r.dropIdle(t.host) {
			c, err = r.open(ctx, t) // those that are kept for other domains counted too
		}
		if err == nil {
			return false
		}
		r.Log.Debug("relay", "domain", domain, "host", t.host, "addr", t.addr, "err", err)
		why = connectOutcome(t, err)
		why.Ours = t.hop // it is us whom it does not let in
		return ctx.Err() == nil
	})
	if none.Status != "" {
		return nil, none
	}
	if c == nil {
		return nil, why
	}
	c.key, c.report = key, report
	return c, queue.Outcome{}
}

// connectOutcome is Deferred whatever a server said in its greeting: another day it may greet us otherwise.
func connectOutcome(t target, err error) queue.Outcome {
	if refusal, ok := errors.AsType[*refusal](err); ok {
		refusal.Status = queue.Deferred
		return refusal.Outcome
	}
	if _, ok := errors.AsType[*tlsError](err); ok {
		return noReply(queue.Deferred, "4.7.5", t.host, err.Error())
	}
	return noReply(queue.Deferred, "4.4.1", t.host, err.Error())
}

// open connects to one address, and again without TLS where that only failed for TLS and may do without.
func (r *Relay) open(ctx context.Context, t target) (*conn, error) {
	c, err := r.try(ctx, t)
	if _, failed := errors.AsType[*tlsError](err); failed && t.TLSPolicy == Opportunistic {
		r.Log.Debug("relay", "host", t.host, "addr", t.addr, "err", err, "then", "once more in plain text")
		t.TLSPolicy, t.policy = Plain, tlsrpt.ResultPolicy{}
		return r.try(ctx, t)
	}
	return c, err
}

func (r *Relay) try(ctx context.Context, t target) (_ *conn, err error) {
	dial, cancel := context.WithTimeout(ctx, r.Timeouts.Connect)
	nc, err := r.Dial(dial, "tcp", t.addr)
	cancel()
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	c := newConn(nc, t.host, r.Timeouts)
	c.most, c.endpoint = r.most(t), t.endpoint()
	s := &session{Relay: r, target: t, nc: nc}
	err = r.hello(ctx, c, s)
	s.ended(c.tls, err)
	if err == nil && t.login.User != "" {
		err = c.login(t)
	}
	if err = cmp.Or(err, ctx.Err()); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// hello brings a connection so far that it can take mail, encrypted as its target wants it.
func (r *Relay) hello(ctx context.Context, c *conn, s *session) error {
	t := s.target
	cfg := r.tlsConfig(t)
	if t.trial {
		s.watch(cfg)
	}
	if t.TLSPolicy == Implicit {
		if err := c.handshake(ctx, cfg); err != nil {
			return t.failed(err)
		}
	}
	if err := c.greet(r.Hostname); err != nil {
		return err
	}
	switch {
	case t.TLSPolicy != Opportunistic && t.TLSPolicy != Required:
		return nil
	case !c.startTLS && t.TLSPolicy == Required:
		return t.failed(fmt.Errorf("%s offers %w", t.host, errNoSTARTTLS))
	case !c.startTLS:
		s.doubt = errNoSTARTTLS
		return nil
	}
	if err := c.starttls(ctx, cfg); err != nil {
		return t.failed(err)
	}
	return c.ehlo(r.Hostname)
}

// reuse takes a kept connection, of those that will do the one used last.
func (r *Relay) reuse(will func(*conn) bool) *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := len(r.idle) - 1; n >= 0; n-- {
		c := r.idle[n]
		if !will(c) {
			continue
		}
		r.idle = slices.Delete(r.idle, n, n+1)
		if c.idle.Stop() {
			c.proven = true
			return c
		}
	}
	return nil
}

// tooMany reports whether a host refuses another connection.
func tooMany(err error) bool {
	refusal, ok := errors.AsType[*refusal](err)
	return ok && refusal.step == "greeting" && refusal.Code == 421
}

// dropIdle closes the connections to a host that are kept for any domain, and reports whether there were some.
func (r *Relay) dropIdle(host string) (some bool) {
	for {
		c := r.reuse(func(c *conn) bool { return c.host == host })
		if c == nil {
			return some
		}
		c.close(true)
		some = true
	}
}

// keep holds a connection for the next delivery, or closes it.
func (r *Relay) keep(c *conn) {
	r.mu.Lock()
	full := r.closed || len(r.idle) >= maxIdle || c.sent >= c.most || c.report
	if !full {
		r.idle = append(r.idle, c)
		c.idle = time.AfterFunc(r.IdleTimeout, func() {
			r.remove(c)
			c.close(true)
		})
	}
	r.mu.Unlock()
	if full {
		c.close(true)
	}
}

// remove forgets a kept connection.
func (r *Relay) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := slices.Index(r.idle, c); n >= 0 {
		r.idle = slices.Delete(r.idle, n, n+1)
	}
}
