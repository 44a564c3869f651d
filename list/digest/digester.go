package digest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"sync"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/smtpd/queue"
	"kairan/storage"
	"kairan/templates"
)

// Digester sends the digests of all lists. Make one with [New].
type Digester struct {
	Options
	wake   chan struct{}
	making sync.Mutex // held while renditions are made
}

// Options are the parts a Digester is made of. All are needed.
type Options struct {
	DB        *storage.DB
	Archive   *archive.Archive
	Outbox    *queue.Outbox
	Site      *list.Site
	Templates *templates.Set
	Log       *slog.Logger
}

// New returns a Digester.
func New(o Options) *Digester { return &Digester{Options: o, wake: make(chan struct{}, 1)} }

// Wake tells Run that an issue was closed. It never blocks.
func (d *Digester) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// lookAgain is how often Run looks whether the time of a digest has come, and tries again what failed.
const lookAgain = time.Minute

// Run sends digests until ctx ends.
func (d *Digester) Run(ctx context.Context) error {
	timer := time.NewTicker(lookAgain)
	defer timer.Stop()
	for {
		if err := d.Round(ctx, time.Now()); err != nil && ctx.Err() == nil {
			d.Log.Error("cannot send all digests; will retry in "+lookAgain.String(), "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-d.wake:
		case <-timer.C:
		}
	}
}

// Round closes the issues whose time has come and makes all that are closed. An issue that fails does not hold up the others.
func (d *Digester) Round(ctx context.Context, now time.Time) error {
	now = now.In(d.Site.Location)
	failed := d.closeDue(ctx, now)
	var due []list.PostID
	err := d.DB.View(ctx, func(tx *storage.Tx) error {
		due = due[:0]
		for id := range list.DigestsDue(tx) {
			due = append(due, id)
		}
		return nil
	})
	if err != nil {
		return errors.Join(failed, fmt.Errorf("digests to make: %w", err))
	}
	for _, id := range due {
		if err := d.makeSafely(ctx, id); err != nil {
			failed = errors.Join(failed, fmt.Errorf("digest %s: %w", id, err))
		}
	}
	return failed
}

func (d *Digester) makeSafely(ctx context.Context, id list.PostID) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return d.Make(ctx, id)
}

// dailyHour is when the digests of a day are sent, in the site's time zone: they are there in the morning.
const dailyHour = 6

// lastDaily returns the moment of the last daily digests before now, in now's zone.
func lastDaily(now time.Time) time.Time {
	t := time.Date(now.Year(), now.Month(), now.Day(), dailyHour, 0, 0, 0, now.Location())
	if t.After(now) {
		t = time.Date(now.Year(), now.Month(), now.Day()-1, dailyHour, 0, 0, 0, now.Location())
	}
	return t
}

// closeDue closes the issues that something has waited for since before the last daily moment, and all of lists without digests. A list
// whose issue cannot be closed does not hold up the others.
func (d *Digester) closeDue(ctx context.Context, now time.Time) error {
	pending := map[list.ID]list.DigestState{}
	err := d.DB.View(ctx, func(tx *storage.Tx) error {
		pending = maps.Collect(list.DigestsPending(tx))
		return nil
	})
	errs := []error{err}
	for id, s := range pending {
		if err := d.closeIfDue(ctx, id, s, now); err != nil {
			errs = append(errs, fmt.Errorf("close the digest of list %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// closeIfDue does closeDue for one list. Most of the time nothing is due, so looking writes nothing.
func (d *Digester) closeIfDue(ctx context.Context, id list.ID, s list.DigestState, now time.Time) error {
	var l *list.List
	err := d.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = list.Get(tx, id)
		return err
	})
	if err != nil {
		return err
	}
	why := "daily"
	switch {
	case !l.Settings.DigestsEnabled:
		why = "digests are switched off"
	case !l.Settings.DigestSendPeriodic || !s.Since.Before(lastDaily(now)):
		return nil
	}
	return d.DB.Update(ctx, func(tx *storage.Tx) error {
		_, err := list.CloseDigest(tx, l, now, why, "") // or nothing, if it was closed meanwhile
		return err
	})
}

// Send closes a list's issue now, as by wishes, and returns it; Run makes it. It returns nil if nothing waits or nobody gets digests.
func (d *Digester) Send(ctx context.Context, l *list.List, by string) (issue *list.Post, err error) {
	err = d.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		issue, err = list.CloseDigest(tx, l, time.Now().In(d.Site.Location), "now", by)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("send the digest of %s: %w", l.Address, err)
	}
	d.Wake()
	return issue, nil
}
