package archive_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/archive"
	"kairan/storage"
)

// follower is an index that knows what is there from the log of changes alone.
type follower struct {
	s        *shelf
	position uint64
	seqs     map[string]bool
}

// catchUp applies what happened, and returns how many changes that were.
func (f *follower) catchUp() (n int) {
	f.s.t.Helper()
	f.s.view(func(tx *storage.Tx) {
		n = 0
		for position, c := range archive.Changes(tx, f.position) {
			if position <= f.position {
				f.s.t.Errorf("position %d after %d", position, f.position)
			}
			f.position = position
			n++
			if f.seqs[fmt.Sprint(c.List, "/", c.Seq)] = true; c.Gone {
				delete(f.seqs, fmt.Sprint(c.List, "/", c.Seq))
			}
		}
		if last := archive.LastChange(tx); last != f.position {
			f.s.t.Errorf("the last change is at %d, the follower at %d", last, f.position)
		}
	})
	return n
}

// agrees fails the test if what the follower knows of list1 is not what is there.
func (f *follower) agrees() {
	f.s.t.Helper()
	want := map[string]bool{}
	f.s.view(func(tx *storage.Tx) {
		clear(want)
		for mo := range archive.Months(tx, "list1") {
			for m := range archive.InMonth(tx, "list1", mo.Month) {
				want[fmt.Sprint("list1/", m.Seq)] = true
			}
		}
	})
	if diff := cmp.Diff(want, f.seqs); diff != "" {
		f.s.t.Error(diff)
	}
}

func follow(s *shelf) *follower { return &follower{s: s, seqs: map[string]bool{}} }

func TestChanges(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	f := follow(s)
	if n := f.catchUp(); n != 0 {
		t.Errorf("%d changes in an empty archive", n)
	}
	s.add(post(1))
	s.add(post(1)) // the same
	s.add(post(2))
	if n := f.catchUp(); n != 2 {
		t.Errorf("%d changes", n)
	}
	f.agrees()
	if err := s.Reindex(t.Context(), "list1", nil); err != nil {
		t.Fatal(err)
	}
	if n := f.catchUp(); n != 2 {
		t.Errorf("%d changes after Reindex", n)
	}
	f.agrees()
	fresh := follow(s)
	if n := fresh.catchUp(); n != 2 {
		t.Errorf("%d changes from the start: there is one for each message", n)
	}
	fresh.agrees()
}

// TestChangesOfVanished loses a record; who followed before is told.
func TestChangesOfVanished(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	f := follow(s)
	s.add(post(1))
	m := s.add(post(2))
	f.catchUp()
	if err := s.DB.Blobs.Truncate(m.File, m.Offset); err != nil {
		t.Fatal(err)
	}
	if err := s.Reindex(t.Context(), "list1", nil); err != nil {
		t.Fatal(err)
	}
	f.catchUp()
	f.agrees()
	if len(f.seqs) != 1 {
		t.Errorf("%v", f.seqs)
	}
}
