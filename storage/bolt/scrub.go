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

// Scrub implements [storage.Scrubber]: it fills all free pages with rows of zeros, and deletes these. Pages that a view still
// reads, such as a backup's, are not free. It writes as many bytes as are free in the file, in turns with other updates.
func (e *Engine) Scrub(ctx context.Context) error {
	if err := e.unscrub(ctx); err != nil { // what another Scrub left that was broken off
		return err
	}
	stats := e.db.Stats()
	zeros := make([]byte, (e.db.Info().PageSize-96)/2) // a leaf holds two
	rows := 2 * (stats.FreePageN + stats.PendingPageN + spare)
	for from := 0; from < rows; from += 2 * scrubPages {
		err := e.Update(ctx, func(tx storage.EngineTx) error {
			for n := from; n < min(rows, from+2*scrubPages); n++ {
				if err := tx.Put(scrubTable, binary.BigEndian.AppendUint64(nil, uint64(n)), zeros); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("write over free pages: %w", err)
		}
	}
	return e.unscrub(context.WithoutCancel(ctx))
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
