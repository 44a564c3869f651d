package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kairan/archive/thread"
	"kairan/storage"
)

var (
	// ErrNotAuthor says that only the author of a message may do this.
	ErrNotAuthor = errors.New("only the author may")
	// ErrTooLate says that an author's time to withdraw a message is over.
	ErrTooLate = errors.New("the time for it is over")
	// ErrPurged says that nothing is left of a message that could be shown.
	ErrPurged = errors.New("the message was purged")
	// ErrThread says that a thread cannot be split or joined in this way.
	ErrThread = errors.New("the threads cannot be changed so")
)

// maxEdit is the largest thread, in messages, that is split or joined.
const maxEdit = 10_000

// Hide takes a message from its readers' sight: pages, feeds, search and answers to mail are as if it were not there. It stays on disk.
func (a *Archive) Hide(ctx context.Context, m *Message, o Order) error {
	return a.decide(ctx, m, o, Act{Do: Hide})
}

// Redact leaves of a message no more to read than that it was there.
func (a *Archive) Redact(ctx context.Context, m *Message, o Order) error {
	return a.decide(ctx, m, o, Act{Do: Redact})
}

// ByAuthor is the reason of a Redact that is the author's own.
const ByAuthor = "withdrawn by its author"

// Withdrawal is the word of an author.
type Withdrawal struct {
	Author string        // authenticated address
	Window time.Duration // how long after its receipt a message may be withdrawn
	Now    time.Time
}

// Withdraw is Redact on the word of the author, who must be named by an authenticated address: ErrNotAuthor if it is
// another's message, ErrTooLate later than the window after its receipt.
func (a *Archive) Withdraw(ctx context.Context, m *Message, w Withdrawal) error {
	stored, err := a.current(ctx, m)
	if err == nil {
		err = w.Check(stored)
	}
	if err != nil {
		return err
	}
	return a.decide(ctx, m, Order{By: w.Author, Reason: ByAuthor}, Act{Do: Redact})
}

// Check says why a message, as it is in its row, cannot be withdrawn: ErrNotAuthor or ErrTooLate.
func (w Withdrawal) Check(m *Message) error {
	switch {
	case w.Author == "" || !strings.EqualFold(w.Author, m.FromAddr):
		return fmt.Errorf("withdraw message %s: %w", m.ID, ErrNotAuthor)
	case w.Now.Sub(m.Received) > w.Window:
		return fmt.Errorf("withdraw message %s: %w", m.ID, ErrTooLate)
	}
	return nil
}

// CheckPurged returns ErrPurged if nothing is left of a message that could be decided about.
func CheckPurged(tx *storage.Tx, m *Message) error { return possible(tx, m, Act{}) }

// CheckSplit says why a message cannot be split off, as [Archive.Split] would.
func CheckSplit(tx *storage.Tx, m *Message) error { return possible(tx, m, Act{Do: Split}) }

// CheckJoin says why a message cannot become an answer to parent, as [Archive.Join] would.
func CheckJoin(tx *storage.Tx, m, parent *Message) error {
	if m.List != parent.List {
		return fmt.Errorf("join %s to a message of another list: %w", m.ID, ErrThread)
	}
	return possible(tx, m, Act{Do: Join, Parent: parent.ID})
}

// Unhide shows a message that was hidden or redacted whole again; ErrPurged if nothing is left of it.
func (a *Archive) Unhide(ctx context.Context, m *Message, o Order) error {
	return a.decide(ctx, m, o, Act{Do: Unhide})
}

// Split makes a thread of its own of a message and its answers. ErrThread says that it begins its thread already, or
// that the thread is too long.
func (a *Archive) Split(ctx context.Context, m *Message, o Order) error {
	return a.decide(ctx, m, o, Act{Do: Split})
}

// Join makes a message an answer to parent, with all that answers it; if it begins its thread the whole thread comes
// along. ErrThread says that parent answers the message, or that a thread is too long.
func (a *Archive) Join(ctx context.Context, m, parent *Message, o Order) error {
	if m.List != parent.List {
		return fmt.Errorf("join %s to a message of another list: %w", m.ID, ErrThread)
	}
	return a.decide(ctx, m, o, Act{Do: Join, Parent: parent.ID})
}

// decide gives the order for an act about a message.
func (a *Archive) decide(ctx context.Context, m *Message, o Order, act Act) error {
	w, done, err := a.write(ctx, m.List)
	if err != nil {
		return err
	}
	defer done()
	if err := a.settleAll(ctx, w); err != nil {
		return fmt.Errorf("%s message %s: %w", act.Do, m.ID, err)
	}
	act.By, act.Reason, act.Post, act.ID = o.By, o.Reason, m.Post, m.ID
	err = a.order(ctx, w, act, func(tx *storage.Tx) error {
		stored, err := byPost(tx, m.List, m.Post)
		if err != nil {
			return err
		}
		return possible(tx, stored, act)
	})
	if err != nil {
		return fmt.Errorf("%s message %s: %w", act.Do, m.ID, err)
	}
	return nil
}

// current returns the row of a message as it is now.
func (a *Archive) current(ctx context.Context, m *Message) (stored *Message, err error) {
	err = a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		stored, err = byPost(tx, m.List, m.Post)
		return err
	})
	return stored, err
}

// possible says why an act about a message cannot be.
func possible(tx *storage.Tx, m *Message, act Act) error {
	r, err := get(tx, rulings, storage.P(m.List, m.Post))
	if err != nil {
		return err
	}
	if r.Purged {
		return ErrPurged
	}
	switch act.Do {
	case Split:
		_, err = divide(tx, m)
	case Join:
		_, _, err = joined(tx, m, act.Parent)
	}
	return err
}

// show brings a message's rows up to what readers are to see of it.
func show(tx *storage.Tx, m *Message, r ruling) error {
	if m.Hidden == r.Hidden && m.Redacted == r.Redacted {
		return nil
	}
	k := storage.P(m.List, monthOf(m.File))
	month, err := get(tx, months, k)
	if err != nil {
		return err
	}
	month.count(m.Hidden, -1)
	month.count(r.Hidden, 1)
	m.Hidden, m.Redacted = r.Hidden, r.Redacted
	return errors.Join(
		months.Put(tx, k, month),
		monthRows.Put(tx, monthRow(m), placeOf(m)),
		messages.Put(tx, storage.P(m.List, m.Seq), *m),
		summarise(tx, m.List, m.Thread),
		logChange(tx, Change{List: m.List, Seq: m.Seq, Gone: m.Hidden, Purged: r.Purged}))
}

// summarise makes the summary of a thread anew from its messages.
func summarise(tx *storage.Tx, list string, seq uint64) error {
	old, err := get(tx, threads, storage.P(list, seq))
	if err != nil {
		return err
	}
	old.List, old.Seq = list, seq
	if old.Count > 0 {
		if err := recent.Delete(tx, recentRow(&old)); err != nil {
			return err
		}
	}
	var visible []*Message
	for m := range threadMembers(tx, list, seq) {
		if m.Sight() != None {
			visible = append(visible, m)
		}
	}
	if len(visible) == 0 {
		return threads.Delete(tx, storage.P(list, seq))
	}
	t := Thread{List: list, Seq: seq, Count: len(visible), First: visible[0].Received}
	for _, m := range visible { // in the order of their receipt
		t.Last, t.LastSeq = m.Received, m.Seq
	}
	t.name(visible[tree(visible)[0].Index])
	return errors.Join(
		threads.Put(tx, storage.P(list, seq), t),
		recent.Put(tx, recentRow(&t), none{}))
}

// tree arranges messages by what they answer.
func tree(members []*Message) []thread.Row {
	nodes := make([]thread.Message, len(members))
	for i, m := range members {
		nodes[i] = thread.Message{ID: m.ID, Parents: m.Parents, Date: m.Date}
	}
	return thread.Arrange(nodes, len(nodes))
}

// division is a thread in two: a message with all that answers it, and the rest.
type division struct{ branch, rest []*Message }

// divide finds the branch of a message; ErrThread if there is too much in its thread, or nothing beside it and nothing that it waits for.
func divide(tx *storage.Tx, m *Message) (division, error) {
	d, err := branchOf(tx, m)
	if err == nil && len(d.rest) == 0 && len(m.Parents) == 0 {
		err = fmt.Errorf("%s begins its thread: %w", m.ID, ErrThread)
	}
	return d, err
}

func branchOf(tx *storage.Tx, m *Message) (d division, err error) {
	members := someOf(threadMembers(tx, m.List, m.Thread), maxEdit+1)
	if len(members) > maxEdit {
		return d, fmt.Errorf("the thread has more than %d messages: %w", maxEdit, ErrThread)
	}
	in := make([]bool, len(members))
	for _, row := range tree(members) { // what is answered stands before its answers
		in[row.Index] = members[row.Index].Seq == m.Seq || row.Parent >= 0 && in[row.Parent]
	}
	for i, other := range members {
		if in[i] {
			d.branch = append(d.branch, other)
		} else {
			d.rest = append(d.rest, other)
		}
	}
	return d, nil
}

// split carries out a Split; one that is done, or can no longer be done, changes nothing.
func split(tx *storage.Tx, m *Message) error {
	d, err := divide(tx, m)
	if errors.Is(err, ErrThread) {
		m.Parents = nil
		return messages.Put(tx, storage.P(m.List, m.Seq), *m)
	}
	if err != nil {
		return err
	}
	own := d.branch[slices.IndexFunc(d.branch, func(b *Message) bool { return b.Seq == m.Seq })]
	own.Parents = nil
	if err := messages.Put(tx, storage.P(m.List, m.Seq), *own); err != nil || len(d.rest) == 0 {
		return err
	}
	return part(tx, d, 0)
}

// part moves the branch to thread to, or to one of its own if that is 0. A thread is called by the Seq of one of its
// messages, so the rest moves where the branch has that one.
func part(tx *storage.Tx, d division, to uint64) error {
	list, from := d.branch[0].List, d.branch[0].Thread
	leaving, target := d.branch, to
	if slices.ContainsFunc(d.branch, func(m *Message) bool { return m.Seq == from }) && len(d.rest) > 0 {
		if err := moveAll(tx, d.rest, lowest(d.rest)); err != nil {
			return err
		}
		if to == 0 {
			return summarise(tx, list, from)
		}
	}
	if target == 0 {
		target = lowest(leaving)
	}
	if err := moveAll(tx, leaving, target); err != nil {
		return err
	}
	return summarise(tx, list, from)
}

func moveAll(tx *storage.Tx, moving []*Message, to uint64) error {
	for _, m := range moving {
		if err := moveTo(tx, m, to); err != nil {
			return err
		}
	}
	return summarise(tx, moving[0].List, to)
}

func lowest(all []*Message) uint64 {
	return slices.MinFunc(all, func(a, b *Message) int { return int(a.Seq) - int(b.Seq) }).Seq
}

// joined finds what moves where when m becomes an answer to the message of ID parent; the target is 0 where nothing moves.
func joined(tx *storage.Tx, m *Message, parent string) (d division, to uint64, err error) {
	row, err := get(tx, ids, firstID(m.List, parent))
	if err != nil || row.Seq == 0 {
		return d, 0, errors.Join(err, storage.ErrNotFound)
	}
	p, err := fetch(tx, m.List, row.Seq)
	if err != nil {
		return d, 0, err
	}
	if d, err = branchOf(tx, m); err != nil {
		return d, 0, err
	}
	if slices.ContainsFunc(d.branch, func(b *Message) bool { return b.Seq == p.Seq }) {
		return d, 0, fmt.Errorf("%s answers %s: %w", p.ID, m.ID, ErrThread)
	}
	if p.Thread == m.Thread {
		return d, 0, nil
	}
	t, err := get(tx, threads, storage.P(m.List, m.Thread))
	if err == nil && t.ID == m.ID {
		d.branch, d.rest = append(d.branch, d.rest...), nil
	}
	return d, p.Thread, err
}

// joinTo carries out a Join; one that can no longer be done changes nothing now, and waits for the parent in m.Parents.
func joinTo(tx *storage.Tx, m *Message, parent string) error {
	d, to, err := joined(tx, m, parent)
	if errors.Is(err, ErrThread) || errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	own := d.branch[slices.IndexFunc(d.branch, func(b *Message) bool { return b.Seq == m.Seq })]
	own.Parents = []string{parent}
	if err := messages.Put(tx, storage.P(m.List, m.Seq), *own); err != nil {
		return err
	}
	if to == 0 {
		return summarise(tx, m.List, m.Thread)
	}
	return part(tx, d, to)
}
