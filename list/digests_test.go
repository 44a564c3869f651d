package list

import (
	"fmt"
	"testing"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// digestList is a list with a member who gets digests.
func digestList(t *testing.T, db *storage.DB) *List {
	t.Helper()
	l := create(t, db, "talk@lists.test")
	update(t, db, func(tx *storage.Tx) error {
		return Join(tx, Member{List: l.ID, Role: RoleMember, Address: address.Must("ann@people.test"), DeliveryMode: DeliveryMIMEDigests})
	})
	return l
}

// digestPost records a post for digests with the next number.
func digestPost(t *testing.T, db *storage.DB, l *List, id PostID) *Post {
	t.Helper()
	p := &Post{ID: id, List: l.ID, MessageID: string(id) + "@people.test", Verdict: Verdict{Action: Accept}, InDigest: true}
	update(t, db, func(tx *storage.Tx) error {
		n, err := NextNumber(tx, l.ID)
		if err != nil {
			return err
		}
		if err := Record(tx, p, []byte("x"), nil); err != nil {
			return err
		}
		return SetPostNumber(tx, p, n)
	})
	return p
}

func addToDigest(t *testing.T, db *storage.DB, l *List, p *Post, size int) (closed bool) {
	t.Helper()
	update(t, db, func(tx *storage.Tx) (err error) {
		closed, err = AddToDigest(tx, l, DigestEntry{Post: p.ID, Number: p.Number, Size: size, Added: noon})
		return err
	})
	return closed
}

// TestClosedMeanwhile closes an issue while its post is still on its way into the queue: what the post knows of it stays.
func TestClosedMeanwhile(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := digestList(t, db)
	p := digestPost(t, db, l, "p1")
	addToDigest(t, db, l, p, 10)
	var issue *Post
	update(t, db, func(tx *storage.Tx) (err error) {
		issue, err = CloseDigest(tx, l, noon, "now", "")
		return err
	})
	update(t, db, func(tx *storage.Tx) error { return Finish(tx, p, noon) }) // p was read before
	addToDigest(t, db, l, p, 10)                                             // as after a crash
	update(t, db, func(tx *storage.Tx) error {
		got, err := GetPost(tx, p.ID)
		if got.Issue != issue.ID {
			t.Errorf("the post is in %q, want %q", got.Issue, issue.ID)
		}
		if s, _ := GetDigestState(tx, l.ID); s.Posts != 0 || s.Issue != 1 {
			t.Errorf("state %+v", s)
		}
		return err
	})
}

// TestDigestLimits closes an issue with 100 posts, and one before a post that would make it too large, without any threshold of the list's own.
func TestDigestLimits(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := digestList(t, db)
	l.Settings.DigestSizeThreshold = 0
	for n := range maxDigestPosts {
		if closed := addToDigest(t, db, l, digestPost(t, db, l, PostID(fmt.Sprintf("p%03d", n))), 10); closed != (n == maxDigestPosts-1) {
			t.Errorf("post %d: closed %v", n+1, closed)
		}
	}
	for n, tt := range []struct {
		size   int
		closed bool
		waits  int
	}{{maxDigestBytes - 10, false, 1}, {20, true, 1}, {maxDigestBytes, true, 0}, {10, false, 1}} {
		closed := addToDigest(t, db, l, digestPost(t, db, l, PostID(fmt.Sprintf("q%d", n))), tt.size)
		update(t, db, func(tx *storage.Tx) error {
			s, err := GetDigestState(tx, l.ID)
			if closed != tt.closed || s.Posts != tt.waits {
				t.Errorf("%d: closed %v, %d wait; want %v, %d", n, closed, s.Posts, tt.closed, tt.waits)
			}
			return err
		})
	}
}

func TestSameVolume(t *testing.T) {
	t.Parallel()
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, tt := range []struct{ frequency, a, same, other string }{
		{VolumeYearly, "2026-01-01", "2026-12-31", "2027-01-01"},
		{VolumeQuarterly, "2026-04-01", "2026-06-30", "2026-07-01"},
		{VolumeMonthly, "2026-02-01", "2026-02-28", "2027-02-01"},
		{VolumeWeekly, "2026-12-28", "2027-01-03", "2027-01-04"}, // week 53 of 2026
		{VolumeDaily, "2026-02-01", "2026-02-01", "2027-02-01"},
	} {
		if !sameVolume(tt.frequency, day(tt.a), day(tt.same)) || sameVolume(tt.frequency, day(tt.a), day(tt.other)) {
			t.Errorf("%s: %s and %s are one volume, %s is another", tt.frequency, tt.a, tt.same, tt.other)
		}
	}
}
