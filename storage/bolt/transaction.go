package bolt

import (
	"bytes"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"kairan/storage"
)

// transaction is a [storage.EngineTx]: one update's part of a bbolt
// transaction, which it can undo, or a view.
type transaction struct {
	tx      *bbolt.Tx
	undos   []undo
	scans   []*scan // those that run now
	readers map[string]*reader
	written int // bytes
}

// undo is a row as it was before a write; a nil value says that it was not there.
type undo struct {
	table      string
	key, value []byte
}

// Get implements [storage.EngineTx].
func (t *transaction) Get(table string, key []byte) ([]byte, error) {
	if !t.tx.Writable() {
		return t.view(table, key)
	}
	b := t.tx.Bucket([]byte(table))
	if b == nil {
		return nil, storage.ErrNotFound
	}
	v := b.Get(key)
	if v == nil {
		return nil, storage.ErrNotFound
	}
	return v, nil
}

// view is Get in a view.
func (t *transaction) view(table string, key []byte) ([]byte, error) {
	r := t.reader(table)
	if r == nil {
		return nil, storage.ErrNotFound
	}
	if v := r.get(key); v != nil {
		return v, nil
	}
	return nil, storage.ErrNotFound
}

// reader reads rows of a table. Who reads many often reads neighbours in order, and the next row is found sooner than one from the root.
type reader struct {
	c    *bbolt.Cursor
	last []byte // the key that it stands on, nil for none
}

// reader returns that of a table, nil for a table that is empty. It is for views: a write makes cursors invalid.
func (t *transaction) reader(table string) *reader {
	r, ok := t.readers[table]
	if ok {
		return r
	}
	if b := t.tx.Bucket([]byte(table)); b != nil {
		r = &reader{c: b.Cursor()}
	}
	if t.readers == nil {
		t.readers = map[string]*reader{}
	}
	t.readers[table] = r
	return r
}

// maxSteps is how many rows a reader passes over before it goes down the tree, which takes the time of some ten steps.
const maxSteps = 4

// get returns the value of key, nil for none.
func (r *reader) get(key []byte) (value []byte) {
	var found []byte
	if n := len(key) - 1; n >= 0 && len(r.last) == n+1 && bytes.Equal(r.last[:n], key[:n]) && r.last[n] < key[n] {
		found, value = r.c.Next()
		for i := 1; i < maxSteps && found != nil && bytes.Compare(found, key) < 0; i++ {
			found, value = r.c.Next()
		}
	}
	if !bytes.Equal(found, key) {
		found, value = r.c.Seek(key)
	}
	if r.last = found; !bytes.Equal(found, key) {
		return nil
	}
	return value
}

// Put implements [storage.EngineTx].
func (t *transaction) Put(table string, key, value []byte) error {
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
	key = bytes.Clone(key)
	t.before(b, table, key)
	t.written += len(key) + len(value)
	// bbolt keeps the slice until the commit, and a nil one would read as absent.
	return b.Put(key, append([]byte{}, value...))
}

// Delete implements [storage.EngineTx].
func (t *transaction) Delete(table string, key []byte) error {
	if !t.tx.Writable() {
		return berrors.ErrTxNotWritable
	}
	b := t.tx.Bucket([]byte(table))
	if b == nil || b.Get(key) == nil {
		return nil
	}
	key = bytes.Clone(key)
	t.before(b, table, key)
	t.written += len(key)
	return b.Delete(key)
}

// before notes the row that is about to change, for undo and for running scans.
func (t *transaction) before(b *bbolt.Bucket, table string, key []byte) {
	old := b.Get(key)
	t.undos = append(t.undos, undo{table: table, key: key, value: old})
	for _, s := range t.scans {
		if s.table == table {
			s.before(key, old)
		}
	}
}

// undo takes the transaction's writes back, the last first.
func (t *transaction) undo() error {
	t.written = 0
	for _, u := range slices.Backward(t.undos) {
		b := t.tx.Bucket([]byte(u.table))
		var err error
		if u.value == nil {
			err = b.Delete(u.key)
		} else {
			err = b.Put(u.key, u.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Scan implements [storage.EngineTx].
func (t *transaction) Scan(table string, span storage.Span, yield func(k, v []byte) bool) error {
	b := t.tx.Bucket([]byte(table))
	if b == nil {
		return nil
	}
	s := &scan{table: table, span: span, walk: walk{b: b, c: b.Cursor()}}
	t.scans = append(t.scans, s)
	defer func() {
		t.scans = slices.DeleteFunc(t.scans, func(other *scan) bool { return other == s })
	}()
	for k, v := s.next(); k != nil && yield(k, v); {
		k, v = s.next()
	}
	return nil
}

// Tables implements [storage.EngineTx].
func (t *transaction) Tables() ([]string, error) {
	var names []string
	err := t.tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		if k, _ := b.Cursor().First(); k != nil {
			names = append(names, string(name))
		}
		return nil
	})
	return names, err
}
