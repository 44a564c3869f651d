package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// kept is all that is kept about an address, as it is downloaded.
type kept struct {
	Address     string           `json:"address"`
	At          time.Time        `json:"at"`
	Memberships []keptMembership `json:"memberships"`
	Posts       []keptPost       `json:"posts"` // that bear the address, forged ones too
	Sessions    []session        `json:"sessions"`
	Waiting     []list.Pending   `json:"waiting"`        // requests that wait for a confirmation
	Left        []keptMembership `json:"left"`           // what can still be taken back
	Never       time.Time        `json:"never,omitzero"` // since when no mail is wanted that others ask for
}

// keptMembership is what an address is or was in a list.
type keptMembership struct {
	List    string        `json:"list"`
	Role    list.Role     `json:"role,omitempty"`
	Member  *list.Member  `json:"member,omitempty"` // without its secret
	Bounces *list.Bounces `json:"bounces,omitempty"`
	History []list.Event  `json:"history,omitempty"`
}

// keptPost is the record of a post.
type keptPost struct {
	List          string       `json:"list"`
	MessageID     string       `json:"message_id"`
	Subject       string       `json:"subject"`
	Received      time.Time    `json:"received"`
	Authenticated bool         `json:"authenticated"`
	Verdict       list.Verdict `json:"verdict"`
	URL           string       `json:"url,omitempty"` // in the archive
}

// export is the download of all that is kept about the actor.
func (s *site) export(w http.ResponseWriter, r *http.Request, a actor) error {
	if !s.limits.allow(network(s.clientIP(r))) { // it reads the records of all posts
		return errTooMany
	}
	all, err := s.collect(r.Context(), a.address)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="kairan-my-data.json"`)
	h.Set("Cache-Control", "private, no-store")
	w.Write(append(b, '\n')) // an error is the reader's going away
	return nil
}

// collect finds what is kept about an address. Posts are read in several transactions, because there may be very many.
func (s *site) collect(ctx context.Context, addr address.Address) (*kept, error) {
	all := &kept{Address: addr.String(), At: time.Now()}
	err := s.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if all.Memberships, err = keptMemberships(tx, addr); err != nil {
			return err
		}
		for _, g := range sessionsOf(tx, addr) {
			all.Sessions = append(all.Sessions, g)
		}
		for p := range list.Pendings(tx) {
			if p.Address.Key() == addr.Key() {
				all.Waiting = append(all.Waiting, *p)
			}
		}
		for d := range list.DeparturesOf(tx, addr, all.At) {
			l, err := list.Get(tx, d.List)
			if err != nil {
				return err
			}
			m := d.Member
			m.Token = ""
			all.Left = append(all.Left, keptMembership{List: l.Address.String(), Member: &m})
		}
		all.Never = subscribe.Blocked(tx, addr)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = s.eachPost(ctx, addr, func(l *list.List, p *list.Post) {
		row := keptPost{List: l.Address.String(), MessageID: p.MessageID, Subject: p.Subject, Received: p.Received, Authenticated: p.Auth.Author(), Verdict: p.Verdict}
		if row.Verdict.By != "" && row.Verdict.By != addr.String() {
			row.Verdict.By = "moderator" // whose name is not the author's to keep
		}
		if p.Number != 0 {
			row.URL = s.Site.MessageURL(l, p.MessageID)
		}
		all.Posts = append(all.Posts, row)
	})
	return all, err
}

// keptMemberships is what an address is in lists, and was.
func keptMemberships(tx *storage.Tx, addr address.Address) (rows []keptMembership, err error) {
	for l := range list.All(tx) {
		row := keptMembership{List: l.Address.String(), History: slices.Collect(list.MemberHistory(tx, l.ID, addr))}
		for i, e := range row.History {
			if e.By != "" && e.By != addr.String() {
				row.History[i].By = "somebody else"
			}
		}
		found := false
		for id, role := range list.Memberships(tx, addr) {
			if id != l.ID {
				continue
			}
			m, err := list.GetMember(tx, id, role, addr)
			if err != nil {
				return nil, err
			}
			m.Token, row.Role, row.Member = "", role, m
			if row.Bounces = nil; role == list.RoleMember {
				b, err := list.GetBounces(tx, l.ID, addr.Key())
				if err != nil {
					return nil, err
				}
				row.Bounces = &b
			}
			rows, found = append(rows, row), true
			row.History = nil // once is enough
		}
		if !found && len(row.History) > 0 {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// postChunk is how many records of posts are read in a transaction.
const postChunk = 2000

// eachPost calls fn for each post that bears an address.
func (s *site) eachPost(ctx context.Context, addr address.Address, fn func(*list.List, *list.Post)) error {
	for after, more := list.PostID(""), true; more; {
		err := s.DB.View(ctx, func(tx *storage.Tx) error {
			n := 0
			more = false
			for p := range list.PostsAfter(tx, after) {
				if n++; n > postChunk {
					more = true
					return nil
				}
				after = p.ID
				if p.Author.Key() != addr.Key() {
					continue
				}
				l, err := list.Get(tx, p.List)
				if err != nil {
					return err
				}
				fn(l, p)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eraseForm shows what would be forgotten, and what stays.
func (s *site) eraseForm(w http.ResponseWriter, r *http.Request, a actor) error {
	return s.erasePage(w, r, a, http.StatusOK, "")
}

func (s *site) erasePage(w http.ResponseWriter, r *http.Request, a actor, status int, wrong string) error {
	f := templates.FrameOf(r.Context())
	view := templates.Erase{Address: a.address.String(), Admin: mailto(s.Site.Admin), Wrong: wrong}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		rows, err := s.memberships(tx, a, f.Lang)
		if err != nil {
			return err
		}
		view.Lists, view.Sessions = rows, len(s.sessionRows(tx, a, f.Lang))
		alone, err := onlyOwner(tx, a.address)
		for _, l := range alone {
			view.Alone = append(view.Alone, templates.Link{Href: listPath(l), Text: l.Title()})
		}
		return err
	})
	if err != nil {
		return err
	}
	f.Private, f.Title = true, s.Templates.T(f.Lang, "erase.title")
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "erase", Frame: f, View: view})
}

// onlyOwner returns the lists that would be left without an owner.
func onlyOwner(tx *storage.Tx, addr address.Address) (alone []*list.List, err error) {
	lists, err := listsOf(tx, addr)
	for _, l := range lists {
		owners := 0
		for range list.Members(tx, l.ID, list.RoleOwner, "") {
			owners++
		}
		if owners == 1 && list.Has(tx, l.ID, addr, list.RoleOwner) {
			alone = append(alone, l)
		}
	}
	return alone, err
}

// erase forgets who is signed in: all roles in all lists, and what is remembered about them. Posts in the archives are another
// question: with archive=yes nobody is named by the address there any more.
func (s *site) erase(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	if form.Get("sure") != "yes" {
		return s.erasePage(w, r, a, http.StatusUnprocessableEntity, s.Templates.T(lang, "erase.not-sure"))
	}
	var alone []*list.List
	_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (res subscribe.Result, err error) {
		if alone, err = onlyOwner(tx, a.address); err != nil || len(alone) > 0 {
			return res, err
		}
		return s.forget(tx, a, time.Now())
	})
	if err != nil {
		return err
	}
	if len(alone) > 0 {
		return s.erasePage(w, r, a, http.StatusConflict, "")
	}
	s.Log.Info("erased", "address", a.address.String(), "archive", form.Get("archive") == "yes")
	said := s.Templates.T(lang, "erase.done", "address", a.address)
	if form.Get("archive") == "yes" {
		order := archive.Order{By: a.address.String(), Reason: "asked for by the person"}
		if _, err := s.Archive.RedactPerson(context.WithoutCancel(r.Context()), archive.Person{Address: a.address.String()}, order, nil); err != nil {
			return err
		}
		said += " " + s.Templates.T(lang, "erase.archive-done")
	}
	s.setSession(w, "", -1)
	return s.done(w, r, "/", templates.Flash{Text: said})
}

// forget takes an address off all lists and forgets what is kept about it, but for the records of its posts.
func (s *site) forget(tx *storage.Tx, a actor, now time.Time) (all subscribe.Result, err error) {
	type place struct {
		list list.ID
		role list.Role
	}
	var places []place
	for id, role := range list.Memberships(tx, a.address) {
		places = append(places, place{id, role})
	}
	for _, p := range places {
		l, err := list.Get(tx, p.list)
		if err != nil {
			return all, err
		}
		if p.role == list.RoleMember && l.Removed.IsZero() {
			res, err := s.Subscribe.Release(tx, subscribe.Request{List: l, Address: a.address, Now: now})
			if err != nil {
				return all, err
			}
			all.Mails = append(all.Mails, res.Mails...)
			continue
		}
		if err := list.Leave(tx, p.list, p.role, a.address, now); err != nil && !errors.Is(err, list.ErrNotMember) {
			return all, err
		}
	}
	for key := range sessionsOf(tx, a.address) {
		if err := sessions.Delete(tx, key); err != nil {
			return all, err
		}
	}
	for key, g := range loginLinks.Scan(tx, storage.Range[string]{}) {
		if strings.EqualFold(g.Address.String(), a.address.String()) {
			if err := loginLinks.Delete(tx, key); err != nil {
				return all, err
			}
		}
	}
	return all, list.ForgetPerson(tx, a.address)
}
