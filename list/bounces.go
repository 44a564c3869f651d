package list

import (
	"errors"
	"iter"
	"time"

	"kairan/storage"
)

// Bounces is what is remembered about the copies of a member that came back.
type Bounces struct {
	Score float64   `json:"score"`          // points; at bounce_score_threshold something is done
	Last  time.Time `json:"last"`           // when the last point was given
	Post  PostID    `json:"post,omitempty"` // that the last point was given for, so that it can be taken back
	Point float64   `json:"point,omitempty"`
	Text  string    `json:"text,omitempty"` // what the other side said, one line
	// Probe is when a mail of its own was sent to see whether the mailbox is there; zero when none is out.
	Probe time.Time `json:"probe,omitzero"`
	// Arrived says that a mail host took the probe. The points before it are forgotten; but it may still come back.
	Arrived bool `json:"arrived,omitempty"`
	// Disabled is when delivery was switched off because of bounces, and Warned how many mails have said so since.
	Disabled time.Time `json:"disabled,omitzero"`
	Warned   int       `json:"warned,omitempty"`
	// Due is when the next step is to be taken; zero for none.
	Due time.Time `json:"due,omitzero"`
}

// probeBit is in the numbers of probes, and in that of no post.
const probeBit = 1 << 31

// ProbeNumber takes the place of a post's number in the envelope sender of the probe that is out, so that what comes back of an older
// one is told from it.
func (b Bounces) ProbeNumber() uint64 { return probeBit | uint64(b.Probe.Unix()/60)%probeBit }

// IsProbe reports whether a number in an envelope sender is a probe's.
func IsProbe(n uint64) bool { return n&probeBit != 0 }

type (
	bouncesKey = storage.Pair[ID, string] // list and address key
	dueKey     = storage.Pair[string, bouncesKey]
)

var (
	bounces    = storage.NewTable[bouncesKey, Bounces]("bounces", memberPlace)
	bouncesDue = storage.NewTable[dueKey, bool]("bounces_due", storage.Pairs(text, memberPlace))
)

// sortable writes a time so that earlier ones come first.
func sortable(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// GetBounces returns what is remembered about a member's bounces; its zero value is nothing.
func GetBounces(tx *storage.Tx, l ID, addressKey string) (Bounces, error) {
	b, err := bounces.Get(tx, storage.P(l, addressKey))
	if errors.Is(err, storage.ErrNotFound) {
		return Bounces{}, nil
	}
	return b, err
}

// SetBounces remembers b about a member; its zero value forgets all.
func SetBounces(tx *storage.Tx, l ID, addressKey string, b Bounces) error {
	k := storage.P(l, addressKey)
	old, err := GetBounces(tx, l, addressKey)
	if err != nil {
		return err
	}
	if !old.Due.IsZero() {
		if err := bouncesDue.Delete(tx, storage.P(sortable(old.Due), k)); err != nil {
			return err
		}
	}
	if b == (Bounces{}) {
		return bounces.Delete(tx, k)
	}
	if !b.Due.IsZero() {
		if err := bouncesDue.Put(tx, storage.P(sortable(b.Due), k), true); err != nil {
			return err
		}
	}
	return bounces.Put(tx, k, b)
}

// BouncesDue yields list and address key of the members about whose bounces something is to be done by now, the longest due first.
func BouncesDue(tx *storage.Tx, now time.Time) iter.Seq2[ID, string] {
	return func(yield func(ID, string) bool) {
		last := sortable(now)
		for k := range bouncesDue.Scan(tx, storage.Range[dueKey]{}) {
			if k.A > last || !yield(k.B.A, k.B.B) {
				return
			}
		}
	}
}
