package archive_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/archive"
	"kairan/storage"
	"kairan/storage/storagetest"
)

var errDisk = errors.New("no space left on device")

// failing is Blobs on a disk that is full: from now on an append or truncation
// in a file whose name holds in writes some bytes and fails.
type failing struct {
	storage.Blobs
	in    string
	bytes int // that are written all the same
}

func (f *failing) Append(name string, at int64, data []byte) error {
	if !strings.Contains(name, f.in) {
		return f.Blobs.Append(name, at, data)
	}
	if n := min(f.bytes, len(data)); n > 0 {
		if err := f.Blobs.Append(name, at, data[:n]); err != nil {
			return err
		}
	}
	return errDisk
}

func (f *failing) Truncate(name string, n int64) error {
	if strings.Contains(name, f.in) {
		return errDisk
	}
	return f.Blobs.Truncate(name, n)
}

// breakAdd adds e to a disk that takes n bytes of it; more than there are means that only the commit fails.
func breakAdd(s *shelf, e archive.Entry, n int) {
	s.t.Helper()
	whole := s.DB.Blobs
	var within func(*storage.Tx, *archive.Message) error
	if n < 10_000 {
		s.DB.Blobs = &failing{Blobs: whole, in: ".mbox", bytes: n}
	} else {
		within = func(*storage.Tx, *archive.Message) error { return errDisk }
	}
	if _, err := s.Add(s.t.Context(), e, within); !errors.Is(err, errDisk) {
		s.t.Fatalf("the broken Add returned %v", err)
	}
	s.DB.Blobs = whole
}

// breaks are numbers of bytes of a post that reach the disk.
func breaks() []int {
	all := []int{0, 1, 10_000}
	for n := 7; n < 600; n += 29 {
		all = append(all, n)
	}
	return all
}

func TestAddAfterFailure(t *testing.T) {
	t.Parallel()
	for _, n := range breaks() {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			a, b, later := post(1), post(2), post(3)
			later.Received = later.Received.AddDate(0, 1, 0)
			s.add(a)
			breakAdd(s, b, n)
			s.raws(a)    // readers see nothing of it
			s.add(later) // another month must settle the first, too
			s.add(b)
			s.raws(a, b, later)
			s.check()
			before := s.dump("list1")
			if err := s.Reindex(t.Context(), "list1", nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, s.dump("list1")); diff != "" {
				t.Errorf("the index made again differs: %s", diff)
			}
		})
	}
}

func TestRecoverAfterCrash(t *testing.T) {
	t.Parallel()
	for _, n := range breaks() {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a, b := post(1), post(2)
			t.Run("before", func(t *testing.T) {
				s := open(t, storagetest.OpenAt(t, dir))
				s.add(a)
				breakAdd(s, b, n)
			})
			torn := fileBytes(t, dir, "archive/list1/2026-01.mbox")
			s := open(t, storagetest.OpenAt(t, dir))
			if err := s.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.check()
			committed := fileBytes(t, dir, "archive/list1/2026-01.mbox")
			aside := ""
			for name := range s.DB.Blobs.All("lost+found/") {
				aside += fileBytes(t, dir, name)
			}
			if committed+aside != torn {
				t.Errorf("of %d bytes %d are in the archive and %d in lost+found", len(torn), len(committed), len(aside))
			}
			if told := strings.Contains(s.log.String(), "partial record"); told != (aside != "") {
				t.Errorf("reported: %t; log: %s", told, s.log)
			}
			if n == 10_000 {
				s.raws(a, b) // found again by its own record
			}
			s.add(b)
			s.raws(a, b)
			s.check()
		})
	}
}

func fileBytes(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "files", name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// TestFullDiskWhileRepairing fails where the partial record is saved and where it is cut.
func TestFullDiskWhileRepairing(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	a, b := post(1), post(2)
	s.add(a)
	breakAdd(s, b, 100)
	whole := s.DB.Blobs
	for _, f := range []*failing{{in: "lost+found", bytes: 10}, {in: "archive/"}, {in: "lost+found"}} {
		f.Blobs = whole
		s.DB.Blobs = f
		if _, err := s.Add(t.Context(), b, nil); !errors.Is(err, errDisk) {
			t.Errorf("%s: %v", f.in, err)
		}
	}
	s.DB.Blobs = whole
	s.raws(a)
	s.add(b)
	s.raws(a, b)
	var saved []int64
	for _, n := range whole.All("lost+found/") {
		saved = append(saved, n)
	}
	if diff := cmp.Diff([]int64{100}, saved); diff != "" {
		t.Error(diff)
	}
}

func TestFileShorterThanIndex(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	m := s.add(post(1))
	if err := s.DB.Blobs.Truncate(m.File, 100); err != nil {
		t.Fatal(err)
	}
	if err := s.Recover(t.Context()); err == nil || !strings.Contains(err.Error(), "100 bytes") {
		t.Errorf("Recover: %v", err)
	}
	if _, err := s.Add(t.Context(), post(2), nil); err == nil {
		t.Error("Add writes behind what is missing")
	}
	if complaints := slices.Collect(s.Check(t.Context())); len(complaints) != 2 {
		t.Errorf("Check: %q", complaints)
	}
}

// some fills a list with threads, months and a post that comes late.
func some(s *shelf) []archive.Entry {
	var all []archive.Entry
	for n := range 30 {
		e := post(n+1, fmt.Sprintf("Subject: topic %d", n%4), fmt.Sprintf("References: <m%d@example.jp>", n-5))
		e.Received = start.Add(time.Duration(n) * 8 * time.Hour)
		all = append(all, e)
	}
	held := post(31)
	held.Received = start
	all = append(all, held)
	for _, e := range all {
		s.add(e)
	}
	return all
}

func TestReindex(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	all := some(s)
	other := post(1)
	other.List = "list10" // begins like list1 and must not be dropped with it
	s.add(other)
	want, wantOther := s.dump("list1"), s.dump("list10")
	last := 0
	if err := s.Reindex(t.Context(), "list1", func(n int) { last = n }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, s.dump("list1")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(wantOther, s.dump("list10")); diff != "" {
		t.Error(diff)
	}
	if last != len(all) {
		t.Errorf("progress ended at %d of %d", last, len(all))
	}
	if m := s.add(post(40)); m.Seq != uint64(len(all)+1) {
		t.Errorf("the next message is number %d", m.Seq)
	}
	s.check()
}

func TestIndexFromFilesAlone(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	all := some(s)
	if err := os.CopyFS(filepath.Join(copied, "files"), os.DirFS(filepath.Join(dir, "files"))); err != nil {
		t.Fatal(err)
	}
	again := open(t, storagetest.OpenAt(t, copied))
	if err := again.Reindex(t.Context(), "list1", nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.dump("list1"), again.dump("list1")); diff != "" {
		t.Error(diff)
	}
	again.raws(all...)
	again.check()
}

func TestReindexInterrupted(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	all := some(s)
	want := s.dump("list1")
	whole := s.DB.Blobs
	s.DB.Blobs = unreadable{whole}
	if err := s.Reindex(t.Context(), "list1", nil); !errors.Is(err, errDisk) {
		t.Fatalf("Reindex: %v", err)
	}
	s.DB.Blobs = whole
	again := open(t, s.DB) // as after a restart
	if err := again.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, again.dump("list1")); diff != "" {
		t.Error(diff)
	}
	again.raws(all...)
	again.check()
}

// unreadable is a disk on which February cannot be read.
type unreadable struct{ storage.Blobs }

func (u unreadable) Open(name string) (storage.Blob, error) {
	if strings.HasSuffix(name, "2026-02.mbox") {
		return nil, errDisk
	}
	return u.Blobs.Open(name)
}

func TestDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	a, b, c := post(1), post(2), post(3)
	s.add(a)
	m := s.add(b)
	s.add(c)
	f, err := os.OpenFile(filepath.Join(dir, "files", m.File), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("X"), m.Offset+m.Length-5); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Raw(m); err == nil {
		t.Error("a damaged record is given out")
	}
	if complaints := slices.Collect(s.Check(t.Context())); len(complaints) != 1 || !strings.Contains(complaints[0], "message 2") {
		t.Errorf("Check: %q", complaints)
	}
	if err := s.Reindex(t.Context(), "list1", nil); err != nil {
		t.Fatal(err)
	}
	s.raws(a, c)
	if !strings.Contains(s.log.String(), "damaged record") {
		t.Errorf("log: %s", s.log)
	}
	if complaints := slices.Collect(s.Check(t.Context())); len(complaints) != 1 || !strings.Contains(complaints[0], "no message of the index") {
		t.Errorf("Check after Reindex: %q", complaints)
	}
}
