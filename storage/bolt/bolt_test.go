package bolt_test

import (
	"errors"
	"testing"

	"kairan/storage"
	"kairan/storage/bolt"
	"kairan/storage/storagetest"
)

func open(t testing.TB, dir string) (storage.Engine, storage.Blobs) {
	t.Helper()
	e, files, err := bolt.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return e, files
}

func TestEngine(t *testing.T) { storagetest.TestEngine(t, open) }

// After a commit that may or may not be on disk nothing is served.
func TestUnsureCommitStopsTheEngine(t *testing.T) {
	t.Parallel()
	e, _, err := bolt.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	broken := errors.New("input/output error")
	nothing := func(storage.EngineTx) error { return nil }
	if err := e.FailLast(1, broken); err != nil { // its last page was not written
		t.Fatal(err)
	}
	if err := errors.Join(e.View(t.Context(), nothing), e.Update(t.Context(), putting("a", 1))); err != nil {
		t.Errorf("after a commit that surely failed: %v", err)
	}
	if err := e.FailLast(0, broken); err != nil {
		t.Fatal(err)
	}
	if err := e.View(t.Context(), nothing); !errors.Is(err, broken) {
		t.Errorf("view: %v", err)
	}
	if err := e.Update(t.Context(), putting("b", 1)); !errors.Is(err, broken) {
		t.Errorf("update: %v", err)
	}
}

func TestLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, _ := open(t, dir)
	defer e.Close()
	if _, _, err := bolt.Open(dir); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("got %v", err)
	}
}
