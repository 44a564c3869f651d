package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// membership is what an unsubscribe token, or the undo token made from it, leads to.
type membership struct {
	list    *list.List
	address string // key
	member  bool   // is one now
	undo    string // the token that takes the departure back, or ""
}

// lookUp returns what an unsubscribe token leads to, or list.ErrNotMember.
func lookUp(tx *storage.Tx, token string, now time.Time) (m membership, err error) {
	id, key, _, err := list.ByToken(tx, token)
	if err != nil {
		return m, err
	}
	m.address = key
	if m.list, err = list.Get(tx, id); err != nil {
		return m, err
	}
	_, err = list.MemberByKey(tx, id, key)
	if m.member = err == nil; m.member || !errors.Is(err, list.ErrNotMember) {
		return m, err
	}
	undo := list.UndoToken(token)
	d, err := list.GetDeparture(tx, undo, now)
	if err == nil && !d.Undone && m.list.Removed.IsZero() {
		m.undo = undo
	}
	if errors.Is(err, list.ErrToken) {
		err = nil
	}
	return m, err
}

// unsubscribeForm shows the button; opening the address changes nothing, because programs that check links open it too.
func (s *site) unsubscribeForm(w http.ResponseWriter, r *http.Request) error {
	var m membership
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		m, err = lookUp(tx, r.PathValue("token"), time.Now())
		return err
	})
	if err != nil {
		return err
	}
	if m.member {
		return s.membershipPage(w, r, m, "confirm")
	}
	return s.membershipPage(w, r, m, "already")
}

// unsubscribe is the one-click address of RFC 8058, section 3.2, and the button of its page. It needs no cookie and does not redirect.
func (s *site) unsubscribe(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	// ParseForm alone would not read multipart/form-data, which is the form that the RFC prefers.
	err := r.ParseMultipartForm(4 << 10)
	if r.MultipartForm != nil {
		defer r.MultipartForm.RemoveAll()
	}
	if err != nil && !errors.Is(err, http.ErrNotMultipart) || r.PostFormValue("List-Unsubscribe") != "One-Click" {
		return errNotUnderstood
	}
	var m membership
	var l *list.List
	var gone *list.Member
	token, now := r.PathValue("token"), time.Now()
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		l, gone, err = list.LeaveByToken(tx, token, now.In(s.Site.Location))
		if err != nil && !errors.Is(err, list.ErrLeft) {
			return err
		}
		m, err = lookUp(tx, token, now)
		return err
	})
	if err != nil {
		return err
	}
	if gone == nil { // had left before: told so, with the same status
		return s.membershipPage(w, r, m, "already")
	}
	s.Log.Info("left", "list", l.Name, "by", "one-click")
	if s.Left != nil {
		s.Left(context.WithoutCancel(r.Context()), l, gone)
	}
	return s.membershipPage(w, r, m, "left")
}

// undoForm shows the button of the link in the mail that confirms a departure.
func (s *site) undoForm(w http.ResponseWriter, r *http.Request) error {
	var m membership
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		m, err = departureOf(tx, r.PathValue("token"))
		return err
	})
	if err != nil {
		return err
	}
	return s.membershipPage(w, r, m, "already")
}

func departureOf(tx *storage.Tx, undo string) (m membership, err error) {
	d, err := list.GetDeparture(tx, undo, time.Now())
	if err != nil {
		return m, err
	}
	m.list, err = list.Get(tx, d.List)
	m.address, m.undo = d.Member.Address.Key(), undo
	return m, err
}

// undo takes a departure back. Who was banned since stays outside.
func (s *site) undo(w http.ResponseWriter, r *http.Request) error {
	var m membership
	state := "undone"
	err := s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		if m, err = departureOf(tx, r.PathValue("token")); err != nil {
			return err
		}
		err = list.Undo(tx, m.undo, time.Now().In(s.Site.Location))
		if m.undo = ""; errors.Is(err, list.ErrBanned) {
			state, err = "already", nil
		}
		return err
	})
	if err != nil {
		return err
	}
	if state == "undone" {
		s.Log.Info("joined", "list", m.list.Name, "by", "undo")
	}
	return s.membershipPage(w, r, m, state)
}

func (s *site) membershipPage(w http.ResponseWriter, r *http.Request, m membership, state string) error {
	f := templates.FrameOf(r.Context())
	f.Private = true
	f.Title = s.Templates.T(f.Lang, "leave.title", "list", m.list.Title())
	view := templates.Unsubscribe{
		State:    state,
		List:     m.list.Title(),
		Address:  archive.MaskText(m.address, ""), // the mail with the link may have been passed on
		Action:   r.URL.EscapedPath(),
		UndoDays: list.UndoDays,
	}
	if m.undo != "" {
		view.Undo = "/-/undo/" + m.undo
	}
	if m.list.Removed.IsZero() {
		view.ListHref = listPath(m.list)
		view.Join = mailto(m.list.Suffixed("join"))
	}
	return s.Templates.Serve(w, r, templates.Reply{Page: "unsubscribe", Frame: f, View: view})
}
