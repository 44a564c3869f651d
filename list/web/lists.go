package web

import (
	"net/http"
	"net/url"
	"strings"

	"kairan/list"
	"kairan/templates"
)

const (
	listsPage = 50     // lists on a page
	mostLists = 10_000 // pages are counted up to here
)

// listSifter chooses the lists of one page, of those that have what somebody looks for in name, address or description.
type listSifter struct {
	page  int
	query string // in lower case
	total int    // so far
}

// sift reads which lists a request is for, and returns what was typed, too.
func sift(r *http.Request) (f *listSifter, typed string, err error) {
	page, err := pageNumber(r, mostLists)
	typed = strings.TrimSpace(r.URL.Query().Get("q"))
	return &listSifter{page: page, query: strings.ToLower(typed)}, typed, err
}

// has counts a list that is looked for, and reports whether it is on the page.
func (f *listSifter) has(l *list.List) bool {
	text := []string{l.Title(), l.Address.String()}
	for _, description := range l.Settings.Description {
		text = append(text, description)
	}
	if !strings.Contains(strings.ToLower(strings.Join(text, "\n")), f.query) {
		return false
	}
	f.total++
	return f.total > (f.page-1)*listsPage && f.total <= f.page*listsPage
}

// pages leads to the other pages of what is at a path.
func (f *listSifter) pages(path, typed string) []templates.PageLink {
	if typed != "" {
		path += "?" + url.Values{"q": {typed}}.Encode()
	}
	return parts(f.total, listsPage, f.page, path)
}
