package web

import (
	"net/http"
	"slices"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// sitePerson shows what is known of somebody.
func (s *site) sitePerson(w http.ResponseWriter, r *http.Request, _ actor, who *list.Person) error {
	return s.personPage(w, r, who, http.StatusOK, templates.Person{})
}

// personPage shows it with what was typed in view and is wrong.
func (s *site) personPage(w http.ResponseWriter, r *http.Request, who *list.Person, status int, view templates.Person) error {
	lang, a := templates.FrameOf(r.Context()).Lang, actorOf(r.Context())
	typed := view
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view = typed
		about, err := s.Subscribe.About(tx, who, time.Now())
		if err != nil {
			return err
		}
		view.Unknown = !about.Known()
		s.fillPerson(&view, about, lang)
		view.Sessions = s.sessionRows(tx, who, a.session, lang)
		if view.Places, err = s.personPlaces(tx, about.Places, lang); err != nil {
			return err
		}
		if view.Passkeys, err = s.passkeyRows(tx, who, lang); err != nil {
			return err
		}
		if view.Requests, err = s.personRequests(tx, about, lang); err != nil {
			return err
		}
		return s.personPosts(tx, r, &view, about)
	})
	if err != nil {
		return err
	}
	return s.sitePage(w, r, "people", templates.Reply{Status: status, Page: "site-person", Frame: templates.Frame{Title: view.Address}, View: view})
}

// fillPerson fills in what needs no further look.
func (s *site) fillPerson(view *templates.Person, about *subscribe.About, lang string) {
	who := about.Person
	view.Path, view.Address, view.Full = personPath(who.Preferred()), who.Preferred().String(), len(who.Addresses) >= list.MaxAddresses
	bySite := map[address.Address]bool{s.Site.Admin: true}
	for _, b := range about.Bans {
		row := templates.PersonBan{Address: b.Address.String(), Entry: b.Entry}
		switch {
		case b.Config:
			row.Where = s.Templates.T(lang, "person.ban-config")
		case b.List == nil:
			row.Where, row.Href = s.Templates.T(lang, "person.ban-site"), sitePath("bans")
			bySite[b.Address] = true
		default:
			row.Where, row.Href = b.List.Title(), adminPath(b.List, "bans")
		}
		view.Bans = append(view.Bans, row)
	}
	for i, addr := range who.Addresses {
		view.Addresses = append(view.Addresses, templates.PersonAddress{
			Address: addr.String(), Preferred: i == 0, Remove: len(who.Addresses) > 1, Never: slices.Contains(about.Never, addr),
		})
		if !bySite[addr] && addr.Key() != s.Site.Admin.Key() {
			view.Bannable = append(view.Bannable, addr.String())
		}
	}
	for _, p := range about.Places {
		if name := message.Brief(p.Member.DisplayName, maxSubject); name != "" && !slices.Contains(view.Names, name) {
			view.Names = append(view.Names, name)
		}
	}
	for _, e := range about.History {
		row := templates.PersonEvent{LogEvent: s.logEvent(lang, e.Event)}
		if e.List != nil {
			row.List, row.Href = e.List.Title(), adminPath(e.List, "log")
			row.Stage = s.Templates.T(lang, "members.stage."+e.Stage)
		}
		view.History = append(view.History, row)
	}
}

// personPlaces are what somebody is in lists.
func (s *site) personPlaces(tx *storage.Tx, places []subscribe.Place, lang string) (rows []templates.PersonPlace, err error) {
	several := slices.ContainsFunc(places, func(p subscribe.Place) bool { return p.Member.Address.Key() != places[0].Member.Address.Key() })
	for _, p := range places {
		m := p.Member
		row := templates.PersonPlace{
			Key: p.Key(), List: p.List.Title(), Href: listPath(p.List), Page: memberPath(p.List, m),
			Role: s.Templates.T(lang, "entry.role."+string(m.Role)), Since: templates.NewDate(lang, m.Joined.In(s.Site.Location)),
		}
		if several {
			row.Address = m.Address.String()
		}
		switch m.Role {
		case list.RoleMember:
			row.Delivery, row.Off = s.deliveryStatus(p.List, m, lang), !m.Receives(time.Now())
			if s.Bounces != nil {
				if row.Bounces, err = s.Bounces.Words(tx, lang, p.List, m); err != nil {
					return nil, err
				}
			}
		case list.RoleOwner, list.RoleModerator:
			row.Page = adminPath(p.List, "roles")
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// deliveryStatus says what a member gets, or who has switched that off.
func (s *site) deliveryStatus(l *list.List, m *list.Member, lang string) string {
	if m.Receives(time.Now()) {
		return s.deliveryWords(l, m, lang)
	}
	return s.Templates.T(lang, "members.delivery."+string(m.DeliveryStatus))
}

// waitsFor are the things that wait for somebody's word and have words of their own; the others are a moderator's mails.
var waitsFor = []string{"join", "leave", "invite", "chaddr", "address"}

// personRequests are what waits for the person's word, and what the person waits for.
func (s *site) personRequests(tx *storage.Tx, about *subscribe.About, lang string) (rows []templates.PersonRequest, err error) {
	for _, p := range about.Waiting {
		kind := p.Kind()
		if !slices.Contains(waitsFor, kind) {
			kind = "other"
		}
		row := templates.PersonRequest{What: s.Templates.T(lang, "person.waits-"+kind), Address: p.Address.String(), Until: templates.NewTime(lang, p.Expires.In(s.Site.Location))}
		if p.List != "" {
			l, err := list.Get(tx, p.List)
			if err != nil {
				return nil, err
			}
			row.List = subscribe.Titles(tx, p, l)
		}
		rows = append(rows, row)
	}
	for l := range list.All(tx) {
		for _, addr := range about.Person.Addresses {
			found, err := moderation.RequestsOf(tx, l.ID, addr)
			if err != nil {
				return nil, err
			}
			for _, q := range found {
				if q.Waits() {
					rows = append(rows, templates.PersonRequest{What: s.Templates.T(lang, "person.asks-"+q.Action), List: l.Title(), Address: addr.String(), Href: "/-/moderate"})
				}
			}
		}
	}
	return rows, nil
}

// personPosts are the posts that bear an address of the person. Of those to lists that the reader may not read there is no subject, but for
// held ones, which the reader may decide about.
func (s *site) personPosts(tx *storage.Tx, r *http.Request, view *templates.Person, about *subscribe.About) error {
	f, a := templates.FrameOf(r.Context()), actorOf(r.Context())
	for _, p := range about.Posts {
		row, err := s.myPost(tx, p, f.Lang, time.Now())
		if err != nil {
			return err
		}
		l, err := list.Get(tx, p.List)
		if err != nil {
			return err
		}
		post := templates.PersonPost{MyPost: row, Proven: p.Auth.Author()}
		if p.Held() {
			view.Held = append(view.Held, post)
			continue
		}
		if !mayRead(tx, l, a, f) {
			post.Secret, post.Subject, post.Href = true, "", ""
		}
		view.Posts = append(view.Posts, post)
	}
	return nil
}
