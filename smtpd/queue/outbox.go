package queue

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"kairan/storage"
)

// Outbox is the durable outbound queue. Make one with New; its methods are safe for concurrent use.
type Outbox struct {
	Options
	db           *storage.DB
	personaliser Personaliser
	transport    Transport

	blobs  sync.Mutex      // orders what writes and deletes blobs; protects what follows
	stored map[string]bool // renditions that may have a blob
	listed bool            // all of them are known

	messages messages
	signing  chan *signature // to be made
	commits  *commits

	wake   chan struct{} // the loop of Run looks again
	dirty  atomic.Bool   // rows may have been added or changed
	halted atomic.Bool   // Run ends: nothing more is taken

	mu       sync.Mutex // protects what follows
	schedule *schedule
	seen     RowID  // rows up to this one are scheduled
	turn     uint64 // Retry calls that were seen
	totals   Depth
}

// Depth says how much is in the queue, and what became of the rest since the program started.
type Depth struct {
	Rows, Copies int // waiting or being sent; a shared row counts once for each of its destinations
	Destinations int
	Sending      int // deliveries that run now

	Delivered, Deferred, Failed, Skipped uint64 // outcomes
}

// New returns the outbox in db. It sends nothing before Run.
func New(db *storage.DB, p Personaliser, t Transport, opts Options) *Outbox {
	opts = opts.withDefaults()
	return &Outbox{
		Options:      opts,
		db:           db,
		personaliser: p,
		transport:    t,
		messages:     messages{db: db},
		signing:      make(chan *signature, opts.Connections*opts.Ahead),
		commits:      newCommits(),
		stored:       map[string]bool{},
		wake:         make(chan struct{}, 1),
		schedule:     newSchedule(opts),
	}
}

// Wake makes Run look at rows that a committed transaction added or changed.
func (o *Outbox) Wake() {
	o.dirty.Store(true)
	o.nudge()
}

func (o *Outbox) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Depth returns the counters of the queue. Before Run has started they are zero.
func (o *Outbox) Depth() Depth {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.totals
	d.Rows, d.Copies = o.schedule.rows, o.schedule.copies
	d.Destinations, d.Sending = len(o.schedule.destinations)+len(o.schedule.unnamed), o.schedule.sending+o.schedule.aside
	return d
}

// Run sends until ctx ends. Then it takes nothing more, lets the copies in flight come to their
// end within Options.Grace, and commits the outcomes. It is called once.
// It returns an error when the queue cannot be read at the start, or outcomes were lost at the end.
func (o *Outbox) Run(ctx context.Context) error {
	o.dirty.Store(true)
	if err := o.remember(ctx); err != nil {
		return o.unlessEnded(ctx, fmt.Errorf("read the groups: %w", err))
	}
	if err := o.look(ctx); err != nil {
		return o.unlessEnded(ctx, err)
	}
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var workers, signers, committer sync.WaitGroup
	var lost error
	done := make(chan struct{})
	for range o.Signers {
		signers.Go(o.signer)
	}
	committer.Go(func() { lost = o.commits.run(o, done) })
	for ctx.Err() == nil {
		next := o.launch(hard, &workers)
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
		case <-o.wake:
		case <-timer.C:
		}
		timer.Stop()
		if err := o.look(ctx); err != nil && ctx.Err() == nil {
			o.Log.Error("deliver", "err", err, "then", "new rows wait for the next try in a minute")
			time.AfterFunc(time.Minute, o.Wake)
		}
	}
	o.halted.Store(true)
	grace := time.AfterFunc(o.Grace, cancel)
	defer grace.Stop()
	workers.Wait()
	close(o.signing)
	signers.Wait()
	close(done)
	committer.Wait()
	return lost
}

// unlessEnded is err, or nil when what failed was told to end.
func (o *Outbox) unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// launch starts workers for what is due and returns when to look again.
func (o *Outbox) launch(ctx context.Context, workers *sync.WaitGroup) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	relieved := o.schedule.relieve(now)
	next := sooner(o.schedule.due(now), relieved)
	o.ask(ctx, workers)
	for !o.commits.stalled.Load() {
		i, w := o.schedule.start(now)
		if i == nil {
			hung := o.schedule.setAside(now)
			if o.schedule.sending < o.Connections && len(o.schedule.line) > 0 {
				continue
			}
			next = sooner(next, hung)
			break
		}
		workers.Go(func() { o.work(ctx, i, w) })
	}
	if next.IsZero() {
		next = now.Add(time.Hour)
	}
	return next
}

// sooner is the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// look schedules rows that are new, or all after a Retry, and removes finished renditions.
func (o *Outbox) look(ctx context.Context) error {
	if !o.dirty.Swap(false) {
		return nil
	}
	err := o.db.View(ctx, func(tx *storage.Tx) error {
		turn := stateOf(tx, stateTurn)
		o.mu.Lock()
		if turn != o.turn {
			o.turn, o.seen = turn, 0
			o.schedule.clear(learntOf(tx))
		}
		after := o.seen
		o.mu.Unlock()
		for r := range rowsAfter(tx, after) {
			o.mu.Lock()
			o.schedule.add(r)
			o.seen = r.ID
			o.mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	if err := o.sweep(ctx); err != nil && ctx.Err() == nil {
		o.Log.Error("deliver", "err", err, "then", "will be tried again with the next rows")
	}
	return nil
}
