package storagetest

import (
	"testing"

	"kairan/storage"
	"kairan/storage/bolt"
)

// Open returns a fresh store in a folder of the test's own, closed at its end.
func Open(t testing.TB, migrations ...storage.Migration) *storage.DB {
	t.Helper()
	return OpenAt(t, t.TempDir(), migrations...)
}

// OpenAt is Open on folder dir, for tests that open a store again.
func OpenAt(t testing.TB, dir string, migrations ...storage.Migration) *storage.DB {
	t.Helper()
	engine, files, err := bolt.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := storage.New(t.Context(), engine, files, migrations)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
