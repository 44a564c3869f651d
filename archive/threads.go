package archive

import (
	"errors"
	"slices"
	"time"

	"kairan/storage"
)

// Limits that keep the work of one message bounded.
const (
	maxAwaited    = 10   // missing parents that a message waits for
	maxWaiting    = 100  // messages that wait for one parent
	maxMerge      = 1000 // messages of a thread that moves into another
	maxSiblings   = 5    // of them that are looked at to find the thread of another
	subjectWindow = 30 * 24 * time.Hour
)

// assignThread finds the thread of a message: that of its nearest known parent,
// else one that waits for the message, else, for a reply, the last one with its base subject, else that of a message with the same
// missing parent, else a new one.
// Threads that waited for the message become one with it.
func assignThread(tx *storage.Tx, d *described) error {
	home, err := parentThread(tx, d)
	if err != nil {
		return err
	}
	children, err := takeWaiting(tx, &d.Message)
	if err != nil {
		return err
	}
	found := make([]uint64, 0, len(children)+1)
	for _, c := range children {
		found = append(found, c.Thread)
	}
	if home == 0 && len(found) == 0 {
		if home, err = subjectThread(tx, d); err != nil {
			return err
		}
		if home == 0 {
			if home, err = siblingThread(tx, d); err != nil {
				return err
			}
		}
	}
	if home != 0 {
		found = append(found, home)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	d.Thread = d.Seq
	if len(found) > 0 {
		d.Thread = found[0]
	}
	for _, other := range found[min(1, len(found)):] {
		if err := merge(tx, d.List, other, d.Thread, other == home); err != nil {
			return err
		}
	}
	if d.base != "" {
		if err := subjects.Put(tx, storage.P(d.List, hash(d.base)), subjectRow{Thread: d.Thread, Last: d.Received}); err != nil {
			return err
		}
	}
	return join(tx, &d.Message, home == 0, children)
}

// parentThread returns the thread of the nearest parent that is there, or 0, and notes the nearer ones as awaited.
// A second message of an ID belongs to the thread of the first.
func parentThread(tx *storage.Tx, d *described) (uint64, error) {
	awaited := 0
	for i, id := range slices.Backward(d.Parents) {
		row, err := get(tx, ids, firstID(d.List, id))
		if err != nil {
			return 0, err
		}
		if row.Seq != 0 {
			return threadOf(tx, d.List, row.Seq)
		}
		if awaited++; awaited > maxAwaited && i > 0 {
			continue
		}
		if err := await(tx, d, id); err != nil {
			return 0, err
		}
	}
	if d.Nth < 2 {
		return 0, nil
	}
	row, err := ids.Get(tx, firstID(d.List, d.ID))
	if err != nil {
		return 0, err
	}
	return threadOf(tx, d.List, row.Seq)
}

// threadOf returns the thread of a message, or 0 if a hole in the index has swallowed
// it: that is for Check to tell, and no reason to refuse posts.
func threadOf(tx *storage.Tx, list string, seq uint64) (uint64, error) {
	m, err := get(tx, messages, storage.P(list, seq))
	return m.Thread, err
}

func await(tx *storage.Tx, d *described, id string) error {
	k := storage.P(d.List, hash(id))
	seqs, err := get(tx, waiting, k)
	if err != nil || len(seqs) >= maxWaiting {
		return err
	}
	return waiting.Put(tx, k, append(seqs, d.Seq))
}

// takeWaiting returns the messages that waited for m, and forgets that they did.
func takeWaiting(tx *storage.Tx, m *Message) ([]*Message, error) {
	k := storage.P(m.List, hash(m.ID))
	seqs, err := get(tx, waiting, k)
	if err != nil || len(seqs) == 0 {
		return nil, err
	}
	var children []*Message
	for _, seq := range seqs {
		if seq == m.Seq {
			continue
		}
		c, err := get(tx, messages, storage.P(m.List, seq))
		if err != nil {
			return nil, err
		}
		if c.Thread != 0 && slices.Contains(c.Parents, m.ID) { // a split may have parted them
			c.List, c.Seq = m.List, seq
			children = append(children, &c)
		}
	}
	return children, waiting.Delete(tx, k)
}

// subjectThread returns the thread that a reply without known parents belongs to by its subject, or 0.
func subjectThread(tx *storage.Tx, d *described) (uint64, error) {
	if !d.reply || d.base == "" {
		return 0, nil
	}
	row, err := get(tx, subjects, storage.P(d.List, hash(d.base)))
	if err != nil || row.Thread == 0 || d.Received.Sub(row.Last).Abs() > subjectWindow {
		return 0, err
	}
	return threadOf(tx, d.List, row.Thread) // its first message, which may have moved with it
}

// siblingThread returns the thread of a message that refers to something missing, as d does, and came not long before or after, or 0.
func siblingThread(tx *storage.Tx, d *described) (uint64, error) {
	looked := 0
	for i, id := range slices.Backward(d.kin) {
		if looked++; looked > maxAwaited && i > 0 {
			continue
		}
		seqs, err := get(tx, waiting, storage.P(d.List, hash(id)))
		if err != nil {
			return 0, err
		}
		for _, seq := range seqs[max(0, len(seqs)-maxSiblings):] {
			m, err := get(tx, messages, storage.P(d.List, seq))
			if err != nil {
				return 0, err
			}
			if seq != d.Seq && m.Thread != 0 && slices.Contains(m.Parents, id) && d.Received.Sub(m.Received).Abs() <= subjectWindow {
				return m.Thread, nil
			}
		}
	}
	return 0, nil
}

// join counts m in its thread, or begins one. The thread is named after m if m is the
// parent, and has none itself, of the message it was named after.
func join(tx *storage.Tx, m *Message, orphan bool, children []*Message) error {
	if m.Hidden {
		return threadRows.Put(tx, threadRow(m), none{})
	}
	t, err := get(tx, threads, storage.P(m.List, m.Thread))
	if err != nil {
		return err
	}
	isHead := func(c *Message) bool { return c.ID == t.ID }
	if t.Count == 0 || orphan && slices.ContainsFunc(children, isHead) {
		t.name(m)
	}
	one := Thread{Count: 1, First: m.Received, Last: m.Received, LastSeq: m.Seq}
	return errors.Join(
		putThread(tx, m.List, m.Thread, t, one),
		threadRows.Put(tx, threadRow(m), none{}))
}

// name calls the thread after a message, as readers see it.
func (t *Thread) name(m *Message) {
	m = viewer{}.message(m)
	t.ID, t.Subject, t.FromName = m.ID, m.Subject, m.FromName
}

// putThread writes the summary t with what more brings.
func putThread(tx *storage.Tx, list string, seq uint64, t, more Thread) error {
	t.List, t.Seq = list, seq
	if t.Count > 0 {
		if err := recent.Delete(tx, recentRow(&t)); err != nil {
			return err
		}
	}
	if t.Count == 0 || more.First.Before(t.First) {
		t.First = more.First
	}
	if t.Count == 0 || !more.Last.Before(t.Last) {
		t.Last, t.LastSeq = more.Last, more.LastSeq
	}
	t.Count += more.Count
	return errors.Join(
		threads.Put(tx, storage.P(list, seq), t),
		recent.Put(tx, recentRow(&t), none{}))
}

// moveTo puts a message into another thread and leaves the summaries alone.
func moveTo(tx *storage.Tx, m *Message, thread uint64) error {
	if err := threadRows.Delete(tx, threadRow(m)); err != nil {
		return err
	}
	m.Thread = thread
	return errors.Join(
		threadRows.Put(tx, threadRow(m), none{}),
		monthRows.Put(tx, monthRow(m), placeOf(m)),
		messages.Put(tx, storage.P(m.List, m.Seq), *m))
}

// merge moves the messages of thread from into thread to, and its name if it is the older one in the tree.
// A thread of more than maxMerge messages stays where it is.
func merge(tx *storage.Tx, list string, from, to uint64, naming bool) error {
	old, err := get(tx, threads, storage.P(list, from))
	if err != nil {
		return err
	}
	old.List, old.Seq = list, from
	t, err := get(tx, threads, storage.P(list, to))
	if err != nil {
		return err
	}
	members := someOf(threadMembers(tx, list, from), maxMerge+1)
	if len(members) > maxMerge {
		return nil
	}
	for _, m := range members {
		if err := moveTo(tx, m, to); err != nil {
			return err
		}
	}
	if old.Count == 0 {
		return nil // readers see none of them
	}
	if naming {
		t.ID, t.Subject, t.FromName = old.ID, old.Subject, old.FromName
	}
	return errors.Join(
		recent.Delete(tx, recentRow(&old)),
		threads.Delete(tx, storage.P(list, from)),
		putThread(tx, list, to, t, old))
}
