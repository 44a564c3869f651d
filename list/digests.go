package list

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/smtpd/message"
	"kairan/storage"
)

// Digest is what a post is that the list has made itself: an issue of its digest.
type Digest struct {
	Volume int           `json:"volume"`
	Issue  int           `json:"issue"`
	Serial uint64        `json:"serial"` // of all issues of the list, from 1
	Posts  []DigestEntry `json:"posts"`  // by number
	// Renditions are what members get: for each form and language, and for each part of the posts that some of them are to get.
	Renditions []DigestRendition `json:"renditions,omitempty"`
}

// DigestRendition is one of the forms of an issue.
type DigestRendition struct {
	ID       string       `json:"id"` // in the queue
	Mode     DeliveryMode `json:"mode"`
	Language string       `json:"language"`
	Parts    string       `json:"parts"` // a "1" for each of Digest.Posts that is in it, else a "0"
	Subject  string       `json:"subject,omitempty"`
}

// Called reports whether a digest, nil for none, was sent under a subject, reply words taken off.
func (d *Digest) Called(base string) bool {
	return d != nil && slices.ContainsFunc(d.Renditions, func(r DigestRendition) bool {
		own, _ := message.BaseSubject(r.Subject)
		return own != "" && own == base
	})
}

// DigestEntry is a post that goes into a digest.
type DigestEntry struct {
	Post     PostID    `json:"post"`
	Number   uint64    `json:"number"`
	Size     int       `json:"size"`               // bytes
	Archived bool      `json:"archived,omitempty"` // read from the archive, which knows what readers may see of it
	Added    time.Time `json:"added"`
}

// Limits of one issue, whatever the list's settings say.
const (
	maxDigestPosts = 100
	maxDigestBytes = maxDigestSize << 10
)

// DigestState is how far a list is with its digests.
type DigestState struct {
	Volume int       `json:"volume,omitempty"` // of the last issue; 0 before the first
	Issue  int       `json:"issue,omitempty"`
	Serial uint64    `json:"serial,omitempty"`
	Closed time.Time `json:"closed,omitzero"` // the last issue
	Posts  int       `json:"posts,omitempty"` // that wait for the next issue
	Size   int       `json:"size,omitempty"`  // of these, in bytes
	Since  time.Time `json:"since,omitzero"`  // when the first of these came
}

var (
	digestStates  = storage.NewTable[ID, DigestState]("digests", listID)
	digestPending = storage.NewTable[storage.Pair[ID, uint64], DigestEntry]("digest_pending", storage.Pairs(listID, storage.Uints[uint64]()))
	digestsDue    = storage.NewTable[PostID, Progress]("digests_due", postID) // issues that are not in the queue yet
)

// digestNumbers is where the numbers of digests begin in envelope senders and in the index of posts by number: no post gets there. Those of
// probes begin behind them.
const digestNumbers = probeBit / 2

// EnvelopeNumber is the number that an envelope sender carries for copies of the post (see [VERP]).
func (p *Post) EnvelopeNumber() uint64 {
	if p.Digest != nil {
		return digestNumbers + p.Digest.Serial
	}
	return p.Number
}

// RenditionPost is the post that a rendition belongs to: digests have several, "POST.form".
func RenditionPost(rendition string) PostID {
	id, _, _ := strings.Cut(rendition, ".")
	return PostID(id)
}

// GetDigestState returns how far a list is with its digests.
func GetDigestState(tx *storage.Tx, l ID) (DigestState, error) {
	s, err := digestStates.Get(tx, l)
	if errors.Is(err, storage.ErrNotFound) {
		return DigestState{}, nil
	}
	return s, err
}

// DigestsPending yields the lists that have posts for a next issue.
func DigestsPending(tx *storage.Tx) iter.Seq2[ID, DigestState] {
	return func(yield func(ID, DigestState) bool) {
		for id, s := range digestStates.Scan(tx, storage.Range[ID]{}) {
			if s.Posts > 0 && !yield(id, s) {
				return
			}
		}
	}
}

// AddToDigest lets a post wait for the next issue, once; a post that is in an issue already is not added again. Issues that are large
// enough are closed on the way, which it reports. The zone of e.Added counts for volumes.
func AddToDigest(tx *storage.Tx, l *List, e DigestEntry) (closed bool, err error) {
	p, err := GetPost(tx, e.Post)
	if err != nil {
		return false, err
	}
	k := storage.P(l.ID, e.Number)
	if p.Issue != "" || digestPending.Has(tx, k) {
		return false, nil
	}
	s, err := GetDigestState(tx, l.ID)
	if err != nil {
		return false, err
	}
	const why = "it is large enough"
	if s.Posts > 0 && s.Size+e.Size > maxDigestBytes {
		issue, err := CloseDigest(tx, l, e.Added, why, "")
		if err != nil {
			return false, err
		}
		if s, err = GetDigestState(tx, l.ID); err != nil {
			return false, err
		}
		closed = issue != nil
	}
	if s.Posts == 0 {
		s.Since = e.Added
	}
	s.Posts++
	s.Size += e.Size
	err = errors.Join(
		digestPending.Put(tx, k, e),
		digestStates.Put(tx, l.ID, s),
		Note(tx, e.Post, Event{At: e.Added, Stage: "digest", Text: "waits for the next issue of the digest"}),
	)
	threshold := l.Settings.DigestSizeThreshold << 10
	if err != nil || s.Posts < maxDigestPosts && s.Size < maxDigestBytes && (threshold == 0 || s.Size < threshold) {
		return closed, err
	}
	issue, err := CloseDigest(tx, l, e.Added, why, "")
	return closed || issue != nil, err
}

// pendingDigest returns the posts that wait for a list's next issue, by number.
func pendingDigest(tx *storage.Tx, l ID) (entries []DigestEntry) {
	for _, e := range storage.Under(tx, digestPending, listID, l) {
		entries = append(entries, e)
	}
	return entries
}

// anyoneGets reports whether some member would get one of the posts in a digest now.
func anyoneGets(tx *storage.Tx, l ID, entries []DigestEntry, now time.Time) bool {
	for _, m := range DigestMembers(tx, l, "") {
		if m.getsAny(entries, now) {
			return true
		}
	}
	return false
}

// CloseDigest makes an issue of all posts that wait for one and gives it its number. It returns nil if none waits, or if nobody would get
// it now. why says what closed it; by is who, "" for nobody. The zone of now counts for volumes.
func CloseDigest(tx *storage.Tx, l *List, now time.Time, why, by string) (*Post, error) {
	entries := pendingDigest(tx, l.ID)
	if len(entries) == 0 {
		return nil, nil
	}
	if !anyoneGets(tx, l.ID, entries, now) {
		return nil, dropDigest(tx, l.ID, entries)
	}
	s, err := GetDigestState(tx, l.ID)
	if err != nil {
		return nil, err
	}
	if s.Volume == 0 || !sameVolume(l.Settings.DigestVolumeFrequency, s.Closed.In(now.Location()), now) {
		s.Volume, s.Issue = s.Volume+1, 0
	}
	s.Issue++
	s.Serial++
	p := &Post{
		ID: PostID(storage.NewID(now)), List: l.ID, MessageID: message.NewID(l.Address.ASCIIDomain(), now),
		Received: now, Decided: now, Author: l.Suffixed("request"), Size: s.Size, Verdict: Verdict{Action: Accept, By: by},
		Digest: &Digest{Volume: s.Volume, Issue: s.Issue, Serial: s.Serial, Posts: entries},
	}
	text := "volume " + strconv.Itoa(s.Volume) + ", issue " + strconv.Itoa(s.Issue) + " of the digest"
	var numbers []string
	for _, e := range entries {
		numbers = append(numbers, strconv.FormatUint(e.Number, 10))
		if err := errors.Join(
			enterIssue(tx, e.Post, p.ID),
			Note(tx, e.Post, Event{At: now, Stage: "digest", Text: text + ", <" + p.MessageID + ">", By: by}),
		); err != nil {
			return nil, err
		}
	}
	s.Closed, s.Posts, s.Size, s.Since = now, 0, 0, time.Time{}
	return p, errors.Join(
		forgetPending(tx, l.ID, entries),
		digestStates.Put(tx, l.ID, s),
		PutPost(tx, p),
		postIndex.Put(tx, storage.P(hashID(p.MessageID), p.ID), l.ID),
		numbered.Put(tx, storage.P(l.ID, p.EnvelopeNumber()), p.ID),
		digestsDue.Put(tx, p.ID, Progress{}),
		Note(tx, p.ID, Event{At: now, Stage: "digest", Text: fmt.Sprintf("%s: posts %s; %s", text, strings.Join(numbers, ", "), why), By: by}),
	)
}

// enterIssue notes in a post which issue it is in.
func enterIssue(tx *storage.Tx, id, issue PostID) error {
	p, err := GetPost(tx, id)
	if err != nil {
		return err
	}
	p.Issue = issue
	return PutPost(tx, p)
}

// dropDigest forgets posts that wait for an issue which nobody would get.
func dropDigest(tx *storage.Tx, l ID, entries []DigestEntry) error {
	if len(entries) == 0 {
		return nil
	}
	for _, e := range entries {
		p, err := GetPost(tx, e.Post)
		if err != nil {
			return err
		}
		p.InDigest = false
		if err := PutPost(tx, p); err != nil {
			return err
		}
	}
	s, err := GetDigestState(tx, l)
	if err != nil {
		return err
	}
	s.Posts, s.Size, s.Since = 0, 0, time.Time{}
	return errors.Join(forgetPending(tx, l, entries), digestStates.Put(tx, l, s))
}

func forgetPending(tx *storage.Tx, l ID, entries []DigestEntry) error {
	for _, e := range entries {
		if err := digestPending.Delete(tx, storage.P(l, e.Number)); err != nil {
			return err
		}
	}
	return nil
}

// DigestsDue yields the issues that are not wholly in the queue yet, oldest first.
func DigestsDue(tx *storage.Tx) iter.Seq2[PostID, Progress] {
	return digestsDue.Scan(tx, storage.Range[PostID]{})
}

// GetDigestProgress returns how far an issue is on its way into the queue, or storage.ErrNotFound when nothing is left to do.
func GetDigestProgress(tx *storage.Tx, id PostID) (Progress, error) { return digestsDue.Get(tx, id) }

// SetDigestProgress notes how far an issue is, and what its renditions are so far.
func SetDigestProgress(tx *storage.Tx, issue *Post, p Progress) error {
	return errors.Join(PutPost(tx, issue), digestsDue.Put(tx, issue.ID, p))
}

// FinishDigest says that an issue is in the queue for all who get it.
func FinishDigest(tx *storage.Tx, issue *Post, now time.Time) error {
	issue.Published = now
	return errors.Join(digestsDue.Delete(tx, issue.ID), PutPost(tx, issue))
}

// waitsForDigest reports whether a post is still to be put into a digest that is sent.
func waitsForDigest(tx *storage.Tx, p *Post) bool {
	return p.InDigest && (p.Issue == "" || digestsDue.Has(tx, p.Issue))
}
