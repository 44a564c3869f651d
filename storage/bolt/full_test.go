//go:build unix

package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"kairan/storage"
	"kairan/storage/bolt"
)

// fullFolder is the variable that tells a process of this test to be the child.
const fullFolder = "KAIRAN_BOLT_FULL"

// TestFullDisk fills a disk in a child process: a small one mounted for it
// where the system lets us, else a limit on the size of files.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(fullFolder); dir != "" {
		fillDisk(t, dir)
		return
	}
	t.Parallel()
	for _, mount := range []bool{false, true} {
		t.Run(fmt.Sprintf("mount=%t", mount), func(t *testing.T) {
			dir := t.TempDir()
			run := []string{os.Args[0], "-test.run=^TestFullDisk$", "-test.v"}
			if mount {
				script := `mount -t tmpfs -o size=24m none "$` + fullFolder + `" || { echo no mount; exit 0; }; exec "$@"`
				run = append([]string{"unshare", "-rm", "sh", "-c", script, "sh"}, run...)
			}
			child := exec.Command(run[0], run[1:]...)
			child.Env = append(os.Environ(), fullFolder+"="+dir, fmt.Sprintf("%s_LIMIT=%t", fullFolder, !mount))
			out, err := child.CombinedOutput()
			if mount && (errors.Is(err, exec.ErrNotFound) || strings.Contains(string(out), "no mount") || strings.HasPrefix(string(out), "unshare:")) {
				t.Skip("a disk cannot be mounted here")
			}
			if err != nil || !strings.Contains(string(out), "--- PASS: TestFullDisk") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// fillDisk commits until the disk is full, goes on when there is room again,
// and looks for what was committed and for what was not.
func fillDisk(t *testing.T, dir string) {
	setLimit := func(uint64) {}
	if os.Getenv(fullFolder+"_LIMIT") == "true" {
		signal.Ignore(syscall.SIGXFSZ)
		setLimit = func(n uint64) {
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: ^uint64(0)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	setLimit(40 << 20)
	e, files, err := bolt.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Create("ballast", make([]byte, 4<<20)); err != nil {
		t.Fatal(err)
	}
	key := func(i int) string { return fmt.Sprintf("%06d", i) }
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = e.Update(t.Context(), putting(key(n), 100_000))
	}
	full := err
	if n--; !errors.Is(full, syscall.ENOSPC) && (full == nil || !strings.Contains(full.Error(), "file too large")) {
		t.Fatalf("after %d rows: %v", n, full)
	}
	for i := range 5 { // and again, with more
		if err := e.Update(t.Context(), putting("x", 900_000+i)); err == nil {
			t.Error("a commit succeeded on a full disk")
		}
	}
	appendUntilFull(t, files)
	if got := keys(t, e); len(got) != n {
		t.Errorf("%d rows while the disk is full, want %d", len(got), n)
	}
	if err := errors.Join(files.Delete("ballast"), files.Delete("grows")); err != nil {
		t.Error(err)
	}
	setLimit(80 << 20)
	if err := e.Update(t.Context(), putting(key(n), 100_000)); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if e, _, err = bolt.Open(dir); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if problems := e.Check(context.Background()); problems != nil {
		t.Errorf("the store is damaged: %v", problems)
	}
	if got := keys(t, e); len(got) != n+1 || got[n] != key(n) {
		t.Errorf("%d rows after opening again, want %d", len(got), n+1)
	}
}

// appendUntilFull wants what an append could not write whole to be gone.
func appendUntilFull(t *testing.T, files *bolt.Files) {
	t.Helper()
	var at int64
	var err error
	for err == nil && at < 100<<20 {
		if err = files.Append("grows", at, make([]byte, 3<<20)); err == nil {
			at += 3 << 20
		}
	}
	if err == nil {
		t.Error("the disk did not fill")
	}
	if got, err := files.Len("grows"); got != at && !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("%d bytes after an append failed, want %d", got, at)
	}
}
