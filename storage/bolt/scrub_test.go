package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kairan/storage"
	"kairan/storage/bolt"
)

// TestScrub looks into the file for what was deleted, in rows of all sizes, while others stay.
func TestScrub(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, _, err := bolt.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	update := func(fn func(tx storage.EngineTx) error) {
		t.Helper()
		if err := e.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 3 {
		for n := range 60 {
			update(func(tx storage.EngineTx) error {
				secret := strings.Repeat(fmt.Sprintf("canary%d ", n), 1+n*round*7)
				return tx.Put("letters", fmt.Appendf(nil, "%d", n), []byte(secret))
			})
		}
	}
	update(func(tx storage.EngineTx) error {
		for n := range 59 { // the last stays
			if err := tx.Delete("letters", fmt.Appendf(nil, "%d", n)); err != nil {
				return err
			}
		}
		return nil
	})
	found := func(sign string) bool {
		b, err := os.ReadFile(filepath.Join(dir, "kairan.db"))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(b, []byte(sign))
	}
	if !found("canary7 ") {
		t.Error("nothing is left to be written over: this test shows nothing")
	}
	if err := e.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 59 {
		if sign := fmt.Sprintf("canary%d ", n); found(sign) {
			t.Fatalf("%s is still in the file", sign)
		}
	}
	if !found("canary59 ") {
		t.Error("what was not deleted has gone")
	}
	for _, problem := range e.Check(t.Context()) {
		t.Error(problem)
	}
	err = e.View(t.Context(), func(tx storage.EngineTx) error {
		tables, err := tx.Tables()
		if len(tables) != 1 {
			t.Errorf("tables: %v", tables)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestScrubWaitsForViews deletes what a view still reads, and what no view may read again is gone all the same.
func TestScrubWaitsForViews(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, _, err := bolt.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	put := func(value string) error {
		return e.Update(t.Context(), func(tx storage.EngineTx) error { return tx.Put("letters", []byte("a"), []byte(value)) })
	}
	if err := errors.Join(put("canary"), put("canary, too")); err != nil {
		t.Fatal(err)
	}
	reading, read, scrubbed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	done := make(chan error, 1)
	go func() {
		done <- e.View(t.Context(), func(tx storage.EngineTx) error {
			close(reading)
			<-read
			v, err := tx.Get("letters", []byte("a"))
			if err == nil && string(v) != "canary, too" {
				err = fmt.Errorf("the view reads %q", v)
			}
			return err
		})
	}()
	<-reading
	if err := put("nothing"); err != nil {
		t.Fatal(err)
	}
	go func() { scrubbed <- e.Scrub(t.Context()) }()
	if err := e.View(t.Context(), func(storage.EngineTx) error { return nil }); err != nil { // others go on
		t.Fatal(err)
	}
	close(read)
	if err := errors.Join(<-done, <-scrubbed); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "kairan.db")); err != nil || bytes.Contains(b, []byte("canary")) {
		t.Errorf("the file still has it: %v", err)
	}
}
