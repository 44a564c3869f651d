package posting

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"kairan/list"
	"kairan/storage"
)

// retryAfter is how long a post waits whose publication failed.
const retryAfter = time.Minute

// Wake tells Run that a post may be ready to publish. It never blocks.
func (p *Path) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run publishes accepted posts until ctx ends: lists side by side, each list's posts one after the other, oldest first.
func (p *Path) Run(ctx context.Context) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex // protects busy
		busy = map[list.ID]bool{}
	)
	defer wg.Wait()
	for {
		if err := p.sendNotices(ctx); err != nil && ctx.Err() == nil {
			p.Log.Error("cannot send what is to be told; will retry in "+retryAfter.String(), "err", err)
		}
		if err := p.sendReceipts(ctx, time.Now()); err != nil && ctx.Err() == nil {
			p.Log.Error("cannot tell authors what became of their posts; will retry in "+retryAfter.String(), "err", err)
		}
		ready, next, err := p.ready(ctx, time.Now())
		if err != nil && ctx.Err() == nil {
			p.Log.Error("cannot read what is to publish; will retry in "+retryAfter.String(), "err", err)
		}
		for id, posts := range ready {
			mu.Lock()
			start := !busy[id]
			busy[id] = true
			mu.Unlock()
			if !start {
				continue
			}
			wg.Go(func() {
				ok := p.publishAll(ctx, posts)
				mu.Lock()
				delete(busy, id)
				mu.Unlock()
				if ok {
					p.Wake() // for what came meanwhile
				}
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.wake:
		case <-time.After(next):
		}
	}
}

// ready returns what is to publish, by list, and after which time to look again. A post that can still be taken back waits. One that
// cannot be read does not hold up the others.
func (p *Path) ready(ctx context.Context, now time.Time) (ready map[list.ID][]list.PostID, next time.Duration, err error) {
	var ids []list.PostID
	err = p.DB.View(ctx, func(tx *storage.Tx) error {
		ids, next = nil, retryAfter
		for id, progress := range list.Unpublished(tx) {
			if wait := progress.Leaves.Sub(now); wait > 0 {
				next = min(next, wait)
			} else {
				ids = append(ids, id)
			}
		}
		return nil
	})
	ready = map[list.ID][]list.PostID{}
	errs := []error{err}
	for _, id := range ids {
		errs = append(errs, p.DB.View(ctx, func(tx *storage.Tx) error {
			post, err := list.GetPost(tx, id)
			if err == nil {
				ready[post.List] = append(ready[post.List], id)
			}
			return err
		}))
	}
	return ready, next, errors.Join(errs...)
}

// publishAll publishes a list's posts; a failed one does not stop the others. It reports whether all went well.
func (p *Path) publishAll(ctx context.Context, posts []list.PostID) bool {
	ok := true
	for _, id := range posts {
		if err := p.publishSafely(ctx, id); err != nil {
			ok = false
			if ctx.Err() == nil {
				p.Log.Error("publish failed; will retry in "+retryAfter.String(), "post", id, "err", err)
			}
		}
	}
	return ok
}

func (p *Path) publishSafely(ctx context.Context, id list.PostID) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return p.Publish(ctx, id)
}
