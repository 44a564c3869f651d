package web

import (
	"context"
	"encoding/json"
	"errors"
	"math"
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

// kept is all that is kept about a person, as it is downloaded.
type kept struct {
	Address     string           `json:"address"`   // the preferred one
	Addresses   []string         `json:"addresses"` // all
	At          time.Time        `json:"at"`
	Memberships []keptMembership `json:"memberships"`
	Posts       []keptPost       `json:"posts"` // that bear the address, forged ones too
	Sessions    []*list.Session  `json:"sessions"`
	Passkeys    []keptPasskey    `json:"passkeys,omitempty"`
	Waiting     []list.Pending   `json:"waiting"` // requests that wait for a confirmation
	Left        []keptMembership `json:"left"`    // what can still be taken back
	Never       []keptNever      `json:"never,omitempty"`
}

// keptPasskey is a passkey without its key.
type keptPasskey struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"`
}

// keptNever says that an address wants no mail that others ask for.
type keptNever struct {
	Address string    `json:"address"`
	Since   time.Time `json:"since"`
}

// keptMembership is what an address is or was in a list.
type keptMembership struct {
	Address string        `json:"address"`
	List    string        `json:"list"`
	Role    list.Role     `json:"role,omitempty"`
	Member  *list.Member  `json:"member,omitempty"` // without its secret
	Bounces *list.Bounces `json:"bounces,omitempty"`
	History []list.Event  `json:"history,omitempty"`
}

// keptPost is the record of a post.
type keptPost struct {
	Author        string       `json:"author"`
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
	if !s.limits.allow(network(s.clientIP(r))) { // it reads the records of all their posts
		return errTooMany
	}
	all, err := s.collect(r.Context(), a.person)
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

// collect finds what is kept about a person.
func (s *site) collect(ctx context.Context, who *list.Person) (*kept, error) {
	all := &kept{Address: who.Preferred().String(), At: time.Now()}
	err := s.DB.View(ctx, func(tx *storage.Tx) error {
		all.Sessions = who.Sessions(tx, all.At)
		for p := range list.Pendings(tx) {
			if who.Has(p.Address) {
				all.Waiting = append(all.Waiting, *p)
			}
		}
		for _, k := range who.Passkeys(tx) {
			all.Passkeys = append(all.Passkeys, keptPasskey{Name: k.Name, Created: k.Created, Used: k.Used})
		}
		for _, addr := range who.Addresses {
			if err := all.add(tx, addr); err != nil {
				return err
			}
		}
		for _, p := range slices.Backward(who.Posts(tx, time.Time{}, math.MaxInt)) {
			row, err := s.keptPostOf(tx, p)
			if err != nil {
				return err
			}
			all.Posts = append(all.Posts, row)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// keptPostOf is what is kept about a post.
func (s *site) keptPostOf(tx *storage.Tx, p *list.Post) (row keptPost, err error) {
	l, err := list.Get(tx, p.List)
	if err != nil {
		return row, err
	}
	row = keptPost{
		Author: p.Author.String(), List: l.Address.String(), MessageID: p.MessageID, Subject: p.Subject, Received: p.Received,
		Authenticated: p.Auth.Author(), Verdict: p.Verdict,
	}
	if row.Verdict.By != "" && row.Verdict.By != p.Author.String() {
		row.Verdict.By = "moderator" // whose name is not the author's to keep
	}
	if p.Number != 0 {
		row.URL = s.Site.MessageURL(l, p.MessageID)
	}
	return row, nil
}

// add notes what one of the person's addresses is in lists, was, and wants.
func (all *kept) add(tx *storage.Tx, addr address.Address) error {
	all.Addresses = append(all.Addresses, addr.String())
	rows, err := keptMemberships(tx, addr)
	if err != nil {
		return err
	}
	all.Memberships = append(all.Memberships, rows...)
	for d := range list.DeparturesOf(tx, addr, all.At) {
		l, err := list.Get(tx, d.List)
		if err != nil {
			return err
		}
		m := d.Member
		m.Token = ""
		all.Left = append(all.Left, keptMembership{Address: addr.String(), List: l.Address.String(), Member: &m})
	}
	if since := subscribe.Blocked(tx, addr); !since.IsZero() {
		all.Never = append(all.Never, keptNever{Address: addr.String(), Since: since})
	}
	return nil
}

// keptMemberships is what an address is in lists, and was.
func keptMemberships(tx *storage.Tx, addr address.Address) (rows []keptMembership, err error) {
	for l := range list.All(tx) {
		row := keptMembership{Address: addr.String(), List: l.Address.String(), History: slices.Collect(list.MemberHistory(tx, l.ID, addr))}
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

// eraseForm shows what would be forgotten, and what stays.
func (s *site) eraseForm(w http.ResponseWriter, r *http.Request, a actor) error {
	return s.erasePage(w, r, a, http.StatusOK, "")
}

func (s *site) erasePage(w http.ResponseWriter, r *http.Request, a actor, status int, wrong string) error {
	f := templates.FrameOf(r.Context())
	view := templates.Erase{Addresses: addressTexts(a), Admin: mailto(s.Site.Admin), Wrong: wrong}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		rows, err := s.memberships(tx, a, f.Lang)
		if err != nil {
			return err
		}
		view.Lists, view.Sessions = rows, len(s.sessionRows(tx, a, f.Lang))
		alone, err := onlyOwner(tx, a.person)
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
func onlyOwner(tx *storage.Tx, who *list.Person) (alone []*list.List, err error) {
	seen := map[list.ID]bool{}
	for _, addr := range who.Addresses {
		lists, err := listsOf(tx, addr)
		if err != nil {
			return nil, err
		}
		for _, l := range lists {
			if seen[l.ID] || !who.Is(tx, l.ID, list.RoleOwner) {
				continue
			}
			seen[l.ID] = true
			others := 0
			for _, m := range list.Members(tx, l.ID, list.RoleOwner, "") {
				if !who.Has(m.Address) {
					others++
				}
			}
			if others == 0 {
				alone = append(alone, l)
			}
		}
	}
	return alone, nil
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
		if alone, err = onlyOwner(tx, a.person); err != nil || len(alone) > 0 {
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
	said := s.Templates.T(lang, "erase.done", "address", strings.Join(addressTexts(a), ", "))
	if form.Get("archive") == "yes" {
		order := archive.Order{By: a.address.String(), Reason: "asked for by the person"}
		for _, addr := range addressTexts(a) {
			if _, err := s.Archive.RedactPerson(context.WithoutCancel(r.Context()), archive.Person{Address: addr}, order, nil); err != nil {
				return err
			}
		}
		said += " " + s.Templates.T(lang, "erase.archive-done")
	}
	s.setSession(w, "", -1)
	return s.done(w, r, "/", templates.Flash{Text: said})
}

// forget takes a person off all lists and forgets what is kept about it, but for the records of its posts.
func (s *site) forget(tx *storage.Tx, a actor, now time.Time) (all subscribe.Result, err error) {
	if _, err := a.person.EndSessions(tx, func(*list.Session) bool { return true }, list.Edit{By: a.address.String(), At: now}); err != nil {
		return all, err
	}
	for key, g := range loginLinks.Scan(tx, storage.Range[string]{}) {
		if a.person.Has(g.Address) {
			if err := loginLinks.Delete(tx, key); err != nil {
				return all, err
			}
		}
	}
	for _, addr := range a.addresses() {
		if err := s.releaseAll(tx, addr, now, &all); err != nil {
			return all, err
		}
		if err := list.ForgetPerson(tx, addr); err != nil {
			return all, err
		}
	}
	return all, list.DropPerson(tx, a.person)
}

// releaseAll takes an address off all lists, and adds the mails about that to all.
func (s *site) releaseAll(tx *storage.Tx, addr address.Address, now time.Time, all *subscribe.Result) error {
	type place struct {
		list list.ID
		role list.Role
	}
	var places []place
	for id, role := range list.Memberships(tx, addr) {
		places = append(places, place{id, role})
	}
	for _, p := range places {
		l, err := list.Get(tx, p.list)
		if err != nil {
			return err
		}
		if p.role == list.RoleMember && l.Removed.IsZero() {
			res, err := s.Subscribe.Release(tx, subscribe.Request{List: l, Address: addr, Now: now})
			if err != nil {
				return err
			}
			all.Mails = append(all.Mails, res.Mails...)
			continue
		}
		if err := list.Leave(tx, p.list, p.role, addr, now); err != nil && !errors.Is(err, list.ErrNotMember) {
			return err
		}
	}
	return nil
}
