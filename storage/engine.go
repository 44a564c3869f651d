package storage

import (
	"context"
	"errors"
)

// Limits of one row, in bytes.
const (
	MaxKey   = 1 << 10
	MaxValue = 1 << 20
)

var (
	// ErrNotFound says that a table has no such key, or that a blob does not exist.
	ErrNotFound = errors.New("not found")
	// ErrLocked says that another process has the store open.
	ErrLocked = errors.New("the data folder is in use by another kairan process")
)

// Engine is the contract between Kairan and what keeps its rows:
// serialisable transactions over ordered byte keys in named tables.
// A table that was never written is empty. A function that holds a transaction
// does not start another one: it could wait for itself.
type Engine interface {
	// View runs fn in a read-only transaction: a consistent snapshot.
	View(ctx context.Context, fn func(EngineTx) error) error
	// Update runs fn in a read-write transaction that is durable when Update
	// returns nil and leaves no trace when it returns an error.
	// fn may run more than once and on another goroutine, so it must have no
	// effect outside tx. A panic in fn becomes an error.
	Update(ctx context.Context, fn func(EngineTx) error) error
	// Close waits for running transactions and releases the store.
	Close() error
}

// Scrubber is an [Engine] that keeps the bytes of deleted rows until it needs their room.
type Scrubber interface {
	// Scrub writes over them.
	Scrub(ctx context.Context) error
}

// EngineTx is a transaction of an [Engine]. It is not safe for concurrent use,
// and nothing it returned may be changed, or used after its function returned.
// What it is given it copies.
type EngineTx interface {
	// Get returns the value of key, or ErrNotFound.
	Get(table string, key []byte) ([]byte, error)
	// Put sets key to value, within MaxKey and MaxValue.
	Put(table string, key, value []byte) error
	// Delete removes key; a key that is not there is no error.
	Delete(table string, key []byte) error
	// Scan yields the rows of span in order until yield returns false.
	// It does not see writes made by this transaction after Scan was called.
	Scan(table string, span Span, yield func(key, value []byte) bool) error
	// Tables names the tables that hold rows.
	Tables() ([]string, error)
}

// Span is a half-open range of keys: From <= key < To.
// A nil From is the first key, a nil To is past the last.
type Span struct {
	From, To []byte
	// Reverse yields the last key first.
	Reverse bool
}
