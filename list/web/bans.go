package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// bansPage is how many bans a page has.
const bansPage = 100

// bans are the pages of who may neither post to a list nor join it.
func (s *site) bans(mux *http.ServeMux) {
	mux.HandleFunc("GET /-/admin/{list}/bans", s.admins("bans", s.banList))
	mux.HandleFunc("POST /-/admin/{list}/bans", s.admins("bans", s.changeBans))
}

func (s *site) banList(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	return s.bansPage(w, r, l, templates.Bans{})
}

// bansPage shows the bans, the latest first. typed is what somebody wanted to ban and cannot be, and why.
func (s *site) bansPage(w http.ResponseWriter, r *http.Request, l *list.List, view templates.Bans) error {
	lang := templates.FrameOf(r.Context()).Lang
	page := 1
	if p := r.URL.Query().Get("p"); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > list.MaxBans {
			return storage.ErrNotFound
		}
		page = n
	}
	view.Path, view.Query = adminPath(l, "bans"), strings.TrimSpace(r.URL.Query().Get("q"))
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		now, err := list.Get(tx, l.ID)
		if err != nil {
			return err
		}
		brought := list.BanReasons(tx, l.ID)
		view.Rows, view.Total = nil, 0
		for _, entry := range slices.Backward(now.Settings.BanList) {
			if !strings.Contains(strings.ToLower(entry), strings.ToLower(view.Query)) {
				continue
			}
			if view.Total++; view.Total <= (page-1)*bansPage || view.Total > page*bansPage {
				continue
			}
			row := templates.BanRow{Entry: entry, Kind: s.Templates.T(lang, "bans.kind-"+banKind(entry))}
			if r := brought[entry]; r != nil {
				row.When, row.By, row.Why = templates.NewTime(lang, r.At.In(s.Site.Location)), s.who(lang, r.By), r.Why
			}
			view.Rows = append(view.Rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for n := 1; n <= (view.Total+bansPage-1)/bansPage && view.Total > bansPage; n++ {
		q := url.Values{"p": {strconv.Itoa(n)}, "q": {view.Query}}
		view.Pages = append(view.Pages, templates.PageLink{Href: view.Path + "?" + q.Encode(), Text: strconv.Itoa(n), Current: n == page})
	}
	status := http.StatusOK
	if view.Wrong != "" {
		status = http.StatusUnprocessableEntity
	}
	return s.adminPage(w, r, l, "bans", templates.Reply{Status: status, Page: "bans", View: view})
}

// banKind names what an entry means.
func banKind(entry string) string {
	switch {
	case strings.HasPrefix(entry, "^"):
		return "pattern"
	case strings.HasPrefix(entry, "@"):
		return "nothing" // of a form that filled in the setting itself: see list.Match
	case strings.Contains(entry, "@"):
		return "address"
	}
	return "domain"
}

// changeBans adds a ban, or lifts one.
func (s *site) changeBans(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	entry, why := form.Get("entry"), strings.TrimSpace(form.Get("why"))
	if len(why) > 2000 {
		return errNotUnderstood
	}
	e := list.Edit{By: a.address.String(), Why: why, At: time.Now()}
	var said string
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		said = ""
		if form.Get("do") == "lift" {
			_, err := list.Unban(tx, l.ID, entry, e)
			said = s.Templates.T(lang, "bans.lifted", "entry", entry)
			return err
		}
		rev, err := list.Ban(tx, l.ID, entry, e)
		if err != nil {
			return err
		}
		if rev == nil {
			said = s.Templates.T(lang, "bans.already", "entry", entry)
			return nil
		}
		read, err := list.BanEntry(entry)
		if err != nil {
			return err
		}
		said = s.Templates.T(lang, "bans.added", "entry", read)
		switch n, more := list.CountMatches(tx, l.ID, read); {
		case more:
			said += "\n" + s.Templates.T(lang, "bans.members-more", "n", n, "looked", list.MaxLook)
		case n > 0:
			said += "\n" + s.Templates.T(lang, "bans.members", "n", n)
		}
		return nil
	})
	wrong := ""
	switch {
	case errors.Is(err, list.ErrBan):
		wrong = s.Templates.T(lang, "bans.bad")
	case errors.Is(err, list.ErrBansOwner):
		wrong = s.Templates.T(lang, "bans.owner")
	case errors.Is(err, list.ErrFull):
		wrong = s.Templates.T(lang, "bans.full", "n", list.MaxBans)
	case err != nil:
		return err
	}
	if wrong != "" {
		return s.bansPage(w, r, l, templates.Bans{Typed: entry, Why: why, Wrong: wrong})
	}
	return s.done(w, r, adminPath(l, "bans"), templates.Flash{Text: said})
}
