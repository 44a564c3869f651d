package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	"kairan/storage"
)

const (
	scrubTable = "scrub"
	scrubPages = 512 // written in one update
	spare      = 16  // pages beyond those that are free: then none was left
)

// Scrub implements [storage.Scrubber]: it fills all free pages with rows of zeros, and deletes these. It writes as many bytes as are
// free in the file, in turns with other updates, and waits for views that began before, such as a backup: what these read is not free.
func (e *Engine) Scrub(ctx context.Context) error {
	e.scrubbing.Lock()
	defer e.scrubbing.Unlock()
	if err := e.unscrub(ctx); err != nil { // what another Scrub left that was broken off
		return err
	}
	if err := e.putZeros(ctx, 0, 1); err != nil { // a view from here on does not need what was freed before
		return err
	}
	before := &e.views[(e.era.Add(1)-1)%2]
	before.Lock() // waits
	before.Unlock()
	stats := e.db.Stats()
	rows := 2 * (stats.FreePageN + stats.PendingPageN + spare)
	for from := 1; from < rows; from += 2 * scrubPages {
		if err := e.putZeros(ctx, from, min(rows, from+2*scrubPages)); err != nil {
			return err
		}
	}
	return e.unscrub(context.WithoutCancel(ctx))
}

// putZeros writes these rows of zeros, two to a page.
func (e *Engine) putZeros(ctx context.Context, from, to int) error {
	zeros := make([]byte, (e.db.Info().PageSize-96)/2)
	err := e.Update(ctx, func(tx storage.EngineTx) error {
		for n := from; n < to; n++ {
			if err := tx.Put(scrubTable, binary.BigEndian.AppendUint64(nil, uint64(n)), zeros); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write over free pages: %w", err)
	}
	return nil
}

// unscrub deletes the rows of zeros.
func (e *Engine) unscrub(ctx context.Context) error {
	for more := true; more; {
		err := e.Update(ctx, func(tx storage.EngineTx) error {
			var keys [][]byte
			err := tx.Scan(scrubTable, storage.Span{}, func(key, _ []byte) bool {
				keys = append(keys, append([]byte(nil), key...))
				return len(keys) < 2*scrubPages
			})
			for _, key := range keys {
				if err == nil {
					err = tx.Delete(scrubTable, key)
				}
			}
			more = len(keys) == 2*scrubPages
			return err
		})
		if err != nil {
			return fmt.Errorf("free pages: %w", err)
		}
	}
	return nil
}
