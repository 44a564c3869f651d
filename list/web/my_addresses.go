package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

const addressesPath = "/-/my/addresses"

// myAddresses are the addresses of the actor.
func (s *site) myAddresses(w http.ResponseWriter, r *http.Request, a actor) error {
	return s.addressesPage(w, r, a, http.StatusOK, templates.Addresses{})
}

func (s *site) addressesPage(w http.ResponseWriter, r *http.Request, a actor, status int, view templates.Addresses) error {
	f := templates.FrameOf(r.Context())
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view.Rows = nil
		for i, addr := range a.addresses() {
			row := templates.AddressRow{Address: addr.String(), Preferred: i == 0, Remove: len(a.addresses()) > 1}
			lists, err := listsOf(tx, addr)
			if err != nil {
				return err
			}
			for _, l := range lists {
				row.Lists = append(row.Lists, l.Title())
			}
			slices.Sort(row.Lists)
			view.Rows = append(view.Rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	view.Full = len(view.Rows) >= list.MaxAddresses
	f.Private, f.Title = true, s.Templates.T(f.Lang, "addresses.title")
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "addresses", Frame: f, View: view})
}

// changeAddresses is a button of that page: "add", "prefer" or "remove".
func (s *site) changeAddresses(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	typed := strings.TrimSpace(form.Get("address"))
	if form.Get("do") == "add" {
		addr, err := address.Parse(typed)
		if err == nil && !a.person.Has(addr) {
			return s.askAddress(w, r, a, addr)
		}
		view := templates.Addresses{Typed: typed, Wrong: s.Templates.T(lang, "login.bad-address")}
		if err == nil {
			view.Wrong = s.Templates.T(lang, "addresses.yours")
		}
		return s.addressesPage(w, r, a, http.StatusUnprocessableEntity, view)
	}
	addr, err := a.own(typed)
	if err != nil || typed == "" {
		return errNotUnderstood
	}
	switch form.Get("do") {
	case "prefer":
		err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
			return s.Subscribe.Prefer(tx, list.PersonOf(tx, a.address), addr, a.edit())
		})
	case "remove":
		_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) { return s.removeAddress(tx, a, addr) })
	default:
		return errNotUnderstood
	}
	if errors.Is(err, list.ErrOnly) {
		return errNotUnderstood
	}
	if err != nil {
		return err
	}
	return s.done(w, r, addressesPath, templates.Flash{Text: s.Templates.T(lang, "addresses.done-"+form.Get("do"), "address", addr)})
}

// askAddress mails the link that adds an address.
func (s *site) askAddress(w http.ResponseWriter, r *http.Request, a actor, addr address.Address) error {
	lang := templates.FrameOf(r.Context()).Lang
	if len(a.addresses()) >= list.MaxAddresses {
		return s.addressesPage(w, r, a, http.StatusUnprocessableEntity, templates.Addresses{Typed: addr.String(), Wrong: s.Templates.T(lang, "addresses.full")})
	}
	_, err := s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
		return s.Subscribe.AskAddress(tx, subscribe.NewAddress{
			Person: list.PersonOf(tx, a.address), Address: addr, Lang: lang, Link: s.Site.URL + addressesPath + "/confirm/", Now: time.Now(),
		})
	})
	if err != nil {
		return err
	}
	return s.done(w, r, addressesPath, templates.Flash{Text: s.Templates.T(lang, "addresses.asked", "address", addr)})
}

// removeAddress takes an address from the actor. Where somebody is signed in by it, that ends, but for the browser that asks.
func (s *site) removeAddress(tx *storage.Tx, a actor, addr address.Address) (res subscribe.Result, err error) {
	who := list.PersonOf(tx, a.address)
	if g, err := list.GetSession(tx, a.session); err == nil && g.Address.Key() == addr.Key() && len(who.Addresses) > 1 {
		g.Address = who.Others(addr)[0]
		if err := list.SetSession(tx, *g); err != nil {
			return res, err
		}
	}
	return s.Subscribe.RemoveAddress(tx, who, addr, a.edit())
}

// addAddressForm is the page of the mailed link, for who asked for it: a button.
func (s *site) addAddressForm(w http.ResponseWriter, r *http.Request, a actor) error {
	var addr address.Address
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		addr, err = subscribe.WaitingAddress(tx, r.PathValue("token"), a.person, time.Now())
		return err
	})
	if err != nil {
		return s.notAdded(w, r, err)
	}
	return s.addAddressPage(w, r, http.StatusOK, templates.AddAddress{Address: addr.String(), Action: r.URL.EscapedPath()})
}

func (s *site) addAddressPage(w http.ResponseWriter, r *http.Request, status int, view templates.AddAddress) error {
	f := templates.FrameOf(r.Context())
	f.Private, f.Title = true, s.Templates.T(f.Lang, "addresses.add")
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "add-address", Frame: f, View: view})
}

// notAdded says why the link of a mail adds no address, or returns the error.
func (s *site) notAdded(w http.ResponseWriter, r *http.Request, err error) error {
	lang := templates.FrameOf(r.Context()).Lang
	view := templates.AddAddress{}
	switch {
	case errors.Is(err, list.ErrToken):
		return s.usedUp(w, r)
	case errors.Is(err, subscribe.ErrNotYours):
		view.Wrong = s.Templates.T(lang, "addresses.not-yours")
	case errors.Is(err, list.ErrTaken):
		view.Wrong = s.Templates.T(lang, "addresses.taken")
	case errors.Is(err, list.ErrExists):
		view.Wrong = s.Templates.T(lang, "addresses.yours")
	case errors.Is(err, list.ErrAddresses):
		view.Wrong = s.Templates.T(lang, "addresses.full")
	default:
		return err
	}
	return s.addAddressPage(w, r, http.StatusForbidden, view)
}

// addAddress is its button.
func (s *site) addAddress(w http.ResponseWriter, r *http.Request, a actor) error {
	token := r.PathValue("token")
	var addr address.Address
	_, err := s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (res subscribe.Result, err error) {
		who := list.PersonOf(tx, a.address)
		if addr, err = subscribe.WaitingAddress(tx, token, who, time.Now()); err != nil {
			return res, err
		}
		return s.Subscribe.ConfirmAddress(tx, token, who, time.Now())
	})
	if err != nil {
		return s.notAdded(w, r, err)
	}
	lang := templates.FrameOf(r.Context()).Lang
	return s.done(w, r, addressesPath, templates.Flash{Text: s.Templates.T(lang, "addresses.added", "address", addr)})
}

// moveMember moves what the actor is in a list from one of its addresses to another.
func (s *site) moveMember(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	l, m, err := s.membershipOf(r, a, form.Get("as"))
	if err == nil && m == nil {
		err = list.ErrNotMember
	}
	if err != nil {
		return err
	}
	to, err := a.own(form.Get("to"))
	if err != nil {
		return errNotUnderstood
	}
	now := time.Now()
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		if !slices.Contains(s.Subscribe.Movable(tx, l, a.person, m.Address), to) {
			return errNotUnderstood
		}
		return list.Readdress(tx, l.ID, m.Address, to, now)
	})
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	return s.done(w, r, myPathAs(l, a, to), templates.Flash{Text: s.Templates.T(lang, "addresses.moved", "address", to)})
}

// myPathAs is the page of a list for one of the member's addresses.
func myPathAs(l *list.List, a actor, addr address.Address) string {
	if len(a.addresses()) < 2 {
		return myPath(l)
	}
	return myPath(l) + "?" + url.Values{"as": {addr.String()}}.Encode()
}
