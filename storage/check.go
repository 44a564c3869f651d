package storage

import (
	"context"
	"fmt"
)

// Problem is something wrong that a check found: where, as a file, blob or
// table name, and what.
type Problem struct {
	Where, What string
}

func (p Problem) String() string { return p.Where + ": " + p.What }

// Checker is an [Engine] that can examine how it keeps its rows.
type Checker interface {
	// Check reports what is wrong. It may hold updates back while it runs.
	Check(ctx context.Context) []Problem
}

// Check examines the store itself: the engine's structures, that every table
// can be read, and that every blob can be measured. What rows and blobs mean is for the
// packages that own them to check. A check that could not run is a Problem too.
func Check(ctx context.Context, db *DB) []Problem {
	var found []Problem
	if c, ok := db.engine.(Checker); ok {
		if found = c.Check(ctx); len(found) > 0 {
			return found // reading rows through damaged structures says no more
		}
	}
	err := db.View(ctx, func(tx *Tx) error {
		tables, err := tx.e.Tables()
		if err != nil {
			return err
		}
		for _, name := range tables {
			err := tx.e.Scan(name, Span{}, func(k, v []byte) bool {
				if len(k) > MaxKey || len(v) > MaxValue {
					found = append(found, Problem{Where: name, What: fmt.Sprintf("key %x: row of %d and %d bytes", k[:min(len(k), 64)], len(k), len(v))})
				}
				return ctx.Err() == nil
			})
			if err != nil {
				found = append(found, Problem{Where: name, What: err.Error()})
			}
		}
		return ctx.Err()
	})
	if err != nil {
		found = append(found, Problem{Where: "rows", What: err.Error()})
	}
	for name, size := range db.Blobs.All("") {
		if size < 0 {
			found = append(found, Problem{Where: name, What: "cannot be read as a blob"})
		}
	}
	return found
}
