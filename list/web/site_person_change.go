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

// maxWhy is how long a reason may be, in bytes.
const maxWhy = 2000

// personForm reads a form about a person, and who does what it says and why.
func (s *site) personForm(w http.ResponseWriter, r *http.Request, a actor) (form url.Values, e list.Edit, err error) {
	if form, err = s.form(w, r); err != nil {
		return form, e, err
	}
	e = a.edit()
	if e.Why = strings.TrimSpace(strings.ToValidUTF8(form.Get("why"), "")); len(e.Why) > maxWhy {
		return form, e, errNotUnderstood
	}
	return form, e, nil
}

// donePerson leads back to the page about a person after a change.
func (s *site) donePerson(w http.ResponseWriter, r *http.Request, who *list.Person, said string) error {
	return s.done(w, r, personPath(who.Preferred()), templates.Flash{Text: said})
}

// chosen are the places of a person that a form names.
func chosen(tx *storage.Tx, who *list.Person, form url.Values) ([]subscribe.Place, error) {
	places, err := subscribe.Places(tx, who)
	return slices.DeleteFunc(places, func(p subscribe.Place) bool { return !slices.Contains(form["place"], p.Key()) }), err
}

// changePlaces switches delivery in some lists "on" or "off", or "remove"s the person from them, after a page that says what that means.
func (s *site) changePlaces(w http.ResponseWriter, r *http.Request, a actor, who *list.Person) error {
	form, e, err := s.personForm(w, r, a)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	if len(form["place"]) == 0 {
		return s.personPage(w, r, who, http.StatusUnprocessableEntity, templates.Person{Why: e.Why, WrongPlaces: s.Templates.T(lang, "person.none-chosen")})
	}
	switch do := form.Get("do"); {
	case do == "on" || do == "off":
		n := 0
		err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
			places, err := chosen(tx, who, form)
			if err == nil {
				n, err = subscribe.SetDelivery(tx, places, do == "on", e)
			}
			return err
		})
		if err != nil {
			return err
		}
		return s.donePerson(w, r, who, s.Templates.T(lang, "person.delivery-done", "n", n))
	case do != "remove":
		return errNotUnderstood
	case form.Get("sure") != "yes":
		return s.removePersonForm(w, r, who, form, e.Why)
	}
	tell := form.Get("tell") == "on"
	n := 0
	_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (res subscribe.Result, err error) {
		places, err := chosen(tx, who, form)
		if n = len(places); err != nil {
			return res, err
		}
		return s.Subscribe.RemoveFrom(tx, places, subscribe.Request{By: e.By, Why: e.Why, Tell: &tell, Now: e.At.In(s.Site.Location)})
	})
	if errors.Is(err, list.ErrLastOwner) {
		return s.removePersonForm(w, r, who, form, e.Why)
	}
	if err != nil {
		return err
	}
	return s.donePerson(w, r, who, s.Templates.T(lang, "person.removed", "n", n))
}

// removePersonForm says from which lists somebody would be taken.
func (s *site) removePersonForm(w http.ResponseWriter, r *http.Request, who *list.Person, form url.Values, why string) error {
	lang := templates.FrameOf(r.Context()).Lang
	view := templates.PersonRemove{Path: personPath(who.Preferred()), Address: who.Preferred().String(), Why: why, Tell: form.Get("sure") == "" || form.Get("tell") == "on"}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		places, err := chosen(tx, who, form)
		if err != nil {
			return err
		}
		if view.Places, err = s.personPlaces(tx, places, lang); err != nil {
			return err
		}
		alone, err := subscribe.OnlyOwner(tx, who)
		alone = slices.DeleteFunc(alone, func(l *list.List) bool {
			return !slices.ContainsFunc(places, func(p subscribe.Place) bool { return p.List.ID == l.ID && p.Member.Role == list.RoleOwner })
		})
		view.Alone = ownerless(alone)
		return err
	})
	if err != nil {
		return err
	}
	if len(view.Places) == 0 { // somebody else was quicker
		return storage.ErrNotFound
	}
	status := http.StatusOK
	if len(view.Alone) > 0 {
		status = http.StatusConflict
	}
	title := templates.Frame{Title: s.Templates.T(lang, "person.remove-title")}
	return s.sitePage(w, r, "people", templates.Reply{Status: status, Page: "site-person-remove", Frame: title, View: view})
}

// ownerless are lists that would have no owner, with the page where they get another.
func ownerless(lists []*list.List) (links []templates.Link) {
	for _, l := range lists {
		links = append(links, templates.Link{Href: adminPath(l, "roles"), Text: l.Title()})
	}
	return links
}

// changePersonAddresses ties an address to the others of a person ("add"), unties it ("remove"), or makes it the preferred one ("prefer").
func (s *site) changePersonAddresses(w http.ResponseWriter, r *http.Request, a actor, who *list.Person) error {
	form, e, err := s.personForm(w, r, a)
	if err != nil {
		return err
	}
	lang, typed := templates.FrameOf(r.Context()).Lang, strings.TrimSpace(form.Get("address"))
	do := form.Get("do")
	addr, err := address.Parse(typed)
	switch bad := err != nil || addr.Domain() == ""; {
	case bad && do == "add":
		return s.personPage(w, r, who, http.StatusUnprocessableEntity, templates.Person{Typed: typed, WrongAddress: s.Templates.T(lang, "login.bad-address")})
	case bad:
		return errNotUnderstood
	}
	_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (res subscribe.Result, err error) {
		who = list.PersonOf(tx, who.Preferred())
		switch do {
		case "add":
			return s.Subscribe.AddAddress(tx, who, addr, e)
		case "remove":
			return s.Subscribe.RemoveAddress(tx, who, addr, e)
		case "prefer":
			return res, s.Subscribe.Prefer(tx, who, addr, e)
		}
		return res, errNotUnderstood
	})
	wrong := ""
	switch {
	case errors.Is(err, list.ErrTaken):
		wrong = s.Templates.T(lang, "person.taken")
	case errors.Is(err, list.ErrExists):
		wrong = s.Templates.T(lang, "person.has-address")
	case errors.Is(err, list.ErrAddresses):
		wrong = s.Templates.T(lang, "addresses.full")
	case errors.Is(err, list.ErrNotMember), errors.Is(err, list.ErrOnly):
		return errNotUnderstood
	case err != nil:
		return err
	}
	if wrong != "" {
		return s.personPage(w, r, who, http.StatusUnprocessableEntity, templates.Person{Typed: typed, WrongAddress: wrong})
	}
	return s.donePerson(w, r, who, s.Templates.T(lang, "person.addresses-done"))
}

// endPersonSessions ends one session of a person, or with all=1 all of them.
func (s *site) endPersonSessions(w http.ResponseWriter, r *http.Request, a actor, who *list.Person) error {
	lang := templates.FrameOf(r.Context()).Lang
	form, e, err := s.personForm(w, r, a)
	if err != nil {
		return err
	}
	one, all := form.Get("session"), form.Get("all") == "1"
	n := 0
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		n, err = who.EndSessions(tx, func(g *list.Session) bool { return all || g.Key == one }, e)
		return err
	})
	if err != nil {
		return err
	}
	return s.donePerson(w, r, who, s.Templates.T(lang, "person.sessions-done", "n", n))
}

// removePersonPasskey removes a passkey of a person's.
func (s *site) removePersonPasskey(w http.ResponseWriter, r *http.Request, a actor, who *list.Person) error {
	lang := templates.FrameOf(r.Context()).Lang
	form, e, err := s.personForm(w, r, a)
	if err != nil {
		return err
	}
	_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
		return s.Subscribe.RemovePasskey(tx, who, form.Get("key"), e)
	})
	if err != nil {
		return err
	}
	return s.donePerson(w, r, who, s.Templates.T(lang, "passkeys.removed"))
}

// banPerson bans an address of a person's from the site.
func (s *site) banPerson(w http.ResponseWriter, r *http.Request, a actor, who *list.Person) error {
	lang := templates.FrameOf(r.Context()).Lang
	form, e, err := s.personForm(w, r, a)
	if err != nil {
		return err
	}
	addr, err := address.Parse(form.Get("address"))
	if err != nil || !who.Has(addr) {
		return errNotUnderstood
	}
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		_, err := list.BanFromSite(tx, s.Site.Admin, addr.String(), e)
		return err
	})
	wrong, err := s.banFault(lang, err)
	if err != nil {
		return err
	}
	if wrong != "" {
		return s.personPage(w, r, who, http.StatusUnprocessableEntity, templates.Person{WrongBan: wrong})
	}
	return s.donePerson(w, r, who, s.Templates.T(lang, "bans.added", "entry", addr.String()))
}

// exportPerson is the download of all that is kept about a person, without the subjects of posts to lists that the actor may not read.
func (s *site) exportPerson(w http.ResponseWriter, r *http.Request, a actor, who *list.Person) error {
	_, e, err := s.personForm(w, r, a)
	if err != nil {
		return err
	}
	f := templates.FrameOf(r.Context())
	all, err := s.Subscribe.Export(r.Context(), who.Preferred(), e, func(tx *storage.Tx, l *list.List) bool { return mayRead(tx, l, a, f) })
	if err != nil {
		return err
	}
	return download(w, "kairan-person.json", all)
}

// erasePersonForm shows what would be forgotten, and what stays.
func (s *site) erasePersonForm(w http.ResponseWriter, r *http.Request, _ actor, who *list.Person) error {
	return s.erasePersonPage(w, r, who, http.StatusOK, templates.PersonErase{})
}

func (s *site) erasePersonPage(w http.ResponseWriter, r *http.Request, who *list.Person, status int, view templates.PersonErase) error {
	lang := templates.FrameOf(r.Context()).Lang
	view.Path, view.Address, view.Addresses = personPath(who.Preferred()), who.Preferred().String(), nil
	for _, addr := range who.Addresses {
		view.Addresses = append(view.Addresses, addr.String())
	}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		about, err := s.Subscribe.About(tx, who, time.Now())
		if err != nil {
			return err
		}
		view.Sessions = len(about.Sessions)
		if view.Places, err = s.personPlaces(tx, about.Places, lang); err != nil {
			return err
		}
		alone, err := subscribe.OnlyOwner(tx, who)
		view.Alone = ownerless(alone)
		return err
	})
	if err != nil {
		return err
	}
	title := templates.Frame{Title: s.Templates.T(lang, "person.erase-title", "address", view.Address)}
	return s.sitePage(w, r, "people", templates.Reply{Status: status, Page: "site-person-erase", Frame: title, View: view})
}

// erasePerson forgets a person, for one who has typed the address.
func (s *site) erasePerson(w http.ResponseWriter, r *http.Request, a actor, who *list.Person) error {
	form, e, err := s.personForm(w, r, a)
	if err != nil {
		return err
	}
	lang, view := templates.FrameOf(r.Context()).Lang, templates.PersonErase{Archive: form.Get("archive") == "yes", Why: e.Why, Typed: strings.TrimSpace(form.Get("sure"))}
	if sure, err := address.Parse(view.Typed); err != nil || sure.Key() != who.Preferred().Key() {
		view.Wrong = s.Templates.T(lang, "person.erase-not-sure")
		return s.erasePersonPage(w, r, who, http.StatusUnprocessableEntity, view)
	}
	alone, err := s.Subscribe.Erase(r.Context(), subscribe.Erasure{Address: who.Preferred(), Archive: view.Archive, Edit: e})
	if err != nil {
		return err
	}
	if len(alone) > 0 {
		return s.erasePersonPage(w, r, who, http.StatusConflict, view)
	}
	return s.done(w, r, sitePath("people"), templates.Flash{Text: s.Templates.T(lang, "person.erased", "address", who.Preferred())})
}
