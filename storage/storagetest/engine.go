package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/storage"
)

// OpenFunc opens the engine under test on folder dir, which may hold a store already.
type OpenFunc func(t testing.TB, dir string) (storage.Engine, storage.Blobs)

// TestEngine is the contract of [storage.Engine] and [storage.Blobs] as a test.
// It starts the test binary again to kill it, so it must be called
// from a test function itself and not twice in one.
func TestEngine(t *testing.T, open OpenFunc) {
	if crashChild(t, open) {
		return
	}
	for name, test := range map[string]func(*testing.T, storage.Engine){
		"rows":            testRows,
		"limits":          testLimits,
		"copies":          testCopies,
		"rollback":        testRollback,
		"panic":           testPanic,
		"snapshot":        testSnapshot,
		"serialisable":    testSerialisable,
		"failing company": testFailingCompany,
		"context":         testContext,
		"read-only":       testReadOnly,
		"model":           testModel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := open(t, t.TempDir())
			defer closeEngine(t, e)
			test(t, e)
		})
	}
	t.Run("blobs", func(t *testing.T) {
		t.Parallel()
		e, b := open(t, t.TempDir())
		defer closeEngine(t, e)
		testBlobs(t, b)
	})
	t.Run("reopen", func(t *testing.T) {
		t.Parallel()
		testReopen(t, open)
	})
	t.Run("kill", func(t *testing.T) { testKill(t, open) })
}

func closeEngine(t testing.TB, e storage.Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func update1(t testing.TB, e storage.Engine, fn func(storage.EngineTx) error) {
	t.Helper()
	if err := e.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, e storage.Engine, table, key, value string) {
	t.Helper()
	update1(t, e, func(tx storage.EngineTx) error { return tx.Put(table, []byte(key), []byte(value)) })
}

// dump returns all rows of all tables as "table key=value".
func dump(t testing.TB, e storage.Engine) []string {
	t.Helper()
	var rows []string
	err := e.View(context.Background(), func(tx storage.EngineTx) error {
		tables, err := tx.Tables()
		if err != nil {
			return err
		}
		slices.Sort(tables)
		for _, table := range tables {
			for _, row := range scan(t, tx, table, storage.Span{}) {
				rows = append(rows, table+" "+row)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// scan returns the rows of span as "key=value".
func scan(t testing.TB, tx storage.EngineTx, table string, span storage.Span) []string {
	t.Helper()
	var rows []string
	err := tx.Scan(table, span, func(k, v []byte) bool {
		rows = append(rows, fmt.Sprintf("%s=%s", k, v))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func wantRows(t testing.TB, e storage.Engine, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, dump(t, e)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func testRows(t *testing.T, e storage.Engine) {
	wantRows(t, e)
	update1(t, e, func(tx storage.EngineTx) error {
		if _, err := tx.Get("never written", []byte("a")); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("get from a table that was never written: %v", err)
		}
		if err := tx.Delete("never written", []byte("a")); err != nil {
			t.Errorf("delete from a table that was never written: %v", err)
		}
		if got := scan(t, tx, "never written", storage.Span{}); got != nil {
			t.Errorf("scan of a table that was never written: %q", got)
		}
		for _, k := range []string{"b", "a\x00", "a", "\xff\xff", "\x00", "c"} {
			if err := tx.Put("t", []byte(k), nil); err != nil {
				return err
			}
		}
		if v, err := tx.Get("t", []byte("a")); err != nil || len(v) != 0 {
			t.Errorf("an empty value reads as %q, %v", v, err)
		}
		return errors.Join(tx.Put("t", []byte("b"), []byte("2")), tx.Delete("t", []byte("c")), tx.Delete("t", []byte("not there")))
	})
	wantRows(t, e, "t \x00=", "t a=", "t a\x00=", "t b=2", "t \xff\xff=")
	update1(t, e, func(tx storage.EngineTx) error {
		for _, k := range []string{"b", "a\x00", "a", "\xff\xff", "\x00"} {
			if err := tx.Delete("t", []byte(k)); err != nil {
				return err
			}
		}
		return tx.Put("u", []byte("a"), []byte("1"))
	})
	wantRows(t, e, "u a=1") // an emptied table is not named
}

func testLimits(t *testing.T, e storage.Engine) {
	key, value := bytes.Repeat([]byte("k"), storage.MaxKey), bytes.Repeat([]byte("v"), storage.MaxValue)
	update1(t, e, func(tx storage.EngineTx) error { return tx.Put("t", key, value) })
	err := e.View(t.Context(), func(tx storage.EngineTx) error {
		got, err := tx.Get("t", key)
		if !bytes.Equal(got, value) {
			t.Errorf("the largest value came back as %d bytes", len(got))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for name, row := range map[string][2][]byte{
		"empty key":  {nil, nil},
		"long key":   {append(key, 'k'), nil},
		"long value": {key, append(value, 'v')},
	} {
		err := e.Update(t.Context(), func(tx storage.EngineTx) error { return tx.Put("t", row[0], row[1]) })
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if n := len(dump(t, e)); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// testCopies uses the slices it gave to the engine again.
func testCopies(t *testing.T, e storage.Engine) {
	update1(t, e, func(tx storage.EngineTx) error {
		key, value := []byte("a"), []byte("1")
		if err := tx.Put("t", key, value); err != nil {
			return err
		}
		key[0], value[0] = 'b', '2'
		return tx.Put("t", key, value)
	})
	wantRows(t, e, "t a=1", "t b=2")
}

func testRollback(t *testing.T, e storage.Engine) {
	put(t, e, "t", "a", "1")
	put(t, e, "t", "b", "2")
	failed := errors.New("no")
	for range 3 {
		err := e.Update(t.Context(), func(tx storage.EngineTx) error {
			return errors.Join(
				tx.Put("t", []byte("a"), []byte("3")), tx.Put("t", []byte("a"), []byte("4")),
				tx.Delete("t", []byte("b")), tx.Put("t", []byte("b"), nil), tx.Delete("t", []byte("b")),
				tx.Put("t", []byte("c"), nil), tx.Put("new", []byte("a"), nil), failed)
		})
		if !errors.Is(err, failed) {
			t.Errorf("got %v, want the function's error", err)
		}
		wantRows(t, e, "t a=1", "t b=2")
	}
}

func testPanic(t *testing.T, e storage.Engine) {
	err := e.Update(t.Context(), func(tx storage.EngineTx) error {
		if err := tx.Put("t", []byte("a"), nil); err != nil {
			return err
		}
		panic("lanterns")
	})
	if err == nil || !strings.Contains(err.Error(), "lanterns") {
		t.Errorf("a panic became %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic in a view did not reach its caller")
			}
		}()
		e.View(t.Context(), func(storage.EngineTx) error { panic("lanterns") })
	}()
	var wg sync.WaitGroup
	wg.Go(func() { // as t.FailNow does it
		e.Update(context.Background(), func(tx storage.EngineTx) error {
			tx.Put("t", []byte("a"), nil)
			runtime.Goexit()
			return nil
		})
	})
	wg.Wait()
	put(t, e, "t", "b", "2")
	wantRows(t, e, "t b=2")
}

func testReadOnly(t *testing.T, e storage.Engine) {
	put(t, e, "t", "a", "1")
	err := e.View(t.Context(), func(tx storage.EngineTx) error {
		for _, key := range []string{"a", "b"} {
			if tx.Put("t", []byte(key), nil) == nil || tx.Delete("t", []byte(key)) == nil || tx.Put("u", []byte(key), nil) == nil {
				t.Error("a view could write")
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	wantRows(t, e, "t a=1")
}

func testSnapshot(t *testing.T, e storage.Engine) {
	put(t, e, "t", "a", "1")
	put(t, e, "t", "c", "1")
	err := e.View(t.Context(), func(tx storage.EngineTx) error {
		var seen []string
		err := tx.Scan("t", storage.Span{}, func(k, v []byte) bool {
			// Writers go on while this view is open, and it does not see them.
			var wg sync.WaitGroup
			wg.Go(func() { put(t, e, "t", "b"+string(k), "2"); put(t, e, "t", "c", "2") })
			wg.Wait()
			seen = append(seen, fmt.Sprintf("%s=%s", k, v))
			return true
		})
		if diff := cmp.Diff([]string{"a=1", "c=1"}, seen); diff != "" {
			t.Errorf("scan in a view (-want +got):\n%s", diff)
		}
		if v, _ := tx.Get("t", []byte("c")); string(v) != "1" {
			t.Errorf("get in a view saw %q", v)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	wantRows(t, e, "t a=1", "t ba=2", "t bc=2", "t c=2")
}

func testSerialisable(t *testing.T, e storage.Engine) {
	const writers, times = 8, 25
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			var mine int
			for range times {
				err := e.Update(context.Background(), func(tx storage.EngineTx) error {
					var n int
					if v, err := tx.Get("t", []byte("counter")); err == nil {
						fmt.Sscan(string(v), &n)
					}
					if n < mine {
						return fmt.Errorf("counter %d after we had committed %d", n, mine)
					}
					mine = n + 1
					return tx.Put("t", []byte("counter"), fmt.Append(nil, n+1))
				})
				if err != nil {
					t.Error(err)
				}
				err = e.View(context.Background(), func(tx storage.EngineTx) error {
					var n int
					v, err := tx.Get("t", []byte("counter"))
					if fmt.Sscan(string(v), &n); n < mine {
						t.Errorf("a view sees %d after we had committed %d", n, mine)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantRows(t, e, fmt.Sprintf("t counter=%d", writers*times))
}

// testFailingCompany lets updates that fail in every way run beside good ones.
func testFailingCompany(t *testing.T, e storage.Engine) {
	const updates = 60
	failed := errors.New("no")
	var wg sync.WaitGroup
	var want []string
	for i := range updates {
		key := fmt.Sprintf("%02d", i)
		if i%3 == 0 {
			want = append(want, "t "+key+"=")
		}
		wg.Go(func() {
			err := e.Update(context.Background(), func(tx storage.EngineTx) error {
				err := errors.Join(tx.Put("t", []byte(key), nil), tx.Put("u", []byte("shared"), []byte(key)), tx.Delete("u", []byte("shared")))
				switch i % 3 {
				case 1:
					return failed
				case 2:
					panic(failed)
				}
				return err
			})
			if (i%3 == 0) != (err == nil) || i%3 == 1 && !errors.Is(err, failed) {
				t.Errorf("update %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	wantRows(t, e, want...)
}

func testContext(t *testing.T, e storage.Engine) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	ran := func(storage.EngineTx) error { t.Error("ran with a context that had ended"); return nil }
	if err := e.View(done, ran); !errors.Is(err, context.Canceled) {
		t.Errorf("view: %v", err)
	}
	if err := e.Update(done, ran); !errors.Is(err, context.Canceled) {
		t.Errorf("update: %v", err)
	}
	// One that waits for another leaves the line when its context ends.
	ctx, cancel := context.WithCancel(t.Context())
	update1(t, e, func(tx storage.EngineTx) error {
		left := make(chan error)
		go func() { left <- e.Update(ctx, ran) }()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("waiting update: %v", err)
		}
		return nil
	})
}
