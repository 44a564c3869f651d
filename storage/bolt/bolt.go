package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"kairan/storage"
)

const (
	rowsFile   = "kairan.db"
	blobFolder = "files"

	// mapSize is how much address space the rows get from the start. Enlarging
	// the map later waits for running views, and holds new ones back meanwhile.
	mapSize = 1 << 30
)

// Engine is a [storage.Engine] over one bbolt file.
type Engine struct {
	db *bbolt.DB

	mu      sync.Mutex // protects the fields below
	waiting []*update  // in the order they came; empty unless busy
	busy    bool       // an update leads a group
	failed  error      // why the engine stopped

	scrubbing sync.Mutex
	views     [2]sync.RWMutex // each view holds that of its era, so that Scrub can wait for those before
	era       atomic.Uint32
}

// Open opens or creates the store in folder dir and the blobs beside it.
// It returns an error that is storage.ErrLocked when another process has it open.
func Open(dir string) (*Engine, *Files, error) {
	if err := makeDataFolder(dir); err != nil {
		return nil, nil, fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(dir, rowsFile)
	db, err := openRows(path)
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, nil, fmt.Errorf("%s: %w", path, storage.ErrLocked)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	files := newFiles(filepath.Join(dir, blobFolder))
	// The file's entry must not be lost in a power cut that its rows survive.
	if err := errors.Join(syncFolder(dir), files.clean()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open %s: %w", dir, err), db.Close())
	}
	return &Engine{db: db}, files, nil
}

func makeDataFolder(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

// openRows opens the bbolt file. bbolt reads it through memory, where a file
// that was cut short is a fault and not an error, so faults become errors here.
func openRows(path string) (db *bbolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("the file is damaged: %v", r)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         200 * time.Millisecond,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mapSize,
	})
	if err != nil {
		return nil, err
	}
	if err := db.View(sizeFits); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// sizeFits tells a whole file from one that was cut short.
func sizeFits(tx *bbolt.Tx) error {
	st, err := os.Stat(tx.DB().Path())
	if err != nil {
		return err
	}
	if st.Size() < tx.Size() {
		return fmt.Errorf("the file is damaged: it is %d bytes long and should be %d", st.Size(), tx.Size())
	}
	return nil
}

// Close waits for running transactions and releases the file.
// Updates that have not begun fail.
func (e *Engine) Close() error { return e.db.Close() }

// View implements [storage.Engine].
func (e *Engine) View(ctx context.Context, fn func(storage.EngineTx) error) error {
	if err := errors.Join(ctx.Err(), e.stopped()); err != nil {
		return err
	}
	era := &e.views[e.era.Load()%2]
	era.RLock()
	defer era.RUnlock()
	return e.db.View(func(tx *bbolt.Tx) error { return fn(&transaction{tx: tx}) })
}

func (e *Engine) stopped() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failed
}
