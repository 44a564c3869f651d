package web

import (
	"net/http"
)

// routes is a mux that knows its patterns. What it has no page for it answers with a page too: 404, or 405 where another method would do.
type routes struct {
	mux      *http.ServeMux
	site     *site
	patterns []string
}

func (t *routes) Handle(pattern string, h http.Handler) {
	t.patterns = append(t.patterns, pattern)
	t.mux.Handle(pattern, h)
}

func (t *routes) HandleFunc(pattern string, h http.HandlerFunc) { t.Handle(pattern, h) }

// ServeHTTP implements http.Handler.
func (t *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, pattern := t.mux.Handler(r)
	if pattern != "" {
		t.mux.ServeHTTP(w, r) // which tells the handler what the pattern matched
		return
	}
	u := unanswered{ResponseWriter: w}
	if h.ServeHTTP(&u, r); u.status != 0 {
		t.site.notice(w, r, u.status)
	}
}

// unanswered keeps back the mux's own words about what it has no page for. Its header fields, such as Allow, hold; so does a redirect.
type unanswered struct {
	http.ResponseWriter
	status int // 0 for what was answered
}

func (u *unanswered) WriteHeader(status int) {
	if status < http.StatusBadRequest {
		u.ResponseWriter.WriteHeader(status)
		return
	}
	u.status = status
}

func (u *unanswered) Write(b []byte) (int, error) {
	if u.status != 0 {
		return len(b), nil
	}
	return u.ResponseWriter.Write(b)
}
