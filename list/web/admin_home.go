package web

import (
	"net/http"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// adminHome shows an owner the own lists and what waits in them, and the administrator the way to the site's pages.
func (s *site) adminHome(w http.ResponseWriter, r *http.Request, a actor) error {
	if !a.owns {
		return denied{need: list.RoleModerator}
	}
	f := templates.FrameOf(r.Context())
	view := templates.AdminHome{Site: a.admin}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view.Lists = nil
		_, owned := moderated(tx, a)
		for _, l := range owned {
			row := templates.SiteList{Title: l.Title(), Address: l.Address.String(), Href: listPath(l), Page: adminPath(l, "settings")}
			var err error
			if row.Members, err = list.CountMembers(tx, l.ID, list.RoleMember); err != nil {
				return err
			}
			row.Held, _ = list.CountHeld(tx, l.ID, address.Address{}, false)
			view.Lists = append(view.Lists, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.Private, f.Title = true, s.Templates.T(f.Lang, "admin-home.title")
	return s.Templates.Serve(w, r, templates.Reply{Page: "admin-home", Frame: f, View: view})
}
