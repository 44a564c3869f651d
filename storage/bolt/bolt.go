package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"kairan/storage"
)

// maxGroup is how many waiting updates share one commit at the most.
const maxGroup = 64

// Engine is a [storage.Engine] over one bbolt file.
type Engine struct {
	db *bbolt.DB

	mu      sync.Mutex // protects waiting
	waiting []*update
	writing sync.Mutex // held by the goroutine that commits
}

type update struct {
	ctx  context.Context
	fn   func(storage.EngineTx) error
	done chan struct{}
	err  error
}

// Open opens or creates the store in folder dir and the blobs beside it.
// It returns storage.ErrLocked when another process has it open.
func Open(dir string) (*Engine, *Files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(dir, "kairan.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 200 * time.Millisecond, FreelistType: bbolt.FreelistMapType})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, nil, fmt.Errorf("%s: %w", path, storage.ErrLocked)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &Engine{db: db}, &Files{root: filepath.Join(dir, "files")}, nil
}

// Close waits for running transactions and releases the file.
func (e *Engine) Close() error { return e.db.Close() }

// View implements [storage.Engine].
func (e *Engine) View(ctx context.Context, fn func(storage.EngineTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.db.View(func(tx *bbolt.Tx) error { return fn(transaction{tx}) })
}

// Update implements [storage.Engine] by group commit.
func (e *Engine) Update(ctx context.Context, fn func(storage.EngineTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &update{ctx: ctx, fn: fn, done: make(chan struct{})}
	e.mu.Lock()
	e.waiting = append(e.waiting, u)
	e.mu.Unlock()

	e.writing.Lock()
	defer e.writing.Unlock()
	select {
	case <-u.done: // whoever held the lock before us took us along
		return u.err
	default:
	}
	// Those before us in the line go first: we are in one of the next groups.
	for {
		e.mu.Lock()
		group := e.waiting[:min(len(e.waiting), maxGroup)]
		e.waiting = slices.Clone(e.waiting[len(group):])
		e.mu.Unlock()
		e.commit(group)
		for _, g := range group {
			close(g.done)
		}
		if slices.Contains(group, u) {
			return u.err
		}
	}
}

// commit runs the group in one transaction, or each by itself if one fails.
func (e *Engine) commit(group []*update) {
	err := e.db.Update(func(tx *bbolt.Tx) error {
		for _, u := range group {
			if err := call(u, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	for _, u := range group {
		u.err = e.db.Update(func(tx *bbolt.Tx) error { return call(u, tx) })
	}
}

// call turns a panic of one update into its error, so that the others of its
// group, and the lock, are left alone.
func call(u *update, tx *bbolt.Tx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in an update: %v", r)
		}
	}()
	if err := u.ctx.Err(); err != nil {
		return err
	}
	return u.fn(transaction{tx})
}

// transaction is a [storage.EngineTx] over a bbolt transaction.
type transaction struct{ tx *bbolt.Tx }

func (t transaction) Get(table string, key []byte) ([]byte, error) {
	b := t.tx.Bucket([]byte(table))
	if b == nil {
		return nil, storage.ErrNotFound
	}
	v := b.Get(key)
	if v == nil {
		return nil, storage.ErrNotFound
	}
	return t.stable(v), nil
}

// stable copies b in a writing transaction, where bbolt may map the file anew
// and b would point nowhere.
func (t transaction) stable(b []byte) []byte {
	if t.tx.Writable() {
		return bytes.Clone(b)
	}
	return b
}

func (t transaction) Put(table string, key, value []byte) error {
	if len(key) == 0 || len(key) > storage.MaxKey {
		return fmt.Errorf("a key of %d bytes; the limit is %d", len(key), storage.MaxKey)
	}
	if len(value) > storage.MaxValue {
		return fmt.Errorf("a value of %d bytes; the limit is %d", len(value), storage.MaxValue)
	}
	b, err := t.tx.CreateBucketIfNotExists([]byte(table))
	if err != nil {
		return err
	}
	return b.Put(key, value)
}

func (t transaction) Delete(table string, key []byte) error {
	b := t.tx.Bucket([]byte(table))
	if b == nil {
		return nil
	}
	return b.Delete(key)
}

func (t transaction) Scan(table string, span storage.Span, yield func(k, v []byte) bool) error {
	b := t.tx.Bucket([]byte(table))
	if b == nil {
		return nil
	}
	if !t.tx.Writable() {
		walk(b.Cursor(), span, yield)
		return nil
	}
	var rows [][2][]byte
	walk(b.Cursor(), span, func(k, v []byte) bool {
		rows = append(rows, [2][]byte{bytes.Clone(k), bytes.Clone(v)})
		return true
	})
	for _, r := range rows {
		if !yield(r[0], r[1]) {
			break
		}
	}
	return nil
}

func walk(c *bbolt.Cursor, span storage.Span, yield func(k, v []byte) bool) {
	if !span.Reverse {
		for k, v := c.Seek(span.From); k != nil && (span.To == nil || bytes.Compare(k, span.To) < 0); k, v = c.Next() {
			if !yield(k, v) {
				return
			}
		}
		return
	}
	k, v := c.Last()
	if span.To != nil {
		if at, _ := c.Seek(span.To); at != nil {
			k, v = c.Prev()
		} else {
			k, v = c.Last()
		}
	}
	for ; k != nil && bytes.Compare(k, span.From) >= 0; k, v = c.Prev() {
		if !yield(k, v) {
			return
		}
	}
}

func (t transaction) Tables() ([]string, error) {
	var names []string
	err := t.tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		if k, _ := b.Cursor().First(); k != nil {
			names = append(names, string(name))
		}
		return nil
	})
	return names, err
}
