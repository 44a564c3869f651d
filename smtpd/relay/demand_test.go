package relay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
	"kairan/smtpd/tlspolicy"
	"kairan/storage/storagetest"
)

// authority issues certificates that its pool knows.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	a.key = newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue returns a server's configuration with a certificate for a name, and the SHA-256 of its public key.
func (a *authority) issue(t *testing.T, name string) (cfg *tls.Config, pin string) {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(spki)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}}}, hex.EncodeToString(sum[:])
}

// What a domain demands by DANE or MTA-STS is fulfilled, or nothing is sent.
func TestDemands(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	good, pin := ca.issue(t, "mx.example.com")
	other, _ := ca.issue(t, "elsewhere.example.com")
	unknown, unknownPin := stranger.issue(t, "mx.example.com")
	enforce := "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n"
	for _, test := range []struct {
		name   string
		server *tls.Config
		zone   string
		policy string // MTA-STS
		want   string
	}{
		{"MTA-STS: a valid certificate", good, "", enforce, "ann delivered"},
		{"MTA-STS: a certificate for another name", other, "", enforce, "ann deferred 4.7.5 the MTA-STS policy of example.com is not fulfilled"},
		{"MTA-STS: an authority nobody knows", unknown, "", enforce, "ann deferred 4.7.5 the MTA-STS policy of example.com is not fulfilled"},
		{"MTA-STS: no STARTTLS", nil, "", enforce, "ann deferred 4.7.5"},
		{"MTA-STS: a host that is not named", good, "", strings.Replace(enforce, "mx: mx", "mx: mx2", 1), "ann deferred 4.7.5 the MTA-STS policy of example.com does not name the mail host mx.example.com"},
		{"MTA-STS: a wildcard", good, "", strings.Replace(enforce, "mx: mx", "mx: *", 1), "ann delivered"},
		{"MTA-STS: only being tested", unknown, "", strings.Replace(enforce, "enforce", "testing", 1), "ann delivered"},
		{"DANE: the key that is pinned", unknown, "! secure example.com.\n_25._tcp.mx.example.com. TLSA 3 1 1 " + unknownPin, "", "ann delivered"},
		{"DANE: another key", good, "! secure example.com.\n_25._tcp.mx.example.com. TLSA 3 1 1 " + unknownPin, "", "ann deferred 4.7.5 DANE for mx.example.com is not fulfilled"},
		{"DANE: no STARTTLS", nil, "! secure example.com.\n_25._tcp.mx.example.com. TLSA 3 1 1 " + pin, "", "ann deferred 4.7.5"},
		{"DANE: records that DNSSEC does not protect", good, "_25._tcp.mx.example.com. TLSA 3 1 1 " + unknownPin, "", "ann delivered"},
		{"DANE: records that cannot be found now", good, "! secure example.com.\n! temp TLSA _25._tcp.mx.example.com.", "", "ann deferred 4.7.5 the TLSA records of mx.example.com cannot be found now"},
		{"DANE goes before MTA-STS", unknown, "! secure example.com.\n_25._tcp.mx.example.com. TLSA 3 1 1 " + unknownPin, strings.Replace(enforce, "mx: mx", "mx: mx2", 1), "ann delivered"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			zone := "example.com. MX 10 mx.example.com.\nmx.example.com. A 192.0.2.1\n" + test.zone + "\n"
			o := Options{TLSConfig: &tls.Config{RootCAs: ca.pool}}
			if test.policy != "" {
				zone += "_mta-sts.example.com. TXT \"v=STSv1; id=1\"\nmta-sts.example.com. A 192.0.2.2\n"
			}
			dns := fakedns.Must(zone)
			o.Resolver = dns
			if test.policy != "" {
				o.STS = tlspolicy.New(tlspolicy.Options{DB: storagetest.Open(t), Resolver: dns, RootCAs: ca.pool, Dial: serveText(t, ca, test.policy), Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
			}
			sink := smtptest.NewSink(smtptest.Config{Record: true, TLS: test.server})
			got := deliver(toSinks(t, o, sink), "example.com", "ann@example.com")
			if len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if sent := len(sink.Messages()) > 0; sent != (test.want == "ann delivered") {
				t.Errorf("sent: %v", sent)
			}
		})
	}
}

// serveText serves a policy over HTTPS, and returns how to reach it.
func serveText(t *testing.T, ca *authority, text string) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	cert, _ := ca.issue(t, "mta-sts.example.com")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "mta-sts.example.com" || r.URL.Path != "/.well-known/mta-sts.txt" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, text)
	})}
	go s.Serve(tls.NewListener(l, cert)) // ends with Close
	t.Cleanup(func() { s.Close() })
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != "192.0.2.2:443" {
			return nil, fmt.Errorf("%s is not the policy host", addr)
		}
		return (&net.Dialer{}).DialContext(ctx, network, l.Addr().String())
	}
}

// Name and password are said over TLS only, to a host whose certificate is valid; a refused login defers all copies.
func TestLogin(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	server, _ := ca.issue(t, "smtp.example.com")
	stranger, _ := newAuthority(t).issue(t, "smtp.example.com")
	const greet = "C: 220 hi\nS: EHLO lists.example.jp\nC: 250-hi\nC: 250 AUTH %s\n"
	mail := "S: MAIL FROM:<bounces@example.jp>\nC: 250 ok\nS: RCPT TO:<ann@example.com>\nC: 250 ok\nS: DATA\nC: 354 go\n" + body + "C: 250 yes\nS: QUIT\n"
	for _, test := range []struct{ name, script, want string }{
		{"PLAIN", fmt.Sprintf(greet, "LOGIN PLAIN") + "S: AUTH PLAIN AGthaXJhbgBzZWNyZXQ=\nC: 235 ok\n" + mail, "ann delivered"},
		{"LOGIN", fmt.Sprintf(greet, "LOGIN") + "S: AUTH LOGIN\nC: 334 VXNlcm5hbWU6\nS: a2FpcmFu\nC: 334 UGFzc3dvcmQ6\nS: c2VjcmV0\nC: 235 ok\n" + mail, "ann delivered"},
		{"refused", fmt.Sprintf(greet, "PLAIN") + "S: AUTH PLAIN AGthaXJhbgBzZWNyZXQ=\nC: 535 5.7.8 wrong\nS: QUIT\n", "ann deferred"},
		{"none that we know", fmt.Sprintf(greet, "GSSAPI") + "S: QUIT\n", "ann deferred"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := overTLS(t, ca, server, test.script)
			if len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if err != nil && test.want == "ann delivered" {
				t.Error(err)
			}
			if strings.Contains(strings.Join(got, ""), "secret") || test.name == "refused" && !strings.Contains(got[0], "refuses the login of kairan") {
				t.Errorf("says %q", got)
			}
		})
	}
	got, _ := overTLS(t, ca, stranger, "C: 220 hi\nS: EHLO lists.example.jp\nC: 250 hi\n")
	if len(got) != 1 || !strings.HasPrefix(got[0], "ann deferred 4.7.5") {
		t.Errorf("with a certificate that is not valid: %q", got)
	}
}

// overTLS delivers to a smarthost that speaks TLS from the first byte and follows a script; err is where it went off it.
func overTLS(t *testing.T, ca *authority, server *tls.Config, script string) (got []string, err error) {
	t.Helper()
	l := smtptest.NewPipeListener()
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			err = smtptest.Dialog(tls.Server(conn, server), strings.ReplaceAll(script, "\t", ""))
		}
		done <- err
	}()
	r := New(Options{
		Hostname: "lists.example.jp", Smarthost: "smtp.example.com:465", TLS: Implicit, TLSConfig: &tls.Config{RootCAs: ca.pool},
		Login: Login{User: "kairan", Password: "secret"},
		Dial:  func(context.Context, string, string) (net.Conn, error) { return l.Dial() },
	})
	got = deliver(r, "", "ann@example.com")
	r.Close()
	l.Close()
	return got, <-done
}

// The nearest route holds; "mx" goes past the smarthost.
func TestRoutes(t *testing.T) {
	t.Parallel()
	r := New(Options{Smarthost: "smart.test:25", Routes: map[string]string{"example.com": "one.test:2525", ".example.com": "below.test:465", "direct.test": "mx"}})
	var got []string
	for _, domain := range []string{"example.com", "a.example.com", "b.a.example.com", "myexample.com", "direct.test", "a.direct.test"} {
		h := r.hop(domain)
		got = append(got, fmt.Sprintf("%s %s %t", domain, h.addr, h.tls == Implicit))
	}
	want := []string{"example.com one.test:2525 false", "a.example.com below.test:465 true", "b.a.example.com below.test:465 true", "myexample.com smart.test:25 false", "direct.test  false", "a.direct.test smart.test:25 false"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
