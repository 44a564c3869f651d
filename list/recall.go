package list

import (
	"errors"
	"fmt"
	"time"

	"kairan/storage"
)

// ErrOnItsWay says that a post can no longer be taken back: it has a number, or was never going to the list.
var ErrOnItsWay = errors.New("the post is on its way, or was decided otherwise")

// Recallable reports whether the post is accepted and still waits for the end of the time in which it can be taken back.
func (p *Post) Recallable(now time.Time) bool {
	return p.Verdict.Action == Accept && p.Number == 0 && now.Before(p.Leaves)
}

// Recall takes back a post that is accepted and has not left: it is discarded, by whom that says. It returns ErrOnItsWay if it is too late.
func Recall(tx *storage.Tx, id PostID, by string, now time.Time) (*Post, error) {
	p, err := GetPost(tx, id)
	if err != nil {
		return nil, err
	}
	if !p.Recallable(now) {
		return nil, fmt.Errorf("take back post %s: %w", id, ErrOnItsWay)
	}
	p.Verdict = Verdict{Action: Discard, By: by, Reasons: p.Verdict.Reasons}
	p.Decided, p.Leaves = now, time.Time{}
	return p, errors.Join(
		toPublish.Delete(tx, id),
		PutPost(tx, p),
		Note(tx, id, Event{At: now, Stage: "decide", Text: "discard: taken back before it left", By: by}),
	)
}
