package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/storage"
	"kairan/templates"
)

const (
	queuePage  = 20 // of what waits
	queueAtOne = 50 // that one form decides about
	saidLines  = 4  // of what was done, on the page after it
)

// moderate is the page of what waits in all lists that somebody moderates.
func (s *site) moderate(mux *http.ServeMux) {
	if s.Moderation == nil {
		return
	}
	mux.HandleFunc("GET /-/moderate", s.forPeople(s.queue))
	mux.HandleFunc("POST /-/moderate", s.forPeople(s.decideMany))
}

// moderated are the lists that somebody moderates, by title; owned are those of them whose settings are theirs.
func moderated(tx *storage.Tx, a actor) (all, owned []*list.List) {
	for l := range list.All(tx) {
		if a.may(tx, l, list.RoleModerator) {
			all = append(all, l)
		}
		if a.may(tx, l, list.RoleOwner) {
			owned = append(owned, l)
		}
	}
	byTitle := func(x, y *list.List) int { return cmp.Compare(strings.ToLower(x.Title()), strings.ToLower(y.Title())) }
	slices.SortStableFunc(all, byTitle)
	slices.SortStableFunc(owned, byTitle)
	return all, owned
}

func (s *site) queue(w http.ResponseWriter, r *http.Request, a actor) error {
	if !a.moderates {
		return denied{need: list.RoleModerator}
	}
	f := templates.FrameOf(r.Context())
	page := 1
	if p := r.FormValue("p"); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 10_000 {
			return storage.ErrNotFound
		}
		page = n
	}
	var lists, owned []*list.List
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		lists, owned = moderated(tx, a)
		return nil
	})
	if err != nil {
		return err
	}
	waiting, total, err := s.Moderation.Queue(r.Context(), lists, f.Lang, (page-1)*queuePage, queuePage)
	if err != nil {
		return err
	}
	view := templates.Moderate{Action: "/-/moderate", Total: total}
	for i, q := range waiting {
		view.Posts = append(view.Posts, s.queuedView(f.Lang, i, q))
	}
	for n := 1; n <= (total+queuePage-1)/queuePage && total > queuePage; n++ {
		view.Pages = append(view.Pages, templates.PageLink{Href: "/-/moderate?p=" + strconv.Itoa(n), Text: strconv.Itoa(n), Current: n == page})
	}
	for _, l := range owned {
		view.Lists = append(view.Lists, templates.Link{Href: adminPath(l, "settings"), Text: l.Title()})
	}
	f.Private, f.Title = true, s.Templates.T(f.Lang, "moderate.title")
	return s.Templates.Serve(w, r, templates.Reply{Page: "moderate", Frame: f, View: view})
}

func (s *site) queuedView(lang string, i int, q moderation.Queued) templates.ModeratePost {
	row := templates.ModeratePost{
		HeldPost: templates.HeldPost{
			ID: q.ID, From: q.From, Subject: q.Subject, Received: templates.NewTime(lang, q.Received.In(s.Site.Location)),
			Reasons: q.Reasons, Text: q.Text, Files: q.Files, Decided: q.Decided,
		},
		Key: "q" + strconv.Itoa(i+1), Item: q.List.Name + " " + q.Order, IsPost: q.ID == q.Order,
		List: q.List.Title(), ListHref: listPath(q.List), Texts: q.Texts,
	}
	row.Words = slices.DeleteFunc(slices.Clone(q.Words), func(word string) bool { return word == "reject" })
	return row
}

// decideMany is a button of that page: one word about one or several things, all in one transaction.
func (s *site) decideMany(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	items := form["item"]
	lang := templates.FrameOf(r.Context()).Lang
	if len(items) == 0 {
		return s.done(w, r, "/-/moderate", templates.Flash{Text: s.Templates.T(lang, "moderate.nothing-chosen")})
	}
	if len(items) > queueAtOne {
		return errNotUnderstood
	}
	order := moderation.Order{Word: form.Get("word"), Reason: cmp.Or(form.Get("reason"), form.Get("text")), By: a.address, Lang: lang, Now: time.Now()}
	var said []string
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		said = nil
		for _, item := range items {
			var name string
			name, order.ID, _ = strings.Cut(item, " ")
			l, err := list.ByName(tx, name)
			if err == nil && !a.may(tx, l, list.RoleModerator) {
				err = denied{need: list.RoleModerator, list: l}
			}
			if err != nil {
				return err
			}
			line, err := s.Moderation.Command(tx, l, order)
			if err != nil {
				return err
			}
			said = append(said, line)
		}
		return nil
	})
	switch {
	case errors.Is(err, moderation.ErrWord):
		return errNotUnderstood
	case errors.Is(err, moderation.ErrNotHere):
		return storage.ErrNotFound
	case err != nil:
		return err
	}
	s.Moderation.Wake()
	if more := len(said) - saidLines; more > 0 {
		said = append(said[:saidLines], s.Templates.T(lang, "settings.replay-more", "n", more))
	}
	return s.done(w, r, "/-/moderate", templates.Flash{Text: strings.Join(said, "\n")})
}
