package posting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kairan/list"
	"kairan/storage"
)

// How long things are kept after a post was received, unless it still waits for something.
const (
	keepMessage    = 30 * 24 * time.Hour // the message as received, and the facts
	keepDeliveries = 90 * 24 * time.Hour // what became of each copy; the counts stay
	keepUnnamed    = 24 * time.Hour      // a blob that is waiting for its post to be recorded, which takes seconds
)

// expiry is one kind of thing that is forgotten with time.
type expiry struct {
	name   string
	after  time.Duration
	has    func(*storage.Tx, list.PostID) bool
	forget func(*storage.Tx, list.PostID) error
}

var expiries = []expiry{
	{"messages", keepMessage, list.HasReceipt, list.ForgetReceipt},
	{"deliveries", keepDeliveries, list.HasDeliveries, list.ForgetDeliveries},
}

// Expire forgets what is older than it needs to be. A kind of thing of which some cannot be forgotten does not hold up the others.
func (p *Path) Expire(ctx context.Context, now time.Time) error {
	var errs []error
	for _, e := range expiries {
		n, err := 1, error(nil)
		for n > 0 && err == nil {
			n, err = p.expireSome(ctx, e, now.Add(-e.after))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("expire %s: %w", e.name, err))
		}
	}
	if err := p.sweep(ctx, now.Add(-keepUnnamed)); err != nil {
		errs = append(errs, fmt.Errorf("expire blobs: %w", err))
	}
	if err := p.DB.Update(ctx, func(tx *storage.Tx) error { return list.ForgetTallies(tx, now.In(p.Site.Location)) }); err != nil {
		errs = append(errs, fmt.Errorf("expire tallies: %w", err))
	}
	return errors.Join(errs...)
}

// sweep deletes the blobs of messages that no post names.
func (p *Path) sweep(ctx context.Context, before time.Time) error {
	var unnamed []string
	err := p.DB.View(ctx, func(tx *storage.Tx) (err error) {
		unnamed, err = list.UnnamedBlobs(tx, p.DB.Blobs, before)
		return err
	})
	for _, name := range unnamed {
		err = errors.Join(err, p.DB.Blobs.Delete(name))
	}
	return err
}

// expireSome forgets one kind of thing of up to 100 posts, and returns of how many.
func (p *Path) expireSome(ctx context.Context, e expiry, before time.Time) (int, error) {
	var old []list.PostID
	err := p.DB.View(ctx, func(tx *storage.Tx) error {
		for id := range list.Settled(tx, before) {
			if e.has(tx, id) {
				old = append(old, id)
			}
			if len(old) == 100 {
				break
			}
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return len(old), p.DB.Update(ctx, func(tx *storage.Tx) error {
		for _, id := range old {
			if err := e.forget(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}
