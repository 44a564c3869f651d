package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// pending is the page of who waits in a list: for a moderator's word, and of whom an answer is waited for. Moderators decide about the first; owners
// mail the others once more, or withdraw what they were asked.
func (s *site) pending(mux *routes) {
	if s.Subscribe == nil || s.Moderation == nil {
		return
	}
	mux.HandleFunc("GET /-/admin/{list}/pending", s.admins("pending", s.pendingList))
	mux.HandleFunc("POST /-/admin/{list}/pending", s.admins("pending", s.changePending))
}

// pendingHeld is the kind of what waits for a moderator.
const pendingHeld = "held"

// pendingKinds are what the page shows, each with a number.
func pendingKinds() []string { return append([]string{pendingHeld}, subscribe.Unanswered()...) }

// pendingMost is up to which number it is counted.
const pendingMost = 1000

// pendingPath is the page of a kind.
func pendingPath(l *list.List, kind string) string {
	return adminPath(l, "pending") + "?" + url.Values{"kind": {kind}}.Encode()
}

// pendingList shows a page of one kind; of the first that there is any of, where none is asked for.
func (s *site) pendingList(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	lang, v := templates.FrameOf(r.Context()).Lang, r.URL.Query()
	q := list.PendingQuery{List: l.ID, Action: v.Get("kind"), Part: strings.TrimSpace(strings.ToValidUTF8(v.Get("q"), "")), Now: time.Now()}
	q.Leaf = list.Leaf{After: v.Get("after"), Before: v.Get("before"), Limit: membersPage}
	if len(q.After)+len(q.Before)+len(q.Part) > storage.MaxKey/2 || q.After != "" && q.Before != "" || q.Action != "" && !slices.Contains(pendingKinds(), q.Action) {
		return storage.ErrNotFound
	}
	view := templates.Waits{Path: adminPath(l, "pending"), Query: q.Part}
	var ends keyEnds
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view.Kinds, view.Rows, view.Asks = nil, nil, a.may(tx, l, list.RoleOwner)
		for _, kind := range pendingKinds() {
			n := s.countPending(tx, l, kind)
			if q.Action == "" && n > 0 {
				q.Action = kind
			}
			view.Kinds = append(view.Kinds, s.pendingLink(lang, l, kind, n))
		}
		if q.Action == "" {
			q.Action = pendingHeld
		}
		view.Rows, ends = s.pendingRows(tx, lang, l, q)
		return nil
	})
	if err != nil {
		return err
	}
	for i, kind := range pendingKinds() {
		view.Kinds[i].Current = kind == q.Action
	}
	view.Kind, view.Means = q.Action, s.Templates.T(lang, "pending.means-"+q.Action)
	view.Pages = s.keyPages(lang, view.Path, url.Values{"kind": {q.Action}, "q": {q.Part}}, ends)
	return s.adminPage(w, r, l, "pending", templates.Reply{Page: "pending", View: view})
}

// countPending counts what of a kind waits, as far as is worth it.
func (s *site) countPending(tx *storage.Tx, l *list.List, kind string) (n int) {
	if kind != pendingHeld {
		return list.CountPending(tx, kind, l.ID, pendingMost)
	}
	for range moderation.Requests(tx, l.ID) {
		if n++; n == pendingMost {
			break
		}
	}
	return n
}

func (s *site) pendingLink(lang string, l *list.List, kind string, n int) templates.PageLink {
	number := strconv.Itoa(n)
	if n == pendingMost {
		number += "+"
	}
	return templates.PageLink{Href: pendingPath(l, kind), Text: s.Templates.T(lang, "pending.kind-"+kind, "n", number)}
}

// pendingRows reads a page of one kind.
func (s *site) pendingRows(tx *storage.Tx, lang string, l *list.List, q list.PendingQuery) (rows []templates.WaitRow, ends keyEnds) {
	at := func(t time.Time) templates.Time {
		if t.IsZero() {
			return templates.Time{}
		}
		return templates.NewTime(lang, t.In(s.Site.Location))
	}
	if q.Action == pendingHeld {
		found, earlier, later := moderation.FindRequests(tx, moderation.RequestQuery{List: l.ID, Part: q.Part, Leaf: q.Leaf})
		ends = keyEnds{earlier: earlier, later: later}
		for _, f := range found {
			ends.add(f.Key())
			rows = append(rows, templates.WaitRow{
				Address: f.Address.String(), Name: f.Name, Href: knownPath(tx, l, f.Address), Words: s.Templates.T(lang, "pending.wants-"+f.Action), Since: at(f.At), Until: at(f.Expires(l)),
			})
		}
		return rows, ends
	}
	found, earlier, later := list.FindPending(tx, q)
	ends = keyEnds{earlier: earlier, later: later}
	for _, p := range found {
		ends.add(p.Address.Key())
		rows = append(rows, templates.WaitRow{
			Address: p.Address.String(), Name: subscribe.NameOf(p), Href: knownPath(tx, l, p.Address), Since: at(p.Created), Until: at(p.Expires), By: s.who(lang, p.By),
		})
	}
	return rows, ends
}

// knownPath is the page of an address in a list, or "" where nothing is known of it there.
func knownPath(tx *storage.Tx, l *list.List, a address.Address) string {
	known := list.Has(tx, l.ID, a, list.RoleMember)
	for range list.MemberHistory(tx, l.ID, a) {
		known = true
		break
	}
	if !known {
		return ""
	}
	return memberPath(l, &list.Member{Role: list.RoleMember, Address: a})
}

// changePending is a button of a row.
func (s *site) changePending(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	kind, do := form.Get("kind"), form.Get("do")
	who, err := address.Parse(form.Get("address"))
	if err != nil {
		return errNotUnderstood
	}
	if kind == pendingHeld {
		return s.decideHeld(w, r, a, l, moderation.Order{ID: who.String(), Word: do, By: a.address, Now: time.Now(), Undo: true})
	}
	step := map[string]func(*storage.Tx, subscribe.Request, string) (subscribe.Result, error){"resend": s.Subscribe.Resend, "withdraw": s.Subscribe.Withdraw}[do]
	if step == nil || !slices.Contains(subscribe.Unanswered(), kind) {
		return errNotUnderstood
	}
	res, err := s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
		if !a.may(tx, l, list.RoleOwner) {
			return subscribe.Result{}, denied{need: list.RoleOwner, list: l}
		}
		return step(tx, subscribe.Request{List: l, Address: who, By: a.address.String(), Now: time.Now()}, kind)
	})
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	return s.done(w, r, pendingPath(l, kind), templates.Flash{Text: s.Templates.T(lang, "pending.did-"+string(res.State), "address", who)})
}

// decideHeld decides about who waits for a moderator. Where another was faster the page says who.
func (s *site) decideHeld(w http.ResponseWriter, r *http.Request, a actor, l *list.List, o moderation.Order) error {
	o.Lang = templates.FrameOf(r.Context()).Lang
	if !slices.Contains([]string{"accept", "reject", "discard"}, o.Word) {
		return errNotUnderstood
	}
	var said string
	err := s.eachItem(r, a, []string{item(l, o.ID)}, func(tx *storage.Tx, l *list.List, _ int, _ string) (err error) {
		said, err = s.Moderation.Command(tx, l, o)
		return err
	})
	if err != nil {
		return err
	}
	s.Moderation.Wake()
	return s.done(w, r, pendingPath(l, pendingHeld), templates.Flash{
		Text: said, Button: s.Templates.T(o.Lang, "undo.button"), Action: "/-/moderate/undo?" + url.Values{"item": {item(l, o.ID)}}.Encode(),
	})
}
