package bolt_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"kairan/storage"
	"kairan/storage/bolt"
)

func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			e, _, err := bolt.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			value := make([]byte, 4<<10)
			work := make(chan int)
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for i := range work {
						err := e.Update(context.Background(), func(tx storage.EngineTx) error {
							return tx.Put("posts", fmt.Appendf(nil, "%012d", i), value)
						})
						if err != nil {
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
