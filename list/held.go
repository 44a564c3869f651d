package list

import (
	"bytes"
	"encoding/json"
	"iter"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// Waiting is what is known about a held post while it waits for a moderator.
type Waiting struct {
	Author  string    `json:"author,omitempty"`  // address key
	Proven  bool      `json:"proven,omitempty"`  // the author is authenticated
	Seen    bool      `json:"seen,omitempty"`    // what its author gets to hear was queued
	Told    bool      `json:"told,omitempty"`    // the author knows that it waits, and is to hear the outcome
	Noticed time.Time `json:"noticed,omitzero"`  // when the moderators got to know
	Notices int       `json:"notices,omitempty"` // how often
}

// waiting is the JSON of Waiting without its methods.
type waiting Waiting

// UnmarshalJSON also reads the "true" that rows held before there was anything to say.
func (w *Waiting) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("true")) {
		*w = Waiting{}
		return nil
	}
	return json.Unmarshal(b, (*waiting)(w))
}

// GetWaiting returns what is known about a held post, or storage.ErrNotFound when it is not held.
func GetWaiting(tx *storage.Tx, p *Post) (Waiting, error) {
	return heldPosts.Get(tx, storage.P(p.List, p.ID))
}

// SetWaiting replaces what is known about a held post.
func SetWaiting(tx *storage.Tx, p *Post, w Waiting) error {
	return heldPosts.Put(tx, storage.P(p.List, p.ID), w)
}

// AllWaiting yields every held post of the site: its list, its ID and what is known about it; by list, oldest first.
func AllWaiting(tx *storage.Tx) iter.Seq2[storage.Pair[ID, PostID], Waiting] {
	return heldPosts.Scan(tx, storage.Range[storage.Pair[ID, PostID]]{})
}

// WaitingIn yields the held posts of a list and what is known about each; oldest first. It reads no post.
func WaitingIn(tx *storage.Tx, l ID) iter.Seq2[PostID, Waiting] {
	return func(yield func(PostID, Waiting) bool) {
		for k, w := range storage.Under(tx, heldPosts, listID, l) {
			if !yield(k.B, w) {
				return
			}
		}
	}
}

// CountHeld returns how many posts of a list wait, and how many of them are of one author: an authenticated author's
// are not counted together with those that only bear the name.
func CountHeld(tx *storage.Tx, l ID, author address.Address, proven bool) (all, same int) {
	for _, w := range storage.Under(tx, heldPosts, listID, l) {
		all++
		if w.Author == author.Key() && w.Proven == proven {
			same++
		}
	}
	return all, same
}
