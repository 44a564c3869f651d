package web

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

const (
	linkLife    = 15 * time.Minute
	sessionLife = 30 * 24 * time.Hour
	tokenLength = 32 // hexadecimal digits
)

// grant says for whom a login link or a session is, and until when.
type grant struct {
	Address address.Address `json:"address"`
	Until   time.Time       `json:"until"`
}

func (g grant) ended(now time.Time) bool { return now.After(g.Until) }

var (
	loginLinks = storage.NewTable[string, grant]("login_links", storage.Strings[string]())
	sessions   = storage.NewTable[string, grant]("sessions", storage.Strings[string]())
)

// NewLoginLink returns the address of a page that signs addr in. It works once, within 15 minutes of now.
func NewLoginLink(tx *storage.Tx, s *list.Site, addr address.Address, now time.Time) (string, error) {
	if addr.IsNull() {
		return "", errors.New("a login link needs an address")
	}
	token, err := newGrant(tx, loginLinks, grant{Address: addr, Until: now.Add(linkLife)}, now)
	if err != nil {
		return "", fmt.Errorf("login link for %s: %w", addr, err)
	}
	return s.URL + "/-/login/" + token, nil
}

// newGrant stores g under the hash of a new secret of 128 random bits and returns the secret.
func newGrant(tx *storage.Tx, t storage.Table[string, grant], g grant, now time.Time) (string, error) {
	token := list.NewToken()
	return token, errors.Join(sweep(tx, t, now), t.Put(tx, list.TokenHash(token), g))
}

// granted returns what the secret stands for, or storage.ErrNotFound.
func granted(tx *storage.Tx, t storage.Table[string, grant], token string, now time.Time) (grant, error) {
	if len(token) != tokenLength {
		return grant{}, storage.ErrNotFound
	}
	g, err := t.Get(tx, list.TokenHash(token))
	if err == nil && g.ended(now) {
		return grant{}, storage.ErrNotFound
	}
	return g, err
}

// cookieName makes browsers refuse a cookie that another host or a plain connection has set.
func (s *site) cookieName() string {
	if s.secure {
		return "__Host-session"
	}
	return "session"
}

// signedIn returns the address whose session the request carries, or "".
func (s *site) signedIn(r *http.Request) string {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	var g grant
	err = s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		g, err = granted(tx, sessions, c.Value, time.Now())
		return err
	})
	if err != nil {
		if !errors.Is(err, storage.ErrNotFound) && r.Context().Err() == nil {
			s.Log.Error("read session; going on as for a stranger", "error", err)
		}
		return ""
	}
	return g.Address.String()
}

// loginAsk tells how to get a link.
func (s *site) loginAsk(w http.ResponseWriter, r *http.Request) error {
	return s.loginPage(w, r, http.StatusOK, templates.Login{State: "ask"})
}

// loginForm shows the button. Opening the link signs nobody in: programs that check links in mails open it too.
func (s *site) loginForm(w http.ResponseWriter, r *http.Request) error {
	if !s.limits.allow(s.clientIP(r)) {
		return errTooMany
	}
	var g grant
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		g, err = granted(tx, loginLinks, r.PathValue("token"), time.Now())
		return err
	})
	if errors.Is(err, storage.ErrNotFound) {
		return s.loginPage(w, r, http.StatusNotFound, templates.Login{State: "bad"})
	}
	if err != nil {
		return err
	}
	return s.loginPage(w, r, http.StatusOK, templates.Login{State: "confirm", Address: g.Address.String(), Action: r.URL.EscapedPath()})
}

// login uses the link up and begins a session.
func (s *site) login(w http.ResponseWriter, r *http.Request) error {
	if !s.limits.allow(s.clientIP(r)) {
		return errTooMany
	}
	now := time.Now()
	var cookie string
	err := s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		token := r.PathValue("token")
		g, err := granted(tx, loginLinks, token, now)
		if err != nil {
			return err
		}
		if err := loginLinks.Delete(tx, list.TokenHash(token)); err != nil {
			return err
		}
		cookie, err = newGrant(tx, sessions, grant{Address: g.Address, Until: now.Add(sessionLife)}, now)
		return err
	})
	if errors.Is(err, storage.ErrNotFound) {
		return s.loginPage(w, r, http.StatusNotFound, templates.Login{State: "bad"})
	}
	if err != nil {
		return err
	}
	s.setSession(w, cookie, int(sessionLife.Seconds()))
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// logout ends the session.
func (s *site) logout(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(s.cookieName()); err == nil && len(c.Value) == tokenLength {
		err := s.DB.Update(r.Context(), func(tx *storage.Tx) error { return sessions.Delete(tx, list.TokenHash(c.Value)) })
		if err != nil {
			return err
		}
	}
	s.setSession(w, "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (s *site) setSession(w http.ResponseWriter, value string, maxAge int) {
	w.Header().Set("Cache-Control", "no-store")
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (s *site) loginPage(w http.ResponseWriter, r *http.Request, status int, view templates.Login) error {
	f := templates.FrameOf(r.Context())
	f.Private = true
	f.Title = s.Templates.T(f.Lang, "login.title")
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "login", Frame: f, View: view})
}
