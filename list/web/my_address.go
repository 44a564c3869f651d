package web

import (
	"net/http"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// addressForm asks for another address.
func (s *site) addressForm(w http.ResponseWriter, r *http.Request, a actor) error {
	return s.addressPage(w, r, a, http.StatusOK, templates.NewAddress{Address: a.address.String()})
}

func (s *site) addressPage(w http.ResponseWriter, r *http.Request, a actor, status int, view templates.NewAddress) error {
	f := templates.FrameOf(r.Context())
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view.From = nil
		for _, addr := range a.addresses() {
			lists, err := listsOf(tx, addr)
			if err != nil {
				return err
			}
			if len(lists) == 0 {
				continue
			}
			row := templates.AddressRow{Address: addr.String(), Preferred: addr.String() == view.Address}
			for _, l := range lists {
				row.Lists = append(row.Lists, l.Title())
			}
			view.From = append(view.From, row)
		}
		if one := view.From; len(one) == 1 {
			one[0].Preferred = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.Private, f.Title = true, s.Templates.T(f.Lang, "address.title")
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "new-address", Frame: f, View: view})
}

// changeAddress has the old address confirm by mail, and then the new one.
func (s *site) changeAddress(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	from, err := a.own(form.Get("from"))
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	view := templates.NewAddress{Address: from.String(), Typed: form.Get("address")}
	to, err := address.Parse(strings.TrimSpace(view.Typed))
	if err != nil || to.Key() == from.Key() {
		view.Wrong = s.Templates.T(lang, "login.bad-address")
		return s.addressPage(w, r, a, http.StatusUnprocessableEntity, view)
	}
	_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
		lists, err := listsOf(tx, from)
		if err != nil || len(lists) == 0 {
			return subscribe.Result{}, err
		}
		return s.Subscribe.ReaddressAll(tx, subscribe.Request{List: lists[0], Address: from, Verified: true, Now: time.Now()}, to, lists)
	})
	if err != nil {
		return err
	}
	return s.done(w, r, "/-/my", templates.Flash{Text: s.Templates.T(lang, "address.asked", "old", from, "new", to)})
}

// listsOf returns the lists that an address belongs to in any role but that of a nonmember.
func listsOf(tx *storage.Tx, addr address.Address) (lists []*list.List, err error) {
	seen := map[list.ID]bool{}
	for id, role := range list.Memberships(tx, addr) {
		if role == list.RoleNonmember || seen[id] {
			continue
		}
		seen[id] = true
		l, err := list.Get(tx, id)
		if err != nil {
			return nil, err
		}
		if l.Removed.IsZero() {
			lists = append(lists, l)
		}
	}
	return lists, nil
}
