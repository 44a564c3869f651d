package storagetest

import (
	"context"
	"sync/atomic"
	"testing"

	"kairan/storage"
	"kairan/storage/bolt"
)

// Counter is an engine that counts the rows it gives: what an index has to keep low, whatever the machine.
type Counter struct {
	storage.Engine
	rows atomic.Int64
}

// Rows returns how many rows were read since the last call.
func (c *Counter) Rows() int { return int(c.rows.Swap(0)) }

// View implements storage.Engine.
func (c *Counter) View(ctx context.Context, fn func(storage.EngineTx) error) error {
	return c.Engine.View(ctx, func(tx storage.EngineTx) error { return fn(counterTx{tx, c}) })
}

// Update implements storage.Engine.
func (c *Counter) Update(ctx context.Context, fn func(storage.EngineTx) error) error {
	return c.Engine.Update(ctx, func(tx storage.EngineTx) error { return fn(counterTx{tx, c}) })
}

type counterTx struct {
	storage.EngineTx
	c *Counter
}

func (tx counterTx) Get(table string, key []byte) ([]byte, error) {
	tx.c.rows.Add(1)
	return tx.EngineTx.Get(table, key)
}

func (tx counterTx) Scan(table string, span storage.Span, yield func(key, value []byte) bool) error {
	return tx.EngineTx.Scan(table, span, func(key, value []byte) bool {
		tx.c.rows.Add(1)
		return yield(key, value)
	})
}

// OpenCounted opens a new store in a folder of the test, and returns what counts its rows.
func OpenCounted(t testing.TB, migrations ...storage.Migration) (*storage.DB, *Counter) {
	t.Helper()
	engine, files, err := bolt.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &Counter{Engine: engine}
	db, err := storage.New(t.Context(), c, files, migrations)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, c
}
