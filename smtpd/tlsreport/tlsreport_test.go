package tlsreport

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/resolver/fakedns"
	"kairan/storage"
	"kairan/storage/storagetest"
	"kairan/templates"
)

// site counts, and keeps the mails it sends.
type site struct {
	*Reports
	t     *testing.T
	mails []Mail
	fails error // of Send
}

func newSite(t *testing.T, zone string) *site {
	words, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t}
	s.Reports = New(Options{
		DB: storagetest.Open(t), Resolver: fakedns.Must(zone), Templates: words, Language: "ja", Contact: address.Must("admin@lists.example.jp"),
		Domain: func(*storage.Tx) (string, error) { return "lists.example.jp", nil },
		Send: func(ctx context.Context, m Mail, with func(*storage.Tx) error) error {
			if s.fails != nil {
				return s.fails
			}
			s.mails = append(s.mails, m)
			return s.DB.Update(ctx, with)
		},
	})
	return s
}

// rows counts what is in the store.
func (s *site) rows() (n int) {
	s.t.Helper()
	err := s.DB.View(s.t.Context(), func(tx *storage.Tx) error {
		n = 0
		for range table.Scan(tx, storage.Range[key]{}) {
			n++
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// count notes sessions with example.com and stores them.
func (s *site) count() {
	s.t.Helper()
	policy := tlsrpt.ResultPolicy{Type: tlsrpt.STS, Domain: "example.com", String: []string{"version: STSv1", "mode: enforce"}, MXHost: []string{"mx.example.com"}}
	good := tlsrpt.Result{Policy: policy, Summary: tlsrpt.Summary{TotalSuccessfulSessionCount: 1}}
	bad := tlsrpt.Result{Policy: policy, Summary: tlsrpt.Summary{TotalFailureSessionCount: 1}, FailureDetails: []tlsrpt.FailureDetails{
		{ResultType: tlsrpt.ResultCertificateExpired, ReceivingMXHostname: "mx.example.com", FailedSessionCount: 1}}}
	s.Count("example.com", good)
	s.Count("example.com", bad)
	if err := s.Store(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.Count("example.com", good) // the same day, stored later
	s.Count("example.com", bad)
	if err := s.Store(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) round(after time.Duration) {
	s.t.Helper()
	day := time.Now().UTC().Truncate(24 * time.Hour)
	if err := s.Round(s.t.Context(), day.AddDate(0, 0, 1).Add(after)); err != nil {
		s.t.Fatal(err)
	}
}

// A domain with a record gets one report, after the end of the day, in the form of RFC 8460.
func TestReport(t *testing.T) {
	t.Parallel()
	s := newSite(t, `_smtp._tls.example.com. TXT "v=TLSRPTv1; rua=mailto:tls%2Dreports@example.com?subject=x,mailto:b@example.net"`)
	s.count()
	s.round(jitter("example.com") - time.Second)
	if len(s.mails) != 0 {
		t.Fatal("sent before its time")
	}
	s.fails = errors.New("the disk is full")
	s.round(spread)
	s.fails = nil
	s.round(spread)
	s.round(spread + time.Hour)
	if len(s.mails) != 1 || s.rows() != 0 {
		t.Fatalf("%d mails, %d rows left", len(s.mails), s.rows())
	}
	m := s.mails[0]
	if m.Domain != "lists.example.jp" || len(m.To) != 2 || m.To[1].String() != "tls-reports@example.com" {
		t.Errorf("signed by %s, to %v", m.Domain, m.To)
	}
	msg := message.Parse(m.Message)
	day := time.Now().UTC().Format(time.DateOnly)
	for name, want := range map[string]string{
		"From": "postmaster@lists.example.jp", "TLS-Report-Domain": "example.com", "TLS-Report-Submitter": "lists.example.jp",
		"Subject": "Report Domain: example.com Submitter: lists.example.jp Report-ID: <" + day + ".example.com@lists.example.jp>",
	} {
		if got := msg.Header().Text(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if text := msg.Text(); !strings.Contains(text, "made 4 connections on "+day+" (UTC); 2 had trouble") || !strings.Contains(text, "4 回接続し") {
		t.Errorf("text:\n%s", text)
	}
	report, err := tlsrpt.ParseMessage(slog.New(slog.DiscardHandler), bytes.NewReader(m.Message))
	if err != nil {
		t.Fatalf("another program cannot read it: %v\n%s", err, m.Message)
	}
	if report.DateRange.Start.Format(time.RFC3339) != day+"T00:00:00Z" || report.DateRange.End.Format(time.RFC3339) != day+"T23:59:59Z" ||
		report.OrganizationName != "lists.example.jp" || report.ContactInfo != "admin@lists.example.jp" || len(report.Policies) != 1 {
		t.Fatalf("%+v", report)
	}
	p := report.Policies[0]
	if p.Policy.Type != "sts" || p.Policy.MXHost[0] != "mx.example.com" || p.Summary.TotalSuccessfulSessionCount != 2 || p.Summary.TotalFailureSessionCount != 2 ||
		len(p.FailureDetails) != 1 || p.FailureDetails[0].FailedSessionCount != 2 || p.FailureDetails[0].ResultType != "certificate-expired" {
		t.Errorf("%+v", p)
	}
}

// Who does not ask gets nothing, and nothing about it is kept; where the DNS does not answer for a day, neither.
func TestNobodyAsks(t *testing.T) {
	t.Parallel()
	for zone, kept := range map[string]int{
		"example.com. A 192.0.2.1":                                         0,
		`_smtp._tls.example.com. TXT "v=spf1 -all"`:                        0,
		`_smtp._tls.example.com. TXT "v=TLSRPTv1; rua=ftp://example.com/"`: 0,
		"_smtp._tls.example.com. TXT \"v=TLSRPTv1; rua=mailto:a@a.test\"\n_smtp._tls.example.com. TXT \"v=TLSRPTv1; rua=mailto:b@b.test\"": 0,
		"! temp TXT _smtp._tls.example.com.": 1,
	} {
		s := newSite(t, zone)
		s.count()
		s.round(spread)
		if len(s.mails) != 0 || s.rows() != kept {
			t.Errorf("%s: %d mails, %d rows", zone, len(s.mails), s.rows())
		}
		s.round(giveUp)
		if len(s.mails) != 0 || s.rows() != 0 {
			t.Errorf("%s: a day later %d mails, %d rows", zone, len(s.mails), s.rows())
		}
	}
}

// A web server that takes no report is asked again; who got it by mail does not get it again.
func TestHTTPS(t *testing.T) {
	t.Parallel()
	s := newSite(t, "_smtp._tls.example.com. TXT \"v=TLSRPTv1; rua=https://reports.example.com/tls,mailto:a@example.com,https://reports.example.com:8443/,https://inside.example.com/\"\n"+
		"reports.example.com. A 192.0.2.1\ninside.example.com. A 127.0.0.1")
	var status, posts atomic.Int64
	status.Store(503)
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		var report tlsrpt.ReportJSON
		z, err := gzip.NewReader(r.Body)
		if err == nil {
			var text []byte
			text, err = io.ReadAll(z)
			err = errors.Join(err, json.Unmarshal(text, &report))
		}
		if err != nil || r.Method != http.MethodPost || r.Host != "reports.example.com" || r.URL.Path != "/tls" || r.Header.Get("Content-Type") != "application/tlsrpt+gzip" || len(report.Policies) != 1 {
			t.Errorf("%s %s%s: %v, %+v", r.Method, r.Host, r.URL, err, report)
		}
		w.WriteHeader(int(status.Load()))
	}))
	cert, pool := certificate(t, "reports.example.com")
	web.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	web.StartTLS()
	t.Cleanup(web.Close)
	s.RootCAs = pool
	s.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != "192.0.2.1:443" {
			t.Errorf("connects to %s", addr)
		}
		return (&net.Dialer{}).DialContext(ctx, network, web.Listener.Addr().String())
	}
	s.count()
	s.round(spread)
	if posts.Load() != 1 || len(s.mails) != 1 || s.rows() != 1 {
		t.Fatalf("%d posts, %d mails, %d rows", posts.Load(), len(s.mails), s.rows())
	}
	status.Store(201)
	s.round(spread + time.Hour)
	s.round(spread + 2*time.Hour)
	if posts.Load() != 2 || len(s.mails) != 1 {
		t.Errorf("%d posts, %d mails", posts.Load(), len(s.mails))
	}
	s.round(giveUp) // two of the addresses never work
	if s.rows() != 0 {
		t.Errorf("%d rows are kept for ever", s.rows())
	}
}

func certificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// A domain with ever new policies and failures makes no large row, and its sessions are counted all the same.
func TestBounds(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	for n := range 500 {
		policy := tlsrpt.ResultPolicy{Type: tlsrpt.NoPolicyFound, Domain: "example.com"}
		s.Count("example.com", tlsrpt.Result{Policy: policy, Summary: tlsrpt.Summary{TotalFailureSessionCount: 1}, FailureDetails: []tlsrpt.FailureDetails{tlsrpt.Details("x", fmt.Sprint(n))}})
		policy.Domain = fmt.Sprint(n)
		s.Count("example.com", tlsrpt.Result{Policy: policy, Summary: tlsrpt.Summary{TotalSuccessfulSessionCount: 1}})
		if n%100 == 0 {
			if err := s.Store(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Store(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.DB.View(t.Context(), func(tx *storage.Tx) error {
		for _, r := range table.Scan(tx, storage.Range[key]{}) {
			if len(r.Policies) != maxPolicies || len(r.Policies[0].FailureDetails) != maxFailures || r.Policies[0].Summary.TotalFailureSessionCount != 500 {
				t.Errorf("%d policies, %d failures, %+v", len(r.Policies), len(r.Policies[0].FailureDetails), r.Policies[0].Summary)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
