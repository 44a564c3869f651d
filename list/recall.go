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

// Delay lets an accepted post that has no number leave not before a time.
func Delay(tx *storage.Tx, p *Post, until time.Time) error {
	if p.Leaves = until; p.Verdict.Action != Accept || p.Number != 0 {
		return fmt.Errorf("delay post %s: %w", p.ID, ErrOnItsWay)
	}
	return errors.Join(enlist(tx, p), PutPost(tx, p))
}

// Reopen takes back what somebody decided about a post: it is held again, and w is what is known of it. An accepted post that has its
// number, or one that was never held, is ErrOnItsWay.
func Reopen(tx *storage.Tx, id PostID, w Waiting, by string, now time.Time) (*Post, error) {
	p, err := GetPost(tx, id)
	if err != nil {
		return nil, err
	}
	if p.Held() || p.Verdict.By == "" || p.Verdict.Action == Accept && !p.Recallable(now) {
		return nil, fmt.Errorf("reopen post %s: %w", id, ErrOnItsWay)
	}
	text := fmt.Sprintf("%s of %s taken back: hold", p.Verdict.Action, p.Verdict.By)
	p.Verdict = Verdict{Action: Hold, Reasons: p.Verdict.Reasons}
	p.Decided, p.Leaves = now, time.Time{}
	return p, errors.Join(
		toPublish.Delete(tx, id),
		SetWaiting(tx, p, w),
		PutPost(tx, p),
		Note(tx, id, Event{At: now, Stage: "decide", Text: text, By: by}),
	)
}
