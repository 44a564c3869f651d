package storagetest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"kairan/storage"
)

// crashFolder is the variable that tells a process of this test to be the child.
const crashFolder = "KAIRAN_STORAGETEST_CRASH"

const (
	crashRounds  = 6
	crashWriters = 4
)

// crashRow is what writer w commits as number n, and appends to its blob.
func crashRow(w, n int) []byte {
	return fmt.Appendf(nil, "%d %d %0*d\n", w, n, n%3000, n)
}

func crashKey(w, n int) []byte { return fmt.Appendf(nil, "%d %08d", w, n) }

func crashBlob(w int) string { return fmt.Sprintf("appended/%d", w) }

// testKill starts a child that commits and says so, kills it at a random
// moment, and looks for everything that it said.
func testKill(t *testing.T, open OpenFunc) {
	dir := t.TempDir()
	var next [crashWriters]int
	for range crashRounds {
		said := runUntilKilled(t, dir)
		e, b := open(t, dir)
		for w := range crashWriters {
			kept := readCrash(t, e, b, w)
			if kept < said[w] || kept < next[w] {
				t.Errorf("writer %d: %d rows are there, the child said %d, and %d were there before", w, kept, said[w], next[w])
			}
			next[w] = kept
		}
		closeEngine(t, e)
	}
	if next == [crashWriters]int{} {
		t.Error("the children committed nothing")
	}
}

// runUntilKilled returns how many rows of each writer the child called durable.
func runUntilKilled(t *testing.T, dir string) (said [crashWriters]int) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+topName(t)+"$", "-test.timeout=1m")
	child.Env = append(os.Environ(), crashFolder+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	child.Stderr = &stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for left := rand.IntN(200); lines.Scan(); left-- {
		var w, n int
		if _, err := fmt.Sscanf(lines.Text(), "committed %d %d.", &w, &n); err == nil && w < crashWriters {
			said[w] = n + 1
		}
		if left == 0 {
			child.Process.Kill() // and read on: what it said before counts
		}
	}
	child.Wait()
	if child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %s", stderr.Bytes())
	}
	return said
}

// topName is the name of the test function that t runs under.
func topName(t *testing.T) string {
	for i, c := range t.Name() {
		if c == '/' {
			return t.Name()[:i]
		}
	}
	return t.Name()
}

// crashChild commits until it is killed, if this process is the child.
func crashChild(t *testing.T, open OpenFunc) bool {
	dir := os.Getenv(crashFolder)
	if dir == "" {
		return false
	}
	e, b := open(t, dir)
	failed := make(chan error)
	for w := range crashWriters {
		go func() { failed <- crashWriter(e, b, w) }()
	}
	fmt.Fprintln(os.Stderr, <-failed)
	os.Exit(1)
	return true
}

// crashWriter appends to its blob, then commits the row, as the archive does.
func crashWriter(e storage.Engine, b storage.Blobs, w int) error {
	n, at, err := crashState(e, w)
	if err != nil {
		return err
	}
	if size, err := b.Len(crashBlob(w)); err == nil && size > at {
		if err := b.Truncate(crashBlob(w), at); err != nil {
			return err
		}
	}
	for ; ; n++ {
		row := crashRow(w, n)
		if err := b.Append(crashBlob(w), at, row); err != nil {
			return err
		}
		at += int64(len(row))
		err := e.Update(context.Background(), func(tx storage.EngineTx) error {
			return errors.Join(tx.Put("rows", crashKey(w, n), row), tx.Put("at", fmt.Append(nil, w), fmt.Append(nil, n+1, at)))
		})
		if err != nil {
			return err
		}
		fmt.Printf("committed %d %d.\n", w, n)
	}
}

// crashState returns how many rows of writer w are there, and how long its blob was then.
func crashState(e storage.Engine, w int) (rows int, length int64, err error) {
	err = e.View(context.Background(), func(tx storage.EngineTx) error {
		v, err := tx.Get("at", fmt.Append(nil, w))
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = fmt.Sscan(string(v), &rows, &length)
		return err
	})
	return rows, length, err
}

// readCrash returns how many rows of writer w are there, and compares them and the blob.
func readCrash(t *testing.T, e storage.Engine, b storage.Blobs, w int) int {
	t.Helper()
	rows, length, err := crashState(e, w)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	err = e.View(t.Context(), func(tx storage.EngineTx) error {
		for n := range rows {
			v, err := tx.Get("rows", crashKey(w, n))
			if err != nil || !bytes.Equal(v, crashRow(w, n)) {
				t.Fatalf("writer %d: row %d reads %.40q, %v", w, n, v, err)
			}
			want = append(want, v...)
		}
		_, err := tx.Get("rows", crashKey(w, rows))
		if !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("writer %d: row %d is half a transaction: %v", w, rows, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if rows == 0 {
		return 0
	}
	got, err := storage.ReadBlob(b, crashBlob(w))
	if err != nil || int64(len(want)) != length || !bytes.HasPrefix(got, want) {
		t.Errorf("writer %d: blob of %d bytes does not start with the %d that rows say, %v", w, len(got), len(want), err)
	}
	return rows
}

// testReopen closes the store while updates come in: those that succeeded are kept.
func testReopen(t *testing.T, open OpenFunc) {
	dir := t.TempDir()
	e, b := open(t, dir)
	if err := b.Create("kept", []byte("x")); err != nil {
		t.Fatal(err)
	}
	const writers = 4
	var counts [writers]int
	done := make(chan struct{})
	started := make(chan struct{}, writers*10)
	for w := range writers {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				err := e.Update(context.Background(), func(tx storage.EngineTx) error {
					return tx.Put("rows", crashKey(w, counts[w]), nil)
				})
				if err != nil {
					return
				}
				if counts[w]++; counts[w] <= 10 {
					started <- struct{}{}
				}
			}
		}()
	}
	for range writers * 5 {
		<-started
	}
	closeEngine(t, e)
	for range writers {
		<-done
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	e, b = open(t, dir)
	defer closeEngine(t, e)
	if got := len(dump(t, e)); got != total {
		t.Errorf("%d rows are there, %d updates succeeded", got, total)
	}
	wantBlobs(t, b, "", "kept=x")
}
