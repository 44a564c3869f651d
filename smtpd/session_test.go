package smtpd_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/smtptest"
)

// TestEnvelope sends a dialog whose every fact must arrive.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	got := play(t, &smtpd.Server{TLS: selfSigned(t)}, `S: 220 *
C: EHLO before.example.com
S* 250
C: STARTTLS
S: 220 *
STARTTLS
C: EHLO mail.example.com
S* 250
C: MAIL FROM:<"a b"@EXAMPLE.com> SMTPUTF8
C: RCPT TO:<a..b.@docomo.ne.jp>
C: RCPT TO:<nobody@example.jp>
C: RCPT TO:<Postmaster>
C: RCPT TO:<回覧@example.jp>
C: DATA
S: 250 *
S: 250 *
S: 550 *
S: 250 *
S: 250 *
S: 354 *
C: .
S: 250 *
C: HELO [192.0.2.7]
S: 250 *
C: MAIL FROM:<>
C: RCPT TO:<"janog"@example.jp>
C: DATA
S: 250 *
S: 250 *
S: 354 *
C: .
S: 250 *
`)
	if len(got) != 2 {
		t.Fatalf("got %d messages, want 2", len(got))
	}
	first, second := got[0].env, got[1].env
	if first.From != address.Must(`"a b"@example.com`) || first.Helo != "mail.example.com" || !first.TLS || !first.UTF8 || first.Basic ||
		first.LMTP || !first.RemoteIP.IsLoopback() || first.ID == "" || time.Since(first.At).Abs() > time.Minute {
		t.Errorf("envelope %+v", first)
	}
	want := "a..b.@docomo.ne.jp Postmaster@lists.example.jp 回覧@example.jp"
	if to := join(first.To); to != want {
		t.Errorf("recipients %s, want %s", to, want)
	}
	if !second.From.IsNull() || second.Helo != "[192.0.2.7]" || !second.Basic || second.UTF8 || second.ID == first.ID || join(second.To) != "janog@example.jp" {
		t.Errorf("second envelope %+v", second)
	}
}

func join(to []address.Address) string {
	var all []string
	for _, a := range to {
		all = append(all, a.String())
	}
	return strings.Join(all, " ")
}

// TestUnixSocket speaks LMTP over a unix socket, where there is no address.
func TestUnixSocket(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "lmtp"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{}
	serve(t, &smtpd.Server{Handler: h, LMTP: true, Limits: smtpd.Limits{PerIP: 1}}, l)
	dial(t, l) // a second connection is no second client from one address
	if err := smtptest.Dialog(dial(t, l), strings.ReplaceAll(begin, "EHLO", "LHLO")+"C: .\nS: 250 *\n"); err != nil {
		t.Fatal(err)
	}
	if got := h.deliveries(); len(got) != 1 || got[0].env.RemoteIP.IsValid() || !got[0].env.LMTP {
		t.Errorf("got %+v", got)
	}
}

// TestLog proves that errors and panics are logged with their cause, that bodies never
// are, and that each transaction has one line.
func TestLog(t *testing.T) {
	t.Parallel()
	var out syncBuffer
	s := &smtpd.Server{Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	play(t, s, `S: 220 *
C: EHLO mail.example.com
S* 250
C: MAIL FROM:<ann@example.com>
S: 250 *
C: RCPT TO:<nobody@example.jp>
S: 550 *
C: RSET
S: 250 *
C: MAIL FROM:<ann@example.com>
S: 250 *
C: RCPT TO:<data-error@example.jp>
S: 250 *
C: DATA
S: 354 *
C: Subject: private
C: .
S: 451 *
C: MAIL FROM:<ann@example.com>
S: 250 *
C: RCPT TO:<data-panic@example.jp>
S: 250 *
C: DATA
S: 354 *
C: Subject: private
C: .
S: 421 *
S.
`)
	log := out.String()
	for text, want := range map[string]int{
		"msg=transaction":             3,
		"reply=abandoned":             1,
		"recipient refused":           1,
		"disk /secret/path full":      1,
		"panic: in Data":              1,
		"(*house).Data":               1, // the stack
		"private":                     0,
		"RCPT TO:<nobody@example.jp>": 1, // the dialog, at debug level
	} {
		if got := strings.Count(log, text); got != want {
			t.Errorf("%q is in the log %d times, want %d:\n%s", text, got, want, log)
		}
	}
	if got := []int64{s.Stats.Connections.Load(), s.Stats.Deferred.Load(), s.Stats.Recipients.Load(), s.Stats.Accepted.Load()}; got[0] != 1 || got[1] != 2 || got[2] != 1 || got[3] != 0 {
		t.Errorf("connections, deferred, recipients, accepted = %v, want 1 2 1 0", got)
	}
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestReload replaces certificate files under a running configuration.
func TestReload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		writePair(t, cert, key, "old.example.jp")
		config, err := smtpd.LoadCertificate(cert, key, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		l := start(t, &smtpd.Server{TLS: config})
		if got := certificateName(t, l); got != "old.example.jp" {
			t.Errorf("certificate of %s", got)
		}
		if err := os.WriteFile(cert, []byte("half written"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := certificateName(t, l); got != "old.example.jp" {
			t.Errorf("certificate of %s while the file is broken", got)
		}
		writePair(t, cert, key, "the-new-name.example.jp")
		if got := certificateName(t, l); got != "the-new-name.example.jp" {
			t.Errorf("certificate of %s, want the new one", got)
		}
	})
	if _, err := smtpd.LoadCertificate("absent", "absent", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no error for files that do not exist")
	}
}

func writePair(t *testing.T, certFile, keyFile, name string) {
	t.Helper()
	pair, err := smtpd.SelfSigned(name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(pair.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]},
		keyFile:  {Type: "EC PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// certificateName starts TLS and returns the name in the server's certificate.
func certificateName(t *testing.T, l *smtptest.PipeListener) string {
	t.Helper()
	conn := talk(t, l, "EHLO mail.example.com\r\n", "250 ")
	io.WriteString(conn, "STARTTLS\r\n")
	expect(t, conn, "220 ")
	secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	defer secure.Close()
	return secure.ConnectionState().PeerCertificates[0].Subject.CommonName
}

// accepting takes all mail at once.
type accepting struct{}

func (accepting) Rcpt(context.Context, *smtpd.Envelope, address.Address) (smtpd.Reply, error) {
	return smtpd.Reply{}, nil
}

func (accepting) Data(context.Context, *smtpd.Envelope, []byte) ([]smtpd.Reply, error) {
	return []smtpd.Reply{{}}, nil
}

// BenchmarkReceive receives messages of 4 KB on one connection, commands pipelined.
func BenchmarkReceive(b *testing.B) {
	s := &smtpd.Server{Handler: accepting{}, Hostname: hostname, Limits: smtpd.Limits{Messages: 1 << 30}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(l)
	defer s.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	io.WriteString(conn, "EHLO mail.example.com\r\n")
	body := "Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 57) + ".\r\n"
	buf := make([]byte, 64<<10)
	wait := func(last string) {
		for {
			n, err := conn.Read(buf)
			if err != nil {
				b.Fatal(err)
			}
			if bytes.Contains(buf[:n], []byte(last)) {
				return
			}
		}
	}
	wait("250 SIZE")
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		io.WriteString(conn, "MAIL FROM:<ann@example.com>\r\nRCPT TO:<janog@example.jp>\r\nDATA\r\n")
		wait("354 ")
		io.WriteString(conn, body)
		wait("250 2.0.0")
	}
}

// TestTrusted proves that a relay in front is not cut off for what it passes on.
func TestTrusted(t *testing.T) {
	t.Parallel()
	s := &smtpd.Server{Limits: small, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	play(t, s, "S: 220 *\nC: EHLO relay.example.jp\nS* 250\n"+
		strings.Repeat("C: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<nobody@example.jp>\nS: 550 *\nC: RCPT TO:<janog@example.jp>\nS: 250 *\nC: DATA\nS: 354 *\nC: .\nS: 250 *\n", 6))
}
