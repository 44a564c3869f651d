package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// recovered turns a panic into the page of our failing.
func (s *site) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.Log.Error("panic in a page", "path", loggable(r), "panic", p, "stack", string(debug.Stack()))
			s.notice(w, r, http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// transportSecurity keeps browsers from asking a site that has TLS without it (RFC 6797). Mails lead to its https addresses for ever.
const transportSecurity = "max-age=31536000"

// headers are said with every answer; pages and downloads narrow the policy further.
func (s *site) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", templates.ContentSecurityPolicy)
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		if s.secure {
			h.Set("Strict-Transport-Security", transportSecurity)
		}
		next.ServeHTTP(w, r)
	})
}

// largestBody is how many bytes of a request are read at most: pages read less of it, but that which takes a file.
const largestBody = maxBulk + maxForm

// limited keeps requests from bringing more than any page takes, also to pages that take nothing.
func limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, largestBody)
		next.ServeHTTP(w, r)
	})
}

// framed finds out in which language to answer, and whom.
func (s *site) framed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := templates.Frame{
			Lang: templates.ChooseLanguage(r, s.Site.Language),
			Site: s.Site.Hostname,
			URL:  s.Site.URL,
			Path: r.URL.RequestURI(),
		}
		a := s.recognise(r)
		if a.signedIn() {
			f.User = a.address.String()
		}
		f.Nav = s.nav(a, f.Lang)
		f.Flash = s.takeFlash(w, r)
		ctx := context.WithValue(r.Context(), actorKey{}, a)
		next.ServeHTTP(w, r.WithContext(templates.WithFrame(ctx, f)))
	})
}

// sameOrigin refuses what another site's page posts here in a reader's name.
func (s *site) sameOrigin(next http.Handler) http.Handler {
	c := http.NewCrossOriginProtection()
	// The token in that address is the authority, not a cookie: web mail may post it from its own pages (RFC 8058).
	c.AddInsecureBypassPattern("POST /-/u/{token}")
	c.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.notice(w, r, http.StatusForbidden) }))
	return c.Handler(next)
}

// errTooMany is returned by a page that was asked for too often.
var errTooMany = errors.New("too many attempts")

// page makes a handler of a function that may fail; failures become pages.
func (s *site) page(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := serve(w, r)
		var no denied
		_, large := errors.AsType[*http.MaxBytesError](err)
		switch {
		case err == nil:
		case errors.As(err, &no):
			s.deny(w, r, no)
		case errors.Is(err, storage.ErrNotFound), errors.Is(err, list.ErrNoList), errors.Is(err, list.ErrNotMember), errors.Is(err, list.ErrToken):
			s.notice(w, r, http.StatusNotFound)
		case errors.Is(err, archive.ErrForbidden):
			s.notice(w, r, http.StatusForbidden)
		case errors.Is(err, errTooMany):
			s.notice(w, r, http.StatusTooManyRequests)
		case large:
			s.notice(w, r, http.StatusRequestEntityTooLarge)
		case errors.Is(err, errNotUnderstood):
			s.notice(w, r, http.StatusBadRequest)
		case r.Context().Err() != nil: // the reader went away
		default:
			s.Log.Error("page", "path", loggable(r), "error", err)
			s.notice(w, r, http.StatusInternalServerError)
		}
	}
}

// loggable returns the path of a request for the log: of what is under "/-/" only where it leads, because the rest may be a secret.
func loggable(r *http.Request) string {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/-/"); ok {
		room, _, _ := strings.Cut(rest, "/")
		return "/-/" + room
	}
	return r.URL.Path
}

// errNotUnderstood is returned by a page for a form that it does not understand.
var errNotUnderstood = errors.New("not understood")

func (s *site) notice(w http.ResponseWriter, r *http.Request, status int) {
	f := templates.FrameOf(r.Context())
	if f.Site == "" { // a panic before the frame was made
		f.Lang, f.Site, f.Path = s.Site.Language, s.Site.Hostname, "/"
	}
	if err := s.Templates.Notice(w, r, status, f); err != nil {
		s.Log.Error("page", "path", loggable(r), "error", err)
		http.Error(w, http.StatusText(status), status)
	}
}

// chooseLanguage keeps a reader's choice of language in a cookie.
func (s *site) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	lang := r.PostFormValue("lang")
	for _, known := range templates.Languages() {
		if lang == known {
			http.SetCookie(w, &http.Cookie{
				Name: templates.LanguageCookie, Value: lang, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
				HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
			})
		}
	}
	w.Header().Set("Location", local(r.PostFormValue("to")))
	w.WriteHeader(http.StatusSeeOther)
}

// local returns a path of this site to go back to, without ?lang=. What would lead elsewhere becomes the front page.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(to, "/") ||
		strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
		return "/"
	}
	q := u.Query()
	q.Del("lang")
	back := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: q.Encode()}
	return back.String()
}
