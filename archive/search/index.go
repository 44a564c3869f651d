package search

import (
	"context"
	"errors"
	"log/slog"
	mathbits "math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kairan/archive"
	"kairan/storage"
)

const (
	batch     = 2000                   // changes that are read at once
	batchMail = 8 << 20                // bytes of mail after which a batch ends, too
	inHand    = 2000                   // changes after which what is in memory goes to disk
	fanIn     = 6                      // segments of one size that are merged into one
	lookEvery = 200 * time.Millisecond // for changes that nobody tells of
	rest      = 100 * time.Millisecond // after a batch: of an import each is large then
	maxMerged = 2 << 20                // documents of a segment
)

// Index is the full-text index of all archives. It is used by many goroutines.
type Index struct {
	arch *archive.Archive
	log  *slog.Logger

	running chan struct{} // holds an element for each query that runs

	inHand  int // these two are others in tests than the constants
	maxRead int64

	mu       sync.RWMutex
	segments []*segment
	anew     bool // Rebuild was called

	complete atomic.Bool

	// What follows belongs to Run.
	position uint64 // of the last change that is in segments
	unsaved  int    // changes since the manifest was written
	last     map[string]uint32
	took     time.Time  // when the last changes were
	builders []*builder // of the batch before, while one follows another
	room     []byte     // of merges before, likewise
}

// manifest says what of the index is on disk: the segments hold all changes up to Position.
type manifest struct {
	Format   int          `json:"format"`
	Position uint64       `json:"position"`
	Segments []segmentRow `json:"segments"`
}

type segmentRow struct {
	Name string `json:"name"` // blob
	Size int64  `json:"size"`
}

var (
	text      = storage.Strings[string]()
	manifests = storage.NewTable[string, manifest]("search_index", text)
	goneRows  = storage.NewTable[string, []uint64]("search_gone", text) // by segment
)

const theIndex = "index"

// New returns the index of an archive. It finds nothing before Run has opened it.
func New(arch *archive.Archive, log *slog.Logger) *Index {
	return &Index{arch: arch, log: log, inHand: inHand, maxRead: maxRead, running: make(chan struct{}, runtime.NumCPU())}
}

// Run opens the index and follows the archive's changes until ctx ends. Errors are logged, and what failed is tried again.
func (x *Index) Run(ctx context.Context) error {
	defer x.closeAll()
	for opened := false; ctx.Err() == nil; {
		n, err, news := 0, error(nil), x.arch.News()
		if !opened {
			x.complete.Store(false)
			err = x.open(ctx)
			opened = err == nil
		}
		if err == nil {
			n, err = x.follow(ctx)
		}
		if err != nil && ctx.Err() == nil {
			x.log.Error("search: the index does not follow the archive; will retry in 10s", "err", err)
			sleep(ctx, 10*time.Second)
		} else if n == 0 {
			x.complete.Store(true)
			x.await(ctx, news)
		}
	}
	return nil
}

// await waits until there may be changes.
func (x *Index) await(ctx context.Context, news <-chan struct{}) {
	sleep(ctx, time.Until(x.took.Add(rest)))
	select {
	case <-ctx.Done():
	case <-news:
	case <-time.After(lookEvery):
		x.builders, x.room = nil, nil // they are large after an import
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Complete reports whether the index has caught up with the archive since it was opened or made anew. Before, not everything is found.
func (x *Index) Complete() bool { return x.complete.Load() }

// Rebuild makes the index anew from the archive: at once if Run runs, else when it starts.
func (x *Index) Rebuild(ctx context.Context) error {
	x.mu.Lock()
	x.anew = true
	x.mu.Unlock()
	return x.forget(ctx)
}

// startAnew forgets the manifest again if Rebuild was called: it may have been written since.
func (x *Index) startAnew(ctx context.Context) error {
	x.mu.Lock()
	anew := x.anew
	x.anew = false
	x.mu.Unlock()
	if !anew {
		return nil
	}
	return x.forget(ctx)
}

func (x *Index) forget(ctx context.Context) error {
	return x.arch.DB.Update(ctx, func(tx *storage.Tx) error { return manifests.Delete(tx, theIndex) })
}

func (x *Index) closeAll() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.segments {
		s.release()
	}
	x.segments = nil
}

// open opens the segments that the manifest names. What cannot be opened is made anew.
func (x *Index) open(ctx context.Context) error {
	x.closeAll()
	if err := x.startAnew(ctx); err != nil {
		return err
	}
	var m manifest
	gone := map[string][]uint64{}
	err := x.arch.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if m, err = manifests.Get(tx, theIndex); errors.Is(err, storage.ErrNotFound) {
			err = nil
		}
		for k, v := range goneRows.Scan(tx, storage.Range[string]{}) {
			gone[k] = v
		}
		if m.Position > archive.LastChange(tx) {
			m = manifest{} // of another archive
		}
		return err
	})
	if err != nil {
		return err
	}
	segments, ok := x.openAll(m, gone)
	if !ok {
		m = manifest{}
	}
	x.position, x.unsaved, x.last = m.Position, 0, map[string]uint32{}
	for _, s := range segments {
		for _, d := range s.docs {
			x.last[s.lists[d.list]] = max(x.last[s.lists[d.list]], d.seq)
		}
	}
	x.mu.Lock()
	x.segments = segments
	x.mu.Unlock()
	return x.sweep(segments)
}

// openAll opens what the manifest names, without the documents that are gone; ok is false if not all of it is as it was written.
func (x *Index) openAll(m manifest, gone map[string][]uint64) (segments []*segment, ok bool) {
	if m.Format != format {
		return nil, false
	}
	for _, row := range m.Segments {
		s, err := x.openBlob(row.Name)
		bits := gone[row.Name]
		if err == nil {
			segments = append(segments, s)
			if s.size != row.Size || bits != nil && len(bits) != len(s.gone) {
				err = errDamaged
			}
		}
		if err != nil {
			x.log.Error("search: a part of the index cannot be read; the index is made anew", "part", row.Name, "err", err)
			for _, s := range segments {
				s.release()
			}
			return nil, false
		}
		if bits != nil {
			s.gone = bits
		}
		for _, b := range s.gone {
			s.dead += mathbits.OnesCount64(b)
		}
	}
	return segments, true
}

// sweep deletes the blobs that an interruption left behind.
func (x *Index) sweep(segments []*segment) error {
	for name := range x.arch.DB.Blobs.All("search/") {
		if !slices.ContainsFunc(segments, func(s *segment) bool { return s.name == name }) {
			if err := x.arch.DB.Blobs.Delete(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *Index) openBlob(name string) (*segment, error) {
	f, err := x.arch.DB.Blobs.Open(name)
	if err != nil {
		return nil, err
	}
	s, err := open(name, f, f.Size())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s.close = f.Close
	return s, nil
}

// follow takes the next changes in, and returns how many there were.
func (x *Index) follow(ctx context.Context) (int, error) {
	x.mu.RLock()
	anew := x.anew
	x.mu.RUnlock()
	if anew {
		x.complete.Store(false)
		if err := x.open(ctx); err != nil {
			return 0, err
		}
	}
	var found []archive.Change
	var messages []*archive.Message
	position, size := x.position, int64(0)
	err := x.arch.DB.View(ctx, func(tx *storage.Tx) error {
		found, messages, size = nil, nil, 0
		for at, c := range archive.Changes(tx, x.position) {
			found, position = append(found, c), at
			m, err := archive.BySeq(tx, c.List, c.Seq)
			if err == nil {
				messages = append(messages, m)
				size += m.Length
			} else if !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			if len(found) == batch || size >= batchMail {
				break
			}
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		return 0, err
	}
	fresh, err := x.read(ctx, messages)
	if err != nil {
		return 0, err
	}
	x.apply(found, fresh)
	x.position = position
	x.unsaved += len(found)
	x.took = time.Now()
	return len(found), x.tend(ctx)
}

// read makes segments of messages, on all cores.
func (x *Index) read(ctx context.Context, messages []*archive.Message) ([]*segment, error) {
	workers := max(1, min(runtime.NumCPU(), len(messages)/fewest))
	segments := make([]*segment, workers)
	errs := make([]error, workers)
	for len(x.builders) < workers {
		x.builders = append(x.builders, newBuilder())
	}
	var wg sync.WaitGroup
	for w, b := range x.builders[:workers] {
		wg.Go(func() {
			b.reset()
			reader := x.arch.Reader()
			defer reader.Close()
			for _, m := range messages[w*len(messages)/workers : (w+1)*len(messages)/workers] {
				if ctx.Err() != nil {
					return
				}
				raw, err := reader.Raw(m)
				if err != nil {
					x.log.Error("search: a message cannot be read and will not be found", "list", m.List, "id", m.ID, "err", err)
					continue
				}
				b.add(m, raw)
			}
			if len(b.docs) > 0 {
				segments[w], errs[w] = b.segment()
			}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(segments, func(s *segment) bool { return s == nil }), errors.Join(append(errs, ctx.Err())...)
}

// fewest is how many messages a core gets at the least.
const fewest = 50

// apply takes away what changed, and adds what is there now.
func (x *Index) apply(found []archive.Change, fresh []*segment) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range found {
		if uint32(c.Seq) <= x.last[c.List] {
			for _, old := range x.segments {
				if old.remove(c.List, uint32(c.Seq)) && c.Purged {
					old.purged = true
				}
			}
		}
		x.last[c.List] = max(x.last[c.List], uint32(c.Seq))
	}
	x.segments = append(x.segments, fresh...)
}
