package storage

import (
	"context"
	"errors"
	"fmt"
)

// DB is an engine for rows and the blobs beside it.
type DB struct {
	engine Engine
	Blobs  Blobs
}

// Tx is a transaction of a [DB]. Every function that reads or writes rows takes
// one, so that several of them can share it.
type Tx struct {
	e   EngineTx
	err error
}

func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}

func (tx *Tx) failUnlessNotFound(err error) {
	if err = ignoreNotFound(err); err != nil {
		tx.fail(err)
	}
}

// Migration brings a store from schema Version-1 to Version. Versions count up from 1
// without gaps, and a migration that was released never changes.
type Migration struct {
	Version int
	Name    string
	Run     func(*Tx) error
}

var meta = NewTable[string, int]("meta", Strings[string]())

const schemaKey = "schema"

// New returns a DB over an open engine and runs the migrations it lacks, each
// in a transaction of its own. On an error the engine is left open.
func New(ctx context.Context, e Engine, b Blobs, migrations []Migration) (*DB, error) {
	db := &DB{engine: e, Blobs: b}
	var version int
	err := db.View(ctx, func(tx *Tx) (err error) {
		version, err = meta.Get(tx, schemaKey)
		return ignoreNotFound(err)
	})
	if err != nil {
		return nil, err
	}
	if version > len(migrations) {
		return nil, fmt.Errorf("the store has schema %d, this kairan knows %d: run the newer version, or restore a backup", version, len(migrations))
	}
	for i, m := range migrations {
		if m.Version != i+1 {
			return nil, fmt.Errorf("migration %q is number %d and stands at %d", m.Name, m.Version, i+1) // unreachable: a mistake in the source
		}
		if m.Version <= version {
			continue
		}
		err := db.Update(ctx, func(tx *Tx) error {
			if err := m.Run(tx); err != nil {
				return err
			}
			return meta.Put(tx, schemaKey, m.Version)
		})
		if err != nil {
			return nil, fmt.Errorf("migrate to schema %d (%s): %w", m.Version, m.Name, err)
		}
	}
	return db, nil
}

func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// View runs fn in a read-only transaction: a consistent snapshot.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.engine.View(ctx, func(e EngineTx) error {
		tx := &Tx{e: e}
		if err := fn(tx); err != nil {
			return err
		}
		return tx.err
	})
}

// Update runs fn in a read-write transaction, durable when Update returns nil.
// fn may run more than once and does no I/O.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	return db.engine.Update(ctx, func(e EngineTx) error {
		tx := &Tx{e: e}
		if err := fn(tx); err != nil {
			return err
		}
		return tx.err
	})
}

// Scrub writes over what is left of deleted rows in the files of an engine that keeps it for a while. It takes as long as there is room in them.
func (db *DB) Scrub(ctx context.Context) error {
	if s, ok := db.engine.(Scrubber); ok {
		return s.Scrub(ctx)
	}
	return nil
}

// Close waits for running transactions and releases the store.
func (db *DB) Close() error { return db.engine.Close() }
