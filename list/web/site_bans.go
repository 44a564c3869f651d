package web

import (
	"net/http"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// siteBans shows who may neither post to any list nor join one.
func (s *site) siteBans(w http.ResponseWriter, r *http.Request, _ actor) error {
	return s.siteBansPage(w, r, templates.Bans{})
}

func (s *site) siteBansPage(w http.ResponseWriter, r *http.Request, view templates.Bans) error {
	var all []list.Banned
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		all, err = list.SiteBans(tx)
		return err
	})
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	view.Path, view.Lead = sitePath("bans"), s.Templates.T(lang, "bans.site-lead")
	reply, err := s.bansReply(r, view, all)
	if err != nil {
		return err
	}
	return s.sitePage(w, r, "bans", reply)
}

// changeSiteBans adds a ban of the site, or lifts one.
func (s *site) changeSiteBans(w http.ResponseWriter, r *http.Request, a actor) error {
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
	said := "bans.lifted"
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		if form.Get("do") == "lift" {
			_, err := list.LiftFromSite(tx, entry, e)
			return err
		}
		added, err := list.BanFromSite(tx, s.Site.Admin, entry, e)
		if said = "bans.added"; !added {
			said = "bans.already"
		}
		return err
	})
	wrong, err := s.banFault(lang, err)
	if err != nil {
		return err
	}
	if wrong != "" {
		return s.siteBansPage(w, r, templates.Bans{Typed: entry, Why: why, Wrong: wrong})
	}
	return s.done(w, r, sitePath("bans"), templates.Flash{Text: s.Templates.T(lang, said, "entry", entry)})
}
