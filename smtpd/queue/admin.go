package queue

import (
	"errors"
	"fmt"
	"time"

	"kairan/storage"
)

// Filter chooses rows; its zero value chooses all.
type Filter struct {
	ID        RowID
	Rendition string
	Domain    string // in A-labels; a row that several domains share is chosen if one of them is this
}

// Match reports whether the filter chooses r.
func (f Filter) Match(r Row) bool {
	if f.ID != 0 && f.ID != r.ID || f.Rendition != "" && f.Rendition != r.Rendition {
		return false
	}
	if f.Domain == "" || f.Domain == r.Domain {
		return true
	}
	for _, to := range r.Recipients {
		if to.To.ASCIIDomain() == f.Domain {
			return true
		}
	}
	return false
}

// Retry makes rows due now, and forgets which destinations had failed. It returns how many rows it chose. Wake after the commit.
func (o *Outbox) Retry(tx *storage.Tx, f Filter) (int, error) {
	now, n := time.Now(), 0
	for r := range rowsAfter(tx, 0) {
		if !f.Match(r) {
			continue
		}
		n++
		if !r.Next.After(now) {
			continue
		}
		r.Next = now
		if err := outbox.Put(tx, r.ID, r); err != nil {
			return n, fmt.Errorf("retry: %w", err)
		}
	}
	if err := state.Put(tx, stateTurn, stateOf(tx, stateTurn)+1); err != nil {
		return n, fmt.Errorf("retry: %w", err)
	}
	return n, nil
}

// Drop removes rows for good and tells the Personaliser that their recipients failed, with why as the text.
// Rows that are gone are left out. It returns how many there were. Copies in flight may still arrive. Wake after the commit.
func (o *Outbox) Drop(tx *storage.Tx, ids []RowID, why string) (int, error) {
	now, dropped := time.Now(), 0
	for _, id := range ids {
		r, err := outbox.Get(tx, id)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return dropped, fmt.Errorf("drop: %w", err)
		}
		outcomes := make([]Outcome, len(r.Recipients))
		for n, to := range r.Recipients {
			outcomes[n] = Outcome{Recipient: to, Status: Failed, Text: oneLine(why), At: now}
		}
		if err := outbox.Delete(tx, id); err != nil {
			return dropped, fmt.Errorf("drop: %w", err)
		}
		if err := countRows(tx, map[string]int{r.Rendition: -1}); err != nil {
			return dropped, fmt.Errorf("drop: %w", err)
		}
		if err := o.personaliser.Outcome(tx, r.Rendition, outcomes); err != nil {
			return dropped, fmt.Errorf("drop: %w", err)
		}
		dropped++
	}
	return dropped, nil
}
