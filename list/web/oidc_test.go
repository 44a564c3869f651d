package web

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/templates"
)

// issuer is a little OpenID provider: it signs in whoever comes, as its test wants.
type issuer struct {
	*httptest.Server
	t       *testing.T
	key     *rsa.PrivateKey
	signing *rsa.PrivateKey // that it signs with, which may be another

	mu       sync.Mutex // protects what follows
	claims   map[string]any
	userinfo map[string]any
	nonce    string // in place of the right one, if it is not ""
	down     bool
	asked    map[string]url.Values // by code
}

const clientSecret = "s3cret/+"

var testKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		keys[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return keys
})

func newIssuer(t *testing.T) *issuer {
	p := &issuer{t: t, key: testKeys()[0], signing: testKeys()[0], asked: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		p.answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"userinfo_endpoint": p.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		p.answer(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "n": b64(p.key.N.Bytes()), "e": b64(big.NewInt(int64(p.key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" {
			t.Errorf("userinfo with %q", r.Header.Get("Authorization"))
		}
		p.answer(w, p.userinfo)
	})
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *issuer) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

// authorize is what the issuer does with the address that a browser is led to: it returns that of the answer.
func (p *issuer) authorize(there string) (back string) {
	u, err := url.Parse(there)
	if err != nil {
		p.t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"client_id": "kairan", "response_type": "code", "scope": "openid email", "code_challenge_method": "S256",
		"redirect_uri": "https://" + listtest.Domain + "/-/login/oidc/callback",
	} {
		if q.Get(name) != want {
			p.t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := list.NewToken()
	p.asked[code] = q
	return "/-/login/oidc/callback?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}

// token exchanges a code, once, for who knows secret and verifier.
func (p *issuer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	q := p.asked[r.PostFormValue("code")]
	delete(p.asked, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if id != "kairan" || secret != url.QueryEscape(clientSecret) || q == nil || b64(sum[:]) != q.Get("code_challenge") {
		http.Error(w, `{"error": "invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := map[string]any{"iss": p.URL, "aud": "kairan", "sub": "u1", "nonce": q.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	if p.nonce != "" {
		claims["nonce"] = p.nonce
	}
	maps.Copy(claims, p.claims)
	body, _ := json.Marshal(claims)
	text := b64([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + b64(body)
	hash := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, p.signing, crypto.SHA256, hash[:])
	if err != nil {
		p.t.Error(err)
	}
	p.answer(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": text + "." + b64(sig)})
}

// oidcHouse is a house with a directory.
func oidcHouse(t *testing.T, p *issuer, change func(*OIDC)) *house {
	t.Helper()
	h := newHouse(t)
	o := OIDC{Issuer: p.URL, ClientID: "kairan", ClientSecret: clientSecret, Name: "Example ID"}
	if change != nil {
		change(&o)
	}
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	w := h.world
	h.site = New(Options{DB: w.DB, Archive: w.Archive, Site: w.Site, Templates: set, Subscribe: w.Workflow, Moderation: w.Moderation, OIDC: &o})
	return h
}

// visit goes to the directory and returns the address that it leads to.
func (b *browser) visit(to string) (there string) {
	b.house.Helper()
	a := b.ask("/-/login/oidc", url.Values{"to": {to}})
	there, ok := strings.CutPrefix(a.header.Get("Refresh"), "0; url=")
	if a.code != http.StatusOK || !ok {
		b.house.Fatalf("to the directory: %d\n%s", a.code, a.body)
	}
	has(b.house.T, html.UnescapeString(a.body), `href="`+there+`"`)
	return there
}

func TestSignInByDirectory(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	h := oidcHouse(t, p, nil)
	h.world.Join(h.world.List("janog", nil), list.RoleMember, "ann@people.test")
	h.tie("ann@people.test", "ann@work.test")
	b := h.browser()
	has(t, b.get("/-/login"), "Sign in with Example ID", `action="/-/login/oidc"`)
	p.claims = map[string]any{"email": "ANN@work.test", "email_verified": true}
	back := p.authorize(b.visit("/janog/"))
	if other := h.browser().ask(back, nil); other.code != http.StatusForbidden {
		t.Errorf("another browser brings the answer: %d", other.code)
	}
	a := b.ask(back, nil)
	if a.code != http.StatusSeeOther || a.location != "/janog/" {
		t.Fatalf("the answer: %d to %q\n%s", a.code, a.location, a.body)
	}
	has(t, b.get("/-/my"), "ann@people.test", "janog")
	if again := b.ask(back, nil); again.code != http.StatusForbidden {
		t.Errorf("the answer a second time: %d", again.code)
	}
	// An issuer that says the address only to who asks for it.
	p.claims, p.userinfo = nil, map[string]any{"sub": "u1", "email": "new@people.test", "email_verified": "true"}
	b = h.browser()
	b.ask(p.authorize(b.visit("")), nil)
	has(t, b.get("/-/my"), "new@people.test")
}

func TestDirectoryIsNotBelieved(t *testing.T) {
	t.Parallel()
	good := map[string]any{"email": "ann@people.test", "email_verified": true}
	for name, c := range map[string]struct {
		issuer func(*issuer)
		site   func(*OIDC)
		answer func(url.Values)
		in     bool
	}{
		"as it should be":              {in: true},
		"another state":                {answer: func(q url.Values) { q.Set("state", list.NewToken()) }},
		"no code":                      {answer: func(q url.Values) { q.Del("code") }},
		"an error":                     {answer: func(q url.Values) { q.Set("error", "access_denied") }},
		"another nonce":                {issuer: func(p *issuer) { p.nonce = list.NewToken() }},
		"signed by another":            {issuer: func(p *issuer) { p.signing = testKeys()[1] }},
		"for another site":             {issuer: func(p *issuer) { p.claims = with(good, "aud", "another") }},
		"of another issuer":            {issuer: func(p *issuer) { p.claims = with(good, "iss", "https://another.test") }},
		"too old":                      {issuer: func(p *issuer) { p.claims = with(good, "exp", time.Now().Add(-time.Hour).Unix()) }},
		"not verified":                 {issuer: func(p *issuer) { p.claims = with(good, "email_verified", false) }},
		"nothing said":                 {issuer: func(p *issuer) { p.claims = with(good, "email_verified", nil) }},
		"nothing said, and trusted":    {issuer: func(p *issuer) { p.claims = with(good, "email_verified", nil) }, site: func(o *OIDC) { o.TrustEmail = true }, in: true},
		"not verified, though trusted": {issuer: func(p *issuer) { p.claims = with(good, "email_verified", false) }, site: func(o *OIDC) { o.TrustEmail = true }},
		"its domain":                   {site: func(o *OIDC) { o.Domains = []string{"People.test"} }, in: true},
		"another domain":               {site: func(o *OIDC) { o.Domains = []string{"example.jp"} }},
		"no address":                   {issuer: func(p *issuer) { p.claims = with(good, "email", "nobody") }},
		"somebody else's userinfo": {issuer: func(p *issuer) {
			p.claims, p.userinfo = nil, map[string]any{"sub": "u2", "email": "ann@people.test", "email_verified": true}
		}},
		"a wrong secret": {site: func(o *OIDC) { o.ClientSecret = "wrong" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			if p.claims = good; c.issuer != nil {
				c.issuer(p)
			}
			h := oidcHouse(t, p, c.site)
			b := h.browser()
			back, err := url.Parse(p.authorize(b.visit("")))
			if err != nil {
				t.Fatal(err)
			}
			q := back.Query()
			if c.answer != nil {
				c.answer(q)
			}
			a := b.ask(back.Path+"?"+q.Encode(), nil)
			_, in := b.jar["__Host-session"]
			if in != c.in || !in && (a.code != http.StatusForbidden || !strings.Contains(a.body, "Example ID") || !strings.Contains(a.body, `role="alert"`)) {
				t.Errorf("%d, signed in: %v\n%s", a.code, in, a.body)
			}
		})
	}
}

func with(claims map[string]any, name string, value any) map[string]any {
	claims = maps.Clone(claims)
	if claims[name] = value; value == nil {
		delete(claims, name)
	}
	return claims
}

// TestDirectoryIsDown: the page says so, the mailed link works, and when the directory is back, so is the button.
func TestDirectoryIsDown(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	p.down = true
	h := oidcHouse(t, p, nil)
	b := h.browser()
	a := b.ask("/-/login/oidc", url.Values{})
	if a.code != http.StatusBadGateway || !strings.Contains(a.body, "Example ID does not answer") || !strings.Contains(a.body, `name="address"`) {
		t.Fatalf("%d\n%s", a.code, a.body)
	}
	d := newDirectory(&OIDC{Issuer: p.URL}, h.world.Site)
	now := time.Now()
	if _, _, err := d.connect(now); err == nil {
		t.Fatal("it is down")
	}
	p.down = false
	if _, _, err := d.connect(now.Add(directoryRest / 2)); err == nil {
		t.Error("it is asked again at once")
	}
	if _, _, err := d.connect(now.Add(directoryRest)); err != nil {
		t.Error(err)
	}
	if h := newHouse(t); h.browser().ask("/-/login/oidc", url.Values{}).code != http.StatusNotFound {
		t.Error("without a directory there are no pages of one")
	}
}
