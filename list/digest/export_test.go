package digest

import (
	"context"

	"kairan/list"
	"kairan/storage"
)

// Chunk is how many members one transaction looks at.
const Chunk = chunk

// Stages are the stages of Make with its first chunk of members, for the test that stops after each.
var Stages = []string{"closed", "named", "stored", "enqueued"}

// MakeUntil runs Make up to and including a stage, and then stops as a crash would.
func (d *Digester) MakeUntil(ctx context.Context, id list.PostID, stage string) error {
	if stage == "closed" {
		return nil
	}
	w, err := d.read(ctx, id)
	if err != nil {
		return err
	}
	c, err := d.nextChunk(ctx, w)
	if err != nil {
		return err
	}
	if stage == "named" {
		for _, v := range c.variants() {
			w.stored[w.rendition(v)] = true // so that store only notes their names
		}
		if err := d.store(ctx, w, c); err != nil {
			return err
		}
		return d.DB.Update(ctx, func(tx *storage.Tx) error { return list.PutPost(tx, w.issue) })
	}
	if err := d.store(ctx, w, c); err != nil || stage == "stored" {
		return err
	}
	return d.DB.Update(ctx, func(tx *storage.Tx) error { return d.enqueue(tx, w, c) })
}
