package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"kairan/storage"
	"kairan/storage/bolt"
)

// inLine starts updates, in this order, while another one holds the store.
// The holder goes on when all of them wait.
func inLine(t *testing.T, e storage.Engine, updates ...func()) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() { // a goroutine of its own, for it leads and a group may end it
		e.Update(context.Background(), func(tx storage.EngineTx) error {
			for _, u := range updates {
				wg.Go(u)
				synctest.Wait()
			}
			return tx.Put("t", []byte("holder"), nil)
		})
	})
	wg.Wait()
}

func keys(t *testing.T, e storage.Engine) (keys []string) {
	t.Helper()
	err := e.View(context.Background(), func(tx storage.EngineTx) error {
		return tx.Scan("t", storage.Span{}, func(k, _ []byte) bool {
			keys = append(keys, string(k))
			return true
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func putting(key string, size int) func(storage.EngineTx) error {
	return func(tx storage.EngineTx) error { return tx.Put("t", []byte(key), make([]byte, size)) }
}

func inBubble(t *testing.T, test func(*testing.T, storage.Engine)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		e, _ := open(t, dir)
		defer e.Close()
		test(t, e)
	})
}

func TestWaitingUpdateLeavesTheLine(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, e storage.Engine) {
		ctx, cancel := context.WithCancel(t.Context())
		inLine(t, e,
			func() {
				if err := e.Update(ctx, putting("cancelled", 1)); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			},
			func() {
				if err := e.Update(t.Context(), putting("other", 1)); err != nil {
					t.Error(err)
				}
			},
			cancel)
		if got, want := keys(t, e), []string{"holder", "other"}; !slices.Equal(got, want) {
			t.Errorf("rows %q, want %q", got, want)
		}
	})
}

// A function that ends its goroutine ends the leader's: nobody of its group
// was committed, and those behind go on.
func TestGoexitInAGroup(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, e storage.Engine) {
		inLine(t, e,
			func() {
				if err := e.Update(t.Context(), putting("company", 1)); err == nil {
					t.Error("an update was called durable and is not")
				}
			},
			func() {
				e.Update(t.Context(), func(storage.EngineTx) error { runtime.Goexit(); return nil })
			},
			func() {
				if err := e.Update(t.Context(), putting("behind", 1)); err != nil {
					t.Error(err)
				}
			})
		if got, want := keys(t, e), []string{"behind"}; !slices.Equal(got, want) {
			t.Errorf("rows %q, want %q", got, want)
		}
	})
}

// Updates run in the order they came, and share a commit until it has grown large.
func TestOrderAndSizeOfAGroup(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, e storage.Engine) {
		var order []string
		var seen []int // rows that a view sees while each update runs
		var line []func()
		for i := range 6 {
			line = append(line, func() {
				err := e.Update(t.Context(), func(tx storage.EngineTx) error {
					order = append(order, fmt.Sprint(i))
					seen = append(seen, len(keys(t, e)))
					if i != 2 {
						return putting(fmt.Sprint(i), 1)(tx)
					}
					for n := range bolt.MaxGroup >> 20 {
						if err := putting(fmt.Sprintf("2-%03d", n), storage.MaxValue)(tx); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		inLine(t, e, line...)
		if want := []string{"0", "1", "2", "3", "4", "5"}; !slices.Equal(order, want) {
			t.Errorf("order %q", order)
		}
		after := 3 + bolt.MaxGroup>>20 // the holder, 0, 1 and the rows of 2
		if want := []int{0, 0, 0, after, after, after}; !slices.Equal(seen, want) {
			t.Errorf("rows committed when each ran: %d, want %d", seen, want)
		}
	})
}

func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			e, _ := open(b, b.TempDir())
			defer e.Close()
			work := make(chan int)
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for i := range work {
						if err := e.Update(context.Background(), putting(fmt.Sprintf("%012d", i), 4<<10)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			i := 0
			for b.Loop() {
				work <- i
				i++
			}
			close(work)
			wg.Wait()
		})
	}
}

// BenchmarkBulk is a transaction of 10,000 rows in key order.
func BenchmarkBulk(b *testing.B) {
	e, _ := open(b, b.TempDir())
	defer e.Close()
	for n := 0; b.Loop(); n++ {
		err := e.Update(context.Background(), func(tx storage.EngineTx) error {
			for i := range 10_000 {
				if err := putting(fmt.Sprintf("%06d %06d", n, i), 300)(tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
