package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"kairan/smtpd/queue"
	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
)

func TestGroup(t *testing.T) {
	t.Parallel()
	r := New(Options{Hostname: "lists.example.jp", Routes: map[string]string{".routed.test": "hop.example.net:2525", "routed.test": "mx"}, Resolver: fakedns.Must(`
gmail.com.        MX 5  gmail-smtp-in.l.google.com.
gmail.com.        MX 10 alt1.gmail-smtp-in.l.google.com.
workspace.test.   MX 10 elsewhere.example.com.
workspace.test.   MX 1  ASPMX2.googlemail.com.
tenant.test.      MX 0  tenant-test.o-v1.mx.microsoft.
own.test.         MX 10 mail.own.test.
hosted.test.      MX 10 mx1.mail.example.co.jp.
twice.test.       MX 10 b.example.org.
twice.test.       MX 10 a.example.com.
nomail.test.      MX 0  .
plain.test.       A  192.0.2.1
a.deep.test.      A  192.0.2.1
routed.test.      MX 10 mx.example.org.
! temp MX broken.test.
`)})
	for domain, want := range map[string]string{
		"gmail.com": "google.com", "workspace.test": "google.com", "tenant.test": "outlook.com", "own.test": "own.test",
		"hosted.test": "example.co.jp", "twice.test": "example.com", "nomail.test": "nomail.test", "plain.test": "plain.test", "a.deep.test": "deep.test",
		"nowhere.test": "nowhere.test", "a.routed.test": "hop.example.net", "routed.test": "example.org",
	} {
		if got, err := r.Group(t.Context(), domain); err != nil || got != want {
			t.Errorf("%s is in %q, %v; want %q", domain, got, err, want)
		}
	}
	if got, err := r.Group(t.Context(), "broken.test"); err == nil {
		t.Errorf("a server failure gives %q, want an error", got)
	}
}

// How many copies a connection carries is the site's word for the group of the host, else its provider's, else that for all.
func TestMessagesOfAConnection(t *testing.T) {
	t.Parallel()
	zone := fakedns.Must(`
yahoo.test.  MX 0 mta5.am0.yahoodns.net.
mta5.am0.yahoodns.net. A 192.0.2.1
big.test.    MX 0 mx.big.example.
mx.big.example. A 192.0.2.1
any.test.    MX 0 mx.any.example.
mx.any.example. A 192.0.2.1
`)
	limits := map[string]queue.Limits{"big.example": {Messages: 7}, "192.0.2.1": {Messages: 3}}
	for domain, want := range map[string]int64{"yahoo.test": 2, "big.test": 4, "any.test": 1, "routed.test": 9} {
		sink := smtptest.NewSink(smtptest.Config{})
		r := toSinks(t, Options{Resolver: zone, Limits: limits, Routes: map[string]string{"routed.test": "192.0.2.1:25"}}, sink)
		var to []string
		for n := range 25 {
			to = append(to, fmt.Sprintf("a%d@%s", n, domain))
		}
		for _, got := range deliver(r, domain, to...) {
			if !strings.Contains(got, "delivered") {
				t.Fatal(got)
			}
		}
		if c := sink.Counts(); c.Connections != want || c.Messages != 25 {
			t.Errorf("%s: %d messages on %d connections, want 25 on %d", domain, c.Messages, c.Connections, want)
		}
	}
}

// Domains with the same mail host share what is kept, but for those that demand something of their own.
func TestDomainsShareConnections(t *testing.T) {
	t.Parallel()
	server, pool, pin := ca(t)
	zone := fakedns.Must(`
one.test. MX 0 mx.example.test.
two.test. MX 0 mx.example.test.
safe.test. MX 0 mx.example.test.
other.test. MX 0 mx2.example.test.
mx.example.test. A 192.0.2.1
mx2.example.test. A 192.0.2.1
_25._tcp.mx.example.test. TLSA 3 1 1 ` + pin + `
! secure safe.test.
! secure mx.example.test.
! secure _tcp.mx.example.test.`)
	sink := smtptest.NewSink(smtptest.Config{Record: true, TLS: server})
	r := toSinks(t, Options{Resolver: zone, TLSConfig: &tls.Config{RootCAs: pool}, MaxMessages: 6}, sink)
	for _, step := range []struct {
		domain      string
		connections int64 // afterwards
	}{
		{"one.test", 1}, {"two.test", 1}, {"one.test", 1},
		{"safe.test", 2}, {"two.test", 2}, {"safe.test", 2}, // DANE is for its own
		{"other.test", 3},                // the same address, but another host
		{"two.test", 3}, {"one.test", 3}, // the sixth on the first connection
		{"one.test", 4},
	} {
		if got := deliver(r, step.domain, "ann@"+step.domain); len(got) != 1 || !strings.HasPrefix(got[0], "ann delivered") {
			t.Errorf("%s: %q", step.domain, got)
		}
		if c := sink.Counts(); c.Connections != step.connections {
			t.Errorf("%d connections after %s, want %d", c.Connections, step.domain, step.connections)
		}
	}
}

// A host that takes one connection gets mail for its second domain over another one: what is kept for the first, and cannot be shared for
// its TLS is broken, is closed.
func TestHostWithOneConnection(t *testing.T) {
	t.Parallel()
	zone := fakedns.Must("one.test. MX 0 mx.test.\ntwo.test. MX 0 mx.test.\nmx.test. A 192.0.2.1")
	broken := selfSigned(t)
	broken.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, context.Canceled }
	var open atomic.Int64
	sink := smtptest.NewSink(smtptest.Config{TLS: broken, Behave: func(m smtptest.Message) smtptest.Behaviour {
		if m.Stage == smtptest.AtConnect && open.Load() > 1 {
			return smtptest.Behaviour{Code: 421, Text: "4.7.0 too many connections", HangUpAfter: true}
		}
		return smtptest.Behaviour{}
	}})
	r := toSinks(t, Options{Resolver: zone}, sink)
	dial := r.Dial
	r.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return &counted{c, sync.OnceFunc(func() { open.Add(-1) })}, nil
	}
	for _, domain := range []string{"one.test", "two.test", "one.test"} {
		if got := deliver(r, domain, "ann@"+domain); len(got) != 1 || !strings.HasPrefix(got[0], "ann delivered") {
			t.Errorf("%s: %q", domain, got)
		}
	}
	if c := sink.Counts(); c.Connections < 6 || c.Refused < 2 {
		t.Errorf("counts %+v: nothing was refused", c)
	}
}

// counted tells when a connection is closed.
type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}
