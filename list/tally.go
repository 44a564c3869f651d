package list

import (
	"errors"
	"iter"
	"strings"
	"time"

	"kairan/storage"
)

// TallyDays is for how many days the tallies of a list are kept: thirteen months can be shown.
const TallyDays = 400

// maxTallied is how many providers a tally names; the copies to further ones are counted under "".
const maxTallied = 30

// Tally counts what happened to a list on one day. Each number is written in the transaction that does what it counts.
type Tally struct {
	Joined int `json:"joined,omitempty"` // new members
	Left   int `json:"left,omitempty"`   // those who left or were taken off
	// Posts by what the rules decided.
	Accepted int `json:"accepted,omitempty"`
	Held     int `json:"held,omitempty"`
	Refused  int `json:"refused,omitempty"` // rejected or discarded
	// Held posts by what moderators, or the time limit, decided.
	Approved  int `json:"approved,omitempty"`
	Rejected  int `json:"rejected,omitempty"`
	Discarded int `json:"discarded,omitempty"`
	// Attempts to deliver copies of posts, by provider: its name in [queue.Providers], else the receivers' domain.
	Providers map[string]Attempts `json:"providers,omitempty"`
	// What came back, at once or later, by dsn.Class.
	Bounces map[string]int `json:"bounces,omitempty"`
}

// Attempts counts attempts to deliver copies. A copy that was put off twice and then taken is three of them.
type Attempts struct {
	Accepted int `json:"accepted"`
	Deferred int `json:"deferred"`
	Refused  int `json:"refused"`
}

// Plus returns the sum.
func (a Attempts) Plus(b Attempts) Attempts {
	return Attempts{a.Accepted + b.Accepted, a.Deferred + b.Deferred, a.Refused + b.Refused}
}

// All is how many attempts there were.
func (a Attempts) All() int { return a.Accepted + a.Deferred + a.Refused }

// Copies adds attempts for a provider.
func (t *Tally) Copies(provider string, a Attempts) {
	if t.Providers == nil {
		t.Providers = map[string]Attempts{}
	}
	if _, ok := t.Providers[provider]; !ok && len(t.Providers) >= maxTallied && strings.Contains(provider, ".") {
		provider = "" // one of many domains; those that are known by name are few
	}
	t.Providers[provider] = t.Providers[provider].Plus(a)
}

// Bounce adds one thing that came back.
func (t *Tally) Bounce(class string) {
	if t.Bounces == nil {
		t.Bounces = map[string]int{}
	}
	t.Bounces[class]++
}

// tallies are keyed by list and day ("2026-01-05").
var tallies = storage.NewTable[storage.Pair[ID, string], Tally]("tallies", storage.Pairs(listID, text))

// Count adds to the tally of a list for the day of a moment, in the moment's own location: pass one in the site's.
func Count(tx *storage.Tx, l ID, at time.Time, add func(*Tally)) error {
	k := storage.P(l, at.Format(time.DateOnly))
	t, err := tallies.Get(tx, k)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	add(&t)
	return tallies.Put(tx, k, t)
}

// Tallies yields the days of a list on which something was counted, from a day on, the oldest first.
func Tallies(tx *storage.Tx, l ID, from string) iter.Seq2[string, Tally] {
	return func(yield func(string, Tally) bool) {
		for k, t := range storage.Under(tx, tallies, listID, l) {
			if k.B >= from && !yield(k.B, t) {
				return
			}
		}
	}
}

// ForgetTallies forgets the tallies of all lists that are older than TallyDays.
func ForgetTallies(tx *storage.Tx, now time.Time) error {
	last := now.AddDate(0, 0, -TallyDays).Format(time.DateOnly)
	for id := range IDs(tx) {
		for k := range storage.Under(tx, tallies, listID, id) {
			if k.B >= last {
				break
			}
			if err := tallies.Delete(tx, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// offCounts has how many members of a list get no mail, by who switched it off.
var offCounts = storage.NewTable[storage.Pair[ID, DeliveryStatus], int]("delivery_off_counts", storage.Pairs(listID, storage.Strings[DeliveryStatus]()))

// countOff notes that a member's delivery was in one state and is in another; "" is on, or no member.
func countOff(tx *storage.Tx, l ID, r Role, was, is DeliveryStatus) error {
	if r != RoleMember || was == is {
		return nil
	}
	return errors.Join(addOff(tx, storage.P(l, was), -1), addOff(tx, storage.P(l, is), 1))
}

func addOff(tx *storage.Tx, k storage.Pair[ID, DeliveryStatus], n int) error {
	if k.B == "" || k.B == DeliveryEnabled {
		return nil
	}
	was, err := offCounts.Get(tx, k)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if was+n <= 0 {
		return offCounts.Delete(tx, k)
	}
	return offCounts.Put(tx, k, was+n)
}

// CountOff returns how many members of a list have their delivery switched off, by who did it.
func CountOff(tx *storage.Tx, l ID) map[DeliveryStatus]int {
	off := map[DeliveryStatus]int{}
	for k, n := range storage.Under(tx, offCounts, listID, l) {
		off[k.B] = n
	}
	return off
}

// recountOff counts those whose delivery was off before they were counted.
func recountOff(tx *storage.Tx) error {
	for id := range lists.Scan(tx, storage.Range[ID]{}) {
		off := map[DeliveryStatus]int{}
		for _, m := range Members(tx, id, RoleMember, "") {
			off[m.DeliveryStatus]++
		}
		for s, n := range off {
			if err := addOff(tx, storage.P(id, s), n); err != nil {
				return err
			}
		}
	}
	return nil
}
