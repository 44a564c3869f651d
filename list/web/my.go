package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// my is the page of who is signed in.
func (s *site) my(w http.ResponseWriter, r *http.Request, a actor) error {
	f := templates.FrameOf(r.Context())
	view := templates.My{Address: a.address.String(), Addresses: addressTexts(a), Passkeys: s.passkeys != nil}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view.Sessions = s.sessionRows(tx, a.person, a.session, f.Lang)
		var err error
		if view.Lists, err = s.memberships(tx, a, f.Lang); err != nil {
			return err
		}
		view.Left, err = s.departures(tx, a, f.Lang)
		return err
	})
	if err != nil {
		return err
	}
	f.Private = true
	f.Title = s.Templates.T(f.Lang, "my.title")
	return s.Templates.Serve(w, r, templates.Reply{Page: "my", Frame: f, View: view})
}

// memberships are the lists that somebody belongs to, by title, and those of several addresses for each of them.
func (s *site) memberships(tx *storage.Tx, a actor, lang string) (rows []templates.MyList, err error) {
	for _, addr := range a.addresses() {
		of, err := s.membershipsOf(tx, addr, lang)
		if err != nil {
			return nil, err
		}
		if len(a.addresses()) > 1 {
			for i := range of {
				of[i].As = addr.String()
				if of[i].Mine != "" {
					of[i].Mine += "?" + url.Values{"as": {of[i].As}}.Encode()
				}
			}
		}
		rows = append(rows, of...)
	}
	slices.SortStableFunc(rows, func(x, y templates.MyList) int {
		return cmp.Or(strings.Compare(strings.ToLower(x.Title), strings.ToLower(y.Title)), strings.Compare(x.Href, y.Href))
	})
	return rows, nil
}

// membershipsOf are the lists of one address.
func (s *site) membershipsOf(tx *storage.Tx, addr address.Address, lang string) (rows []templates.MyList, err error) {
	at := map[list.ID]int{}
	for id, role := range list.Memberships(tx, addr) {
		if role == list.RoleNonmember {
			continue
		}
		l, err := list.Get(tx, id)
		if err != nil {
			return nil, err
		}
		if !l.Removed.IsZero() {
			continue
		}
		i, ok := at[id]
		if !ok {
			i = len(rows)
			at[id] = i
			rows = append(rows, templates.MyList{Title: l.Title(), Href: listPath(l), Address: l.Address.String()})
		}
		if role == list.RoleMember {
			m, err := list.GetMember(tx, id, role, addr)
			if err != nil {
				return nil, err
			}
			rows[i].Member, rows[i].Mine, rows[i].Delivery = true, myPath(l), s.deliveryWords(l, m, lang)
			continue
		}
		rows[i].Roles = append(rows[i].Roles, s.Templates.T(lang, "commands.role."+string(role)))
	}
	return rows, nil
}

// sessionRows are where somebody is signed in, the latest first. here is the key of the reader's own session.
func (s *site) sessionRows(tx *storage.Tx, who *list.Person, here, lang string) (rows []templates.SessionRow) {
	for _, g := range who.Sessions(tx, time.Now()) {
		rows = append(rows, templates.SessionRow{
			ID:      g.Key,
			Browser: cmp.Or(browserName(g.Agent), s.Templates.T(lang, "my.unknown-browser")),
			Begun:   templates.NewTime(lang, g.Begun.In(s.Site.Location)),
			Seen:    templates.NewTime(lang, g.Seen.In(s.Site.Location)),
			Here:    g.Key == here,
		})
	}
	return rows
}

// endSessions ends one session of the actor's, or with other=1 all but this one.
func (s *site) endSessions(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	one, others := form.Get("session"), form.Get("other") == "1"
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		_, err := a.person.EndSessions(tx, func(g *list.Session) bool { return g.Key == one || others && g.Key != a.session }, list.Edit{By: a.address.String(), At: time.Now()})
		return err
	})
	if err != nil {
		return err
	}
	s.Log.Info("sessions ended", "address", a.address.String())
	if one == a.session {
		s.setSession(w, "", -1)
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	lang := templates.FrameOf(r.Context()).Lang
	return s.done(w, r, "/-/my", templates.Flash{Text: s.Templates.T(lang, "my.sessions-ended")})
}

// browsers are words in a User-Agent and what they stand for; the first that is there counts, for browsers name those they are like.
var browsers = []struct{ word, name string }{
	{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"YaBrowser", "Yandex"}, {"Vivaldi", "Vivaldi"},
	{"Firefox", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Safari", "Safari"},
	{"curl", "curl"}, {"w3m", "w3m"}, {"Lynx", "Lynx"},
}

var systems = []struct{ word, name string }{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"},
	{"OpenBSD", "OpenBSD"}, {"FreeBSD", "FreeBSD"}, {"NetBSD", "NetBSD"}, {"Linux", "Linux"},
}

// browserName is what a person calls the browser of a User-Agent, such as "Firefox, Linux", or "".
func browserName(agent string) string {
	var parts []string
	for _, table := range [][]struct{ word, name string }{browsers, systems} {
		for _, entry := range table {
			if strings.Contains(agent, entry.word) {
				parts = append(parts, entry.name)
				break
			}
		}
	}
	return strings.Join(parts, ", ")
}
