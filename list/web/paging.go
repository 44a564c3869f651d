package web

import (
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"kairan/storage"
	"kairan/templates"
)

// pageNumber is the p of a query, from 1 to most, or storage.ErrNotFound.
func pageNumber(r *http.Request, most int) (int, error) {
	p := r.FormValue("p")
	if p == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(p)
	if err != nil || n < 1 || n > most {
		return 0, storage.ErrNotFound
	}
	return n, nil
}

// parts leads to the pages of something long, at a path with its query so far; nil when there is only one.
func parts(entries, perPage, current int, path string) (pages []templates.PageLink) {
	sign := "?p="
	if strings.Contains(path, "?") {
		sign = "&p="
	}
	last := (entries + perPage - 1) / perPage
	for n := 1; n <= last && last > 1; n++ {
		if n > 2 && n < last-1 && (n < current-2 || n > current+2) {
			continue
		}
		pages = append(pages, templates.PageLink{Href: path + sign + strconv.Itoa(n), Text: strconv.Itoa(n), Current: n == current})
	}
	return pages
}

// keyEnds are the first and last key of a page, and whether there are more before and behind it.
type keyEnds struct {
	first, last    string
	earlier, later bool
}

// add notes the key of the next row.
func (e *keyEnds) add(key string) {
	if e.first == "" {
		e.first = key
	}
	e.last = key
}

// keyPages leads to the pages before and behind one, at a path with its query.
func (s *site) keyPages(lang, path string, query url.Values, e keyEnds) (pages []templates.PageLink) {
	link := func(words, name, key string) {
		pages = append(pages, templates.PageLink{Href: pageAt(path, query, name, key), Text: s.Templates.T(lang, "members."+words)})
	}
	if e.first == "" && (e.earlier || e.later) {
		link("first", "", "")
		return pages
	}
	if e.earlier {
		link("earlier", "before", e.first)
	}
	if e.later {
		link("later", "after", e.last)
	}
	return pages
}

// pageAt is another page of the same: the one after or before a key, or with the name "" the first.
func pageAt(path string, query url.Values, name, key string) string {
	v := maps.Clone(query)
	v.Del("after")
	v.Del("before")
	if name != "" {
		v.Set(name, key)
	}
	return path + "?" + v.Encode()
}
