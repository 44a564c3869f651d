package web

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"kairan/templates"
)

// maxForm is how many bytes of a form are read.
const maxForm = 64 << 10

// form returns the fields of a posted form, or errNotUnderstood, or http.MaxBytesError.
//
// A page that changes something answers its form in one of two ways: with the page again, status 422 and what is wrong, or with
// [site.done], which leads to a page that can be loaded again without doing it twice.
func (s *site) form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	return s.formUpTo(w, r, maxForm)
}

// formUpTo is form for one that may be larger.
func (s *site) formUpTo(w http.ResponseWriter, r *http.Request, bytes int64) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, bytes)
	if err := r.ParseForm(); err != nil {
		return nil, unread(err)
	}
	return r.PostForm, nil
}

// unread is why a form could not be read: it is too large, or makes no sense.
func unread(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return err
	}
	return errNotUnderstood
}

// done leads on to a page after a change, which says once what was done.
func (s *site) done(w http.ResponseWriter, r *http.Request, to string, said templates.Flash) error {
	s.setFlash(w, said)
	w.Header().Set("Cache-Control", "private, no-store")
	http.Redirect(w, r, local(to), http.StatusSeeOther)
	return nil
}

// maxFlash is how many bytes a flash may have in its cookie.
const maxFlash = 2 << 10

func (s *site) setFlash(w http.ResponseWriter, said templates.Flash) {
	b, err := json.Marshal(said)
	if err != nil || said.Text == "" || len(b) > maxFlash {
		return
	}
	http.SetCookie(w, s.cookie("flash", base64.RawURLEncoding.EncodeToString(b), 60))
}

// takeFlash returns what the page before has to say, and forgets it.
func (s *site) takeFlash(w http.ResponseWriter, r *http.Request) (said templates.Flash) {
	c, err := r.Cookie(s.cookieName("flash"))
	if err != nil || r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, "/-/static/") {
		return said
	}
	http.SetCookie(w, s.cookie("flash", "", -1))
	b, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || json.Unmarshal(b, &said) != nil || said.Action != "" && local(said.Action) != said.Action {
		return templates.Flash{}
	}
	return said
}

// cookieName makes browsers refuse a cookie that another host or a plain connection has set.
func (s *site) cookieName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

// cookie is one that no script and no other site can use.
func (s *site) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	}
}
