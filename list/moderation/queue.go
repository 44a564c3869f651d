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
	id      list.PostID // "" for a request
	author  sameSender
	request *Request
	since   time.Time
	risk    int // where the riskiest come first: that of a post, and of a request -1; else 0
}

// sameSender is what the posts of one author have in common: those that only bear the address apart.
type sameSender struct {
	author string
	proven bool
}

// everything is what waits in the lists of a query, in its order. The posts themselves are not read, but where their risks are not known.
func (m *Moderation) everything(tx *storage.Tx, q Query) (all []queued, err error) {
	for _, l := range q.Lists {
		for id, w := range list.WaitingIn(tx, l.ID) {
			all = append(all, queued{list: l, id: id, author: sameSender{w.Author, w.Proven}, since: storage.IDTime(string(id))})
		}
		for r := range Requests(tx, l.ID) {
			all = append(all, queued{list: l, request: r, since: r.At})
		}
	}
	if q.Riskier {
		if err := m.looked.weigh(tx, all); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b queued) int {
		return cmp.Or(cmp.Compare(b.risk, a.risk), b.since.Compare(a.since), cmp.Compare(b.id, a.id))
	})
	return all, nil
}

// Queue returns what waits in lists for their moderators, N from the given one on, and how much there is in all.
func (m *Moderation) Queue(ctx context.Context, q Query) (page []Queued, total int, err error) {
	var all []queued
	err = m.DB.View(ctx, func(tx *storage.Tx) error {
		all, err = m.everything(tx, q)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	senders := map[sameSender][]Thing{}
	for _, w := range all {
		if w.author.author != "" {
			senders[w.author] = append(senders[w.author], Thing{w.list, string(w.id)})
		}
	}
	total = len(all)
	known := map[string]past{}
	for _, w := range all[min(q.From, total):min(q.From+q.N, total)] {
		entry, err := m.queued(ctx, q, w, known)
		if errors.Is(err, storage.ErrNotFound) { // decided meanwhile, and forgotten
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		if same := senders[w.author]; len(same) > 1 {
			entry.Same = same
		}
		page = append(page, entry)
	}
	return page, total, nil
}

// queued looks into something that waits. known has what is known of the senders that were looked at before.
func (m *Moderation) queued(ctx context.Context, q Query, w queued, known map[string]past) (out Queued, err error) {
	out = Queued{List: w.list, Texts: slices.Sorted(maps.Keys(w.list.Settings.RejectTexts))}
	var who address.Address
	var post *list.Post
	if w.request != nil {
		who = w.request.Address
		out.Order, out.Words = who.String(), buttons[forRequests]
		out.PagePost = PagePost{ID: w.request.id(), From: who.String(), Subject: m.asks(q.Lang, w.request), Received: w.request.At}
	} else {
		err := m.DB.View(ctx, func(tx *storage.Tx) (err error) {
			post, err = list.GetPost(tx, w.id)
			return err
		})
		if err != nil {
			return out, err
		}
		who = post.Author
		out.Order, out.Words, out.Level = string(post.ID), buttons[forModerator], RiskLevel(Risk(post.Verdict, post.Auth))
		items, err := m.read(ctx, []list.PostID{post.ID})
		if err != nil {
			return out, err
		}
		out.PagePost = m.pagePost(q.Lang, post, items, true)
		out.Text = beginning(out.Text, queueText)
	}
	return out, m.DB.View(ctx, func(tx *storage.Tx) error {
		if post != nil && obstacle(tx, w.list, post, Decision{Action: list.Discard, Ban: true}) == "" {
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
		out.Sender, err = m.sender(tx, q, w.list, who, known)
		if post != nil && !post.Auth.Author() && len(out.Sender) > 0 {
			out.Sender = append([]string{m.Templates.T(q.Lang, "sender.not-proven")}, out.Sender...)
		}
		return err
	})
}

// queueText is how much of a post's text the queue shows, in bytes.
const queueText = 8 << 10

// beginning is a text up to n bytes, cut between lines where there are any.
func beginning(text string, n int) string {
	if len(text) <= n {
		return text
	}
	text = strings.ToValidUTF8(text[:n], "")
	if i := strings.LastIndexByte(text, '\n'); i > n/2 {
		text = text[:i]
	}
	return text + "\n[…]"
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
