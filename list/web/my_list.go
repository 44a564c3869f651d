package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// maxOff is for how long a member may switch delivery off with a date.
const maxOff = 366 * 24 * time.Hour

// off is the choice of no mail, beside the delivery modes.
const off = "off"

// memberSwitches are the settings of a member that are on or off. Names are those of the command "set".
var memberSwitches = []struct {
	name string
	get  func(*list.Member) bool
	set  func(*list.Member, bool)
}{
	{"myposts", func(m *list.Member) bool { return !m.NoOwnPosts }, func(m *list.Member, on bool) { m.NoOwnPosts = !on }},
	{"duplicates", func(m *list.Member) bool { return !m.NoDuplicates }, func(m *list.Member, on bool) { m.NoDuplicates = !on }},
	{"ack", func(m *list.Member) bool { return m.AcknowledgePosts }, func(m *list.Member, on bool) { m.AcknowledgePosts = on }},
	{"receipt", func(m *list.Member) bool { return m.DeliveryReceipt }, func(m *list.Member, on bool) { m.DeliveryReceipt = on }},
	{"hide", func(m *list.Member) bool { return m.Hide }, func(m *list.Member, on bool) { m.Hide = on }},
}

// memberAs returns what the actor is in a list as a member: with the address as, or where that is "" with the first that is one there, or
// list.ErrNotMember.
func (a actor) memberAs(tx *storage.Tx, l *list.List, as string) (*list.Member, error) {
	if as == "" {
		return a.person.Member(tx, l.ID, a.address)
	}
	addr, err := a.own(as)
	if err != nil {
		return nil, err
	}
	return list.GetMember(tx, l.ID, list.RoleMember, addr)
}

// membershipOf returns the list {list} and what the actor is in it as a member, as memberAs; that is nil for who is none.
func (s *site) membershipOf(r *http.Request, a actor, as string) (l *list.List, m *list.Member, err error) {
	err = s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		if l, err = list.ByName(tx, r.PathValue("list")); err != nil {
			return err
		}
		if !l.Removed.IsZero() {
			return list.ErrNoList
		}
		m, err = a.memberAs(tx, l, as)
		if errors.Is(err, list.ErrNotMember) {
			m, err = nil, nil
		}
		return err
	})
	return l, m, err
}

// myList shows the actor's settings in a list.
func (s *site) myList(w http.ResponseWriter, r *http.Request, a actor) error {
	l, m, err := s.membershipOf(r, a, r.URL.Query().Get("as"))
	if err != nil {
		return err
	}
	if m == nil {
		w.Header().Set("Cache-Control", "private, no-store")
		http.Redirect(w, r, joinPath(l), http.StatusSeeOther)
		return nil
	}
	return s.myListPage(w, r, l, m, http.StatusOK, "")
}

// myListPage shows the form. wrong is what is wrong with the date in it, or "".
func (s *site) myListPage(w http.ResponseWriter, r *http.Request, l *list.List, m *list.Member, status int, wrong string) error {
	f := templates.FrameOf(r.Context())
	view := templates.Membership{
		As:   m.Address.String(),
		List: l.Title(), ListHref: listPath(l), Posting: l.Address.String(), Address: m.Address.String(), Name: m.DisplayName,
		Action: myPath(l), Wrong: wrong, Owner: mailto(l.Suffixed("owner")),
		Joined:      templates.NewDate(f.Lang, m.Joined.In(s.Site.Location)),
		ByModerator: m.DeliveryStatus == list.DeliveryByModerator,
		ByBounces:   m.DeliveryStatus == list.DeliveryByBounces,
	}
	now := time.Now().In(s.Site.Location)
	view.Soonest, view.Latest = now.AddDate(0, 0, 1).Format(time.DateOnly), now.Add(maxOff).Format(time.DateOnly)
	receives := m.Receives(now)
	if !receives && !m.OffUntil.IsZero() {
		view.Until = m.OffUntil.In(s.Site.Location).Format(time.DateOnly)
	}
	chosen := off
	if receives {
		if chosen = string(m.Mode()); !l.Settings.DigestsEnabled {
			chosen = string(list.DeliveryRegular)
		}
	}
	if a := actorOf(r.Context()); a.signedIn() {
		err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
			view.To = nil
			for _, to := range s.Subscribe.Movable(tx, l, a.person, m.Address) {
				view.To = append(view.To, to.String())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, mode := range modes(l) {
		view.Modes = append(view.Modes, templates.Choice{Value: mode, Text: s.Templates.T(f.Lang, "member.delivery."+mode), Chosen: mode == chosen})
	}
	view.Languages = []templates.Choice{{Text: s.Templates.T(f.Lang, "member.language-list"), Chosen: m.Language == ""}}
	for _, lang := range templates.LanguageNames() {
		view.Languages = append(view.Languages, templates.Choice{Value: lang.Code, Text: lang.Name, Chosen: lang.Code == m.Language})
	}
	for _, o := range memberSwitches {
		view.Switches = append(view.Switches, templates.Switch{
			Name: o.name, Text: s.Templates.T(f.Lang, "member.switch."+o.name), Help: s.Templates.T(f.Lang, "member.switch."+o.name+"-help"), On: o.get(m),
		})
	}
	f.Private, f.Title = true, s.Templates.T(f.Lang, "member.title")
	f.List = templates.ListHead{Title: l.Title(), Href: listPath(l)}
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "membership", Frame: f, View: view})
}

// modes are the forms in which a member may get the posts.
func modes(l *list.List) (all []string) {
	for _, mode := range list.DeliveryModes() {
		if mode == list.DeliveryRegular || l.Settings.DigestsEnabled {
			all = append(all, string(mode))
		}
	}
	return append(all, off)
}

// setMember changes the actor's settings in a list.
func (s *site) setMember(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	now := time.Now()
	lang := templates.FrameOf(r.Context()).Lang
	var l *list.List
	var m *list.Member
	bad := false
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		if l, err = list.ByName(tx, r.PathValue("list")); err != nil {
			return err
		}
		if m, err = a.memberAs(tx, l, form.Get("as")); err != nil {
			return err
		}
		if bad, err = s.fill(m, l, form, now); err != nil || bad {
			return err
		}
		return list.ChangeMember(tx, *m, m.Address.String(), now)
	})
	if err != nil {
		return err
	}
	if bad {
		return s.myListPage(w, r, l, m, http.StatusUnprocessableEntity, s.Templates.T(lang, "member.bad-day"))
	}
	return s.done(w, r, myPathAs(l, a, m.Address), templates.Flash{Text: s.Templates.T(lang, "member.saved")})
}

// fill puts what a form says into a member. bad says that the day on which mail is to come again cannot be.
func (s *site) fill(m *list.Member, l *list.List, form url.Values, now time.Time) (bad bool, err error) {
	language, mode := form.Get("language"), form.Get("delivery")
	if language != "" && !slices.Contains(templates.Languages(), language) || !slices.Contains(modes(l), mode) {
		return false, errNotUnderstood
	}
	m.Language, m.DisplayName = language, cleanName(form.Get("name"))
	for _, o := range memberSwitches {
		o.set(m, form.Get(o.name) == "on")
	}
	if m.DeliveryStatus == list.DeliveryByModerator { // only they switch it on again
		return false, nil
	}
	if mode != off {
		m.DeliveryStatus, m.OffUntil, m.DeliveryMode = list.DeliveryEnabled, time.Time{}, list.DeliveryMode(mode)
		return false, nil
	}
	var back time.Time
	if day := form.Get("until"); day != "" {
		back, err = time.ParseInLocation(time.DateOnly, day, s.Site.Location)
		if err != nil || !back.After(now) || back.Sub(now) > maxOff {
			return true, nil
		}
	}
	if m.DeliveryStatus != list.DeliveryByBounces || !back.IsZero() {
		m.DeliveryStatus, m.OffUntil = list.DeliveryByUser, back
	}
	return false, nil
}

// leaveList takes the actor off a list. It can be taken back.
func (s *site) leaveList(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	l, m, err := s.membershipOf(r, a, form.Get("as"))
	if err != nil {
		return err
	}
	if m == nil {
		return list.ErrNotMember
	}
	res, err := s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
		return s.Subscribe.Leave(tx, subscribe.Request{List: l, Address: m.Address, Verified: true, Proven: true, Now: time.Now()})
	})
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	said := templates.Flash{Text: s.Templates.T(lang, "confirmed."+string(res.State), "list", l.Title())}
	if res.State == subscribe.Left {
		said.Action, said.Button = "/-/undo/"+list.UndoToken(m.Token), s.Templates.T(lang, "leave.undo")
	}
	return s.done(w, r, "/-/my", said)
}

// leaveAllForm asks whether somebody wants to leave all lists.
func (s *site) leaveAllForm(w http.ResponseWriter, r *http.Request, a actor) error {
	f := templates.FrameOf(r.Context())
	view := templates.LeaveAll{Addresses: addressTexts(a), UndoDays: list.UndoDays}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		rows, err := s.memberships(tx, a, f.Lang)
		for _, row := range rows {
			if row.Member {
				view.Lists = append(view.Lists, row)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	f.Private, f.Title = true, s.Templates.T(f.Lang, "my.leave-all")
	return s.Templates.Serve(w, r, templates.Reply{Page: "leave-all", Frame: f, View: view})
}

// leaveAll takes the actor off all lists, each as if it were left alone.
func (s *site) leaveAll(w http.ResponseWriter, r *http.Request, a actor) error {
	type place struct {
		list *list.List
		addr address.Address
	}
	var places []place
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		places = nil
		for _, addr := range a.addresses() {
			lists, err := memberOf(tx, addr)
			if err != nil {
				return err
			}
			for _, l := range lists {
				places = append(places, place{l, addr})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	left, held := 0, 0
	for _, p := range places {
		res, err := s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
			return s.Subscribe.Leave(tx, subscribe.Request{List: p.list, Address: p.addr, Verified: true, Proven: true, Now: time.Now()})
		})
		switch {
		case err != nil:
			return err
		case res.State == subscribe.Left:
			left++
		case res.State == subscribe.HeldState:
			held++
		}
	}
	lang := templates.FrameOf(r.Context()).Lang
	text := s.Templates.T(lang, "my.left", "n", left)
	if held > 0 {
		text += " " + s.Templates.T(lang, "my.left-held", "n", held)
	}
	return s.done(w, r, "/-/my", templates.Flash{Text: text})
}

// memberOf returns the lists that an address is a member of.
func memberOf(tx *storage.Tx, addr address.Address) (lists []*list.List, err error) {
	for id, role := range list.Memberships(tx, addr) {
		l, err := list.Get(tx, id)
		if err != nil {
			return nil, err
		}
		if role == list.RoleMember && l.Removed.IsZero() {
			lists = append(lists, l)
		}
	}
	return lists, nil
}

// deliveryWords say in a line what a member gets.
func (s *site) deliveryWords(l *list.List, m *list.Member, lang string) string {
	now := time.Now()
	switch {
	case m.Receives(now):
		mode := m.Mode()
		if !l.Settings.DigestsEnabled {
			mode = list.DeliveryRegular
		}
		return s.Templates.T(lang, "member.delivery."+string(mode))
	case m.DeliveryStatus == list.DeliveryByBounces:
		return s.Templates.T(lang, "member.off-bounces")
	case m.DeliveryStatus == list.DeliveryByModerator:
		return s.Templates.T(lang, "member.off-moderator")
	case !m.OffUntil.IsZero():
		return s.Templates.T(lang, "member.off-until", "day", templates.NewDate(lang, m.OffUntil.In(s.Site.Location)).Human)
	}
	return s.Templates.T(lang, "member.delivery.off")
}

// departures are the lists that somebody has left and can come back to with one press.
func (s *site) departures(tx *storage.Tx, a actor, lang string) (rows []templates.Departure, err error) {
	now := time.Now()
	for _, addr := range a.addresses() {
		for d := range list.DeparturesOf(tx, addr, now) {
			l, err := list.Get(tx, d.List)
			if err != nil {
				return nil, err
			}
			if !l.Removed.IsZero() || list.Has(tx, l.ID, addr, list.RoleMember) {
				continue
			}
			row := templates.Departure{
				List: l.Title(), Href: listPath(l), Undo: "/-/undo/" + list.UndoToken(d.Member.Token),
				Until: templates.NewDate(lang, d.Until.In(s.Site.Location)),
			}
			if len(a.addresses()) > 1 {
				row.As = addr.String()
			}
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(x, y templates.Departure) int { return cmp.Compare(x.Href, y.Href) })
	return rows, nil
}
