package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"kairan/storage"
)

// dropChunk is how many rows are dropped in one transaction.
const dropChunk = 10_000

// Reindex drops the index of a list and makes it again from the mboxes alone. Messages keep their Seq.
// Meanwhile readers see the part that is done, and Add waits. An interrupted Reindex is finished by the next Add or Recover.
// progress, if not nil, is called with the number of messages indexed so far.
func (a *Archive) Reindex(ctx context.Context, list string, progress func(messages int)) error {
	if err := a.recoverSite(ctx); err != nil {
		return fmt.Errorf("reindex list %s: %w", list, err)
	}
	w, done, err := a.write(ctx, list)
	if err != nil {
		return fmt.Errorf("reindex list %s: %w", list, err)
	}
	defer done()
	w.ledger = false
	clear(w.unsure)
	err = a.DB.Update(ctx, func(tx *storage.Tx) error {
		row, err := get(tx, lists, list)
		row.Rebuild, row.Dropped = true, false
		return errors.Join(err, lists.Put(tx, list, row))
	})
	if err == nil {
		err = a.finishReindex(ctx, list, progress)
	}
	if err != nil {
		return fmt.Errorf("reindex list %s: %w", list, err)
	}
	return nil
}

// finishReindex goes on with a Reindex that has begun, if there is one.
func (a *Archive) finishReindex(ctx context.Context, list string, progress func(int)) error {
	var row listRow
	err := a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		row, err = get(tx, lists, list)
		return err
	})
	if err != nil || !row.Rebuild {
		return err
	}
	if !row.Dropped {
		if err := a.drop(ctx, list); err != nil {
			return err
		}
	}
	if err := a.settleLedger(ctx, list); err != nil { // first, so that nothing is seen that is hidden
		return err
	}
	files, err := a.months(ctx, list)
	if err != nil {
		return err
	}
	total := 0
	for _, month := range slices.Sorted(maps.Keys(files)) {
		file, count := files[month], 0
		if err := a.adopt(ctx, list, month, file); err != nil {
			return err
		}
		err := a.settle(ctx, list, file, func(n int) {
			if count = n; progress != nil {
				progress(total + n)
			}
		})
		if err != nil {
			return err
		}
		total += count
	}
	return a.DB.Update(ctx, func(tx *storage.Tx) error {
		row, err := get(tx, lists, list)
		row.Rebuild, row.Dropped = false, false
		return errors.Join(err, lists.Put(tx, list, row))
	})
}

// drop deletes all rows of a list but its listRow, which then says so.
func (a *Archive) drop(ctx context.Context, list string) error {
	d := dropper{ctx: ctx, db: a.DB, list: list}
	dropTable(&d, months)
	dropTable(&d, monthRows)
	dropTable(&d, recent)
	dropTable(&d, threadRows)
	dropTable(&d, threads)
	dropTable(&d, subjects)
	dropTable(&d, waiting)
	dropTable(&d, numbers)
	dropTable(&d, oldNames)
	dropTable(&d, hashes)
	dropTable(&d, posts)
	dropTable(&d, ids)
	dropEach(&d, messages, func(tx *storage.Tx, k bySeq) error {
		return logChange(tx, Change{List: k.A, Seq: k.B, Gone: true}) // until its record is read again
	})
	dropTable(&d, rulings)
	dropTable(&d, generations)
	if d.err != nil {
		return fmt.Errorf("drop the old index: %w", d.err)
	}
	return a.DB.Update(ctx, func(tx *storage.Tx) error {
		return errors.Join(ledgers.Delete(tx, list), lists.Put(tx, list, listRow{Rebuild: true, Dropped: true}))
	})
}

type dropper struct {
	ctx  context.Context
	db   *storage.DB
	list string
	err  error
}

func dropTable[B, V any](d *dropper, t storage.Table[storage.Pair[string, B], V]) {
	dropEach(d, t, func(*storage.Tx, storage.Pair[string, B]) error { return nil })
}

// dropEach deletes the rows of a list in chunks, and does also with each key. The keys are collected in a
// read transaction, because a scan in an update copies all that it covers.
func dropEach[B, V any](d *dropper, t storage.Table[storage.Pair[string, B], V], also func(*storage.Tx, storage.Pair[string, B]) error) {
	for d.err == nil {
		var keys []storage.Pair[string, B]
		d.err = d.db.View(d.ctx, func(tx *storage.Tx) error {
			keys = keys[:0]
			for k := range storage.Under(tx, t, text, d.list) {
				if keys = append(keys, k); len(keys) == dropChunk {
					break
				}
			}
			return nil
		})
		if d.err != nil || len(keys) == 0 {
			return
		}
		d.err = d.db.Update(d.ctx, func(tx *storage.Tx) error {
			for _, k := range keys {
				if err := errors.Join(t.Delete(tx, k), also(tx, k)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}
