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

// memberForm shows what an address is in a list.
func (s *site) memberForm(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	addr, err := address.Parse(r.PathValue("address"))
	if err != nil {
		return storage.ErrNotFound
	}
	m := &list.Member{List: l.ID, Role: roleOf(r), Address: addr}
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		found, err := list.GetMember(tx, l.ID, m.Role, addr)
		if errors.Is(err, list.ErrNotMember) {
			for range list.MemberHistory(tx, l.ID, addr) {
				return nil // was one, or is something else
			}
		}
		m = found
		return err
	})
	if err != nil {
		return err
	}
	return s.memberPage(w, r, m, http.StatusOK)
}

// memberPage shows the form of a member, or of one who is none any more only the history. A status that is not OK says that the day is wrong.
func (s *site) memberPage(w http.ResponseWriter, r *http.Request, m *list.Member, status int) error {
	lang, a := templates.FrameOf(r.Context()).Lang, actorOf(r.Context())
	view := templates.Member{
		Address: m.Address.String(), Name: m.DisplayName, Nonmember: m.Role == list.RoleNonmember, Joined: templates.NewDate(lang, m.Joined.In(s.Site.Location)),
		Believed: m.Unauthenticated,
	}
	var l *list.List
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		if l, err = list.Get(tx, m.List); err != nil {
			return err
		}
		view.Former, view.Roles = true, nil
		for _, role := range list.RolesOf(tx, l.ID, m.Address) {
			if role == m.Role {
				view.Former = false
			} else if role != list.RoleNonmember {
				view.Roles = append(view.Roles, s.Templates.T(lang, "commands.role."+string(role)))
			}
		}
		view.MayBelieve = a.may(tx, l, list.RoleOwner) && !view.Former
		view.History = s.memberLog(tx, l, m, lang)
		if s.Bounces != nil && m.Role == list.RoleMember {
			view.Bounces, err = s.Bounces.Words(tx, lang, l, m)
		}
		return err
	})
	if err != nil {
		return err
	}
	view.Action, view.Back, view.Goodbye = memberPath(l, m), adminPath(l, "members"), l.Settings.SendGoodbyeMessage
	if view.Nonmember {
		view.Back += "?role=nonmember"
	}
	if view.MayBelieve {
		view.Remove = adminPath(l, "member/"+url.PathEscape(m.Address.String())+"/remove")
		if view.Nonmember {
			view.Remove += "?role=nonmember"
		}
	}
	s.fillMember(&view, l, m, lang)
	if status != http.StatusOK {
		view.Wrong = s.Templates.T(lang, "member.bad-day")
	}
	title := templates.Frame{Title: view.Address}
	return s.adminPage(w, r, l, "members", templates.Reply{Status: status, Page: "member", Frame: title, View: view})
}

// fillMember fills in the choices of the form.
func (s *site) fillMember(view *templates.Member, l *list.List, m *list.Member, lang string) {
	choose := func(value, chosen, text string) templates.Choice {
		return templates.Choice{Value: value, Text: text, Chosen: value == chosen}
	}
	now := time.Now().In(s.Site.Location)
	view.Soonest, view.Latest = now.AddDate(0, 0, 1).Format(time.DateOnly), now.Add(maxOff).Format(time.DateOnly)
	if !m.Receives(now) && !m.OffUntil.IsZero() {
		view.Until = m.OffUntil.In(s.Site.Location).Format(time.DateOnly)
	}
	for _, a := range memberActions {
		view.Moderation = append(view.Moderation, choose(string(a), cmp.Or(string(m.ModerationAction), string(list.NoAction)), s.actionWords(lang, a)))
	}
	view.Languages = []templates.Choice{choose("", m.Language, s.Templates.T(lang, "member.language-list"))}
	for _, name := range templates.LanguageNames() {
		view.Languages = append(view.Languages, choose(name.Code, m.Language, name.Name))
	}
	if m.Role != list.RoleMember {
		return
	}
	for _, d := range statusesFor(m) {
		view.Delivery = append(view.Delivery, choose(string(d), string(m.Delivery(now)), s.Templates.T(lang, "members.delivery."+string(d))))
	}
	for _, mode := range list.DeliveryModes() {
		if l.Settings.DigestsEnabled || mode == list.DeliveryRegular || mode == m.Mode() {
			view.Modes = append(view.Modes, choose(string(mode), string(m.Mode()), s.Templates.T(lang, "member.delivery."+string(mode))))
		}
	}
	for _, o := range memberSwitches {
		view.Switches = append(view.Switches, templates.Switch{Name: o.name, Text: s.Templates.T(lang, "members.switch."+o.name), On: o.get(m)})
	}
}

// statusesFor are the delivery statuses that somebody can give a member: bounces alone switch off because of bounces.
func statusesFor(m *list.Member) []list.DeliveryStatus {
	if m.DeliveryStatus == list.DeliveryByBounces {
		return deliveryStatuses
	}
	return slices.DeleteFunc(slices.Clone(deliveryStatuses), func(d list.DeliveryStatus) bool { return d == list.DeliveryByBounces })
}

// changeMember changes a member as the form says.
func (s *site) changeMember(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	addr, err := address.Parse(r.PathValue("address"))
	if err != nil {
		return storage.ErrNotFound
	}
	now := time.Now()
	var m *list.Member
	bad := false
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		if m, err = list.GetMember(tx, l.ID, roleOf(r), addr); err != nil {
			return err
		}
		if a.may(tx, l, list.RoleOwner) {
			m.Unauthenticated = form.Get("believe") == "on"
		}
		if bad, err = s.readMember(m, form, now); err != nil || bad {
			return err
		}
		return list.ChangeMember(tx, *m, a.address.String(), now)
	})
	if err != nil {
		return err
	}
	if bad {
		return s.memberPage(w, r, m, http.StatusUnprocessableEntity)
	}
	lang := templates.FrameOf(r.Context()).Lang
	return s.done(w, r, memberPath(l, m), templates.Flash{Text: s.Templates.T(lang, "member.saved")})
}

// readMember puts what a form says into a member. bad says that the day on which mail is to come again cannot be.
func (s *site) readMember(m *list.Member, form url.Values, now time.Time) (bad bool, err error) {
	language, action := form.Get("language"), list.Action(form.Get("action"))
	if language != "" && !slices.Contains(templates.Languages(), language) || !slices.Contains(memberActions, action) {
		return false, errNotUnderstood
	}
	if action == list.NoAction {
		action = ""
	}
	m.Language, m.DisplayName, m.ModerationAction = language, cleanName(form.Get("name")), action
	if m.Role != list.RoleMember {
		return false, nil
	}
	for _, o := range memberSwitches {
		o.set(m, form.Get(o.name) == "on")
	}
	delivery, mode := list.DeliveryStatus(form.Get("delivery")), list.DeliveryMode(form.Get("mode"))
	if !slices.Contains(statusesFor(m), delivery) || !slices.Contains(list.DeliveryModes(), mode) {
		return false, errNotUnderstood
	}
	if mode != m.Mode() {
		m.DeliveryMode = mode
	}
	if delivery != cmp.Or(m.DeliveryStatus, list.DeliveryEnabled) {
		m.DeliveryStatus = delivery
	}
	var back time.Time
	if day := form.Get("until"); day != "" && (delivery == list.DeliveryByUser || delivery == list.DeliveryByModerator) {
		back, err = time.ParseInLocation(time.DateOnly, day, s.Site.Location)
		if err != nil || !back.After(now) || back.Sub(now) > maxOff {
			return true, nil
		}
	}
	m.OffUntil = back
	return false, nil
}

// removeMember takes an address off the list, with or without a goodbye.
func (s *site) removeMember(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	addr, err := address.Parse(r.PathValue("address"))
	if err != nil {
		return storage.ErrNotFound
	}
	now, role, back := time.Now().In(s.Site.Location), roleOf(r), adminPath(l, "members")
	if role == list.RoleNonmember {
		back += "?role=nonmember"
		err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
			m, err := list.GetMember(tx, l.ID, role, addr)
			if err != nil {
				return err
			}
			return list.TakeRole(tx, m, a.edit())
		})
	} else {
		tell := form.Get("tell") == "on"
		_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
			return s.Subscribe.Release(tx, subscribe.Request{List: l, Address: addr, By: a.address.String(), Tell: &tell, Now: now})
		})
	}
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	return s.done(w, r, back, templates.Flash{Text: s.Templates.T(lang, "members.removed", "address", addr)})
}
