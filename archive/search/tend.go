package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kairan/storage"
)

// tend keeps the number of segments small, and saves what is in memory from time to time.
func (x *Index) tend(ctx context.Context) error {
	if err := x.purge(ctx); err != nil {
		return err
	}
	if x.unsaved >= x.inHand {
		if err := x.save(ctx); err != nil {
			return err
		}
	}
	for {
		same := x.alike()
		if len(same) == 0 {
			return nil
		}
		if err := x.join(ctx, same); err != nil {
			return err
		}
	}
}

// alike returns segments of one size and place that should be one, or nil.
func (x *Index) alike() []*segment {
	sizes := map[int][]*segment{}
	for _, s := range x.segments {
		if s.name != "" && s.dead > 0 && 4*s.dead >= len(s.docs) {
			return []*segment{s}
		}
		class := 0
		for n := len(s.docs); n >= fanIn; n /= fanIn {
			class++
		}
		if s.name != "" {
			class += 100
		}
		sizes[class] = append(sizes[class], s)
		total := 0
		for _, s := range sizes[class] {
			total += len(s.docs)
		}
		if len(sizes[class]) == fanIn && total <= maxMerged {
			return sizes[class]
		}
	}
	return nil
}

// purge writes the segments anew that have a document of which nothing may stay: all in one step, and before the position
// moves on by another, so that a crash does not make it forget.
func (x *Index) purge(ctx context.Context) error {
	var old []*segment
	for _, s := range x.segments {
		if s.purged && s.name != "" {
			old = append(old, s)
		}
	}
	if len(old) == 0 {
		return nil
	}
	return x.replace(ctx, old, true)
}

// save writes what is in memory to disk.
func (x *Index) save(ctx context.Context) error {
	var mem []*segment
	for _, s := range x.segments {
		if s.name == "" {
			mem = append(mem, s)
		}
	}
	return x.replace(ctx, mem, true)
}

// join makes one segment of several.
func (x *Index) join(ctx context.Context, same []*segment) error {
	return x.replace(ctx, same, same[0].name != "")
}

// replace puts one segment, on disk or in memory, in the place of several.
func (x *Index) replace(ctx context.Context, old []*segment, onDisk bool) error {
	var fresh []*segment
	if len(old) > 0 {
		s, err := x.merged(old, onDisk)
		if err != nil {
			return fmt.Errorf("merge the index: %w", err)
		}
		fresh = append(fresh, s)
	}
	next := slices.DeleteFunc(slices.Clone(x.segments), func(s *segment) bool { return slices.Contains(old, s) })
	next = append(fresh, next...)
	if onDisk {
		// Changes that are only in memory stay before the position unless all of that is saved now.
		if err := x.commit(ctx, next); err != nil {
			return err
		}
	}
	x.mu.Lock()
	x.segments = next
	x.mu.Unlock()
	for _, s := range old {
		s.release()
		if s.name != "" {
			if err := x.arch.DB.Blobs.Delete(s.name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *Index) merged(old []*segment, onDisk bool) (*segment, error) {
	w := writer{buf: x.room[:0]}
	defer func() { x.room = w.buf }()
	if !onDisk {
		if err := merge(&w, old); err != nil {
			return nil, err
		}
		return inMemory(slices.Clone(w.buf))
	}
	name := "search/" + storage.NewID(time.Now())
	at := int64(0)
	w.out = func(p []byte) error {
		err := x.arch.DB.Blobs.Append(name, at, p)
		at += int64(len(p))
		return err
	}
	if err := merge(&w, old); err != nil {
		return nil, err
	}
	return x.openBlob(name)
}

// commit writes the manifest: segments on disk, and the position up to which they hold everything.
func (x *Index) commit(ctx context.Context, segments []*segment) error {
	m := manifest{Format: format}
	whole := true
	gone := map[string][]uint64{}
	for _, s := range segments {
		if s.name == "" {
			whole = false
			continue
		}
		m.Segments = append(m.Segments, segmentRow{Name: s.name, Size: s.size})
		if s.dead > 0 {
			gone[s.name] = s.snapshot()
		}
	}
	x.mu.RLock()
	anew := x.anew
	x.mu.RUnlock()
	if anew {
		return errors.New("the index is to be made anew")
	}
	err := x.arch.DB.Update(ctx, func(tx *storage.Tx) error {
		m.Position = x.position
		if !whole {
			old, err := manifests.Get(tx, theIndex)
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			m.Position = old.Position
		}
		var stale []string
		for name := range goneRows.Scan(tx, storage.Range[string]{}) {
			if gone[name] == nil {
				stale = append(stale, name)
			}
		}
		for _, name := range stale {
			if err := goneRows.Delete(tx, name); err != nil {
				return err
			}
		}
		for name, bits := range gone {
			if err := goneRows.Put(tx, name, bits); err != nil {
				return err
			}
		}
		return manifests.Put(tx, theIndex, m)
	})
	if err == nil && whole {
		x.unsaved = 0
	}
	return err
}
