package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// bansPage is how many bans a page has.
const bansPage = 100

// bans are the pages of who may neither post to a list nor join it.
func (s *site) bans(mux *routes) {
	mux.HandleFunc("GET /-/admin/{list}/bans", s.admins("bans", s.banList))
	mux.HandleFunc("POST /-/admin/{list}/bans", s.admins("bans", s.changeBans))
}

func (s *site) banList(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	return s.bansPage(w, r, l, templates.Bans{})
}

// bansPage shows the bans of a list, the latest first. view has what somebody wanted to ban and cannot be, and why.
func (s *site) bansPage(w http.ResponseWriter, r *http.Request, l *list.List, view templates.Bans) error {
	var all []list.Banned
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		all, err = list.Bans(tx, l.ID)
		return err
	})
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	view.Path, view.Lead = adminPath(l, "bans"), s.Templates.T(lang, "bans.lead")
	reply, err := s.bansReply(r, view, all)
	if err != nil {
		return err
	}
	return s.adminPage(w, r, l, "bans", reply)
}

// bansReply is the page of a ban list.
func (s *site) bansReply(r *http.Request, view templates.Bans, all []list.Banned) (reply templates.Reply, err error) {
	lang := templates.FrameOf(r.Context()).Lang
	page, err := pageNumber(r, list.MaxBans)
	if err != nil {
		return reply, err
	}
	view.Query = strings.TrimSpace(r.URL.Query().Get("q"))
	for _, b := range slices.Backward(all) {
		if !strings.Contains(strings.ToLower(b.Entry), strings.ToLower(view.Query)) {
			continue
		}
		if view.Total++; view.Total <= (page-1)*bansPage || view.Total > page*bansPage {
			continue
		}
		row := templates.BanRow{Entry: b.Entry, Kind: s.Templates.T(lang, "bans.kind-"+banKind(b.Entry))}
		if !b.At.IsZero() {
			row.When, row.By, row.Why = templates.NewTime(lang, b.At.In(s.Site.Location)), s.who(lang, b.By), s.reason(lang, b.Why)
		}
		view.Rows = append(view.Rows, row)
	}
	view.Pages = parts(view.Total, bansPage, page, view.Path+"?"+url.Values{"q": {view.Query}}.Encode())
	reply = templates.Reply{Page: "bans", View: view}
	if view.Wrong != "" {
		reply.Status = http.StatusUnprocessableEntity
	}
	return reply, nil
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
	wrong, err := s.banFault(lang, err)
	if err != nil {
		return err
	}
	if wrong != "" {
		return s.bansPage(w, r, l, templates.Bans{Typed: entry, Why: why, Wrong: wrong})
	}
	return s.done(w, r, adminPath(l, "bans"), templates.Flash{Text: said})
}

// banFault says what is wrong with a ban; another error is none of the page.
func (s *site) banFault(lang string, err error) (wrong string, other error) {
	switch {
	case errors.Is(err, list.ErrBan):
		return s.Templates.T(lang, "bans.bad"), nil
	case errors.Is(err, list.ErrBansOwner):
		return s.Templates.T(lang, "bans.owner"), nil
	case errors.Is(err, list.ErrBansAdmin):
		return s.Templates.T(lang, "bans.admin"), nil
	case errors.Is(err, list.ErrFull):
		return s.Templates.T(lang, "bans.too-many"), nil
	}
	return "", err
}
