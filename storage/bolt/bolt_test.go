package bolt_test

import (
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
