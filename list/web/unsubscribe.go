package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	archiveweb "kairan/archive/web"
	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// UndoDays is for how many days leaving by the one-click link can be undone with the same link.
const UndoDays = 7

// departure is a member who left by the one-click link, as it was, so that an undo restores its settings.
type departure struct {
	List   list.ID     `json:"list"`
	Member list.Member `json:"member"`
	Until  time.Time   `json:"until"`
}

func (d departure) ended(now time.Time) bool { return now.After(d.Until) }

var departed = storage.NewTable[string, departure]("departed", storage.Strings[string]())

// membership is what an unsubscribe token leads to.
type membership struct {
	list    *list.List
	member  *list.Member // nil for one who has left
	address string       // key
	undo    *departure   // nil when there is none, or no longer
}

// lookup returns what the token leads to, or list.ErrNotMember.
func lookup(tx *storage.Tx, token string, now time.Time) (membership, error) {
	var m membership
	id, key, left, err := list.ByToken(tx, token)
	if err != nil {
		return m, err
	}
	m.address = key
	if m.list, err = list.Get(tx, id); err != nil {
		return m, err
	}
	if left.IsZero() {
		m.member, err = list.MemberByKey(tx, id, key)
		if !errors.Is(err, list.ErrNotMember) {
			return m, err
		}
		m.member = nil // the list was removed, and its members with it
	}
	d, err := departed.Get(tx, list.TokenHash(token))
	if err == nil && !d.ended(now) && m.list.Removed.IsZero() {
		d.Member.List, d.Member.Role, d.Member.Token = d.List, list.RoleMember, token
		m.undo = &d
	}
	if errors.Is(err, storage.ErrNotFound) {
		err = nil
	}
	return m, err
}

// unsubscribeForm shows the button; opening the address changes nothing, because programs that check links open it too.
func (s *site) unsubscribeForm(w http.ResponseWriter, r *http.Request) error {
	var m membership
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		m, err = lookup(tx, r.PathValue("token"), time.Now())
		return err
	})
	if err != nil {
		return err
	}
	state := "confirm"
	if m.member == nil {
		state = "already"
	}
	return s.membershipPage(w, r, m, state)
}

// unsubscribe is the one-click address of RFC 8058, section 3.2, and the buttons of its page. It needs no cookie and does not redirect.
func (s *site) unsubscribe(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	// ParseForm alone would not read multipart/form-data, which is the form that the RFC prefers.
	err := r.ParseMultipartForm(4 << 10)
	if r.MultipartForm != nil {
		defer r.MultipartForm.RemoveAll()
	}
	if err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return errNotUnderstood
	}
	token := r.PathValue("token")
	switch {
	case r.PostFormValue("List-Unsubscribe") == "One-Click":
		return s.depart(w, r, token)
	case r.PostFormValue("undo") != "":
		return s.undo(w, r, token)
	}
	return errNotUnderstood
}

// depart removes the member. One who has left already is told so, with the same status.
func (s *site) depart(w http.ResponseWriter, r *http.Request, token string) error {
	var m membership
	now := time.Now()
	err := s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		if m, err = lookup(tx, token, now); err != nil || m.member == nil {
			return err
		}
		if err := list.Leave(tx, m.list.ID, list.RoleMember, m.member.Address, now); err != nil {
			return err
		}
		d := departure{List: m.list.ID, Member: *m.member, Until: now.Add(UndoDays * 24 * time.Hour)}
		d.Member.Token = "" // only its hash is kept
		m.undo = &d
		return errors.Join(sweep(tx, departed, now), departed.Put(tx, list.TokenHash(token), d))
	})
	if err != nil {
		return err
	}
	if m.member == nil {
		return s.membershipPage(w, r, m, "already")
	}
	s.Log.Info("left", "list", m.list.Name, "by", "one-click")
	if s.Left != nil {
		s.Left(context.WithoutCancel(r.Context()), m.list, m.member)
	}
	return s.membershipPage(w, r, m, "left")
}

// undo makes somebody who left by the link a member again, as before. Who was banned since stays outside.
func (s *site) undo(w http.ResponseWriter, r *http.Request, token string) error {
	var m membership
	state := ""
	err := s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		if m, err = lookup(tx, token, time.Now()); err != nil {
			return err
		}
		state = "undone"
		switch {
		case m.member != nil: // pressed twice
			return nil
		case m.undo == nil || banned(m.list, m.undo.Member.Address):
			state, m.undo = "already", nil
			return nil
		}
		err = list.Join(tx, m.undo.Member)
		if errors.Is(err, list.ErrExists) { // joined anew meanwhile
			err = nil
		}
		return errors.Join(err, departed.Delete(tx, list.TokenHash(token)))
	})
	if err != nil {
		return err
	}
	if state == "undone" {
		m.undo = nil
		s.Log.Info("joined", "list", m.list.Name, "by", "undo")
	}
	return s.membershipPage(w, r, m, state)
}

func banned(l *list.List, a address.Address) bool {
	_, ok := list.Match(l.Settings.BanList, a)
	return ok
}

func (s *site) membershipPage(w http.ResponseWriter, r *http.Request, m membership, state string) error {
	f := templates.FrameOf(r.Context())
	f.Private = true
	f.Title = s.Templates.T(f.Lang, "leave.title", "list", m.list.Title())
	view := templates.Unsubscribe{
		State:    state,
		List:     m.list.Title(),
		Address:  archiveweb.MaskText(m.address, ""), // the mail with the link may have been passed on
		Action:   r.URL.EscapedPath(),
		CanUndo:  m.undo != nil,
		UndoDays: UndoDays,
	}
	if m.list.Removed.IsZero() {
		view.ListHref = listPath(m.list)
		view.Join = mailto(m.list.Suffixed("join"))
	}
	return s.Templates.Serve(w, r, templates.Reply{Page: "unsubscribe", Frame: f, View: view})
}

// sweep deletes the rows that have ended.
func sweep[V interface{ ended(time.Time) bool }](tx *storage.Tx, t storage.Table[string, V], now time.Time) error {
	for key, v := range t.Scan(tx, storage.Range[string]{}) {
		if v.ended(now) {
			if err := t.Delete(tx, key); err != nil {
				return err
			}
		}
	}
	return nil
}
