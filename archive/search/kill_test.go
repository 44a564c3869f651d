package search_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/archive/archivetest"
	"kairan/archive/search"
	"kairan/storage"
	"kairan/storage/bolt"
	"kairan/storage/storagetest"
)

// childEnv names a store: with it this binary is a program that archives, hides and indexes messages until it is killed.
const childEnv = "KAIRAN_SEARCH_TEST_CHILD"

func TestMain(m *testing.M) {
	dir := os.Getenv(childEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, child(dir))
	os.Exit(1)
}

// saveEvery makes saves and merges frequent, so that kills fall into them.
const saveEvery = 12

// most is how many messages there may be, so that one query finds all of them.
const most = search.MaxHits

func child(dir string) error {
	engine, files, err := bolt.Open(dir)
	if err != nil {
		return err
	}
	db, err := storage.New(context.Background(), engine, files, nil)
	if err != nil {
		return err
	}
	a := &archive.Archive{DB: db, Log: slog.New(slog.DiscardHandler)}
	if err := a.Recover(context.Background()); err != nil {
		return err
	}
	x := search.New(a, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	x.SaveEvery(saveEvery)
	go x.Run(context.Background())
	last := uint64(0)
	if err := db.View(context.Background(), func(tx *storage.Tx) error { last = archive.LastChange(tx); return nil }); err != nil {
		return err
	}
	c := archivetest.NewCorpus(last+1, "one")
	fmt.Println("ready")
	for n := last; ; n++ {
		if n < most {
			e := c.Next()
			e.Post, e.ID, e.Number = fmt.Sprint("p", n), fmt.Sprintf("%d@example.jp", n), n+1
			_, err = a.Add(context.Background(), e, nil)
		}
		if late := min(n+1, most); err == nil && n%2 == 0 { // of late ones, so that segments are merged for what is gone from them
			err = change(a, late-rand.Uint64N(min(late, 3*saveEvery)))
		}
		if err != nil {
			return err
		}
	}
}

// change hides a message, shows it again, or redacts it.
func change(a *archive.Archive, number uint64) error {
	var m *archive.Message
	err := a.DB.View(context.Background(), func(tx *storage.Tx) (err error) {
		m, err = archive.FindNumber(tx, "one", number)
		return err
	})
	order := archive.Order{By: "ann"}
	switch {
	case errors.Is(err, storage.ErrNotFound): // a change was no message
		return nil
	case err != nil:
		return err
	case m.Hidden:
		return a.Unhide(context.Background(), m, order)
	case number%5 == 0:
		return a.Redact(context.Background(), m, order)
	}
	return a.Hide(context.Background(), m, order)
}

// TestKillNine kills a program that archives and indexes at random points, again and again. After each kill the index comes to find every message
// that readers see, once, and nothing else; now and then it is compared with one that is made anew.
func TestKillNine(t *testing.T) {
	t.Parallel()
	const kills = 24
	dir := t.TempDir()
	for n := range kills {
		life(t, dir)
		t.Run(fmt.Sprint(n), func(t *testing.T) { afterKill(t, dir, n%8 == 7) })
	}
}

// life runs the child for a while.
func life(t *testing.T, dir string) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child said %q, %v: %s", line, err, said.Bytes())
	}
	time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if cmd.Wait(); said.Len() > 0 {
		t.Fatalf("the child complained: %s", said.Bytes())
	}
}

// afterKill opens what a kill left, and compares.
func afterKill(t *testing.T, dir string, anew bool) {
	w := &world{t: t, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	w.Archive = &archive.Archive{DB: storagetest.OpenAt(t, dir), Log: slog.New(slog.DiscardHandler)}
	if err := w.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin := func() {
		w.Index = search.New(w.Archive, log)
		w.SaveEvery(saveEvery)
		w.start()
		w.complete()
	}
	begin()
	var want []string
	err := w.DB.View(t.Context(), func(tx *storage.Tx) error {
		for month := range archive.Months(tx, "one") {
			for m := range archive.InMonth(tx, "one", month.Month) {
				want = append(want, fmt.Sprintf("one.%d", m.Seq))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if got := w.all(); !slices.Equal(got, want) {
		t.Errorf("found %s\nthere are %s", got, want)
	}
	if anew {
		w.sameAnew(begin)
	}
	w.stop()
	if w.log.Len() > 0 {
		t.Errorf("log: %s", w.log)
	}
}

// all finds everything.
func (w *world) all() (found []string) {
	found = strings.Fields(w.now("-nowhere"))
	slices.Sort(found)
	return found
}

// sameAnew compares what the index finds with what one finds that is made anew.
func (w *world) sameAnew(begin func()) {
	queries := []string{"-nowhere", "東京", "network", `"of the"`, "路", "subject:the", "has:attachment"}
	before := map[string]string{}
	for _, q := range queries {
		before[q] = w.now(q)
	}
	w.stop()
	if err := w.Rebuild(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	begin()
	for _, q := range queries {
		if now := w.now(q); now != before[q] {
			w.t.Errorf("%s: after the kill %s\nan index made anew finds %s", q, before[q], now)
		}
	}
}

// complete waits until the index is.
func (w *world) complete() {
	for !w.Complete() {
		time.Sleep(time.Millisecond)
	}
}
