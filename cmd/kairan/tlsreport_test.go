package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/message"
	"kairan/smtpd/resolver/fakedns"
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
			s := siteOfDays(t, nil, nil, "dns.servers = ['"+server.Addr+"']", extra)
			defer s.stop()
			s.post("1@people.test")
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
		})
	}
}
