package web

import (
	"errors"
	"net/http"
	"strings"

	"kairan/archive/web"
	"kairan/list"
	"kairan/storage"
)

// old leads from the addresses that Mailman gave lists and their archives to ours. Lists may be called as its folders are: their
// pages have other addresses.
func (s *site) old(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", web.Old(s.Archive, access{s}, s.Templates, next))
	for _, page := range []string{"listinfo", "options", "subscribe"} {
		mux.HandleFunc("GET /mailman/"+page+"/{list}", s.page(s.listOf))
		mux.HandleFunc("GET /mailman/"+page+"/{list}/{rest...}", s.page(s.listOf))
	}
	mux.HandleFunc("GET /mailman/listinfo", s.page(s.allLists))
	mux.HandleFunc("GET /mailman/listinfo/{$}", s.page(s.allLists))
	for _, prefix := range []string{"/postorius", "/mailman3", "/mailman3/postorius"} {
		mux.HandleFunc("GET "+prefix+"/lists/{id}/{rest...}", s.page(s.listByID))
		mux.HandleFunc("GET "+prefix+"/lists/{$}", s.page(s.allLists))
	}
	return mux
}

// allLists leads to the front page.
func (s *site) allLists(w http.ResponseWriter, _ *http.Request) error {
	moved(w, "/")
	return nil
}

// listOf leads to the page of a list by its name.
func (s *site) listOf(w http.ResponseWriter, r *http.Request) error {
	l, err := s.byName(r.Context(), r.PathValue("list"))
	if err == nil {
		moved(w, listPath(l))
	}
	return err
}

// listByID leads to the page of a list by the List-Id that Mailman 3 has in addresses: its address with a dot for the @.
func (s *site) listByID(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	for i := range id {
		if id[i] != '.' {
			continue
		}
		l, err := s.byName(r.Context(), id[:i]+"@"+id[i+1:])
		if errors.Is(err, list.ErrNoList) {
			continue
		}
		if err == nil {
			moved(w, listPath(l))
		}
		return err
	}
	if local, _, ok := strings.Cut(id, "."); ok { // it was on another host
		r.SetPathValue("list", local)
		return s.listOf(w, r)
	}
	return storage.ErrNotFound
}

// moved leads elsewhere for ever.
func moved(w http.ResponseWriter, path string) {
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusMovedPermanently)
}
