package moderation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kairan/list"
	"kairan/storage"
)

// state is what was last done for a list.
type state struct {
	Noticed  time.Time `json:"noticed,omitzero"`
	Reminded time.Time `json:"reminded,omitzero"`
	Told     time.Time `json:"told,omitzero"`
	Requests time.Time `json:"requests,omitzero"` // noticed or reminded of who wants to join or leave
}

var states = storage.NewTable[list.ID, state]("moderation_state", storage.Strings[list.ID]())

func getState(tx *storage.Tx, l list.ID) (state, error) {
	s, err := states.Get(tx, l)
	if errors.Is(err, storage.ErrNotFound) {
		return state{}, nil
	}
	return s, err
}

// Round does once what is due at a time: it tells authors and moderators of newly held posts, reminds, and drops what has waited
// too long. Each step is a transaction of its own, which notes what it has told: after an error or a crash the next round goes on.
func (m *Moderation) Round(ctx context.Context, now time.Time) error {
	waiting := map[list.ID][]list.PostID{}
	unseen := []list.PostID{}
	err := m.DB.View(ctx, func(tx *storage.Tx) error {
		for k, w := range list.AllWaiting(tx) {
			waiting[k.A] = append(waiting[k.A], k.B)
			if !w.Seen {
				unseen = append(unseen, k.B)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what is held: %w", err)
	}
	var errs []error
	for _, id := range unseen {
		if err := m.greet(ctx, id, now); err != nil {
			errs = append(errs, fmt.Errorf("author of post %s: %w", id, err))
		}
	}
	for id, posts := range waiting {
		if err := m.attend(ctx, id, posts, now); err != nil {
			errs = append(errs, fmt.Errorf("moderators of list %s: %w", id, err))
		}
	}
	errs = append(errs, m.concludeDue(ctx, now), m.carryOutEdits(ctx))
	errs = append(errs, m.spreadNews(ctx, now), m.attendRequests(ctx, now))
	m.Path.Wake()
	return errors.Join(errs...)
}

// attend does what is due for one list. Most of the time that is nothing, so looking writes nothing.
func (m *Moderation) attend(ctx context.Context, id list.ID, posts []list.PostID, now time.Time) error {
	expires, reminds := false, false
	err := m.DB.View(ctx, func(tx *storage.Tx) error {
		l, err := list.Get(tx, id)
		if err != nil {
			return err
		}
		oldest, err := list.GetPost(tx, posts[0])
		if err != nil {
			return err
		}
		expires = tooOld(l, oldest.Received, now)
		reminds, err = remindDue(tx, l, oldest, now)
		return err
	})
	if err != nil {
		return err
	}
	var errs []error
	if expires {
		errs = append(errs, m.expire(ctx, id, posts, now))
	}
	errs = append(errs, m.noticeNew(ctx, id, posts, now))
	if reminds {
		errs = append(errs, m.remindDaily(ctx, id, now))
	}
	return errors.Join(errs...)
}

// tooOld reports whether something that waits since a time has waited for longer than a list wants.
func tooOld(l *list.List, since, now time.Time) bool {
	return l.Settings.MaxDaysToHold > 0 && since.Before(now.AddDate(0, 0, -l.Settings.MaxDaysToHold))
}

// remindDue reports whether it is time to remind: daily, when something has waited for a day or there are no other notices.
func remindDue(tx *storage.Tx, l *list.List, oldest *list.Post, now time.Time) (bool, error) {
	s, err := getState(tx, l.ID)
	return now.Sub(s.Reminded) >= daily && (!l.Settings.AdminImmedNotify || now.Sub(oldest.Received) >= daily), err
}

// expire drops the posts of a list that have waited for longer than it wants.
func (m *Moderation) expire(ctx context.Context, id list.ID, posts []list.PostID, now time.Time) error {
	return m.DB.Update(ctx, func(tx *storage.Tx) error {
		l, err := list.Get(tx, id)
		if err != nil {
			return err
		}
		for _, post := range posts {
			p, err := list.GetPost(tx, post)
			if err != nil {
				return err
			}
			if !tooOld(l, p.Received, now) {
				return nil // they are in the order of their coming
			}
			if _, err := m.Decide(tx, Decision{Post: post, Action: list.Discard, By: list.ByTime}, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetNoticed notes that the moderators of a list know of all that waits there, as if they had been told now: no notice follows, and the
// next reminder comes in a day.
func (m *Moderation) SetNoticed(tx *storage.Tx, id list.ID, now time.Time) error {
	for p := range list.HeldPosts(tx, id) {
		w, err := list.GetWaiting(tx, p)
		if err != nil {
			return err
		}
		w.Seen, w.Noticed, w.Notices = true, now, w.Notices+1
		if err := list.SetWaiting(tx, p, w); err != nil {
			return err
		}
	}
	for r := range Requests(tx, id) {
		r.Noticed = true
		if err := requests.Put(tx, storage.P(id, r.id()), *r); err != nil {
			return err
		}
	}
	s, err := getState(tx, id)
	if err != nil {
		return err
	}
	s.Reminded, s.Requests = now, now
	return states.Put(tx, id, s)
}

// due returns the posts that moderators have not heard of, when it is time to tell them.
func (m *Moderation) due(ctx context.Context, id list.ID, posts []list.PostID, now time.Time) (ids []list.PostID, err error) {
	err = m.DB.View(ctx, func(tx *storage.Tx) error {
		l, err := list.Get(tx, id)
		if err != nil {
			return err
		}
		s, err := getState(tx, id)
		if err != nil || !l.Settings.AdminImmedNotify || now.Sub(s.Noticed) < batch {
			return err
		}
		for _, post := range posts {
			p, err := list.GetPost(tx, post)
			if err != nil {
				return err
			}
			if w, err := list.GetWaiting(tx, p); err == nil && w.Notices == 0 {
				ids = append(ids, post)
			}
		}
		return nil
	})
	return ids, err
}

// noticeNew tells moderators of posts that they have not heard of: of the first at once, of those that come soon after it together.
func (m *Moderation) noticeNew(ctx context.Context, id list.ID, posts []list.PostID, now time.Time) error {
	ids, err := m.due(ctx, id, posts, now)
	if err != nil || len(ids) == 0 {
		return err
	}
	more := max(0, len(ids)-perNotice)
	items, err := m.read(ctx, ids[:len(ids)-more])
	if err != nil {
		return err
	}
	return m.DB.Update(ctx, func(tx *storage.Tx) error {
		l, err := list.Get(tx, id)
		if err != nil {
			return err
		}
		var still []item
		for _, it := range items {
			w, err := list.GetWaiting(tx, it.post)
			if errors.Is(err, storage.ErrNotFound) {
				continue // decided meanwhile
			}
			if err != nil {
				return err
			}
			still = append(still, it)
			w.Noticed, w.Notices = now, w.Notices+1
			if err := list.SetWaiting(tx, it.post, w); err != nil {
				return err
			}
		}
		if len(still) == 0 {
			return nil
		}
		s, err := getState(tx, id)
		if err != nil {
			return err
		}
		s.Noticed = now
		return errors.Join(states.Put(tx, id, s), m.notice(tx, l, still, more, now))
	})
}

// remindDaily tells moderators once a day what waits.
func (m *Moderation) remindDaily(ctx context.Context, id list.ID, now time.Time) error {
	return m.DB.Update(ctx, func(tx *storage.Tx) error {
		l, err := list.Get(tx, id)
		if err != nil {
			return err
		}
		var waiting []*list.Post
		for p := range list.HeldPosts(tx, id) {
			waiting = append(waiting, p)
		}
		if len(waiting) == 0 {
			return nil // decided meanwhile
		}
		if due, err := remindDue(tx, l, waiting[0], now); err != nil || !due {
			return err
		}
		s, err := getState(tx, id)
		if err != nil {
			return err
		}
		for _, p := range waiting {
			w, err := list.GetWaiting(tx, p)
			if err != nil {
				return err
			}
			w.Noticed, w.Notices = now, w.Notices+1
			if err := list.SetWaiting(tx, p, w); err != nil {
				return err
			}
		}
		s.Reminded = now
		return errors.Join(states.Put(tx, id, s), m.remind(tx, l, waiting, now))
	})
}
