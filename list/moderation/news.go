package moderation

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
)

// newsKey is a decision's place: list and post.
type newsKey = storage.Pair[list.ID, list.PostID]

var (
	listID = storage.Strings[list.ID]()
	news   = storage.NewTable[newsKey, string]("moderation_news", storage.Pairs(listID, storage.Strings[list.PostID]())) // By
)

// putNews notes a decision that other moderators are to hear of: they have been told that the post waits.
func putNews(tx *storage.Tx, out Outcome, w list.Waiting, d Decision) error {
	if w.Notices == 0 || d.By == list.ByTime || !out.List.Settings.AdminImmedNotify {
		return nil
	}
	return news.Put(tx, storage.P(out.List.ID, out.Post.ID), d.By)
}

// decided is what the moderators of a list have decided since the others were last told.
type decided struct {
	posts    []list.PostID
	requests []requestKey
}

// spreadNews tells the moderators of each list what others have decided, many decisions in one mail.
func (m *Moderation) spreadNews(ctx context.Context, now time.Time) error {
	lists := map[list.ID]*decided{}
	of := func(id list.ID) *decided {
		if lists[id] == nil {
			lists[id] = &decided{}
		}
		return lists[id]
	}
	err := m.DB.View(ctx, func(tx *storage.Tx) error {
		for k := range news.Scan(tx, storage.Range[newsKey]{}) {
			if d := of(k.A); len(d.posts) < perReminder {
				d.posts = append(d.posts, k.B)
			}
		}
		for k, r := range requests.Scan(tx, storage.Range[requestKey]{}) {
			if r.Waits() || r.Spread || !r.Until.IsZero() {
				continue
			}
			if d := of(k.A); len(d.requests) < perReminder {
				d.requests = append(d.requests, k)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	for id, d := range lists {
		if due, err := m.newsDue(ctx, id, now); err != nil || !due {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, m.DB.Update(ctx, func(tx *storage.Tx) error { return m.tellOthers(tx, id, d, now) }))
	}
	return errors.Join(errs...)
}

// newsDue reports whether the moderators of a list have heard nothing for a while.
func (m *Moderation) newsDue(ctx context.Context, id list.ID, now time.Time) (due bool, err error) {
	err = m.DB.View(ctx, func(tx *storage.Tx) error {
		s, err := getState(tx, id)
		due = now.Sub(s.Told) >= batch
		return err
	})
	return due, err
}

// tellOthers tells each moderator of a list what was decided by somebody else.
func (m *Moderation) tellOthers(tx *storage.Tx, id list.ID, d *decided, now time.Time) error {
	s, err := getState(tx, id)
	if err != nil {
		return err
	}
	l, err := list.Get(tx, id)
	if err != nil {
		return err
	}
	posts, asked, err := spread(tx, id, d)
	if err != nil {
		return err
	}
	for _, who := range m.moderators(tx, l) {
		lang := l.LanguageOf(who)
		var entries []string
		for _, p := range posts {
			if p.Verdict.By != who.Address.String() {
				entries = append(entries, "- "+m.subject(lang, p)+"\n  "+m.author(lang, p)+"\n  "+m.decided(lang, p, true)+"\n")
			}
		}
		for _, r := range asked {
			if r.By != who.Address.String() {
				entries = append(entries, "- "+m.asks(lang, r)+"\n  "+m.requestDecided(lang, r)+"\n")
			}
		}
		if len(entries) == 0 {
			continue
		}
		t := letter{list: l, to: who.Address, lang: lang, name: "held-decided", unasked: true}
		t.args = map[string]string{"n": strconv.Itoa(len(entries)), "entries": strings.Join(entries, "")}
		if err := m.queue(tx, t); err != nil {
			return err
		}
	}
	s.Told = now
	return states.Put(tx, id, s)
}

// spread returns the posts and requests that were decided, and notes that the moderators know.
func spread(tx *storage.Tx, id list.ID, d *decided) (posts []*list.Post, asked []*Request, err error) {
	for _, post := range d.posts {
		p, err := list.GetPost(tx, post)
		if err != nil {
			return nil, nil, err
		}
		posts = append(posts, p)
		if err := news.Delete(tx, storage.P(id, post)); err != nil {
			return nil, nil, err
		}
	}
	for _, k := range d.requests {
		r, err := requests.Get(tx, k)
		if err != nil {
			return nil, nil, err
		}
		r.Spread = true
		if err := requests.Put(tx, k, r); err != nil {
			return nil, nil, err
		}
		asked = append(asked, &r)
	}
	return posts, asked, nil
}
