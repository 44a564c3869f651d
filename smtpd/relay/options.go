package relay

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"kairan/smtpd/resolver"
)

// TLSPolicy says when a conversation is encrypted.
type TLSPolicy int

const (
	// Opportunistic uses STARTTLS where it is offered, without regard to the certificate (RFC 7435).
	Opportunistic TLSPolicy = iota
	// Required sends only after STARTTLS with a certificate that is valid for the host.
	Required
	// Implicit speaks TLS from the first byte (RFC 8314), with a certificate that is valid for the host.
	Implicit
	// Plain never encrypts.
	Plain
)

// Options say how to deliver. Hostname is needed, and Smarthost or Resolver.
type Options struct {
	// Hostname is our name in EHLO.
	Hostname string
	// Smarthost is the host:port that gets every copy; "" delivers to each domain's MX.
	Smarthost string
	// Resolver finds the MX.
	Resolver resolver.Resolver
	// TLS is Opportunistic unless set.
	TLS TLSPolicy
	// TLSConfig is the base of ours: certificate authorities, our own certificate. nil is Go's default.
	TLSConfig *tls.Config
	// Timeouts of RFC 5321, section 4.5.3.2.
	Timeouts Timeouts
	// LocalAddr is the address to connect from; invalid leaves it to the system.
	LocalAddr netip.Addr
	// Own are the addresses this site listens on for mail; one without an IP stands for every address of the
	// machine. An MX that leads there is passed over, for it would be a loop.
	Own []netip.AddrPort
	// Port of an MX: 25. Only where another one is set may an MX be on the loopback interface: for tests and the demo.
	Port int
	// IdleTimeout is how long a connection is kept for the next delivery: 10 seconds.
	IdleTimeout time.Duration
	// MaxMessages is how many copies a connection carries: 1,000 to a smarthost, else 100.
	MaxMessages int
	// Dial replaces the system's, for tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Log gets debug lines about connections; nil discards them.
	Log *slog.Logger
}

// Timeouts bound each step; zero is the value of RFC 5321, section 4.5.3.2.
type Timeouts struct {
	Connect  time.Duration // 30 seconds, which the RFC leaves open
	Greeting time.Duration // and EHLO, STARTTLS: 5 minutes
	Envelope time.Duration // MAIL, RCPT and DATA: 5 minutes
	Block    time.Duration // a write of up to 64 KB: 3 minutes
	Final    time.Duration // the reply to the end of the message: 10 minutes
}

func (o Options) withDefaults() Options {
	t := &o.Timeouts
	t.Connect = cmp.Or(t.Connect, 30*time.Second)
	t.Greeting = cmp.Or(t.Greeting, 5*time.Minute)
	t.Envelope = cmp.Or(t.Envelope, 5*time.Minute)
	t.Block = cmp.Or(t.Block, 3*time.Minute)
	t.Final = cmp.Or(t.Final, 10*time.Minute)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 10*time.Second)
	if o.Smarthost != "" {
		o.MaxMessages = cmp.Or(o.MaxMessages, 1000)
	}
	o.MaxMessages = cmp.Or(o.MaxMessages, 100)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.TLSConfig == nil {
		o.TLSConfig = &tls.Config{}
	}
	if o.Dial == nil {
		dialer := &net.Dialer{}
		if o.LocalAddr.IsValid() {
			dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(o.LocalAddr, 0))
		}
		o.Dial = dialer.DialContext
	}
	return o
}
