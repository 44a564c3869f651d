package storage_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"kairan/storage"
	"kairan/storage/bolt"
	"kairan/storage/storagetest"
)

// lengths are the committed lengths of blobs, as the archive keeps them.
var lengths = storage.NewTable[string, int64]("lengths", strs)

func committed(tx *storage.Tx) ([]storage.BlobRef, error) {
	var refs []storage.BlobRef
	for name, n := range lengths.Scan(tx, storage.Range[string]{}) {
		refs = append(refs, storage.BlobRef{Name: name, Length: n})
	}
	return refs, nil
}

// content is what byte i of a test blob is.
func content(from, n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((from + int64(i)) % 251)
	}
	return b
}

func appendTo(db *storage.DB, name string, at int64) error {
	if err := db.Blobs.Append(name, at, content(at, 700)); err != nil {
		return err
	}
	return db.Update(context.Background(), func(tx *storage.Tx) error { return lengths.Put(tx, name, at+700) })
}

// rowsOf returns every row of the tables of this test.
func rowsOf(t *testing.T, db *storage.DB) map[string]int64 {
	t.Helper()
	rows := map[string]int64{}
	err := db.View(t.Context(), func(tx *storage.Tx) error {
		for name, n := range lengths.Scan(tx, storage.Range[string]{}) {
			rows[name] = n
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// keepWriting appends to one blob, and creates and deletes others, until stop
// is closed. It calls started when there is something to back up.
func keepWriting(db *storage.DB, w int, started func(), stop <-chan struct{}) error {
	for i := 0; ; i++ {
		brief := func(i int) string { return fmt.Sprintf("renditions/%d/%d", w, i) }
		err := errors.Join(appendTo(db, fmt.Sprintf("archive/%d.mbox", w), int64(i)*700), appendTo(db, brief(i), 0))
		if err == nil && i > 0 { // the row first, then the blob
			err = db.Update(context.Background(), func(tx *storage.Tx) error { return lengths.Delete(tx, brief(i-1)) })
			err = errors.Join(err, db.Blobs.Delete(brief(i-1)))
		}
		if i == 10 || err != nil && i < 10 {
			started()
		}
		select {
		case <-stop:
			return err
		default:
		}
		if err != nil {
			return err
		}
	}
}

// TestBackupWhileWriting backs up, restores and compares while blobs are
// appended to, created and deleted.
func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t)
	stop := make(chan struct{})
	var wg, first sync.WaitGroup
	for w := range 3 {
		first.Add(1)
		wg.Go(func() {
			if err := keepWriting(db, w, first.Done, stop); err != nil {
				t.Error(err)
			}
		})
	}
	first.Wait()
	backup, restored := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	var done, total int64
	problems, err := storage.Backup(t.Context(), db, backup, storage.BackupOptions{
		Blobs:    committed,
		Extra:    map[string][]byte{"kairan.toml": []byte("hostname = \"lists.example.jp\"\n")},
		Progress: func(d, t int64) { done, total = d, t },
	})
	close(stop)
	wg.Wait()
	if err != nil || problems != nil || done != total || done == 0 {
		t.Fatalf("backup: %v, %v; %d of %d bytes", problems, err, done, total)
	}
	if err := storage.Restore(t.Context(), backup, restored, nil); err != nil {
		t.Fatal(err)
	}
	copied, opened := storagetest.OpenAt(t, restored), storagetest.OpenAt(t, backup)
	if problems := storage.Check(t.Context(), copied); problems != nil {
		t.Errorf("the copy has %v", problems)
	}
	rows := rowsOf(t, copied)
	if diff := gocmp.Diff(rowsOf(t, opened), rows); diff != "" {
		t.Errorf("rows of backup and restored folder:\n%s", diff)
	}
	now := rowsOf(t, db)
	for name, n := range rows {
		got, err := storage.ReadBlob(copied.Blobs, name)
		if err != nil || string(got) != string(content(0, n)) {
			t.Errorf("%s: %d bytes, %v, want %d", name, len(got), err, n)
		}
		if strings.HasPrefix(name, "archive/") && now[name] < n {
			t.Errorf("%s: %d bytes in the copy, %d in the store", name, n, now[name])
		}
	}
	for name := range copied.Blobs.All("") {
		if _, ok := rows[name]; !ok {
			t.Errorf("%s has no row", name)
		}
	}
	if len(rows) < 6 {
		t.Errorf("only %v", rows)
	}
	if left, _ := filepath.Glob(filepath.Join(restored, "files", ".new", "*")); left != nil {
		t.Errorf("left over: %v", left)
	}
}

// What rows of the view name stays until it is pinned, however soon it is to go.
func TestBackupHoldsBlobs(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t)
	if err := appendTo(db, "going", 0); err != nil {
		t.Fatal(err)
	}
	deleted := make(chan error)
	problems, err := storage.Backup(t.Context(), db, t.TempDir(), storage.BackupOptions{
		Blobs: func(tx *storage.Tx) ([]storage.BlobRef, error) {
			go func() { deleted <- db.Blobs.Delete("going") }()
			for range 10_000 { // time enough to be deleted, if it can be
				if _, err := db.Blobs.Len("going"); err != nil {
					t.Error(err)
					break
				}
			}
			return committed(tx)
		},
	})
	if err := errors.Join(err, <-deleted); err != nil || problems != nil {
		t.Errorf("backup: %v, %v", problems, err)
	}
	if _, err := db.Blobs.Len("going"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("after the backup: %v", err)
	}
}

func TestBackupReportsLostBlobs(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t)
	for _, name := range []string{"whole", "gone", "short"} {
		if err := appendTo(db, name, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Blobs.Delete("gone"); err != nil {
		t.Fatal(err)
	}
	if err := db.Blobs.Truncate("short", 10); err != nil {
		t.Fatal(err)
	}
	dst := t.TempDir()
	problems, err := storage.Backup(t.Context(), db, dst, storage.BackupOptions{Blobs: committed})
	if err != nil || len(problems) != 2 || problems[0].Where != "gone" || problems[1].Where != "short" {
		t.Errorf("%v, %v", problems, err)
	}
	if problems, err := storage.Verify(t.Context(), dst, nil); err != nil || problems != nil {
		t.Errorf("verify: %v, %v", problems, err)
	}
	if _, err := storage.Backup(t.Context(), db, dst, storage.BackupOptions{}); err == nil {
		t.Error("a second backup went into the same folder")
	}
}

func TestDamagedBackup(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t)
	if err := appendTo(db, "archive/a.mbox", 0); err != nil {
		t.Fatal(err)
	}
	blob := "files/archive/a.mbox"
	for name, c := range map[string]struct {
		damage func(dir string) error
		says   string
	}{
		"flipped byte": {func(dir string) error {
			b := content(0, 700)
			b[699] ^= 1
			return os.WriteFile(filepath.Join(dir, blob), b, 0o600)
		}, blob + ": damaged"},
		"cut rows":      {func(dir string) error { return os.Truncate(filepath.Join(dir, "kairan.db"), 5000) }, "kairan.db: damaged"},
		"missing":       {func(dir string) error { return os.Remove(filepath.Join(dir, blob)) }, blob + ": missing"},
		"stranger":      {func(dir string) error { return os.WriteFile(filepath.Join(dir, "x"), nil, 0o600) }, "x: not part"},
		"no manifest":   {func(dir string) error { return os.Remove(filepath.Join(dir, storage.Manifest)) }, "not a backup"},
		"no lines":      {func(dir string) error { return os.Truncate(filepath.Join(dir, storage.Manifest), 0) }, "is empty"},
		"cut manifest":  {func(dir string) error { return os.Truncate(filepath.Join(dir, storage.Manifest), 30) }, "line 1 is damaged"},
		"symbolic link": {func(dir string) error { return link(dir, blob) }, blob + ": not a file"},
		"leading out": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, storage.Manifest), []byte(strings.Repeat("0", 64)+"  ../x\n"), 0o600)
		}, "line 1 is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			backup, dst := t.TempDir(), filepath.Join(t.TempDir(), "data")
			if _, err := storage.Backup(t.Context(), db, backup, storage.BackupOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := c.damage(backup); err != nil {
				t.Fatal(err)
			}
			err := storage.Restore(t.Context(), backup, dst, nil)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if _, err := os.Stat(dst); err == nil {
				t.Error("something was restored")
			}
		})
	}
}

func link(dir, name string) error {
	path := filepath.Join(dir, name)
	if err := os.Rename(path, path+".away"); err != nil {
		return err
	}
	return os.Symlink(path+".away", path)
}

func TestRestoreRefusesAFullFolder(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t)
	backup, dst := t.TempDir(), t.TempDir()
	if _, err := storage.Backup(t.Context(), db, backup, storage.BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dst, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := storage.Restore(t.Context(), backup, dst, nil); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("got %v", err)
	}
}

// A backup that is broken off is none, and holds nothing back.
func TestBackupBrokenOff(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t)
	if err := appendTo(db, "a", 0); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	dst := t.TempDir()
	_, err := storage.Backup(ctx, db, dst, storage.BackupOptions{Progress: func(int64, int64) { cancel() }})
	if err == nil {
		t.Error("no error")
	}
	if _, err := storage.Verify(t.Context(), dst, nil); err == nil || !strings.Contains(err.Error(), "not a backup") {
		t.Errorf("verify: %v", err)
	}
	if err := appendTo(db, "a", 700); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := storagetest.OpenAt(t, dir)
	fill(t, db)
	if problems := storage.Check(t.Context(), db); problems != nil {
		t.Errorf("a sound store has %v", problems)
	}
	if err := os.MkdirAll(filepath.Join(dir, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", filepath.Join(dir, "files", "odd")); err != nil {
		t.Fatal(err)
	}
	if problems := storage.Check(t.Context(), db); len(problems) != 1 || problems[0].Where != "odd" {
		t.Errorf("got %v", problems)
	}
	// What a short copy of a data folder looks like.
	cut := t.TempDir()
	rows, err := os.ReadFile(filepath.Join(dir, "kairan.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cut, "kairan.db"), rows[:3*os.Getpagesize()], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := bolt.Open(cut); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("open a file cut short: %v", err)
	}
}
