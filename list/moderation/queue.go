package moderation

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Queued is a post or a request that waits in one of several lists.
type Queued struct {
	PagePost
	List   *list.List
	Order  string   // what Obey calls it
	Words  []string // the buttons that there are
	Texts  []string // names of the saved texts for a rejection
	Level  string   // of risk: see RiskLevel; "" for a request
	Sender []string // what is known about the author, in sentences
	Bans   string   // the address that a ban would keep away; "" for none
	Claim  string   // who is looking at it, "" for nobody
	Mine   bool     // the claim is the asker's
	// Same are the posts of the same author that wait, this one among them; nil if it is the only one.
	Same []Thing
}

// Thing names what waits.
type Thing struct {
	List  *list.List
	Order string // what Obey calls it
}

// Query asks for a part of what waits.
type Query struct {
	Lists   []*list.List
	By      []address.Address // of who asks
	Lang    string
	Riskier bool // the riskiest first, not the newest
	From, N int
}

// queued is what waits, before it was looked into.
type queued struct {
	list    *list.List
	post    *list.Post // nil for a request
	request *Request
	since   time.Time
}

// risk is that of the post; a request has none.
func (q queued) risk() int {
	if q.post == nil {
		return -1
	}
	return Risk(q.post.Verdict, q.post.Auth)
}

// sameSender is what the posts of one author have in common: those that only bear the address apart.
type sameSender struct {
	author string
	proven bool
}

func (q queued) sender() sameSender {
	if q.post == nil || q.post.Author.IsNull() {
		return sameSender{}
	}
	return sameSender{q.post.Author.Key(), q.post.Auth.Author()}
}

// Queue returns what waits in lists for their moderators, N from the given one on, and how much there is in all.
func (m *Moderation) Queue(ctx context.Context, q Query) (page []Queued, total int, err error) {
	var all []queued
	err = m.DB.View(ctx, func(tx *storage.Tx) error {
		all = nil
		for _, l := range q.Lists {
			for p := range list.HeldPosts(tx, l.ID) {
				all = append(all, queued{list: l, post: p, since: p.Received})
			}
			for r := range Requests(tx, l.ID) {
				all = append(all, queued{list: l, request: r, since: r.At})
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	slices.SortStableFunc(all, func(a, b queued) int {
		if q.Riskier && a.risk() != b.risk() {
			return cmp.Compare(b.risk(), a.risk())
		}
		return b.since.Compare(a.since)
	})
	senders := map[sameSender][]Thing{}
	for _, w := range all {
		if k := w.sender(); k.author != "" {
			senders[k] = append(senders[k], Thing{w.list, string(w.post.ID)})
		}
	}
	total = len(all)
	for _, w := range all[min(q.From, total):min(q.From+q.N, total)] {
		entry, err := m.queued(ctx, q, w)
		if err != nil {
			return nil, 0, err
		}
		if same := senders[w.sender()]; len(same) > 1 {
			entry.Same = same
		}
		page = append(page, entry)
	}
	return page, total, nil
}

// queued looks into something that waits.
func (m *Moderation) queued(ctx context.Context, q Query, w queued) (out Queued, err error) {
	out = Queued{List: w.list, Texts: slices.Sorted(maps.Keys(w.list.Settings.RejectTexts))}
	var who address.Address
	if w.request != nil {
		who = w.request.Address
		out.Order, out.Words = who.String(), buttons[forRequests]
		out.PagePost = PagePost{ID: w.request.id(), From: who.String(), Subject: m.asks(q.Lang, w.request), Received: w.request.At}
	} else {
		who = w.post.Author
		out.Order, out.Words, out.Level = string(w.post.ID), buttons[forModerator], RiskLevel(w.risk())
		items, err := m.read(ctx, []list.PostID{w.post.ID})
		if err != nil {
			return out, err
		}
		out.PagePost = m.pagePost(q.Lang, w.post, items, true)
	}
	return out, m.DB.View(ctx, func(tx *storage.Tx) error {
		if w.post != nil && obstacle(tx, w.list, w.post, Decision{Action: list.Discard, Ban: true}) == "" {
			out.Bans = plain(who.String())
		}
		c, err := claimOf(tx, w.list.ID, out.Order, time.Now())
		if err != nil {
			return err
		}
		if c.By != "" {
			out.Claim = m.claimed(q.Lang, c)
			out.Mine = slices.ContainsFunc(q.By, func(a address.Address) bool { return a.String() == c.By })
		}
		out.Sender, err = m.sender(tx, q, w.list, who)
		if w.post != nil && !w.post.Auth.Author() && len(out.Sender) > 0 {
			out.Sender = append([]string{m.Templates.T(q.Lang, "sender.not-proven")}, out.Sender...)
		}
		return err
	})
}

// ErrNotHere says that what an order is about is not in that list, or no longer known.
var ErrNotHere = errors.New("nothing of that name waits in the list")

// ErrWord says that there is no such order.
var ErrWord = errWord

// Command is Obey for what has to be there: it returns ErrNotHere or ErrWord where Obey would do nothing. It knows "claim" and "release" too.
func (m *Moderation) Command(tx *storage.Tx, l *list.List, o Order) (said string, err error) {
	if o.Word == "claim" || o.Word == "release" {
		if !waits(tx, l, o.ID) {
			return "", ErrNotHere
		}
		return m.claim(tx, l, o)
	}
	if !slices.Contains(buttons[forModerator], o.Word) {
		return "", ErrWord
	}
	lines, err := m.Obey(tx, l, o)
	if err == nil && len(lines) == 0 {
		err = ErrNotHere
	}
	return strings.Join(lines, " "), err
}

// waits reports whether something waits in a list.
func waits(tx *storage.Tx, l *list.List, id string) bool {
	if !strings.Contains(id, "@") {
		p, err := list.GetPost(tx, list.PostID(id))
		return err == nil && p.List == l.ID && p.Held()
	}
	found, err := requestsNamed(tx, l.ID, id)
	return err == nil && slices.ContainsFunc(found, (*Request).Waits)
}
