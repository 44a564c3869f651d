package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/storage"
	"kairan/templates"
)

// export is the download of all that is kept about the actor.
func (s *site) export(w http.ResponseWriter, r *http.Request, a actor) error {
	if !s.limits.allow(network(s.clientIP(r))) { // it reads the records of all their posts
		return errTooMany
	}
	all, err := s.Subscribe.Kept(r.Context(), a.person, nil)
	if err != nil {
		return err
	}
	return download(w, "kairan-my-data.json", all)
}

// download answers with something as a file of JSON.
func download(w http.ResponseWriter, name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "private, no-store")
	w.Write(append(b, '\n')) // an error is the reader's going away
	return nil
}

// eraseForm shows what would be forgotten, and what stays.
func (s *site) eraseForm(w http.ResponseWriter, r *http.Request, a actor) error {
	return s.erasePage(w, r, a, http.StatusOK, "")
}

func (s *site) erasePage(w http.ResponseWriter, r *http.Request, a actor, status int, wrong string) error {
	f := templates.FrameOf(r.Context())
	view := templates.Erase{Addresses: addressTexts(a), Admin: mailto(s.Site.Admin), Wrong: wrong}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		rows, err := s.memberships(tx, a, f.Lang)
		if err != nil {
			return err
		}
		view.Lists, view.Sessions = rows, len(a.person.Sessions(tx, time.Now()))
		alone, err := subscribe.OnlyOwner(tx, a.person)
		for _, l := range alone {
			view.Alone = append(view.Alone, templates.Link{Href: listPath(l), Text: l.Title()})
		}
		return err
	})
	if err != nil {
		return err
	}
	f.Private, f.Title = true, s.Templates.T(f.Lang, "erase.title")
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "erase", Frame: f, View: view})
}

// erase forgets who is signed in: all roles in all lists, and what is remembered about them. Posts in the archives are another
// question: with archive=yes nobody is named by the address there any more.
func (s *site) erase(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	if form.Get("sure") != "yes" {
		return s.erasePage(w, r, a, http.StatusUnprocessableEntity, s.Templates.T(lang, "erase.not-sure"))
	}
	archived := form.Get("archive") == "yes"
	alone, err := s.Subscribe.Erase(r.Context(), subscribe.Erasure{Address: a.address, Archive: archived, Edit: list.Edit{By: a.address.String(), At: time.Now()}})
	if err != nil {
		return err
	}
	if len(alone) > 0 {
		return s.erasePage(w, r, a, http.StatusConflict, "")
	}
	said := s.Templates.T(lang, "erase.done", "address", strings.Join(addressTexts(a), ", "))
	if archived {
		said += " " + s.Templates.T(lang, "erase.archive-done")
	}
	s.setSession(w, "", -1)
	return s.done(w, r, "/", templates.Flash{Text: said})
}
