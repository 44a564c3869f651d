package web

import (
	"strconv"

	"kairan/storage"
	"kairan/templates"
)

// form leads to another form of the page.
func (h *handler) form(q *request, kind, href string) templates.Form {
	words := map[string]string{
		templates.Atom: h.set.T(q.lang(), "form.atom"),
		templates.Gzip: h.set.T(q.lang(), "form.mbox"),
		templates.JSON: h.set.T(q.lang(), "form.json"),
	}
	return templates.Form{Type: kind, Link: templates.Link{Href: href, Text: words[kind]}}
}

// monthFile serves what stands in the folder of a month.
func (h *handler) monthFile(q *request) error {
	switch q.r.PathValue("file") {
	case "index.json":
		if _, err := strconv.ParseUint(q.r.PathValue("part"), 10, 64); err != nil {
			return h.month(q)
		}
	case "sitemap.xml":
		return h.monthMap(q)
	}
	return storage.ErrNotFound
}
