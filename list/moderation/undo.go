package moderation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
)

// UndoTime is for how long what is decided on a page can be taken back.
const UndoTime = time.Minute

// ErrTooLate says that a decision can no longer be taken back.
var ErrTooLate = errors.New("the decision can no longer be taken back")

// undoable is a decision about a post that can be taken back: it is in effect, and what follows from it waits.
type undoable struct {
	Decision Decision     `json:"decision"`
	Waiting  list.Waiting `json:"waiting"` // as the post waited before
	Until    time.Time    `json:"until"`
}

// undoables are removed by the transaction that does what follows, or takes the decision back.
var undoables = storage.NewTable[newsKey, undoable]("moderation_undo", storage.Pairs(listID, storage.Strings[list.PostID]()))

// postpone lets what follows from a decision wait for UndoTime: the post leaves after it, and concludeDue does the rest.
func (m *Moderation) postpone(tx *storage.Tx, p *list.Post, w list.Waiting, d Decision, now time.Time) error {
	u := undoable{Decision: d, Waiting: w, Until: now.Add(UndoTime)}
	if err := undoables.Put(tx, storage.P(p.List, p.ID), u); err != nil || d.Action != list.Accept {
		return err
	}
	return list.Delay(tx, p, u.Until)
}

// concludeDue does what follows from the decisions that nobody has taken back in their time.
func (m *Moderation) concludeDue(ctx context.Context, now time.Time) error {
	var due []newsKey
	err := m.DB.View(ctx, func(tx *storage.Tx) error {
		due = nil
		for k, u := range undoables.Scan(tx, storage.Range[newsKey]{}) {
			if !now.Before(u.Until) {
				due = append(due, k)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what was decided: %w", err)
	}
	var errs []error
	for _, k := range due {
		if err := m.DB.Update(ctx, func(tx *storage.Tx) error { return m.concludeOne(tx, k, now) }); err != nil {
			errs = append(errs, fmt.Errorf("what follows for post %s: %w", k.B, err))
		}
	}
	return errors.Join(errs...)
}

func (m *Moderation) concludeOne(tx *storage.Tx, k newsKey, now time.Time) error {
	u, err := undoables.Get(tx, k)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // taken back meanwhile
	}
	if err != nil {
		return err
	}
	p, err := list.GetPost(tx, k.B)
	if err != nil {
		return err
	}
	l, err := list.Get(tx, k.A)
	if err != nil {
		return err
	}
	did, err := m.conclude(tx, l, p, u, now)
	if err == nil && did != "" {
		err = list.Log(tx, l.ID, logLine(u.Decision, p, did, now))
	}
	return errors.Join(err, undoables.Delete(tx, k))
}

// Undo takes a decision about a post or a request back within its time: it waits again, as before. ID is what [Order.ID] is. It returns
// ErrTooLate where there is no such decision (any more).
func (m *Moderation) Undo(tx *storage.Tx, l *list.List, id, by string, now time.Time) error {
	if strings.Contains(id, "@") {
		return m.undoRequests(tx, l, id, by, now)
	}
	k := storage.P(l.ID, list.PostID(id))
	u, err := undoables.Get(tx, k)
	if errors.Is(err, storage.ErrNotFound) || err == nil && !now.Before(u.Until) {
		return ErrTooLate
	}
	if err != nil {
		return err
	}
	p, err := list.Reopen(tx, k.B, u.Waiting, by, now)
	if errors.Is(err, list.ErrOnItsWay) {
		return ErrTooLate
	}
	if err != nil {
		return err
	}
	e := logLine(u.Decision, p, "", now)
	e.Text, e.By = e.Text+" taken back", by
	e.Word = "held.taken-back"
	return errors.Join(undoables.Delete(tx, k), list.Log(tx, l.ID, e))
}

// takeBack is Undo for a button, and says what became of it.
func (m *Moderation) takeBack(tx *storage.Tx, l *list.List, o Order) (said string, err error) {
	err = m.Undo(tx, l, o.ID, o.By.String(), o.Now)
	if errors.Is(err, ErrTooLate) {
		return m.Templates.T(o.Lang, "undo.too-late"), nil
	}
	return m.Templates.T(o.Lang, "undo.done"), err
}

// undoRequests is Undo for what an address asked for.
func (m *Moderation) undoRequests(tx *storage.Tx, l *list.List, id, by string, now time.Time) error {
	found, err := requestsNamed(tx, l.ID, id)
	if err != nil {
		return err
	}
	undone := false
	for _, r := range found {
		if !r.undoable(now) {
			continue
		}
		undone = true
		note := list.Event{At: now, Stage: r.Action, Text: "request: " + string(r.Verdict) + " taken back", By: by, Word: "request." + r.Action + ".taken-back"}
		r.Verdict, r.By, r.Reason, r.Decided, r.Until = "", "", "", time.Time{}, time.Time{}
		err := errors.Join(requests.Put(tx, storage.P(l.ID, r.id()), *r), list.NoteMember(tx, l.ID, r.Address, note))
		if err != nil {
			return err
		}
	}
	if !undone {
		return ErrTooLate
	}
	return nil
}

// Undoable is a decision that can still be taken back.
type Undoable struct {
	List  *list.List
	Order string // what Obey and Undo call it
	Words string // what was decided about, by whom and how
	By    string
	Until time.Time
}

// Undoables returns the decisions about what waited in lists that can still be taken back.
func (m *Moderation) Undoables(tx *storage.Tx, lists []*list.List, lang string, now time.Time) (all []Undoable, err error) {
	for _, l := range lists {
		for k, u := range storage.Under(tx, undoables, listID, l.ID) {
			if !now.Before(u.Until) {
				continue
			}
			p, err := list.GetPost(tx, k.B)
			if err != nil {
				return nil, err
			}
			all = append(all, Undoable{
				List: l, Order: string(k.B), By: u.Decision.By, Until: u.Until,
				Words: m.subject(lang, p) + ": " + m.decided(lang, p, true),
			})
		}
		for _, r := range storage.Under(tx, requests, listID, l.ID) {
			if r.undoable(now) {
				all = append(all, Undoable{List: l, Order: r.Address.String(), By: r.By, Until: r.Until, Words: m.asks(lang, &r) + ": " + m.requestDecided(lang, &r)})
			}
		}
	}
	return all, nil
}
