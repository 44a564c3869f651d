package relay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/queue"
	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
	"kairan/smtpd/tlspolicy"
	"kairan/storage/storagetest"
)

// ca is a certificate authority with a server certificate for mx.example.test and mta-sts.example.test.
func ca(t *testing.T) (server *tls.Config, pool *x509.CertPool, key256 string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"mx.example.test", "mta-sts.example.test", "smart.test"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	pool = x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool, fmt.Sprintf("%x", sha256.Sum256(cert.RawSubjectPublicKeyInfo))
}

func TestDemands(t *testing.T) {
	t.Parallel()
	server, pool, pin := ca(t)
	const mx, sts = "example.test. MX 10 mx.example.test.\nmx.example.test. A 192.0.2.1\n", "_mta-sts.example.test. TXT \"v=STSv1; id=1\"\nmta-sts.example.test. A 192.0.2.9\n"
	tlsa, wrong := "_25._tcp.mx.example.test. TLSA 3 1 1 "+pin+"\n", "_25._tcp.mx.example.test. TLSA 3 1 1 "+strings.Repeat("00", 32)+"\n"
	const secure = "! secure example.test.\n"
	for _, test := range []struct {
		name, zone, policy string
		server             *tls.Config
		want               string
		tls                bool
		counted            string // sessions, as RFC 8460 counts them
	}{
		{"enforce", mx + sts, "enforce mx.example.test", server, "ann delivered", true, "sts example.test 1/0"},
		{"enforce, bad certificate", mx + sts, "enforce mx.example.test", selfSigned(t), "ann deferred 4.7.5 the MTA-STS policy of example.test is not fulfilled: TLS handshake", false, "sts example.test 0/1 certificate-host-mismatch"},
		{"enforce, no STARTTLS", mx + sts, "enforce mx.example.test", nil, "ann deferred 4.7.5 the MTA-STS policy of example.test is not fulfilled: mx.example.test offers no STARTTLS", false, "sts example.test 0/1 starttls-not-supported"},
		{"enforce, another host", mx + sts, "enforce other.test", server, "ann deferred 4.7.5 the MTA-STS policy of example.test does not name the mail host mx.example.test", false, "sts example.test 0/1 validation-failure sts-mx-mismatch"},
		{"testing, another host", mx + sts, "testing other.test", nil, "ann delivered", false, "sts example.test 0/1 validation-failure sts-mx-mismatch"},
		{"testing", mx + sts, "testing mx.example.test", server, "ann delivered", true, "sts example.test 1/0"},
		{"testing, bad certificate", mx + sts, "testing mx.example.test", selfSigned(t), "ann delivered", true, "sts example.test 0/1 certificate-host-mismatch"},
		{"testing, no STARTTLS", mx + sts, "testing mx.example.test", nil, "ann delivered", false, "sts example.test 0/1 starttls-not-supported"},
		{"no policy page", mx + sts, "broken x", server, "ann delivered", true, "sts example.test 0/1 sts-policy-invalid, no-policy-found example.test 1/0"},
		{"nothing", mx, "", selfSigned(t), "ann delivered", true, "no-policy-found example.test 1/0"},
		{"none", mx + sts, "none x", nil, "ann delivered", false, "no-policy-found example.test 0/1 starttls-not-supported"},
		{"DANE", mx + tlsa + secure, "", server, "ann delivered", true, "tlsa mx.example.test 1/0"},
		{"DANE, another key", mx + wrong + secure, "", server, "ann deferred 4.7.5 DANE for mx.example.test is not fulfilled: TLS handshake", false, "tlsa mx.example.test 0/1 validation-failure tlsa-no-match"},
		{"DANE, no STARTTLS", mx + tlsa + secure, "", nil, "ann deferred 4.7.5 DANE for mx.example.test is not fulfilled: mx.example.test offers no STARTTLS", false, "tlsa mx.example.test 0/1 starttls-not-supported"},
		{"DANE, not secure", mx + wrong, "", nil, "ann delivered", false, "no-policy-found example.test 0/1 starttls-not-supported"},
		{"DANE, addresses not secure", "example.test. MX 10 mx.open.test.\nmx.open.test. A 192.0.2.1\n_25._tcp.mx.open.test. TLSA 3 1 1 00\n" + secure, "", nil, "ann delivered", false, "no-policy-found example.test 0/1 starttls-not-supported"},
		{"DANE, no answer", mx + secure + "! temp TLSA _25._tcp.mx.example.test.", "", server, "ann deferred 4.7.5 the TLSA records of mx.example.test cannot be found", false, "tlsa mx.example.test 0/1 dnssec-invalid"},
		{"DANE, none usable", mx + secure + "_25._tcp.mx.example.test. TLSA 1 1 1 " + pin, "", selfSigned(t), "ann delivered", true, "tlsa mx.example.test 0/1 tlsa-invalid, no-policy-found example.test 1/0"},
		{"DANE before MTA-STS", mx + sts + tlsa + secure, "enforce other.test", server, "ann delivered", true, "tlsa mx.example.test 1/0"},
		{"a failing DANE in spite of MTA-STS", mx + sts + wrong + secure, "enforce mx.example.test", server, "ann deferred 4.7.5 DANE", false, "tlsa mx.example.test 0/1 validation-failure tlsa-no-match"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sink := smtptest.NewSink(smtptest.Config{Record: true, TLS: test.server})
			zone := fakedns.Must(test.zone)
			opts := Options{Resolver: zone, TLSConfig: &tls.Config{RootCAs: pool}}
			if mode, host, ok := strings.Cut(test.policy, " "); ok {
				web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "text/plain")
					fmt.Fprintf(w, "version: STSv1\nmode: %s\nmx: %s\nmax_age: 86400\n", mode, host)
				}))
				web.TLS = server.Clone()
				web.StartTLS()
				t.Cleanup(web.Close)
				opts.STS = tlspolicy.New(tlspolicy.Options{DB: storagetest.Open(t), Resolver: zone, RootCAs: pool, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
					return (&net.Dialer{}).DialContext(ctx, network, web.Listener.Addr().String())
				}})
			}
			var counted []string
			opts.Sessions = func(domain string, res tlsrpt.Result) {
				line := fmt.Sprintf("%s %s %d/%d", res.Policy.Type, res.Policy.Domain, res.Summary.TotalSuccessfulSessionCount, res.Summary.TotalFailureSessionCount)
				for _, f := range res.FailureDetails {
					line = strings.TrimSpace(line + " " + string(f.ResultType) + " " + f.FailureReasonCode)
				}
				counted = append(counted, line)
				if domain != "example.test" {
					t.Errorf("counted for %s", domain)
				}
			}
			r := toSinks(t, opts, sink)
			got := deliver(r, "example.test", "ann@example.test")
			if len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := strings.Join(counted, ", "); got != test.counted {
				t.Errorf("counted %q, want %q", got, test.counted)
			}
			secure := strings.Contains(test.zone, secure) && !strings.Contains(test.name, "not secure")
			if asked := strings.Contains(strings.Join(zone.Questions(), "\n"), "TLSA"); asked != secure {
				t.Errorf("TLSA records asked for: %t", asked)
			}
			if m := sink.Messages(); len(m) > 0 && m[0].TLS != test.tls {
				t.Errorf("TLS is %t", m[0].TLS)
			}
		})
	}
}

// A report about TLS goes whatever the domain demands, over a connection that nothing else uses and that nobody counts.
func TestReportsGoAnyway(t *testing.T) {
	t.Parallel()
	_, pool, _ := ca(t)
	zone := fakedns.Must("example.test. MX 10 mx.example.test.\nmx.example.test. A 192.0.2.1\n_25._tcp.mx.example.test. TLSA 3 1 1 " + strings.Repeat("00", 32) + "\n! secure example.test.\n")
	sink := smtptest.NewSink(smtptest.Config{Record: true, TLS: selfSigned(t)})
	counted := 0
	r := toSinks(t, Options{Resolver: zone, TLSConfig: &tls.Config{RootCAs: pool}, Sessions: func(string, tlsrpt.Result) { counted++ }}, sink)
	report := func(o *queue.Outgoing) { o.Report = o.To.Local() == "reports" }
	if got := deliverAs(r, "example.test", report, "reports@example.test", "ann@example.test"); len(got) != 2 || got[0] != "reports delivered 2.0.0 OK" || !strings.HasPrefix(got[1], "ann deferred 4.7.5") {
		t.Errorf("got %q", got)
	}
	if m := sink.Messages(); len(m) != 1 || !m[0].TLS || counted != 1 {
		t.Errorf("%d messages, %d sessions counted", len(m), counted)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	r := New(Options{Smarthost: "smart.test:587", TLS: Required, Login: Login{User: "u"}, Routes: map[string]string{"example.com": "a.test:25", ".example.com": "b.test:465", "x.example.com": "mx"}})
	for domain, want := range map[string]hop{
		"example.com":     {addr: "a.test:25"},
		"y.example.com":   {addr: "b.test:465", tls: Implicit},
		"z.y.example.com": {addr: "b.test:465", tls: Implicit},
		"x.example.com":   {},
		"notexample.com":  {addr: "smart.test:587", tls: Required, login: Login{User: "u"}},
		"":                {addr: "smart.test:587", tls: Required, login: Login{User: "u"}},
	} {
		if got := r.hop(domain); got != want {
			t.Errorf("%q: got %+v, want %+v", domain, got, want)
		}
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	server, pool, _ := ca(t)
	for _, test := range []struct {
		name, offer, script, want string
		tls                       TLSPolicy
	}{
		{"plain", "AUTH LOGIN PLAIN", "S: AUTH PLAIN AHUAcA==\nC: 235 2.7.0 ok\nS: QUIT\n", "", Implicit},
		{"login", "AUTH LOGIN", "S: AUTH LOGIN\nC: 334 VXNlcm5hbWU6\nS: dQ==\nC: 334 UGFzc3dvcmQ6\nS: cA==\nC: 235 ok\nS: QUIT\n", "", Implicit},
		{"refused", "AUTH PLAIN", "S: AUTH PLAIN AHUAcA==\nC: 535 5.7.8 bad password\n", "smart.test refuses the login of u: bad password", Implicit},
		{"unknown", "AUTH CRAM-MD5", "", `smart.test offers no login that we know (PLAIN, LOGIN) but "CRAM-MD5"`, Implicit},
		{"plain text", "AUTH PLAIN", "", "no login without TLS and a valid certificate", Opportunistic},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			if test.tls == Implicit {
				l = tls.NewListener(l, server)
			}
			go func() {
				if c, err := l.Accept(); err == nil {
					smtptest.Dialog(c, "C: 220 hi\nS: EHLO lists.example.jp\nC: 250-hi\nC: 250 "+test.offer+"\n"+test.script)
				}
			}()
			r := New(Options{Hostname: "lists.example.jp", Smarthost: "smart.test:465", TLS: test.tls, Login: Login{"u", "p"}, TLSConfig: &tls.Config{RootCAs: pool},
				Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
					return (&net.Dialer{}).DialContext(ctx, network, l.Addr().String())
				}})
			defer r.Close()
			c, why := r.connect(t.Context(), "", false)
			if c != nil {
				c.close(true)
			}
			if why.Text != test.want || test.want != "" && why.Status != "deferred" {
				t.Errorf("got %+v, want %q", why, test.want)
			}
		})
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := Options{Sources: []netip.Addr{netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.2")}}.withDefaults()
	c, err := o.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil || !strings.HasPrefix(c.LocalAddr().String(), "127.0.0.2:") {
		t.Fatalf("got %v, %v", c, err)
	}
	c.Close()
	synctest.Test(t, func(t *testing.T) {
		zone := fakedns.Must("four.test. A 192.0.2.1\nsix.test. AAAA 2001:db8::1")
		r := toSinks(t, Options{Resolver: zone, Sources: []netip.Addr{netip.MustParseAddr("192.0.2.7")}}, smtptest.NewSink(smtptest.Config{}))
		for domain, want := range map[string]string{"four.test": "ann delivered", "six.test": "ann deferred 4.4.4"} {
			if got := deliver(r, domain, "ann@"+domain); len(got) != 1 || !strings.HasPrefix(got[0], want) {
				t.Errorf("%s: got %q", domain, got)
			}
		}
	})
}
