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
	if w.Notices == 0 || d.By == byTime || !out.List.Settings.AdminImmedNotify {
		return nil
	}
	return news.Put(tx, storage.P(out.List.ID, out.Post.ID), d.By)
}

// spreadNews tells the moderators of each list what others have decided, many decisions in one mail.
func (m *Moderation) spreadNews(ctx context.Context, now time.Time) error {
	decisions := map[list.ID][]list.PostID{}
	err := m.DB.View(ctx, func(tx *storage.Tx) error {
		for k := range news.Scan(tx, storage.Range[newsKey]{}) {
			if len(decisions[k.A]) < perReminder {
				decisions[k.A] = append(decisions[k.A], k.B)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	for id, posts := range decisions {
		errs = append(errs, m.DB.Update(ctx, func(tx *storage.Tx) error { return m.tellOthers(tx, id, posts, now) }))
	}
	return errors.Join(errs...)
}

// tellOthers tells each moderator of a list what was decided by somebody else.
func (m *Moderation) tellOthers(tx *storage.Tx, id list.ID, ids []list.PostID, now time.Time) error {
	s, err := getState(tx, id)
	if err != nil || now.Sub(s.Told) < batch {
		return err
	}
	l, err := list.Get(tx, id)
	if err != nil {
		return err
	}
	var decided []*list.Post
	for _, post := range ids {
		p, err := list.GetPost(tx, post)
		if err != nil {
			return err
		}
		decided = append(decided, p)
		if err := news.Delete(tx, storage.P(id, post)); err != nil {
			return err
		}
	}
	for _, who := range m.moderators(tx, l) {
		lang := speaks(l, who)
		var b strings.Builder
		n := 0
		for _, p := range decided {
			if p.Verdict.By != who.Address.String() {
				b.WriteString("- " + m.subject(lang, p) + "\n  " + m.author(lang, p) + "\n  " + m.decided(lang, p, true) + "\n")
				n++
			}
		}
		if n == 0 {
			continue
		}
		t := letter{list: l, to: who.Address, lang: lang, name: "held-decided", unasked: true, args: map[string]string{"n": strconv.Itoa(n), "entries": b.String()}}
		if err := m.queue(tx, t); err != nil {
			return err
		}
	}
	s.Told = now
	return states.Put(tx, id, s)
}
