package tlspolicy

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kairan/smtpd/resolver"
	"kairan/smtpd/resolver/fakedns"
	"kairan/storage"
	"kairan/storage/storagetest"
)

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	return &authority{cert, key}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}
}

const good = "version: STSv1\nmode: enforce\nmx: mx.example.test\nmx: *.pool.test\nmax_age: 86400\n"

// site is a domain with a policy host on loopback.
type site struct {
	db    *storage.DB
	ca    *authority
	addr  string
	hits  atomic.Int64
	mu    sync.Mutex
	serve http.HandlerFunc
}

func newSite(t *testing.T, certName string) *site {
	s := &site{db: storagetest.Open(t), ca: newAuthority(t), serve: text(good)}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		s.mu.Lock()
		h := s.serve
		s.mu.Unlock()
		h(w, r)
	}))
	srv.Config.ErrorLog = nil
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{s.ca.issue(t, certName)}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	s.addr = srv.Listener.Addr().String()
	return s
}

func (s *site) cache(zone string) *Cache {
	return New(Options{DB: s.db, Resolver: fakedns.Must(zone), RootCAs: s.ca.pool(), Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.addr)
	}})
}

func (s *site) now(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serve = h
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte(body))
	}
}

const host = "mta-sts.example.test. A 192.0.2.1\n"

func zoneID(id string) string {
	return host + "_mta-sts.example.test. TXT \"v=STSv1; id=" + id + "\"\n"
}

func TestCacheLife(t *testing.T) {
	t.Parallel()
	s := newSite(t, "mta-sts.example.test")
	expect := func(c *Cache, mode Mode, hits int64) {
		t.Helper()
		p, err := c.Policy(t.Context(), "example.test")
		if err != nil || p.Mode != mode || s.hits.Load() != hits {
			t.Errorf("got %+v, %v after %d fetches; want %q after %d", p, err, s.hits.Load(), mode, hits)
		}
	}
	expect(s.cache(host), "", 0)
	c := s.cache(zoneID("1"))
	expect(c, Enforce, 1)
	expect(c, Enforce, 1)
	expect(s.cache(zoneID("1")), Enforce, 1) // after a restart
	expect(s.cache(host), Enforce, 1)        // the record is gone
	expect(s.cache("! temp _mta-sts.example.test."), Enforce, 1)
	s.now(http.NotFound)
	c = s.cache(zoneID("2"))
	expect(c, Enforce, 2) // the page is gone
	expect(c, Enforce, 2) // and not asked for again at once
	s.now(text(strings.Replace(good, "enforce", "testing", 1)))
	expect(s.cache(zoneID("2")), Testing, 3)
	s.now(text("version: STSv1\nmode: none\nmax_age: 86400\n"))
	expect(s.cache(zoneID("3")), "", 4)
	old := row{ID: "9", Policy: Policy{Mode: Enforce, MX: []string{"x"}, MaxAge: time.Hour}, Fetched: time.Now().Add(-2 * time.Hour)}
	if err := s.db.Update(t.Context(), func(tx *storage.Tx) error { return policies.Put(tx, "example.test", old) }); err != nil {
		t.Fatal(err)
	}
	expect(s.cache(host), "", 4) // expired
}

func TestOneFetchForAll(t *testing.T) {
	t.Parallel()
	s := newSite(t, "mta-sts.example.test")
	asked, release := make(chan struct{}), make(chan struct{})
	s.now(func(w http.ResponseWriter, r *http.Request) { close(asked); <-release; text(good)(w, r) })
	c := s.cache(zoneID("1"))
	gone, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { c.Policy(gone, "example.test") }) // goes away in the middle of the fetch it began
	<-asked
	for range 8 {
		wg.Go(func() {
			if p, err := c.Policy(t.Context(), "example.test"); err != nil || p.Mode != Enforce {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
	cancel()
	close(release)
	wg.Wait()
	if n := s.hits.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

func TestNoPolicyFrom(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://mta-sts.example.test/x", http.StatusFound)
		},
		"html": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte(good))
		},
		"too much":      text(good + strings.Repeat("x: y\n", 20000)),
		"another":       text("version: STSv2\nmode: enforce\nmx: a\nmax_age: 1\n"),
		"no mail hosts": text("version: STSv1\nmode: enforce\nmax_age: 1\n"),
	} {
		s := newSite(t, "mta-sts.example.test")
		s.now(h)
		if p, err := s.cache(zoneID("1")).Policy(t.Context(), "example.test"); err != nil || p.Mode != "" || s.hits.Load() != 1 {
			t.Errorf("%s: got %+v, %v after %d fetches", name, p, err, s.hits.Load())
		}
	}
	s := newSite(t, "www.example.test")
	if p, err := s.cache(zoneID("1")).Policy(t.Context(), "example.test"); err != nil || p.Mode != "" || s.hits.Load() != 0 {
		t.Errorf("a certificate for another host: got %+v, %v", p, err)
	}
	s = newSite(t, "mta-sts.example.test")
	inside := strings.Replace(zoneID("1"), "192.0.2.1", "127.0.0.1", 1)
	if p, _ := s.cache(inside).Policy(t.Context(), "example.test"); p.Mode != "" || s.hits.Load() != 0 {
		t.Errorf("a policy host on loopback was asked: %+v", p)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	p, err := parsePolicy([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	for h, want := range map[string]bool{"mx.example.test": true, "MX.Example.test.": true, "a.pool.test": true, "a.b.pool.test": false, "pool.test": false, "x.test": false} {
		if p.Matches(h) != want {
			t.Errorf("%s: not %t", h, want)
		}
	}
	for rec, want := range map[string]string{"v=STSv1; id=20260101;": "20260101", "v=STSv1;id=a b": "", "v=STSv1;": "", "v=spf1 -all": ""} {
		if got := parseRecord([]string{"other", rec}); got != want {
			t.Errorf("%q: got %q", rec, got)
		}
	}
	if got := parseRecord([]string{"v=STSv1; id=1", "v=STSv1; id=2"}); got != "" {
		t.Errorf("two records: got %q", got)
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := parsePolicy(b); err == nil && (p.MaxAge < minAge || p.MaxAge > maxAge || p.Mode == "") {
			t.Errorf("got %+v", p)
		}
	})
}

func TestVerify(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	cert := ca.issue(t, "mx.example.test")
	key256, key512 := sha256.Sum256(cert.Leaf.RawSubjectPublicKeyInfo), sha512.Sum512(cert.Leaf.RawSubjectPublicKeyInfo)
	ca256, other256 := sha256.Sum256(ca.cert.Raw), sha256.Sum256(other.cert.Raw)
	chain := []*x509.Certificate{cert.Leaf, ca.cert}
	for name, test := range map[string]struct {
		rr    resolver.TLSA
		base  string
		chain []*x509.Certificate
		ok    bool
	}{
		"3 1 1":                      {resolver.TLSA{Usage: 3, Selector: 1, Matching: 1, Data: key256[:]}, "any.test", chain, true},
		"3 1 2":                      {resolver.TLSA{Usage: 3, Selector: 1, Matching: 2, Data: key512[:]}, "any.test", chain, true},
		"3 0 0":                      {resolver.TLSA{Usage: 3, Data: cert.Leaf.Raw}, "any.test", chain, true},
		"3 0 1 of the authority":     {resolver.TLSA{Usage: 3, Matching: 1, Data: ca256[:]}, "mx.example.test", chain, false},
		"2 0 1":                      {resolver.TLSA{Usage: 2, Matching: 1, Data: ca256[:]}, "mx.example.test", chain, true},
		"2 0 1 for another name":     {resolver.TLSA{Usage: 2, Matching: 1, Data: ca256[:]}, "any.test", chain, false},
		"2 0 0 that is not sent":     {resolver.TLSA{Usage: 2, Data: ca.cert.Raw}, "mx.example.test", chain[:1], true},
		"2 0 1 of another authority": {resolver.TLSA{Usage: 2, Matching: 1, Data: other256[:]}, "mx.example.test", chain, false},
		"2 0 1 sent but not signing": {resolver.TLSA{Usage: 2, Matching: 1, Data: other256[:]}, "mx.example.test", []*x509.Certificate{cert.Leaf, other.cert}, false},
	} {
		if unusable(test.rr) {
			t.Errorf("%s is unusable", name)
		}
		err := Pins{Base: test.base, Records: []resolver.TLSA{test.rr}}.Verify(tls.ConnectionState{PeerCertificates: test.chain}, nil)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, rr := range []resolver.TLSA{{Usage: 1, Selector: 1, Matching: 1, Data: key256[:]}, {Usage: 3, Selector: 2, Matching: 1, Data: key256[:]}, {Usage: 3, Matching: 1, Data: key512[:]}, {Usage: 3, Matching: 3}, {Usage: 2, Data: []byte("x")}} {
		if !unusable(rr) {
			t.Errorf("%+v is usable", rr)
		}
	}
	if got := strongest([]resolver.TLSA{{Usage: 3, Matching: 1}, {Usage: 3, Matching: 2}, {Usage: 2, Matching: 1}}); len(got) != 2 {
		t.Errorf("got %v", got)
	}
}
