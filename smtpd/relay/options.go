package relay

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/queue"
	"kairan/smtpd/resolver"
	"kairan/smtpd/tlspolicy"
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
	// TLS is how the smarthost is spoken to: Opportunistic unless set. To others it is Opportunistic, or what they demand.
	TLS TLSPolicy
	// Login is for the smarthost; it is only said where TLS is Required or Implicit. Without a User there is none.
	Login Login
	// Routes are the next hops of some domains, host:port, or "mx" for the domain's MX. A key is a domain in lower case
	// and A-labels, or ".example.com" for all below it; the longest that fits counts.
	Routes map[string]string
	// Resolver finds the MX, and the TLSA records of DANE.
	Resolver resolver.Validator
	// NoDANE does without them.
	NoDANE bool
	// STS knows the MTA-STS policies of domains; nil does without them.
	STS *tlspolicy.Cache
	// Sessions gets what became of TLS with the mail hosts of a domain, once for each connection; nil does without. It must not wait.
	Sessions func(domain string, r tlsrpt.Result)
	// TLSConfig is the base of ours: certificate authorities, our own certificate. nil is Go's default.
	TLSConfig *tls.Config
	// Timeouts of RFC 5321, section 4.5.3.2.
	Timeouts Timeouts
	// Sources are the addresses to connect from, one of a family; a family that has none is not used. Without any the system chooses.
	Sources []netip.Addr
	// Own are the addresses this site listens on for mail; one without an IP stands for every address of the
	// machine. An MX that leads there is passed over, for it would be a loop.
	Own []netip.AddrPort
	// Port of an MX: 25. Only where another one is set may an MX be on the loopback interface: for tests and the demo.
	Port int
	// IdleTimeout is how long a connection is kept for the next delivery: 10 seconds.
	IdleTimeout time.Duration
	// MaxMessages is how many copies a connection carries where Limits and the provider say nothing: 1,000 to a smarthost, else 100.
	MaxMessages int
	// Limits are the site's own limits of some groups, by name; Messages of them is read here.
	Limits map[string]queue.Limits
	// Dial replaces the system's, for tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Log gets debug lines about connections; nil discards them.
	Log *slog.Logger
}

// Login is a name and its password (RFC 4954).
type Login struct{ User, Password string }

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
		o.Dial = dialFrom(o.Sources)
	}
	return o
}

// dialFrom connects from the sources, in turn where the name of a host has addresses of more than one family.
func dialFrom(sources []netip.Addr) func(context.Context, string, string) (net.Conn, error) {
	if len(sources) == 0 {
		return (&net.Dialer{}).DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		var errs []error
		for _, source := range sources {
			family := network + "4"
			if source.Is6() {
				family = network + "6"
			}
			dialer := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))}
			conn, err := dialer.DialContext(ctx, family, addr)
			if err == nil {
				return conn, nil
			}
			errs = append(errs, err)
		}
		return nil, errors.Join(errs...)
	}
}
