package queue

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// Filter chooses recipients; its zero value chooses all.
type Filter struct {
	ID        RowID
	Rendition string          // its id, or the part before a "." in it
	Domain    string          // in A-labels
	Group     string          // as [Outbox.GroupOf] names it
	To        address.Address // one recipient; null chooses all
}

// Choose parts the recipients of r into those the filter chooses and the others.
func (o *Outbox) Choose(f Filter, r Row) (chosen, others []Recipient) {
	if f.ID != 0 && f.ID != r.ID || f.Rendition != "" && f.Rendition != r.Rendition && !strings.HasPrefix(r.Rendition, f.Rendition+".") {
		return nil, r.Recipients
	}
	for _, to := range r.Recipients {
		domain := to.To.ASCIIDomain()
		switch {
		case f.Domain != "" && f.Domain != domain, !f.To.IsNull() && f.To.Key() != to.To.Key(), f.Group != "" && f.Group != o.groupIn(r, domain):
			others = append(others, to)
		default:
			chosen = append(chosen, to)
		}
	}
	return chosen, others
}

// groupIn is the group of a domain as far as it is known, now or when the row was last tried.
func (o *Outbox) groupIn(r Row, domain string) string { return cmp.Or(o.GroupOf(domain), r.Group) }

// Retry makes recipients due now, in a row of their own where others of theirs wait on, and opens the gates of their groups.
// It returns how many recipients it chose. Wake after the commit.
func (o *Outbox) Retry(tx *storage.Tx, f Filter) (int, error) {
	now, n := time.Now(), 0
	open := map[string]bool{}
	var split []Row
	added := map[string]int{}
	for r := range rowsAfter(tx, 0) {
		chosen, others := o.Choose(f, r)
		if len(chosen) == 0 {
			continue
		}
		n += len(chosen)
		for _, to := range chosen {
			open[o.groupIn(r, to.To.ASCIIDomain())] = true
		}
		if !r.Next.After(now) {
			continue
		}
		if len(others) > 0 {
			due := r
			due.Recipients, due.Next = chosen, now
			split = append(split, due)
			added[r.Rendition]++
			r.Recipients = others
		} else {
			r.Next = now
		}
		if err := outbox.Put(tx, r.ID, r); err != nil {
			return n, fmt.Errorf("retry: %w", err)
		}
	}
	err := errors.Join(addRows(tx, split), countRows(tx, added), openGates(tx, open, f == Filter{}), state.Put(tx, stateTurn, stateOf(tx, stateTurn)+1))
	if err != nil {
		return n, fmt.Errorf("retry: %w", err)
	}
	return n, nil
}

// openGates lets groups be tried at once.
func openGates(tx *storage.Tx, names map[string]bool, all bool) error {
	for name, r := range learntOf(tx) {
		if r.Gate.IsZero() || !all && !names[name] {
			continue
		}
		r.Gate, r.Failures = time.Time{}, 0
		if err := groups.Put(tx, name, r); err != nil {
			return err
		}
	}
	return nil
}

// Drop takes recipients out of the queue for good and tells the Personaliser that they failed, with why as the text.
// It returns how many there were. Copies in flight may still arrive. Wake after the commit.
func (o *Outbox) Drop(tx *storage.Tx, f Filter, why string) (int, error) {
	n := 0
	for r := range rowsAfter(tx, 0) {
		chosen, others := o.Choose(f, r)
		if len(chosen) == 0 {
			continue
		}
		n += len(chosen)
		if err := o.drop(tx, r, chosen, why); err != nil {
			return n, fmt.Errorf("drop: %w", err)
		}
		r.Recipients = others
		if err := keepRow(tx, r); err != nil {
			return n, fmt.Errorf("drop: %w", err)
		}
	}
	return n, nil
}

// drop tells the Personaliser of recipients who are given up.
func (o *Outbox) drop(tx *storage.Tx, r Row, to []Recipient, why string) error {
	outcomes := make([]Outcome, len(to))
	for n := range to {
		outcomes[n] = Outcome{Recipient: to[n], Status: Failed, Text: oneLine(why), At: time.Now()}
	}
	return o.personaliser.Outcome(tx, r.Rendition, outcomes)
}

// keepRow stores what is left of a row, if anything is.
func keepRow(tx *storage.Tx, r Row) error {
	if len(r.Recipients) > 0 {
		return outbox.Put(tx, r.ID, r)
	}
	return errors.Join(outbox.Delete(tx, r.ID), countRows(tx, map[string]int{r.Rendition: -1}))
}
