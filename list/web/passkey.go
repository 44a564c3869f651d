package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/storage"
	"kairan/templates"
)

// challengeLife is how long an answer to a challenge is waited for.
const challengeLife = 5 * time.Minute

// challenge is what a browser is asked to sign, once. Its row is deleted before the answer is looked at.
type challenge struct {
	Session webauthn.SessionData `json:"session"`
	Person  list.PersonID        `json:"person,omitempty"` // who adds a passkey; "" to sign in
	Name    string               `json:"name,omitempty"`   // of the passkey that is added
	To      string               `json:"to,omitempty"`     // path to go to after signing in
	Until   time.Time            `json:"until"`
}

func (c challenge) ended(now time.Time) bool { return now.After(c.Until) }

// challenges is keyed by the hash of the cookie of the browser that was asked.
var challenges = storage.NewTable[string, challenge]("passkey_challenges", storage.Strings[string]())

// newPasskeys returns what checks passkeys for a site, or nil where browsers have none: at an address that is no domain name, or without TLS.
func newPasskeys(s *list.Site) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	_, notName := netip.ParseAddr(u.Hostname())
	if u.Hostname() == "" || notName == nil || u.Scheme != "https" && u.Hostname() != "localhost" {
		return nil, nil
	}
	limit := webauthn.TimeoutConfig{Enforce: true, Timeout: challengeLife, TimeoutUVD: challengeLife}
	return webauthn.New(&webauthn.Config{
		RPID:          u.Hostname(),
		RPDisplayName: s.Hostname,
		RPOrigins:     []string{u.Scheme + "://" + u.Host},
		Timeouts:      webauthn.TimeoutsConfig{Login: limit, Registration: limit},
		// Password managers answer what nobody asked; nothing here reads it.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
}

// keyHolder is a person as the library wants to see one.
type keyHolder struct {
	handle []byte
	name   string
	keys   []webauthn.Credential
}

func (k keyHolder) WebAuthnID() []byte                         { return k.handle }
func (k keyHolder) WebAuthnName() string                       { return k.name }
func (k keyHolder) WebAuthnDisplayName() string                { return k.name }
func (k keyHolder) WebAuthnCredentials() []webauthn.Credential { return k.keys }

// credentialOf reads the credential of a passkey.
func credentialOf(k *list.Passkey) (c webauthn.Credential, err error) {
	if err = json.Unmarshal(k.Credential, &c); err != nil {
		err = fmt.Errorf("passkey %s: %w", k.Key, err)
	}
	return c, err
}

// passkeyPages are the pages that need what browsers do with passkeys.
func (s *site) passkeyPages(mux *routes) {
	if s.passkeys == nil {
		return
	}
	mux.HandleFunc("POST /-/login/passkey", s.page(s.challengeLogin))
	mux.HandleFunc("POST /-/login/passkey/answer", s.page(s.passkeyLogin))
	mux.HandleFunc("GET "+passkeysPath, s.forPeople(s.myPasskeys))
	mux.HandleFunc("POST "+passkeysPath, s.forPeople(s.changePasskeys))
	mux.HandleFunc("POST "+passkeysPath+"/add", s.forPeople(s.addPasskey))
}

// ask keeps a challenge for the browser, and answers with the page whose script hands it over.
func (s *site) ask(w http.ResponseWriter, r *http.Request, c challenge, view templates.Passkey) error {
	now := time.Now()
	browser := list.NewToken()
	c.Until = now.Add(challengeLife)
	err := s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		return errors.Join(s.sweep(tx, now), challenges.Put(tx, list.TokenHash(browser), c))
	})
	if err != nil {
		return err
	}
	http.SetCookie(w, s.cookie("passkey", browser, int(challengeLife.Seconds())))
	f := templates.FrameOf(r.Context())
	f.Private, f.Path, f.Title = true, view.Back, s.Templates.T(f.Lang, "passkey.title")
	return s.Templates.Serve(w, r, templates.Reply{Page: "passkey", Frame: f, View: view})
}

// takeChallenge returns the challenge of the browser and uses it up, or storage.ErrNotFound.
func (s *site) takeChallenge(tx *storage.Tx, r *http.Request, now time.Time) (c challenge, err error) {
	cookie, err := r.Cookie(s.cookieName("passkey"))
	if err != nil || len(cookie.Value) != tokenLength {
		return c, storage.ErrNotFound
	}
	key := list.TokenHash(cookie.Value)
	if c, err = challenges.Get(tx, key); err != nil {
		return c, err
	}
	if err := challenges.Delete(tx, key); err != nil {
		return c, err
	}
	if c.ended(now) {
		return c, storage.ErrNotFound
	}
	return c, nil
}

// challengeLogin is the button of the page that signs in. Nobody is named: the device knows for whom it has a key.
func (s *site) challengeLogin(w http.ResponseWriter, r *http.Request) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	options, session, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return fmt.Errorf("passkey: %w", err)
	}
	text, err := json.Marshal(options.Response)
	if err != nil {
		return err
	}
	return s.ask(w, r, challenge{Session: *session, To: afterLogin(form.Get("to"))}, templates.Passkey{
		Options: string(text), Action: "/-/login/passkey/answer", Back: loginPath(afterLogin(form.Get("to"))),
	})
}

var (
	errNoChallenge = errors.New("nothing was asked of this browser, or too long ago")
	errCopied      = errors.New("the counter went back: there is a copy of the key")
)

// passkeyRefused answers that somebody is not signed in. Why is for the log.
func (s *site) passkeyRefused(w http.ResponseWriter, r *http.Request, why error) error {
	s.Log.Info("passkey refused", "ip", s.clientIP(r).String(), "error", why)
	lang := templates.FrameOf(r.Context()).Lang
	return s.loginPage(w, r, http.StatusForbidden, templates.Login{State: "ask", Note: s.Templates.T(lang, "passkey.refused")})
}

// passkeyLogin is the browser's answer: it begins a session.
func (s *site) passkeyLogin(w http.ResponseWriter, r *http.Request) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes([]byte(form.Get("response")))
	if err != nil {
		return s.passkeyRefused(w, r, err)
	}
	now := time.Now()
	var cookie, to string
	var who *list.Person
	var refused error
	_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (res subscribe.Result, err error) {
		refused = nil
		c, err := s.takeChallenge(tx, r, now)
		if errors.Is(err, storage.ErrNotFound) || err == nil && c.Person != "" { // that was for adding one
			refused = errNoChallenge
			return res, nil
		}
		if err != nil {
			return res, err
		}
		to = c.To
		if who, res, refused, err = s.verify(tx, c, answer, now); err != nil || refused != nil {
			return res, err
		}
		cookie, err = s.beginSession(tx, r, who.Preferred(), now)
		return res, err
	})
	if err != nil {
		return err
	}
	http.SetCookie(w, s.cookie("passkey", "", -1))
	if refused != nil {
		return s.passkeyRefused(w, r, refused)
	}
	s.Log.Info("signed in", "address", who.Preferred().String(), "by", "passkey")
	s.setSession(w, cookie, int(sessionLife.Seconds()))
	http.Redirect(w, r, afterLogin(to), http.StatusSeeOther)
	return nil
}

// verify checks an answer and notes that the passkey was used. refused says why it signs nobody in; then who is nil.
func (s *site) verify(tx *storage.Tx, c challenge, answer *protocol.ParsedCredentialAssertionData, now time.Time) (who *list.Person, res subscribe.Result, refused, err error) {
	var k *list.Passkey
	find := func(rawID, handle []byte) (webauthn.User, error) {
		var err error
		if k, err = list.FindPasskey(tx, rawID); err != nil {
			return nil, err
		}
		credential, err := credentialOf(k)
		return keyHolder{handle: k.Handle, keys: []webauthn.Credential{credential}}, err
	}
	credential, refused := s.passkeys.ValidateDiscoverableLogin(find, c.Session, answer)
	if refused != nil {
		return nil, res, refused, nil
	}
	if who, err = list.GetPerson(tx, k.Person); err != nil {
		return nil, res, nil, err
	}
	if credential.Authenticator.CloneWarning {
		refused = errCopied
		if k.Suspect.IsZero() { // once is enough
			if res, err = s.Subscribe.TellPerson(tx, who, "passkey-copied", map[string]string{"which": k.Name}); err != nil {
				return nil, res, nil, err
			}
		}
		k.Suspect = now
		return nil, res, refused, list.SetPasskey(tx, *k)
	}
	k.Used = now
	if k.Credential, err = json.Marshal(credential); err != nil {
		return nil, res, nil, err
	}
	return who, res, nil, list.SetPasskey(tx, *k)
}
