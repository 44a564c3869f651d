package archive

import (
	"context"
	"errors"
	"iter"

	"kairan/storage"
)

// Change is one step in the life of the archives that an index follows.
type Change struct {
	List string `json:"list"`
	Seq  uint64 `json:"seq"`
	Gone bool   `json:"gone,omitempty"` // no longer for readers; otherwise it came, or came back, or reads differently
	// Purged says that nothing that was made of it may stay on the disk.
	Purged bool `json:"purged,omitempty"`
}

var (
	// changes are in the order in which they happened; of each message only the last is kept.
	changes = storage.NewTable[uint64, Change]("archive_changes", number)
	// changed is where the change of a message is.
	changed = storage.NewTable[bySeq, uint64]("archive_changed", storage.Pairs(text, number))
)

// Changes yields what happened after a position, oldest first, with the position of each: 0 is before the first. It tells
// of every message once, its last change, so what a follower has seen is no more than what it would see from the start.
// A change is written in the transaction that makes it, and the position of a later one is higher.
// A message that is told of may be gone again or hidden when it is read: its own change then follows.
func Changes(tx *storage.Tx, after uint64) iter.Seq2[uint64, Change] {
	return changes.Scan(tx, storage.Range[uint64]{After: &after})
}

// News returns a channel that is closed when the next message is archived, so that who follows [Changes] need not look again and again.
// Other changes, and those of another process, are not told of.
func (a *Archive) News() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.news == nil {
		a.news = make(chan struct{})
	}
	return a.news
}

// announce closes what News returned.
func (a *Archive) announce() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.news != nil {
		close(a.news)
		a.news = nil
	}
}

// LastChange returns the position of the newest change, 0 if there is none.
func LastChange(tx *storage.Tx) uint64 {
	for position := range changes.Scan(tx, storage.Range[uint64]{Reverse: true}) {
		return position
	}
	return 0
}

// logChange makes c the newest change, and the only one of its message. The newest row is never taken
// away without a newer one, so positions only grow.
func logChange(tx *storage.Tx, c Change) error {
	next := LastChange(tx) + 1
	k := storage.P(c.List, c.Seq)
	old, err := get(tx, changed, k)
	if err == nil && old != 0 {
		err = changes.Delete(tx, old)
	}
	return errors.Join(err, changes.Put(tx, next, c), changed.Put(tx, k, next))
}

// logOld writes the changes, and the rows of [ByHash], of a list whose messages came before there were any.
func (a *Archive) logOld(ctx context.Context, list string) error {
	after := storage.P(list, uint64(0))
	for logged := false; !logged; {
		var seqs []uint64
		err := a.DB.View(ctx, func(tx *storage.Tx) error {
			row, err := get(tx, lists, list)
			logged, seqs = row.Logged, seqs[:0]
			if err != nil || logged {
				return err
			}
			for k := range storage.UnderAfter(tx, messages, text, after) {
				if seqs = append(seqs, k.B); len(seqs) == dropChunk {
					break
				}
			}
			return nil
		})
		if err != nil || logged {
			return err
		}
		logged = len(seqs) < dropChunk
		err = a.DB.Update(ctx, func(tx *storage.Tx) error {
			for _, seq := range seqs {
				m, err := fetch(tx, list, seq)
				if err == nil && m.Nth == 0 {
					err = hashes.Put(tx, storage.P(list, HashID(m.ID)), seq)
				}
				if err == nil && !changed.Has(tx, storage.P(list, seq)) {
					err = logChange(tx, Change{List: list, Seq: seq})
				}
				if err != nil {
					return err
				}
			}
			if !logged {
				return nil
			}
			row, err := get(tx, lists, list)
			row.Logged = true
			return errors.Join(err, lists.Put(tx, list, row))
		})
		if err != nil {
			return err
		}
		if len(seqs) > 0 {
			after.B = seqs[len(seqs)-1]
		}
	}
	return nil
}
