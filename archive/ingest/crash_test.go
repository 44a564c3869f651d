package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kairan/archive"
	"kairan/archive/ingest"
	"kairan/storage/storagetest"
)

// mboxOf writes a synthetic mbox of n messages and returns its name.
func mboxOf(t *testing.T, n int) string {
	t.Helper()
	var b bytes.Buffer
	if err := synthetic(&b, n); err != nil {
		t.Fatal(err)
	}
	return file(t, "old.mbox", b.String())
}

// every fails the test unless each of n messages is there once, and sound.
func (s *shelf) every(n int) {
	s.t.Helper()
	seen := map[string]bool{}
	for _, m := range s.all() {
		if seen[m.ID] {
			s.t.Errorf("%s is there twice", m.ID)
		}
		seen[m.ID] = true
	}
	if len(seen) != n {
		s.t.Errorf("%d messages of %d are there", len(seen), n)
	}
	s.check()
}

// TestInterrupted breaks an import off again and again, until it has come to its end.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	const n = 1500
	s := newShelf(t)
	source := []ingest.Source{{Path: mboxOf(t, n), Limit: 1 << 20}}
	broken := 0
	for {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := ingest.Run(ctx, s.Archive, ingest.Options{List: "list1", Names: []string{"janog"}, Sources: source, Progress: func(p ingest.Progress) {
			if p.Messages >= 500*(broken+1) && p.Messages < n {
				cancel()
			}
		}})
		cancel()
		if err == nil {
			if r.Known == 0 || r.Known+r.Added != n {
				t.Errorf("the last run: %+v", r)
			}
			break
		}
		if broken++; !errors.Is(err, context.Canceled) || broken > 10 {
			t.Fatal(err)
		}
	}
	if broken == 0 {
		t.Error("it was not interrupted")
	}
	s.every(n)
}

// TestKilled opens a store as kill -9 leaves it: the mboxes have what the rows do not know yet, and the last record is torn.
func TestKilled(t *testing.T) {
	t.Parallel()
	const n = 1000
	dir, copied := t.TempDir(), t.TempDir()
	name := mboxOf(t, n)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	half := file(t, "half.mbox", string(whole[:len(whole)/2]))
	t.Run("before", func(t *testing.T) {
		s := &shelf{Archive: newArchive(t, storagetest.OpenAt(t, dir)), t: t}
		s.run(half)
		rows, err := os.ReadFile(filepath.Join(dir, "kairan.db"))
		if err != nil {
			t.Fatal(err)
		}
		s.run(name)
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, "kairan.db"), rows, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	mboxes, err := filepath.Glob(filepath.Join(copied, "files/archive/list1/*.mbox"))
	if err != nil || len(mboxes) == 0 {
		t.Fatal(mboxes, err)
	}
	last := mboxes[len(mboxes)-1]
	info, err := os.Stat(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(last, info.Size()-100); err != nil {
		t.Fatal(err)
	}
	s := &shelf{Archive: newArchive(t, storagetest.OpenAt(t, copied)), t: t}
	r := s.run(name)
	// The half may have ended within a message, which then is another one.
	if r.Lost != 0 || r.Known < n/2-1 || r.Added == 0 {
		t.Errorf("%+v", r)
	}
	if err := s.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.check()
	if r := s.run(name); r.Added != 0 || r.Known != n {
		t.Errorf("again: %+v", r)
	}
}

// TestPostsMeanwhile archives posts while an import runs.
func TestPostsMeanwhile(t *testing.T) {
	t.Parallel()
	const n, posts = 1000, 20
	s := newShelf(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range posts {
			id := fmt.Sprintf("live%d@example.jp", i)
			_, err := s.Add(t.Context(), archive.Entry{List: "list1", Post: id, Number: uint64(5000 + i), ID: id, Received: time.Now(), Raw: []byte("Subject: live\r\n\r\nx\r\n")}, nil)
			if err != nil {
				t.Error(err)
			}
		}
	})
	r := s.run(mboxOf(t, n))
	wg.Wait()
	if r.Added != n {
		t.Errorf("%+v", r)
	}
	s.every(n + posts)
}
