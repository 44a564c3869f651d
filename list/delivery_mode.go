package list

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"kairan/storage"
)

// DeliveryMode is the form in which a member gets the posts, in Mailman's words.
type DeliveryMode string

const (
	DeliveryRegular          DeliveryMode = "regular"           // each post for itself
	DeliveryMIMEDigests      DeliveryMode = "mime_digests"      // many posts in one mail, each as it was (RFC 2046, section 5.1.5)
	DeliveryPlaintextDigests DeliveryMode = "plaintext_digests" // the texts of many posts in one mail (RFC 1153)
)

// DeliveryModes are all of them.
func DeliveryModes() []DeliveryMode {
	return []DeliveryMode{DeliveryRegular, DeliveryMIMEDigests, DeliveryPlaintextDigests}
}

// ModeSpan is a delivery mode that a member had, for the posts with numbers below Until that no earlier span speaks of.
type ModeSpan struct {
	Until uint64       `json:"until"`
	Mode  DeliveryMode `json:"mode"`
}

// Mode returns the delivery mode of the posts to come.
func (m *Member) Mode() DeliveryMode {
	if m.DeliveryMode == "" {
		return DeliveryRegular
	}
	return m.DeliveryMode
}

// ModeFor returns the delivery mode that holds for the post of that number. Whoever distributes a post asks here, whenever it is: so
// a switch neither loses a post nor doubles one.
func (m *Member) ModeFor(number uint64) DeliveryMode {
	for _, s := range m.Earlier {
		if number < s.Until {
			return s.Mode
		}
	}
	return m.Mode()
}

// DigestMode returns the kind of digest that m gets for posts of which some are to come in one: the kind it has now, else the last it had.
func (m *Member) DigestMode() DeliveryMode {
	if m.Mode() != DeliveryRegular {
		return m.Mode()
	}
	for _, s := range slices.Backward(m.Earlier) {
		if s.Mode != DeliveryRegular {
			return s.Mode
		}
	}
	return DeliveryRegular
}

// switchMode notes in m, which is to replace old, from which post on a new delivery mode holds: the next one.
func switchMode(tx *storage.Tx, old, m *Member) error {
	m.Earlier = old.Earlier
	if m.Mode() == DeliveryRegular {
		m.DeliveryMode = "" // one way to say it
	}
	if m.Mode() == old.Mode() {
		return nil
	}
	last, err := LastNumber(tx, m.List)
	if err != nil {
		return err
	}
	oldest, err := oldestDue(tx, m.List, last+1)
	if err != nil {
		return err
	}
	spans := slices.DeleteFunc(slices.Clone(old.Earlier), func(s ModeSpan) bool { return s.Until <= oldest })
	if n := len(spans); (n == 0 || spans[n-1].Until <= last) && oldest <= last {
		spans = append(spans, ModeSpan{Until: last + 1, Mode: old.Mode()})
	}
	if n := len(spans); n > 0 && spans[n-1].Mode == m.Mode() { // back before another post came
		spans = spans[:n-1]
	}
	m.Earlier = spans
	return nil
}

// oldestDue returns the lowest number of a post that some member may still have to be given, or next if there is none.
func oldestDue(tx *storage.Tx, l ID, next uint64) (uint64, error) {
	oldest := next
	for id := range Unpublished(tx) {
		p, err := GetPost(tx, id)
		if err != nil {
			return 0, err
		}
		if p.List == l && p.Number != 0 {
			oldest = min(oldest, p.Number)
		}
	}
	for _, e := range storage.Under(tx, digestPending, listID, l) {
		oldest = min(oldest, e.Number)
		break
	}
	for id := range DigestsDue(tx) {
		p, err := GetPost(tx, id)
		if err != nil {
			return 0, err
		}
		if p.List == l {
			oldest = min(oldest, p.Digest.Posts[0].Number)
		}
	}
	return oldest, nil
}

// digestMembers has who gets posts in digests, or got and may still have to get some so.
var digestMembers = storage.NewTable[storage.Pair[ID, string], bool]("digest_members", memberPlace)

// indexMode keeps digestMembers up to a member's row.
func indexMode(tx *storage.Tx, m *Member) error {
	k := storage.P(m.List, m.Address.Key())
	switch wants := m.Mode() != DeliveryRegular || len(m.Earlier) > 0; {
	case m.Role != RoleMember || wants == digestMembers.Has(tx, k):
		return nil
	case wants:
		return digestMembers.Put(tx, k, true)
	}
	return digestMembers.Delete(tx, k)
}

// HasDigestMembers reports whether some member of a list gets the posts to come in digests.
func HasDigestMembers(tx *storage.Tx, l ID) bool {
	for _, m := range DigestMembers(tx, l, "") {
		if m.Mode() != DeliveryRegular {
			return true
		}
	}
	return false
}

// getsAny reports whether a member gets one of some posts in a digest that is made now.
func (m *Member) getsAny(entries []DigestEntry, now time.Time) bool {
	digested := func(e DigestEntry) bool { return m.ModeFor(e.Number) != DeliveryRegular }
	return m.Receives(now) && slices.ContainsFunc(entries, digested)
}

// ForgetModes forgets earlier delivery modes that no post asks for any more, of up to n members after the key `after`. It returns the key to go on
// after, "" at the end.
func ForgetModes(tx *storage.Tx, l ID, after string, n int) (next string, err error) {
	last, err := LastNumber(tx, l)
	if err != nil {
		return "", err
	}
	oldest, err := oldestDue(tx, l, last+1)
	if err != nil {
		return "", err
	}
	var stale []*Member
	for key, m := range DigestMembers(tx, l, after) {
		if n--; n < 0 {
			break
		}
		next = key
		if i := slices.IndexFunc(m.Earlier, func(s ModeSpan) bool { return s.Until > oldest }); len(m.Earlier) > 0 && i != 0 {
			if m.Earlier = m.Earlier[max(i, 0):]; i < 0 {
				m.Earlier = nil
			}
			stale = append(stale, m)
		}
	}
	for _, m := range stale {
		if err := errors.Join(indexMode(tx, m), members.Put(tx, keyOf(l, RoleMember, m.Address.Key()), *m)); err != nil {
			return "", err
		}
	}
	if n >= 0 {
		next = ""
	}
	return next, nil
}

// DigestMembers yields, in the order of their keys, the members after the key `after` ("" for all) who get posts in digests, or did when
// some of the posts came that are not distributed yet.
func DigestMembers(tx *storage.Tx, l ID, after string) iter.Seq2[string, *Member] {
	return func(yield func(string, *Member) bool) {
		for k := range storage.UnderAfter(tx, digestMembers, listID, storage.P(l, after)) {
			m, err := MemberByKey(tx, l, k.B)
			if err == nil && !yield(k.B, m) {
				return
			}
		}
	}
}

// checkMode returns what a delivery mode cannot be.
func checkMode(mode DeliveryMode) error {
	if mode != "" && !slices.Contains(DeliveryModes(), mode) {
		return fmt.Errorf("delivery_mode %q is none of regular, mime_digests, plaintext_digests", mode)
	}
	return nil
}
