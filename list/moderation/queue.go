package moderation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
)

// Queued is a post or a request that waits in one of several lists.
type Queued struct {
	PagePost
	List  *list.List
	Order string   // what Obey calls it
	Words []string // the buttons that there are
	Texts []string // names of the saved texts for a rejection
}

// queued is what waits, before it was looked into.
type queued struct {
	list    *list.List
	post    *list.Post // nil for a request
	request *Request
	since   time.Time
}

// Queue returns what waits in lists for their moderators, the newest first: n from the given one on, and how many there are in all.
func (m *Moderation) Queue(ctx context.Context, lists []*list.List, lang string, from, n int) (page []Queued, total int, err error) {
	var all []queued
	err = m.DB.View(ctx, func(tx *storage.Tx) error {
		all = nil
		for _, l := range lists {
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
	slices.SortStableFunc(all, func(a, b queued) int { return b.since.Compare(a.since) })
	total = len(all)
	for _, q := range all[min(from, total):min(from+n, total)] {
		entry, err := m.queued(ctx, lang, q)
		if err != nil {
			return nil, 0, err
		}
		page = append(page, entry)
	}
	return page, total, nil
}

func (m *Moderation) queued(ctx context.Context, lang string, q queued) (Queued, error) {
	out := Queued{List: q.list, Texts: slices.Sorted(maps.Keys(q.list.Settings.RejectTexts))}
	if q.request != nil {
		out.Order, out.Words = q.request.Address.String(), buttons[forRequests]
		out.PagePost = PagePost{ID: q.request.id(), From: q.request.Address.String(), Subject: m.asks(lang, q.request), Received: q.request.At}
		return out, nil
	}
	out.Order, out.Words = string(q.post.ID), buttons[forModerator]
	items, err := m.read(ctx, []list.PostID{q.post.ID})
	if err == nil {
		out.PagePost = m.pagePost(lang, q.post, items, true)
	}
	return out, err
}

// ErrNotHere says that what an order is about is not in that list, or no longer known.
var ErrNotHere = errors.New("nothing of that name waits in the list")

// ErrWord says that there is no such order.
var ErrWord = errWord

// Command is Obey for what has to be there: it returns ErrNotHere or ErrWord where Obey would do nothing.
func (m *Moderation) Command(tx *storage.Tx, l *list.List, o Order) (said string, err error) {
	if !slices.Contains(buttons[forModerator], o.Word) {
		return "", ErrWord
	}
	lines, err := m.Obey(tx, l, o)
	if err == nil && len(lines) == 0 {
		err = ErrNotHere
	}
	return strings.Join(lines, " "), err
}
