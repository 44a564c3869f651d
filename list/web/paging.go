package web

import (
	"net/http"
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
