package web

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

const (
	directoryPatience = 10 * time.Second // for one answer of the directory
	directoryRest     = 10 * time.Second // after it did not answer
	directoryAnswer   = 1 << 20          // bytes
	directoryLife     = 10 * time.Minute // for somebody to sign in there
)

// OIDC is a directory of the site's own by which people sign in, too (OpenID Connect Core 1.0). It says whose address somebody reads.
type OIDC struct {
	Issuer       string
	ClientID     string
	ClientSecret string // "" for a public client
	Name         string // on the button
	// TrustEmail believes the address of a directory that does not say whether it has verified it.
	TrustEmail bool
	// Domains are those of the addresses that the directory may sign in; none are all.
	Domains []string
}

// directory asks an issuer. What it publishes about itself is read when it is first needed.
type directory struct {
	OIDC
	redirect string // our address of the answer
	client   *http.Client

	mu       sync.Mutex // protects what follows
	provider *oidc.Provider
	failed   time.Time // when it last did not answer, and how
	failure  error
}

// newDirectory returns nil where there is none.
func newDirectory(o *OIDC, s *list.Site) *directory {
	if o == nil {
		return nil
	}
	return &directory{
		OIDC: *o, redirect: s.URL + oidcPath + "/callback",
		client: &http.Client{Timeout: directoryPatience, Transport: bounded{http.DefaultTransport}},
	}
}

// bounded reads no more than directoryAnswer bytes of an answer.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, directoryAnswer), answer.Body}
	}
	return answer, err
}

// connect returns what the issuer publishes, and how we speak to it.
func (d *directory) connect(now time.Time) (*oidc.Provider, *oauth2.Config, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.provider == nil {
		if now.Sub(d.failed) < directoryRest {
			return nil, nil, d.failure
		}
		p, err := oidc.NewProvider(d.context(context.Background()), d.Issuer) // it keeps the context, to fetch keys later
		if err != nil {
			d.failed, d.failure = now, fmt.Errorf("directory %s: %w", d.Issuer, err)
			return nil, nil, d.failure
		}
		d.provider = p
	}
	return d.provider, &oauth2.Config{
		ClientID: d.ClientID, ClientSecret: d.ClientSecret, Endpoint: d.provider.Endpoint(), RedirectURL: d.redirect, Scopes: []string{oidc.ScopeOpenID, "email"},
	}, nil
}

func (d *directory) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, d.client)
}

// errand is of somebody who was sent to the directory, and is waited for.
type errand struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"` // PKCE (RFC 7636)
	To       string    `json:"to"`       // path to go to afterwards
	Until    time.Time `json:"until"`
}

func (v errand) ended(now time.Time) bool { return now.After(v.Until) }

// errands is keyed by the hash of the cookie of the browser.
var errands = storage.NewTable[string, errand]("oidc_errands", storage.Strings[string]())

const oidcPath = "/-/login/oidc"

// directoryPages are the way to the directory and back.
func (s *site) directoryPages(mux *routes) {
	if s.directory == nil {
		return
	}
	mux.HandleFunc("POST "+oidcPath, s.page(s.toDirectory))
	mux.HandleFunc("GET "+oidcPath+"/callback", s.page(s.fromDirectory))
}

// toDirectory sends somebody to the directory. It answers with a page that leads there, because our policy lets forms lead nowhere else.
func (s *site) toDirectory(w http.ResponseWriter, r *http.Request) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	now := time.Now()
	_, config, err := s.directory.connect(now)
	if err != nil {
		return s.directoryFailed(w, r, err)
	}
	browser := list.NewToken()
	v := errand{State: list.NewToken(), Nonce: list.NewToken(), Verifier: oauth2.GenerateVerifier(), To: afterLogin(form.Get("to")), Until: now.Add(directoryLife)}
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		return errors.Join(s.sweep(tx, now), errands.Put(tx, list.TokenHash(browser), v))
	})
	if err != nil {
		return err
	}
	there := config.AuthCodeURL(v.State, oidc.Nonce(v.Nonce), oauth2.S256ChallengeOption(v.Verifier))
	http.SetCookie(w, s.cookie("oidc", browser, int(directoryLife.Seconds())))
	w.Header().Set("Refresh", "0; url="+there)
	f := templates.FrameOf(r.Context())
	f.Private, f.Path, f.Title = true, "/-/login", s.Templates.T(f.Lang, "oidc.title", "name", s.directory.Name)
	return s.Templates.Serve(w, r, templates.Reply{Page: "oidc", Frame: f, View: templates.Directory{Name: s.directory.Name, Href: there}})
}

// Errors of what the directory says. All but the first are for the log; people hear that it did not sign them in.
var (
	errUnverified = errors.New("the directory does not say that the address is verified")
	errDomain     = errors.New("the directory may not sign in addresses of this domain")
	errNoErrand   = errors.New("nobody was sent to the directory from this browser, or too long ago")
	errAnswer     = errors.New("the directory's answer is another's")
)

// fromDirectory takes the directory's answer, and begins a session. It is a GET because the protocol has it so; what it may do is bound to
// the browser that was sent there, and works once.
func (s *site) fromDirectory(w http.ResponseWriter, r *http.Request) error {
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	now := time.Now()
	v, err := s.takeErrand(r, now)
	http.SetCookie(w, s.cookie("oidc", "", -1))
	if err != nil {
		return s.directoryRefused(w, r, err)
	}
	q := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(v.State)) != 1 {
		return s.directoryRefused(w, r, errAnswer)
	}
	if q.Get("error") != "" {
		return s.directoryRefused(w, r, fmt.Errorf("it says %q: %q", q.Get("error"), q.Get("error_description")))
	}
	provider, config, err := s.directory.connect(now)
	if err != nil {
		return s.directoryFailed(w, r, err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*directoryPatience)
	defer cancel()
	addr, err := s.directory.whose(s.directory.context(ctx), provider, config, v, q.Get("code"))
	if err != nil {
		return s.directoryRefused(w, r, err)
	}
	var cookie string
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		cookie, err = s.beginSession(tx, r, addr, now)
		return err
	})
	if err != nil {
		return err
	}
	s.Log.Info("signed in", "address", addr.String(), "by", "directory")
	s.setSession(w, cookie, int(sessionLife.Seconds()))
	http.Redirect(w, r, afterLogin(v.To), http.StatusSeeOther)
	return nil
}

// takeErrand returns whom the browser was sent as, and uses that up.
func (s *site) takeErrand(r *http.Request, now time.Time) (v errand, err error) {
	c, err := r.Cookie(s.cookieName("oidc"))
	if err != nil || len(c.Value) != tokenLength {
		return v, errNoErrand
	}
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		if v, err = errands.Get(tx, list.TokenHash(c.Value)); err != nil {
			return err
		}
		return errands.Delete(tx, list.TokenHash(c.Value))
	})
	if errors.Is(err, storage.ErrNotFound) || err == nil && v.ended(now) {
		return v, errNoErrand
	}
	return v, err
}

// claims are what the directory says about somebody.
type claims struct {
	Email    string          `json:"email"`
	Verified json.RawMessage `json:"email_verified"` // true, or as some write it, "true"
}

// whose exchanges the code and returns the address of who has signed in there.
func (d *directory) whose(ctx context.Context, p *oidc.Provider, config *oauth2.Config, v errand, code string) (address.Address, error) {
	none := address.Address{}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(v.Verifier))
	if err != nil {
		return none, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.VerifierContext(ctx, &oidc.Config{ClientID: d.ClientID}).Verify(ctx, raw)
	if err != nil {
		return none, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(v.Nonce)) != 1 {
		return none, errAnswer
	}
	var c claims
	if err := id.Claims(&c); err != nil {
		return none, err
	}
	if c.Email == "" { // some say it only there
		more, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return none, err
		}
		if more.Subject != id.Subject {
			return none, errAnswer
		}
		if err := more.Claims(&c); err != nil {
			return none, err
		}
	}
	return d.believe(c)
}

// believe returns the address of claims, if it is verified and one that the directory may sign in.
func (d *directory) believe(c claims) (address.Address, error) {
	addr, err := address.Parse(c.Email)
	if err != nil {
		return addr, err
	}
	switch said := strings.Trim(string(c.Verified), `"`); {
	case said == "true", said == "" && d.TrustEmail, said == "null" && d.TrustEmail:
	default:
		return addr, fmt.Errorf("%s: %w", addr, errUnverified)
	}
	if len(d.Domains) > 0 && !slices.ContainsFunc(d.Domains, func(domain string) bool { return strings.EqualFold(domain, addr.Domain()) }) {
		return addr, fmt.Errorf("%s: %w", addr, errDomain)
	}
	return addr, nil
}

// directoryFailed says that the directory does not answer.
func (s *site) directoryFailed(w http.ResponseWriter, r *http.Request, why error) error {
	s.Log.Error("sign in by directory", "error", why)
	lang := templates.FrameOf(r.Context()).Lang
	return s.loginPage(w, r, http.StatusBadGateway, templates.Login{State: "ask", Note: s.Templates.T(lang, "oidc.down", "name", s.directory.Name)})
}

// directoryRefused says that the directory has not signed somebody in.
func (s *site) directoryRefused(w http.ResponseWriter, r *http.Request, why error) error {
	if _, ok := errors.AsType[*url.Error](why); ok {
		return s.directoryFailed(w, r, why)
	}
	s.Log.Info("not signed in by directory", "ip", s.clientIP(r).String(), "error", why)
	lang := templates.FrameOf(r.Context()).Lang
	note := s.Templates.T(lang, "oidc.refused", "name", s.directory.Name)
	if errors.Is(why, errUnverified) || errors.Is(why, errDomain) {
		note = s.Templates.T(lang, "oidc.unverified", "name", s.directory.Name)
	}
	return s.loginPage(w, r, http.StatusForbidden, templates.Login{State: "ask", Note: note})
}

// directoryName is what the button says, "" where there is no directory.
func (s *site) directoryName() string {
	if s.directory == nil {
		return ""
	}
	return s.directory.Name
}
