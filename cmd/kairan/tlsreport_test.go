package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
)

// TestTLSReport: a post goes to the mail hosts of a domain that wants reports; the day after, a signed one goes there too.
func TestTLSReport(t *testing.T) {
	t.Parallel()
	server, err := fakedns.Serve(fakedns.Must("people.test. MX 10 mx.people.test.\nmx.people.test. A 192.0.2.1\n_smtp._tls.people.test. TXT \"v=TLSRPTv1; rua=mailto:tls@people.test\""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	for _, extra := range []string{"", "delivery.tls_reports = false"} {
		synctest.Test(t, func(t *testing.T) {
			data := t.TempDir()
			cfg, err := parseConfig(filepath.Join(data, "kairan.toml"), "hostname = 'lists.kairan.test'\nurl = 'http://lists.kairan.test'\nadmin = 'postmaster@people.test'\ndata = '"+data+"'\n"+
				"dns.servers = ['"+server.Addr+"']\ntrust.networks = ['192.0.2.0/24']\n"+extra+"\n")
			if err != nil {
				t.Fatal(err)
			}
			s := &testSite{t: t, sink: smtptest.NewSink(smtptest.Config{Record: true})}
			l := smtptest.NewPipeListener()
			if s.app, err = assemble(t.Context(), cfg, slog.New(slog.NewTextHandler(&s.log, nil))); err != nil {
				t.Fatal(err)
			}
			s.app.Relay.Dial = func(context.Context, string, string) (net.Conn, error) { return l.Dial() }
			s.withList()
			ctx, cancel := context.WithCancel(context.Background())
			var running sync.WaitGroup
			running.Go(func() { s.sink.Serve(l) })
			running.Go(func() { s.app.Path.Run(ctx) })
			running.Go(func() { s.app.Outbox.Run(ctx) })
			if s.app.TLSReports != nil {
				running.Go(func() { s.app.TLSReports.Run(ctx) })
			}
			env := &smtpd.Envelope{ID: "1", RemoteIP: netip.MustParseAddr("192.0.2.1"), Helo: "x", From: address.Must("ann@people.test"), To: []address.Address{address.Must(testList)}, At: time.Now()}
			if r, err := s.app.Inbound.Data(ctx, env, []byte(crlf(string(post("ann@people.test", "1@people.test", "x"))))); err != nil || !r[0].OK() {
				t.Fatalf("%+v, %v", r, err)
			}
			time.Sleep(3 * 24 * time.Hour)
			reports := s.sink.Inbox("tls@people.test")
			if want := map[bool]int{true: 1}[extra == ""]; len(reports) != want || len(s.sink.Inbox("bob@people.test")) != 1 {
				t.Fatalf("%d reports, want %d\n%s", len(reports), want, &s.log)
			}
			for _, m := range reports {
				if sig := message.Parse(m.Data).Header().Get("DKIM-Signature"); m.From != "" || !strings.Contains(sig, "d=lists.kairan.test") || !strings.Contains(sig, "TLS-Report-Domain") {
					t.Errorf("from %q, signed %q", m.From, sig)
				}
				report, err := tlsrpt.ParseMessage(slog.New(slog.DiscardHandler), bytes.NewReader(m.Data))
				if err != nil || len(report.Policies) != 1 {
					t.Fatalf("%+v, %v", report, err)
				}
				p := report.Policies[0]
				if p.Policy.Type != "no-policy-found" || p.Summary.TotalFailureSessionCount != 1 || p.FailureDetails[0].ResultType != "starttls-not-supported" || p.FailureDetails[0].ReceivingIP != "192.0.2.1" {
					t.Errorf("%+v", p)
				}
			}
			cancel()
			s.sink.Close()
			running.Wait()
			s.app.Relay.Close()
			if err := s.app.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
