package bounce

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/storage"
)

// What owners are told of; the words are "bounce.news-" and the name.
const (
	newsPoint     = "point"
	newsDisabled  = "disabled"
	newsRemoved   = "removed"
	newsComplaint = "complaint"
)

// Owners get one mail for what comes together, and one a day at most.
const (
	newsSettle = 10 * time.Minute
	newsEvery  = 24 * time.Hour
	newsMost   = 200 // told one by one
)

// item is one thing to tell the owners.
type item struct {
	Kind    string `json:"kind"`
	Address string `json:"address"`
	Said    string `json:"said,omitempty"`
}

// news is what the owners of a list are yet to be told.
type news struct {
	Since time.Time `json:"since,omitzero"` // of the first item
	Sent  time.Time `json:"sent,omitzero"`  // the last mail
	N     int       `json:"n,omitempty"`    // items, more than are told one by one
	// Complaints counts those that the list has got so far.
	Complaints int `json:"complaints,omitempty"`
}

var (
	newsOf    = storage.NewTable[list.ID, news]("bounce_news", storage.Strings[list.ID]())
	newsItems = storage.NewTable[storage.Pair[list.ID, uint64], item]("bounce_news_items", storage.Pairs(storage.Strings[list.ID](), storage.Uints[uint64]()))
)

func getNews(tx *storage.Tx, l list.ID) (news, error) {
	n, err := newsOf.Get(tx, l)
	if errors.Is(err, storage.ErrNotFound) {
		return news{}, nil
	}
	return n, err
}

// Complaints returns how many complaints a list has got.
func Complaints(tx *storage.Tx, l list.ID) (int, error) {
	n, err := getNews(tx, l)
	return n.Complaints, err
}

// tell keeps something for the owners' next mail, if they want to know.
func (b *Bouncer) tell(tx *storage.Tx, e *event, kind string) error {
	set := &e.list.Settings
	wanted := map[string]bool{newsPoint: set.BounceNotifyOwnerOnBounceIncrement, newsDisabled: set.BounceNotifyOwnerOnDisable, newsRemoved: set.BounceNotifyOwnerOnRemoval, newsComplaint: set.BounceNotifyOwnerOnRemoval}
	if !wanted[kind] && kind != newsComplaint {
		return nil
	}
	n, err := getNews(tx, e.list.ID)
	if err != nil {
		return err
	}
	if kind == newsComplaint {
		n.Complaints++
	}
	if wanted[kind] {
		if n.Since.IsZero() {
			n.Since = e.at
		}
		if n.N++; n.N <= newsMost {
			if err := newsItems.Put(tx, storage.P(e.list.ID, uint64(n.N)), item{Kind: kind, Address: e.member.Address.String(), Said: e.said}); err != nil {
				return err
			}
		}
	}
	return newsOf.Put(tx, e.list.ID, n)
}

// sendNews mails the owners what they are to know.
func (b *Bouncer) sendNews(ctx context.Context, now time.Time) error {
	var ready []list.ID
	err := b.DB.View(ctx, func(tx *storage.Tx) error {
		ready = nil
		for id, n := range newsOf.Scan(tx, storage.Range[list.ID]{}) {
			if n.N > 0 && !b.postponed(id, now) && now.Sub(n.Since) >= newsSettle && now.Sub(n.Sent) >= newsEvery {
				ready = append(ready, id)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("news of bounces: %w", err)
	}
	var errs []error
	for _, id := range ready {
		if err := b.DB.Update(ctx, func(tx *storage.Tx) error { return b.mailNews(tx, id, now) }); err != nil {
			b.postpone(id, now)
			errs = append(errs, fmt.Errorf("news of bounces of %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (b *Bouncer) mailNews(tx *storage.Tx, id list.ID, now time.Time) error {
	n, err := getNews(tx, id)
	if err != nil {
		return err
	}
	l, err := list.Get(tx, id)
	if err != nil {
		return err
	}
	var items []item
	for k, it := range storage.Under(tx, newsItems, storage.Strings[list.ID](), id) {
		items = append(items, it)
		if err := newsItems.Delete(tx, k); err != nil {
			return err
		}
	}
	if err := newsOf.Put(tx, id, news{Sent: now, Complaints: n.Complaints}); err != nil || !l.Removed.IsZero() {
		return err
	}
	for _, m := range list.Members(tx, id, list.RoleOwner, "") {
		lang := l.LanguageOf(m)
		var text strings.Builder
		for _, it := range items {
			line := b.Templates.T(lang, "bounce.news-"+it.Kind, "address", it.Address)
			if it.Said != "" {
				line += ": " + it.Said
			}
			text.WriteString("  " + line + "\n")
		}
		if more := n.N - len(items); more > 0 {
			text.WriteString("  " + b.Templates.T(lang, "bounce.news-more", "n", more) + "\n")
		}
		letter, err := b.Subscribe.Letter(tx, subscribe.Letter{List: l, To: m.Address, Name: "bounce-news", Lang: lang, Unasked: true,
			Args: map[string]string{"n": strconv.Itoa(n.N), "entries": text.String()}})
		if err != nil {
			return err
		}
		if err := b.Path.Queue(tx, letter); err != nil {
			return err
		}
	}
	return nil
}
