package web

import (
	"net/http"
	"strings"

	"kairan/list"
	"kairan/templates"
)

// Static returns the pages of a list as an export writes them: for a stranger, in the list's language, without what needs the
// server. Whoever has the handler may read the archive, whatever its policy; it must not be served.
func Static(o Options, l *list.List) http.Handler {
	o.Search = nil
	s := newSite(o)
	lists, static := s.lists(), o.Templates.Static()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := templates.Frame{Lang: l.Settings.PreferredLanguage, Site: s.Site.Hostname, URL: s.Site.URL, Path: r.URL.RequestURI(), Static: true}
		r = r.WithContext(templates.WithFrame(r.Context(), f))
		if strings.HasPrefix(r.URL.Path, "/-/static/") {
			static.ServeHTTP(w, r)
			return
		}
		lists.ServeHTTP(w, r)
	})
}
