package list

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"time"

	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/storage"
)

// PostID names one message to one list; it sorts by time of receipt.
type PostID string

// Post is one message sent to one list: what came, what was found out, what was decided.
type Post struct {
	ID        PostID    `json:"id"`
	List      ID        `json:"list"`
	MessageID string    `json:"message_id"`       // without "<>"; made by us when the message has none
	Number    uint64    `json:"number,omitempty"` // the list's post number, given by Publish
	Received  time.Time `json:"received"`
	Published time.Time `json:"published,omitzero"` // when the last recipient was queued

	Author   address.Address   `json:"author"` // the From address, null when there is no single one
	Subject  string            `json:"subject"`
	Size     int               `json:"size"`
	BodyHash string            `json:"body_hash"` // SHA-256 of the body, to know a duplicate
	Sender   address.Address   `json:"sender"`    // envelope
	To       []address.Address `json:"to"`        // header recipients in To and Cc, at most 100
	RemoteIP netip.Addr        `json:"remote_ip,omitzero"`
	Helo     string            `json:"helo,omitempty"`
	Transact string            `json:"transaction"` // Envelope.ID, shared by the posts of one message
	Auth     mailauth.Results  `json:"auth"`
	Verdict  Verdict           `json:"verdict"`
	Decided  time.Time         `json:"decided"`
	// Leaves is when an accepted post gets its number; until then it can be taken back. Zero is at once.
	Leaves time.Time `json:"leaves,omitzero"`
	// Foretold says that the author was told when the post would leave, and needs no acknowledgement when it does.
	Foretold  bool   `json:"foretold,omitempty"`
	Rewritten string `json:"rewritten,omitempty"` // why From was rewritten, or ""
	Blob      bool   `json:"blob,omitempty"`      // the message is in its blob, not in a row

	// InDigest says that members who had chosen digests when the post got its number get it in one, and not for itself.
	InDigest bool `json:"in_digest,omitempty"`
	// Issue is the digest that the post is in; "" while it waits for the next.
	Issue PostID `json:"issue,omitempty"`
	// Digest is set if this is no message that came, but an issue of the list's digest.
	Digest *Digest `json:"digest,omitempty"`
}

// Held reports whether the post waits for a moderator.
func (p *Post) Held() bool { return p.Verdict.Action == Hold }

// inlineRaw is the largest message kept in a row; larger ones are blobs.
const inlineRaw = 64 << 10

var (
	postID    = storage.Strings[PostID]()
	posts     = storage.NewTable[PostID, Post]("posts", postID)
	receipts  = storage.NewTable[PostID, receipt]("received", postID)
	postIndex = storage.NewTable[storage.Pair[string, PostID], ID]("posts_by_message_id", storage.Pairs(text, postID)) // hash of Message-ID
	numbered  = storage.NewTable[storage.Pair[ID, uint64], PostID]("posts_by_number", storage.Pairs(listID, storage.Uints[uint64]()))
	heldPosts = storage.NewTable[storage.Pair[ID, PostID], Waiting]("held", storage.Pairs(listID, postID))
	toPublish = storage.NewTable[PostID, Progress]("topublish", postID)
	history   = storage.NewTable[storage.Pair[PostID, uint64], Event]("history", storage.Pairs(postID, storage.Uints[uint64]()))
)

// Progress is how far Publish got with the recipients of a post.
type Progress struct {
	Leaves time.Time `json:"leaves,omitzero"`  // Post.Leaves: not before
	Cursor string    `json:"cursor,omitempty"` // address key of the last member looked at
	Queued int       `json:"queued,omitempty"` // recipients
}

const rawBlobs = "posts/"

// RawBlob is the blob that holds a large message of a post. It is written before Record.
func (id PostID) RawBlob() string { return rawBlobs + string(id) }

// Large reports whether a message goes to a blob rather than into the transaction.
func Large(raw []byte) bool { return len(raw) > inlineRaw }

// receipt is what came, and is forgotten after a while: one row, because every row that is written before the 250 costs time.
type receipt struct {
	Raw   []byte          `json:"raw,omitempty"`
	Facts json.RawMessage `json:"facts,omitempty"`
}

// Record writes a new post. raw is nil when it is in its blob (then Blob is set), or when the post is refused.
// facts are what the rules looked at.
func Record(tx *storage.Tx, p *Post, raw []byte, facts any) error {
	b, err := json.Marshal(facts)
	if err != nil {
		return fmt.Errorf("facts of post %s: %w", p.ID, err)
	}
	if err := receipts.Put(tx, p.ID, receipt{Raw: raw, Facts: b}); err != nil {
		return err
	}
	if err := postIndex.Put(tx, storage.P(hashID(p.MessageID), p.ID), p.List); err != nil {
		return err
	}
	if p.Verdict.Action != Accept || !p.Leaves.IsZero() {
		if err := indexAuthor(tx, p); err != nil {
			return err
		}
	}
	return errors.Join(enlist(tx, p), PutPost(tx, p))
}

// enlist puts the post into the work list its verdict asks for.
func enlist(tx *storage.Tx, p *Post) error {
	switch p.Verdict.Action {
	case Hold:
		return SetWaiting(tx, p, Waiting{Author: p.Author.Key(), Proven: p.Auth.Author()})
	case Accept:
		return toPublish.Put(tx, p.ID, Progress{Leaves: p.Leaves})
	}
	return nil
}

// Decide gives a held post its final verdict, or an error if it is not held.
func Decide(tx *storage.Tx, id PostID, v Verdict, now time.Time) (*Post, error) {
	p, err := GetPost(tx, id)
	if err != nil {
		return nil, err
	}
	if !p.Held() {
		return nil, fmt.Errorf("post %s is not held: %s by %s", id, p.Verdict, cmp.Or(p.Verdict.By, "the rules"))
	}
	v.Reasons = p.Verdict.Reasons
	p.Verdict, p.Decided = v, now
	return p, errors.Join(
		heldPosts.Delete(tx, storage.P(p.List, p.ID)),
		enlist(tx, p),
		PutPost(tx, p),
		Note(tx, id, Event{At: now, Stage: "decide", Text: v.String(), By: v.By}),
	)
}

// PutPost replaces the post's row.
func PutPost(tx *storage.Tx, p *Post) error { return posts.Put(tx, p.ID, *p) }

// GetPost returns a post, or an error that is storage.ErrNotFound.
func GetPost(tx *storage.Tx, id PostID) (*Post, error) {
	p, err := posts.Get(tx, id)
	return &p, err
}

// PostRaw returns the message of a post as it was received, or storage.ErrNotFound when it is no longer kept.
// A large one is read from its blob.
func PostRaw(tx *storage.Tx, b storage.Blobs, id PostID) ([]byte, error) {
	r, err := receipts.Get(tx, id)
	if errors.Is(err, storage.ErrNotFound) || err == nil && r.Raw == nil {
		return storage.ReadBlob(b, id.RawBlob())
	}
	return r.Raw, err
}

// PostFacts reads the facts of a post into facts, or returns storage.ErrNotFound when they are no longer kept.
func PostFacts(tx *storage.Tx, id PostID, facts any) error {
	r, err := receipts.Get(tx, id)
	if err != nil {
		return err
	}
	return json.Unmarshal(r.Facts, facts)
}

// HasReceipt reports whether message and facts of a post are still kept.
func HasReceipt(tx *storage.Tx, id PostID) bool { return receipts.Has(tx, id) }

// PostsAfter yields the posts to all lists that came after the post with that ID ("" for all), oldest first.
func PostsAfter(tx *storage.Tx, after PostID) iter.Seq[*Post] {
	return func(yield func(*Post) bool) {
		for _, p := range posts.Scan(tx, storage.Range[PostID]{After: &after}) {
			if !yield(&p) {
				return
			}
		}
	}
}

// PostsByMessageID yields the posts of a Message-ID, to every list, oldest first.
func PostsByMessageID(tx *storage.Tx, messageID string) iter.Seq2[ID, *Post] {
	return func(yield func(ID, *Post) bool) {
		for k, l := range storage.Under(tx, postIndex, text, hashID(messageID)) {
			p, err := GetPost(tx, k.B)
			if err == nil && p.MessageID == messageID && !yield(l, p) {
				return
			}
		}
	}
}

// Posted counts the posts of a Message-ID, to every list.
func Posted(tx *storage.Tx, messageID string) (n int) {
	for range storage.Under(tx, postIndex, text, hashID(messageID)) {
		n++
	}
	return n
}

// PostByNumber returns the post with that number, or storage.ErrNotFound.
func PostByNumber(tx *storage.Tx, l ID, n uint64) (*Post, error) {
	id, err := numbered.Get(tx, storage.P(l, n))
	if err != nil {
		return nil, err
	}
	return GetPost(tx, id)
}

// SetPostNumber gives a post its number, once.
func SetPostNumber(tx *storage.Tx, p *Post, n uint64) error {
	p.Number = n
	return errors.Join(PutPost(tx, p), numbered.Put(tx, storage.P(p.List, n), p.ID), indexAuthor(tx, p))
}

// HeldPosts yields the held posts of a list, oldest first.
func HeldPosts(tx *storage.Tx, l ID) iter.Seq[*Post] {
	return func(yield func(*Post) bool) {
		for k := range storage.Under(tx, heldPosts, listID, l) {
			if p, err := GetPost(tx, k.B); err == nil && !yield(p) {
				return
			}
		}
	}
}

// Unpublished yields the accepted posts whose publication is not finished, oldest first.
func Unpublished(tx *storage.Tx) iter.Seq2[PostID, Progress] {
	return toPublish.Scan(tx, storage.Range[PostID]{})
}

// GetProgress returns how far Publish got, or storage.ErrNotFound when nothing is left to do.
func GetProgress(tx *storage.Tx, id PostID) (Progress, error) { return toPublish.Get(tx, id) }

// SetProgress notes how far Publish got.
func SetProgress(tx *storage.Tx, id PostID, p Progress) error { return toPublish.Put(tx, id, p) }

// Finish marks a post as published. What happened to it meanwhile with digests stays.
func Finish(tx *storage.Tx, p *Post, now time.Time) error {
	kept, err := GetPost(tx, p.ID)
	if err != nil {
		return err
	}
	p.Published, p.InDigest, p.Issue = now, kept.InDigest, kept.Issue
	return errors.Join(toPublish.Delete(tx, p.ID), PutPost(tx, p))
}

// hashID keeps keys short whatever the wild writes into a Message-ID.
func hashID(messageID string) string {
	h := sha256.Sum256([]byte(messageID))
	return hex.EncodeToString(h[:16])
}

// Note appends to a post's history.
func Note(tx *storage.Tx, id PostID, events ...Event) error {
	var next uint64
	for k := range storage.UnderReverse(tx, history, postID, id) {
		next = k.B + 1
		break
	}
	for i, e := range events {
		if err := history.Put(tx, storage.P(id, next+uint64(i)), e); err != nil {
			return err
		}
	}
	return nil
}

// maxBounces is how many reports about one post its history keeps.
const maxBounces = 1000

// BounceLife is how long reports about a post are taken.
const BounceLife = 14 * 24 * time.Hour

// NoteBounce adds a report to a post's history, unless it has many.
func NoteBounce(tx *storage.Tx, p *Post, e Event) error {
	n := 0
	for old := range History(tx, p.ID) {
		if old.Stage == e.Stage {
			n++
		}
	}
	if n >= maxBounces {
		return nil
	}
	return Note(tx, p.ID, e)
}

// History yields a post's events, oldest first.
func History(tx *storage.Tx, id PostID) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, e := range storage.Under(tx, history, postID, id) {
			if !yield(e) {
				return
			}
		}
	}
}

// Settled yields the posts received before a time that no longer wait for anything, oldest first.
func Settled(tx *storage.Tx, before time.Time) iter.Seq[PostID] {
	return func(yield func(PostID) bool) {
		for id, p := range posts.Scan(tx, storage.Range[PostID]{}) {
			if !p.Received.Before(before) {
				return
			}
			if !p.Held() && !toPublish.Has(tx, id) && !waitsForDigest(tx, &p) && !yield(id) {
				return
			}
		}
	}
}

// ForgetReceipt forgets the message of a post as it was received, and the facts. Its blob is one of [UnnamedBlobs] afterwards.
func ForgetReceipt(tx *storage.Tx, id PostID) error {
	p, err := GetPost(tx, id)
	if err != nil {
		return err
	}
	p.Blob = false
	return errors.Join(receipts.Delete(tx, id), PutPost(tx, p))
}

// ErasePost forgets what a post said and who wrote it: the message, the facts, the people in its record, and its history but for one line that says
// that it was purged. That it was there, what was decided and what became of the copies stays. Removing its blob is the caller's part.
func ErasePost(tx *storage.Tx, id PostID, by string, now time.Time) error {
	p, err := GetPost(tx, id)
	if err != nil {
		return err
	}
	if !p.Author.IsNull() {
		if err := byAuthor.Delete(tx, storage.P(p.Author.Key(), id)); err != nil {
			return err
		}
	}
	p.Blob, p.Subject, p.BodyHash, p.Helo, p.Rewritten = false, "", "", "", ""
	p.Author, p.Sender, p.To, p.RemoteIP, p.Auth = address.Address{}, address.Address{}, nil, netip.Addr{}, mailauth.Results{}
	for k := range storage.Under(tx, history, postID, id) {
		if err := history.Delete(tx, k); err != nil {
			return err
		}
	}
	return errors.Join(
		receipts.Delete(tx, id),
		PutPost(tx, p),
		Note(tx, id, Event{At: now, Stage: "purge", Text: "the message was purged", By: by}))
}

// UnnamedBlobs returns the blobs of messages from before t that no post names: of posts whose message was forgotten, or which a crash
// kept from being recorded. Younger ones may be about to be.
func UnnamedBlobs(tx *storage.Tx, b storage.Blobs, t time.Time) (names []string, err error) {
	end := PostID(storage.NewID(t)).RawBlob()
	for name := range b.All(rawBlobs) {
		if name >= end {
			break
		}
		p, err := GetPost(tx, PostID(strings.TrimPrefix(name, rawBlobs)))
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
		if !p.Blob {
			names = append(names, name)
		}
	}
	return names, nil
}

// RawBlobs yields the blobs that hold messages of posts.
func RawBlobs(tx *storage.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		for id, p := range posts.Scan(tx, storage.Range[PostID]{}) {
			if p.Blob && !yield(id.RawBlob()) {
				return
			}
		}
	}
}
