package posting

import (
	"context"
	"errors"

	"kairan/list"
)

// Stages are the stages of Publish one by one, for the test that stops after each.
var Stages = []string{"number", "cook", "archive", "digest", "enqueue"}

// PublishUntil runs Publish up to and including a stage, and then stops as a crash would.
func (p *Path) PublishUntil(ctx context.Context, id list.PostID, stage string) error {
	w, err := p.number(ctx, id)
	if errors.Is(err, errNotDue) {
		return nil // published before
	}
	if err != nil || stage == "number" {
		return err
	}
	if err := p.cook(ctx, w); err != nil || stage == "cook" {
		return err
	}
	if err := p.archive(ctx, w); err != nil || stage == "archive" {
		return err
	}
	if err := p.digest(ctx, w); err != nil || stage == "digest" {
		return err
	}
	return p.enqueue(ctx, w)
}
