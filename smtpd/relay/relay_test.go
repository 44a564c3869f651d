package relay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/address"
	"kairan/smtpd/queue"
	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
)

// deliver sends a copy to each recipient and returns "who status code enhanced text" in order of the reports.
func deliver(r *Relay, domain string, to ...string) (got []string) {
	return deliverAs(r, domain, func(*queue.Outgoing) {}, to...)
}

func deliverAs(r *Relay, domain string, edit func(*queue.Outgoing), to ...string) (got []string) {
	next := func(yield func(*queue.Outgoing) bool) {
		for _, a := range to {
			o := &queue.Outgoing{Chunks: [][]byte{[]byte("X-Personal: 1\r\n"), []byte("Subject: a\r\n\r\n..dot\r\n")}, Stuffed: true}
			o.To, o.Sender = address.Must(a), address.Must("bounces@example.jp")
			edit(o)
			if !yield(o) {
				return
			}
		}
	}
	r.Deliver(context.Background(), domain, next, func(o *queue.Outgoing, out queue.Outcome) {
		local, _, _ := strings.Cut(o.To.String(), "@")
		got = append(got, strings.TrimSpace(local+" "+string(out.Status)+" "+out.Enhanced+" "+out.Text))
	})
	return got
}

// scripted plays one server script for each connection, in order. "S:" is what the client must say, "C:" what the server answers.
func scripted(t *testing.T, scripts ...string) (r *Relay, check func()) {
	l := smtptest.NewPipeListener()
	done := make(chan error, len(scripts))
	go func() {
		defer close(done)
		for _, s := range scripts {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			done <- smtptest.Dialog(conn, strings.ReplaceAll(s, "\t", ""))
		}
	}()
	r = New(Options{Hostname: "lists.example.jp", Smarthost: "mx.test:25", Dial: func(context.Context, string, string) (net.Conn, error) { return l.Dial() }})
	return r, func() {
		t.Helper()
		r.Close()
		l.Close()
		played := 0
		for err := range done {
			played++
			if err != nil {
				t.Error(err)
			}
		}
		if played != len(scripts) {
			t.Errorf("%d connections, want %d", played, len(scripts))
		}
	}
}

const hello = `C: 220 mx.test ESMTP
	S: EHLO lists.example.jp
	C: 250-mx.test at your service
	C: 250-pipelining
	C: 250-SIZE 1000
	C: 250-8BITMIME
	C: 250 DSN
	`

const body = `S: X-Personal: 1
	S: Subject: a
	S: 
	S: ..dot
	S: .
	`

func envelope(to string) string {
	return "S: MAIL FROM:<bounces@example.jp> SIZE=36 RET=HDRS\nS: RCPT TO:<" + to + "@example.com> NOTIFY=FAILURE\nS: DATA\n"
}

func TestDialogs(t *testing.T) {
	t.Parallel()
	const accept = "C: 250 2.1.0 ok\nC: 250 2.1.5 ok\nC: 354 go on\n"
	for _, test := range []struct {
		name    string
		scripts []string
		to      string
		want    []string
	}{
		{"chained: the next envelope comes with the body", []string{hello + envelope("ann") + accept + body + envelope("ben") + "C: 250 2.0.0 queued as 1\n" + accept + body + "C: 250 2.0.0 queued as 2\nS: QUIT\n"},
			"ann ben", []string{"ann delivered 2.0.0 queued as 1", "ben delivered 2.0.0 queued as 2"}},
		{"RSET after a refused RCPT", []string{hello + envelope("ann") + "C: 250 ok\nC: 550 5.1.1 no\nC: 503 5.5.1 no recipients\nS: RSET\n" + envelope("ben") + "C: 250 ok\n" + accept + body + "C: 250 yes\nS: QUIT\n"},
			"ann ben", []string{"ann failed 5.1.1 no", "ben delivered  yes"}},
		{"354 with nobody to get it", []string{hello + envelope("ann") + "C: 250 ok\nC: 450 4.2.1 later\nC: 354 go on\nS: .\nC: 554 no recipients\n" + envelope("ben") + accept + body + "C: 250 yes\nS: QUIT\n"},
			"ann ben", []string{"ann deferred 4.2.1 later", "ben delivered  yes"}},
		{"MAIL refused", []string{hello + envelope("ann") + "C: 550-5.7.1 we do\nC: 550 5.7.1 not like you\nC: 503 no\nC: 503 no\n" + "S: QUIT\n"},
			"ann", []string{"ann failed 5.7.1 we do not like you"}},
		{"421 before the first copy stops the delivery", []string{hello + envelope("ann") + "C: 421 4.3.2 closing\n"},
			"ann ben", []string{"ann deferred 4.3.2 closing"}},
		{"421 after a copy: on with a new connection", []string{
			hello + envelope("ann") + accept + body + envelope("ben") + "C: 250 yes\nC: 421 4.7.0 enough\n",
			hello + envelope("ben") + accept + body + "C: 250 yes\nS: QUIT\n"},
			"ann ben", []string{"ann delivered  yes", "ben delivered  yes"}},
		{"lost after the body", []string{hello + envelope("ann") + accept + body + "S: MAIL*\nS: RCPT*\nS: DATA\n"},
			"ann ben cat", []string{"ann deferred 4.4.2 connection lost: end of message: EOF", "ben deferred 4.4.2 connection lost: end of message: EOF"}},
		{"nonsense instead of a reply", []string{hello + envelope("ann") + accept + body + "C: hello\nC: 250 this is not for ann\n"},
			"ann", []string{`ann deferred 4.4.2 connection lost: end of message: the server's reply cannot be understood: "hello"`}},
		{"larger than the server takes", []string{strings.Replace(hello, "SIZE 1000", "SIZE 35", 1) + "S: QUIT\n"},
			"ann", []string{"ann failed 5.3.4 the message has 36 bytes, the server takes 35"}},
		{"a 5xx greeting is for now", []string{"C: 554 5.7.1 go away\n"}, "ann ben", []string{"ann deferred 5.7.1 go away"}},
		{"neither ESMTP nor pipelining", []string{"C: 220 hi\nS: EHLO lists.example.jp\nC: 502 what\nS: HELO lists.example.jp\nC: 250 hi\n" +
			"S: MAIL FROM:<bounces@example.jp>\nC: 250 ok\nS: RCPT TO:<ann@example.com>\nC: 550 no\nS: RSET\nC: 250 ok\n" +
			"S: MAIL FROM:<bounces@example.jp>\nC: 250 ok\nS: RCPT TO:<ben@example.com>\nC: 250 ok\nS: DATA\nC: 354 go\n" + body + "C: 250 yes\nS: QUIT\n"},
			"ann ben", []string{"ann failed  no", "ben delivered  yes"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, check := scripted(t, test.scripts...)
				var to []string
				for _, who := range strings.Fields(test.to) {
					to = append(to, who+"@example.com")
				}
				got := deliver(r, "", to...)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				check()
			})
		})
	}
}

func TestWhatTheServerCannotTake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := smtptest.NewSink(smtptest.Config{Omit: []string{"8BITMIME", "SMTPUTF8"}})
		r := toSinks(t, Options{Smarthost: "mx.test:25"}, sink)
		for want, edit := range map[string]func(*queue.Outgoing){
			"ann failed 5.6.7 the server does not offer SMTPUTF8": func(o *queue.Outgoing) { o.UTF8, o.EightBit = true, true },
			"ann failed 5.6.3 the server does not offer 8BITMIME": func(o *queue.Outgoing) { o.EightBit = true },
			"ann delivered 2.0.0": func(*queue.Outgoing) {},
		} {
			got := deliverAs(r, "", edit, "ann@example.com")
			if len(got) != 1 || !strings.HasPrefix(got[0], want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		all := smtptest.NewSink(smtptest.Config{Record: true})
		r = toSinks(t, Options{Smarthost: "mx.test:25"}, all)
		deliverAs(r, "", func(o *queue.Outgoing) { o.UTF8, o.EightBit = true, true }, "ann@example.com")
		if m := all.Messages(); len(m) != 1 || !strings.Contains(m[0].Params, "BODY=8BITMIME SMTPUTF8") {
			t.Errorf("messages %+v, want one with BODY=8BITMIME SMTPUTF8", m)
		}
	})
}

// toSinks makes a relay whose hosts 192.0.2.1, .2… and smarthost are the sinks.
func toSinks(t *testing.T, opts Options, sinks ...*smtptest.Sink) *Relay {
	listeners := map[string]*smtptest.PipeListener{}
	for n, s := range sinks {
		l := smtptest.NewPipeListener()
		listeners[netip.AddrFrom4([4]byte{192, 0, 2, byte(n + 1)}).String()+":25"] = l
		if n == 0 {
			listeners[opts.Smarthost] = l
		}
		go s.Serve(l)
		t.Cleanup(func() { s.Close() })
	}
	opts.Hostname = "lists.example.jp"
	opts.Dial = func(_ context.Context, _, addr string) (net.Conn, error) {
		if l := listeners[addr]; l != nil {
			return l.Dial()
		}
		return nil, &net.OpError{Op: "dial", Err: &net.AddrError{Err: "refused", Addr: addr}}
	}
	r := New(opts)
	t.Cleanup(r.Close)
	return r
}

func TestHosts(t *testing.T) {
	t.Parallel()
	zone := fakedns.Must(`
		two.test.        MX 20 b.two.test.
		two.test.        MX 10 a.two.test.
		a.two.test.      A 192.0.2.99
		b.two.test.      A 192.0.2.1
		plain.test.      A 192.0.2.1
		null.test.       MX 0 .
		nohost.test.     MX 10 gone.nohost.test.
		loop.test.       MX 10 lists.example.jp.
		loop.test.       MX 20 b.two.test.
		backup.test.     MX 10 b.two.test.
		backup.test.     MX 20 lists.example.jp.
		own.test.        MX 10 mx.own.test.
		mx.own.test.     A 192.0.2.25
		inside.test.     A 127.0.0.1
		! temp MX broken.test.
		half.test.       MX 10 mx.broken.test.
		! temp A mx.broken.test.
		! temp AAAA mx.broken.test.
		txt.test.        TXT "no address"`)
	for domain, want := range map[string]string{
		"two.test":     "ann delivered",
		"plain.test":   "ann delivered",
		"backup.test":  "ann delivered",
		"null.test":    "ann failed 5.1.10 ",
		"missing.test": "ann failed 5.1.2 ",
		"nohost.test":  "ann failed 5.4.4 ",
		"txt.test":     "ann failed 5.4.4 ",
		"loop.test":    "ann deferred 4.4.6 ",
		"own.test":     "ann deferred 4.4.6 ",
		"inside.test":  "ann deferred 4.4.6 ",
		"broken.test":  "ann deferred 4.4.3 ",
		"half.test":    "ann deferred 4.4.3 ",
	} {
		t.Run(domain, func(t *testing.T) {
			t.Parallel()
			sink := smtptest.NewSink(smtptest.Config{})
			r := toSinks(t, Options{Resolver: zone, Own: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.25:25")}}, sink)
			got := deliver(r, domain, "ann@"+domain, "ben@"+domain)
			if len(got) == 0 || !strings.HasPrefix(got[0], want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if stops := !strings.Contains(want, "delivered"); stops != (len(got) == 1) {
				t.Errorf("%d reports: %q", len(got), got)
			}
		})
	}
}

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := smtptest.NewSink(smtptest.Config{})
		r := toSinks(t, Options{Smarthost: "mx.test:25", MaxMessages: 5}, sink)
		expect := func(connections, messages int64) {
			t.Helper()
			if c := sink.Counts(); c.Connections != connections || c.Messages != messages || c.Repeats != 0 {
				t.Errorf("counts %+v, want %d messages on %d connections", c, messages, connections)
			}
		}
		deliver(r, "", "a@example.com", "b@example.com")
		deliver(r, "", "c@example.com", "d@example.com")
		expect(1, 4)
		deliver(r, "", "e@example.com", "f@example.com", "g@example.com")
		expect(2, 7)
		time.Sleep(11 * time.Second)
		deliver(r, "", "h@example.com")
		expect(3, 8)
		r.idle[0].nc.Close() // what a server that lost patience looks like
		deliver(r, "", "i@example.com")
		expect(4, 9)
	})
}

// A server that takes bytes slowly, or none, costs no more than the deadlines.
func TestTarpit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stage smtptest.Stage
		most  time.Duration
	}{{smtptest.AtConnect, 5 * time.Minute}, {smtptest.AtRcpt, 5 * time.Minute}, {smtptest.AtEnd, 10 * time.Minute}} {
		t.Run(string(test.stage), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sink := smtptest.NewSink(smtptest.Config{Behave: func(m smtptest.Message) smtptest.Behaviour {
					if m.Stage == test.stage {
						return smtptest.Behaviour{Delay: 24 * time.Hour}
					}
					return smtptest.Behaviour{}
				}})
				r := toSinks(t, Options{Smarthost: "mx.test:25"}, sink)
				begin := time.Now()
				got := deliver(r, "", "ann@example.com")
				if d := time.Since(begin); d > test.most || d < test.most*9/10 {
					t.Errorf("gave up after %v, want %v", d, test.most)
				}
				if len(got) != 1 || !strings.HasPrefix(got[0], "ann deferred 4.4.") {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

// selfSigned is a certificate nobody should trust, for another host.
func selfSigned(t *testing.T) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"other.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	good := selfSigned(t)
	bad := good.Clone()
	bad.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, context.Canceled }
	for _, test := range []struct {
		name   string
		server *tls.Config
		policy TLSPolicy
		want   string
		tls    bool
	}{
		{"opportunistic with a bad certificate", good, Opportunistic, "ann delivered", true},
		{"opportunistic without STARTTLS", nil, Opportunistic, "ann delivered", false},
		{"opportunistic with a broken handshake", bad, Opportunistic, "ann delivered", false},
		{"required with a bad certificate", good, Required, "ann deferred 4.7.5 TLS handshake", false},
		{"required without STARTTLS", nil, Required, "ann deferred 4.7.5 mx.test offers no STARTTLS", false},
		{"plain", good, Plain, "ann delivered", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sink := smtptest.NewSink(smtptest.Config{Record: true, TLS: test.server})
			r := toSinks(t, Options{Smarthost: "mx.test:25", TLS: test.policy}, sink)
			got := deliver(r, "", "ann@example.com", "ben@example.com")
			if len(got) == 0 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if test.tls != slices.ContainsFunc(sink.Messages(), func(m smtptest.Message) bool { return m.TLS }) {
				t.Errorf("TLS is not %t", test.tls)
			}
		})
	}
}

// A large body goes out in blocks, and dots are doubled unless they were before.
func TestLargeBody(t *testing.T) {
	t.Parallel()
	large := strings.Repeat(strings.Repeat("x", 70)+"\r\n", 3000)
	sink := smtptest.NewSink(smtptest.Config{Record: true})
	r := toSinks(t, Options{Smarthost: "mx.test:25"}, sink)
	for _, stuffed := range []bool{true, false} {
		deliverAs(r, "", func(o *queue.Outgoing) {
			o.Chunks[1], o.Stuffed = []byte("Subject: a\r\n\r\n"+large+"..\r\n.."), stuffed
		}, "ann@example.com", "ben@example.com")
	}
	for n, m := range sink.Messages() {
		want := "X-Personal: 1\r\nSubject: a\r\n\r\n" + large + ".\r\n.\r\n"
		if n > 1 {
			want = "X-Personal: 1\r\nSubject: a\r\n\r\n" + large + "..\r\n..\r\n"
		}
		if string(m.Data) != want {
			t.Errorf("message %d ends in %q, want %q", n, m.Data[max(0, len(m.Data)-20):], want[len(want)-20:])
		}
	}
	if c := sink.Counts(); c.Messages != 4 {
		t.Errorf("counts %+v", c)
	}
}
