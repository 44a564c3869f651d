package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"go.etcd.io/bbolt"

	"kairan/storage"
)

// Snapshot implements [storage.Snapshotter].
func (e *Engine) Snapshot(tx storage.EngineTx) (storage.Snapshot, error) {
	t, ok := tx.(*transaction)
	if !ok || t.tx.Writable() {
		return storage.Snapshot{}, errors.New("a snapshot needs a view of this engine")
	}
	return storage.Snapshot{
		File: rowsFile,
		Size: t.tx.Size(),
		Write: func(w io.Writer) error {
			_, err := t.tx.WriteTo(w)
			return err
		},
	}, nil
}

// maxProblems is how many problems a check names.
const maxProblems = 100

// Check implements [storage.Checker]: every page of the file is reached once
// or free, and every key is in order. Updates wait meanwhile.
func (e *Engine) Check(ctx context.Context) []storage.Problem {
	var found []storage.Problem
	errDone := errors.New("checked") // so that nothing is committed
	err := e.db.Update(func(tx *bbolt.Tx) error {
		if err := sizeFits(tx); err != nil {
			return err
		}
		for err := range tx.Check() { // read to the end, or its goroutine stays
			if len(found) < maxProblems {
				found = append(found, storage.Problem{Where: rowsFile, What: err.Error()})
			}
		}
		return errDone
	})
	if err = errors.Join(err, ctx.Err()); !errors.Is(err, errDone) {
		found = append(found, storage.Problem{Where: rowsFile, What: err.Error()})
	}
	return found
}

// Hold implements [storage.Pinner].
func (f *Files) Hold() (end func()) {
	f.held.Lock()
	return sync.OnceFunc(f.held.Unlock)
}

// Pin implements [storage.Pinner] by hard links.
func (f *Files) Pin(names []string) (storage.Blobs, func() error, error) {
	parent := filepath.Join(f.root, newFolder)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp(parent, "pin-*")
	if err != nil {
		return nil, nil, err
	}
	pinned := newFiles(dir)
	for _, name := range names {
		if err := f.link(name, pinned); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("hold blob %s: %w", name, err), os.RemoveAll(dir))
		}
	}
	return pinned, func() error { return os.RemoveAll(dir) }, nil
}

// link puts the blob into pinned if it exists.
func (f *Files) link(name string, pinned *Files) error {
	to, err := pinned.path(name)
	if err != nil {
		return err
	}
	if _, err := f.Len(name); errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	err = os.Link(filepath.Join(f.root, filepath.FromSlash(name)), to)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrExist) { // deleted just now; named twice
		return nil
	}
	return err
}
