package archive_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/archive"
	"kairan/storage"
	"kairan/storage/storagetest"
)

const private = "what nobody should have sent"

// withSecret fills January and February with posts, of which the third says what is private.
func withSecret(s *shelf) []archive.Entry {
	var all []archive.Entry
	for n := range 8 {
		e := post(n+1, fmt.Sprintf("References: <m%d@example.jp>", n))
		e.Received = start.AddDate(0, 0, n/3)
		if n == 2 {
			e.Raw = append([]byte("Subject: "+private+"\r\n"), e.Raw...)
			e.Raw = append(e.Raw, private+"\r\n"...)
		}
		all = append(all, e)
		s.add(e)
	}
	return all
}

// holders names the files of a folder in which the text is.
func holders(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if strings.Contains(string(data), text) {
			found = append(found, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPurge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	all := withSecret(s)
	breakAdd(s, entryAs(all[2], "p9"), 400) // what lost+found holds of it goes too
	s.ok(s.Recover(t.Context()))
	f := follow(s)
	f.catchUp()
	if got := holders(t, dir+"/files", private); len(got) != 2 {
		t.Fatalf("before in %q", got)
	}
	s.ok(s.Purge(t.Context(), s.message(3), operator))
	if got := holders(t, dir+"/files", private); got != nil {
		t.Errorf("still in %q", got)
	}
	if got := s.ways(3); got != nil {
		t.Errorf("found by %q", got)
	}
	s.check()
	f.catchUp()
	f.agrees()
	if got := s.shape(); got != "1 2 4 5 6 7 8" {
		t.Errorf("threads: %s", got)
	}
	for _, n := range []int{1, 2, 4, 8} {
		if raw, err := s.Raw(s.message(n)); err != nil || string(raw) != string(all[n-1].Raw) {
			t.Errorf("post %d: %q, %v", n, raw, err)
		}
	}
	if err := s.Unhide(t.Context(), s.message(3), operator); !errors.Is(err, archive.ErrPurged) {
		t.Errorf("Unhide: %v", err)
	}
	if err := s.Purge(t.Context(), s.message(3), operator); !errors.Is(err, archive.ErrPurged) {
		t.Errorf("again: %v", err)
	}
	s.add(post(20)) // goes to the new file
	s.ok(s.Purge(t.Context(), s.message(4), operator))
	s.ok(s.Purge(t.Context(), s.message(20), operator))
	s.check()
	s.rebuilt(dir)
	s.ok(s.Reindex(t.Context(), "list1", nil))
	s.check()
	if got := s.shape(); got != "1 2 5 6 7 8" {
		t.Errorf("threads after Reindex: %s", got)
	}
	if m := s.add(post(21)); m.Seq != 10 {
		t.Errorf("the next message has Seq %d", m.Seq)
	}
	names := []string{}
	for name := range s.DB.Blobs.All("archive/") {
		names = append(names, name)
	}
	if diff := cmp.Diff([]string{"archive/list1/2026-01.3.mbox", "archive/list1/2026-02.mbox", "archive/list1/ledger.jsonl"}, names); diff != "" {
		t.Error(diff)
	}
}

// entryAs is the entry as another post.
func entryAs(e archive.Entry, post string) archive.Entry {
	e.Post = post
	return e
}

// TestPurgedStaysAway imports what was purged, as it was posted and as it had been imported.
func TestPurgedStaysAway(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	all := withSecret(s)
	imported := entryAs(post(50, "Subject: x"), "")
	get := func(e archive.Entry) archive.Imported {
		t.Helper()
		p, err := archive.Prepare(e)
		s.ok(err)
		got, err := s.Import(t.Context(), "list1", []*archive.Prepared{p})
		s.ok(err)
		return got[0]
	}
	if got := get(imported); got.Known || got.Seq == 0 {
		t.Errorf("%+v", got)
	}
	for range 2 {
		for _, e := range []archive.Entry{all[2], imported} {
			e.Post = ""
			if got := get(e); !got.Known {
				t.Errorf("%+v", got)
			}
		}
		if got := get(entryAs(all[2], "p3")); !got.Known {
			t.Errorf("as a record of our own: %+v", got)
		}
		for _, n := range []int{3, 50} {
			if err := s.Purge(t.Context(), s.message(n), operator); err != nil && !errors.Is(err, archive.ErrPurged) {
				t.Error(err)
			}
		}
	}
	for _, e := range []archive.Entry{all[2], imported} {
		if got := get(entryAs(e, "")); !got.Purged {
			t.Errorf("%+v", got)
		}
	}
	other := entryAs(all[2], "")
	other.Raw = append(other.Raw, "and more"...)
	if got := get(other); got.Known {
		t.Errorf("another message of that ID: %+v", got)
	}
	s.check()
}

// TestPurgeInterrupted fails at every write of a purge, and goes on after a restart.
func TestPurgeInterrupted(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"2026-01.1.mbox", "ledger", "delete"} {
		for _, n := range []int{0, 10, 600} {
			t.Run(fmt.Sprint(in, n), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				t.Run("before", func(t *testing.T) {
					s := open(t, storagetest.OpenAt(t, dir))
					withSecret(s)
					whole := s.DB.Blobs
					s.DB.Blobs = &failing{Blobs: whole, in: in, bytes: n}
					if in == "delete" {
						s.DB.Blobs = undeletable{whole}
					}
					if err := s.Purge(t.Context(), s.message(3), operator); !errors.Is(err, errDisk) {
						t.Fatal(err)
					}
					s.DB.Blobs = whole
				})
				s := open(t, storagetest.OpenAt(t, dir))
				s.ok(s.Recover(t.Context()))
				s.check()
				if err := s.Purge(t.Context(), s.message(3), operator); err != nil && !errors.Is(err, archive.ErrPurged) {
					t.Fatal(err)
				}
				s.check()
				s.rebuilt(dir)
				if got := holders(t, dir+"/files/archive", private); got != nil {
					t.Errorf("still in %q", got)
				}
				if got := s.shape(); got != "1 2 4 5 6 7 8" {
					t.Errorf("threads: %s", got)
				}
			})
		}
	}
}

// undeletable is a disk on which the old file of January cannot be deleted.
type undeletable struct{ storage.Blobs }

func (u undeletable) Delete(name string) error {
	if strings.HasSuffix(name, "2026-01.mbox") {
		return errDisk
	}
	return u.Blobs.Delete(name)
}

// TestPurgeBeforeSwap stops after the ledger's line and before the transaction.
func TestPurgeBeforeSwap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	withSecret(s)
	copied := t.TempDir()
	s.ok(os.CopyFS(copied, os.DirFS(dir))) // rows and files of before
	s.ok(s.Purge(t.Context(), s.message(3), operator))
	for _, name := range []string{"2026-01.1.mbox", "ledger.jsonl"} {
		s.ok(os.WriteFile(filepath.Join(copied, "files/archive/list1", name), []byte(fileBytes(t, dir, "archive/list1/"+name)), 0o600))
	}
	again := open(t, storagetest.OpenAt(t, copied))
	again.ok(again.Recover(t.Context()))
	again.check()
	if diff := cmp.Diff(s.dump("list1"), again.dump("list1")); diff != "" {
		t.Error(diff)
	}
	if got := holders(t, copied+"/files", private); got != nil {
		t.Errorf("still in %q", got)
	}
}

// TestLostLedger takes the ledger away after a purge: what is there is read, and nothing of it deleted.
func TestLostLedger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	withSecret(s)
	s.ok(s.Purge(t.Context(), s.message(3), operator))
	s.ok(os.Remove(filepath.Join(dir, "files/archive/list1/ledger.jsonl")))
	copied := t.TempDir()
	s.ok(os.CopyFS(filepath.Join(copied, "files"), os.DirFS(filepath.Join(dir, "files"))))
	again := open(t, storagetest.OpenAt(t, copied))
	again.ok(again.Recover(t.Context()))
	if got := again.shape(); got != "1 2 3 4 5 6 7 8" { // the empty record is seen
		t.Errorf("threads: %s", got)
	}
	again.add(post(30))
	again.check()
	if again.Reindex(t.Context(), "list1", nil) != nil || again.shape() != "1 2 3 4 5 6 7 8 | 30" {
		t.Errorf("threads: %s", again.shape())
	}
	again.check()
}
