package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// roles are the pages of who owns and moderates a list.
func (s *site) roles(mux *routes) {
	if s.Subscribe == nil {
		return
	}
	mux.HandleFunc("GET /-/admin/{list}/roles", s.admins("roles", s.roleList))
	mux.HandleFunc("POST /-/admin/{list}/roles", s.admins("roles", s.changeRoles))
}

// rolesGiven are the roles that an owner gives and takes.
var rolesGiven = []list.Role{list.RoleOwner, list.RoleModerator}

func (s *site) roleList(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	return s.rolesPage(w, r, l, templates.Roles{})
}

// rolesPage shows who has which role. view has what was typed and cannot be, and why.
func (s *site) rolesPage(w http.ResponseWriter, r *http.Request, l *list.List, view templates.Roles) error {
	lang, a := templates.FrameOf(r.Context()).Lang, actorOf(r.Context())
	view.Path = adminPath(l, "roles")
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view.Groups = nil
		for _, role := range rolesGiven {
			g := templates.RoleGroup{Role: string(role), Title: s.Templates.T(lang, "roles."+string(role)+"s"), Means: s.Templates.T(lang, "roles."+string(role)+"-means")}
			for _, m := range list.Members(tx, l.ID, role, "") {
				g.Rows = append(g.Rows, templates.RoleRow{
					Address: m.Address.String(), Name: m.DisplayName, Since: templates.NewDate(lang, m.Joined.In(s.Site.Location)), Me: a.person.Has(m.Address),
				})
			}
			g.Stays = role == list.RoleOwner && len(g.Rows) < 2
			view.Groups = append(view.Groups, g)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, role := range rolesGiven {
		view.Choices = append(view.Choices, templates.Choice{Value: string(role), Text: s.Templates.T(lang, "commands.role."+string(role)), Chosen: string(role) == view.Role})
	}
	status := http.StatusOK
	if view.Wrong != "" {
		status = http.StatusUnprocessableEntity
	}
	return s.adminPage(w, r, l, "roles", templates.Reply{Status: status, Page: "roles", View: view})
}

// changeRoles gives a role or takes one.
func (s *site) changeRoles(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang, role := templates.FrameOf(r.Context()).Lang, list.Role(form.Get("role"))
	if !slices.Contains(rolesGiven, role) {
		return errNotUnderstood
	}
	view := templates.Roles{Typed: form.Get("address"), Role: string(role)}
	addr, err := address.Parse(strings.TrimSpace(view.Typed))
	if err != nil || addr.Domain() == "" || strings.HasPrefix(addr.Domain(), "[") {
		view.Wrong = s.Templates.T(lang, "roles.bad-address")
		return s.rolesPage(w, r, l, view)
	}
	take := form.Get("do") == "take"
	stays := true
	_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (res subscribe.Result, err error) {
		q := subscribe.Request{List: l, Address: addr, By: a.address.String(), Now: time.Now()}
		if !take {
			return s.Subscribe.Appoint(tx, q, role)
		}
		res, err = s.Subscribe.Dismiss(tx, q, role)
		stays = a.may(tx, l, list.RoleOwner)
		return res, err
	})
	switch {
	case errors.Is(err, list.ErrLastOwner):
		view.Wrong = s.Templates.T(lang, "roles.last-owner", "address", addr)
	case errors.Is(err, list.ErrExists):
		view.Wrong = s.Templates.T(lang, "roles.exists", "address", addr)
	case err != nil:
		return err
	}
	if view.Wrong != "" {
		return s.rolesPage(w, r, l, view)
	}
	said, to := "roles.given", adminPath(l, "roles")
	if take {
		if said = "roles.taken"; !stays {
			to = "/-/my" // the pages of owners are not for the actor any more
		}
	}
	text := s.Templates.T(lang, "roles.given", "address", addr, "role", s.Templates.T(lang, "commands.role."+string(role)))
	if said == "roles.taken" {
		text = s.Templates.T(lang, "roles.taken", "address", addr, "role", s.Templates.T(lang, "commands.role."+string(role)))
	}
	return s.done(w, r, to, templates.Flash{Text: text})
}
