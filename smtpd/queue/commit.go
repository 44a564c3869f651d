package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kairan/storage"
)

// entry is an outcome on its way to the disk, or the end of a part.
type entry struct {
	part    *part
	outcome Outcome
	end     bool
}

// commits collects entries for the goroutine that commits them.
type commits struct {
	mu      sync.Mutex // protects what follows
	room    sync.Cond  // pending was taken
	pending []entry

	// stalled says that outcomes cannot be committed: nothing more is sent, and those of
	// copies in flight are taken without limit.
	stalled atomic.Bool

	some chan struct{} // pending is not empty
	now  chan struct{} // do not wait for more
}

const (
	enough     = 1000 // entries are worth a transaction at once
	maxPending = 4000 // entries make deliveries wait

	maxLinger = time.Second
)

func newCommits() *commits {
	c := &commits{some: make(chan struct{}, 1), now: make(chan struct{}, 1)}
	c.room.L = &c.mu
	return c
}

// add takes entries, and waits while too many wait already.
func (c *commits) add(entries ...entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) >= maxPending && !c.stalled.Load() {
		c.room.Wait()
	}
	c.pending = append(c.pending, entries...)
	signal(c.some)
	if len(c.pending) >= enough {
		signal(c.now)
	}
}

func (c *commits) stall() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled.Store(true)
	c.room.Broadcast()
}

// hurry says that nothing more is on its way.
func (c *commits) hurry() { signal(c.now) }

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (c *commits) take() []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch := c.pending
	c.pending = nil
	c.room.Broadcast()
	return batch
}

// run commits entries until done is closed and all are committed. Where commits take long, it leaves the store to
// others for most of the time: a post that is being accepted waits for the commit that runs.
func (c *commits) run(o *Outbox, done <-chan struct{}) error {
	var took time.Duration // the last commit
	for {
		select {
		case <-c.some:
			c.linger(min(max(o.CommitDelay, 7*took), maxLinger), done)
		case <-done:
		}
		batch := c.take()
		if len(batch) == 0 {
			select {
			case <-done:
				return nil
			default:
				continue
			}
		}
		began := time.Now()
		if err := o.persist(batch, done); err != nil {
			return err
		}
		took = time.Since(began)
	}
}

// linger waits for company.
func (c *commits) linger(d time.Duration, done <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.now:
	case <-timer.C:
	case <-done:
	}
}

// persist commits a batch, however long it takes; nothing is sent meanwhile.
// It gives up when the queue is ending: those copies will be sent again.
func (o *Outbox) persist(batch []entry, done <-chan struct{}) error {
	slices.SortStableFunc(batch, func(a, b entry) int { return cmp.Compare(a.part.row, b.part.row) })
	o.mu.Lock()
	lessons := o.schedule.lessons(time.Now())
	o.mu.Unlock()
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		var s settlement
		err := o.db.Update(context.Background(), func(tx *storage.Tx) (err error) {
			s = settlement{options: o.Options, now: time.Now()}
			return errors.Join(s.write(tx, batch, o.personaliser), storeLessons(tx, lessons))
		})
		if err == nil {
			o.commits.stalled.Store(false)
			o.settled(batch, &s)
			return nil
		}
		o.commits.stall()
		o.Log.Error("deliver", "err", fmt.Errorf("commit outcomes: %w", err), "outcomes", len(batch), "then", "nothing is sent until they are; will retry in "+pause.String())
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-done:
			timer.Stop()
			return fmt.Errorf("commit %d outcomes: %w", len(batch), err)
		}
	}
}

// settled brings the schedule up to what was committed.
func (o *Outbox) settled(batch []entry, s *settlement) {
	o.mu.Lock()
	for _, e := range batch {
		if e.end {
			o.schedule.release(e.part.item)
		}
	}
	for _, a := range s.again {
		o.schedule.addPart(a.row, a.shares)
	}
	o.totals.Delivered += s.counts[Delivered]
	o.totals.Deferred += s.counts[Deferred]
	o.totals.Failed += s.counts[Failed]
	o.totals.Skipped += s.counts[Skipped]
	o.mu.Unlock()
	o.Wake() // for new rows, and renditions that came to their end
}

// settlement is one transaction of outcomes.
type settlement struct {
	options Options
	now     time.Time
	reached time.Time // when a mail host last said a word, to anybody

	told   map[string][]Outcome // by rendition
	rows   map[string]int       // added, by rendition
	split  []Row
	again  []again
	counts map[Status]uint64
}

// again is a part of a row to be scheduled anew.
type again struct {
	row    Row
	shares []share
}

// write settles a batch that is sorted by row. What it does depends on nothing but the batch and the rows, so it may run again.
func (s *settlement) write(tx *storage.Tx, batch []entry, p Personaliser) error {
	s.told, s.rows, s.counts = map[string][]Outcome{}, map[string]int{}, map[Status]uint64{}
	if err := s.reach(tx, batch); err != nil {
		return err
	}
	for len(batch) > 0 {
		id := batch[0].part.row
		n := slices.IndexFunc(batch, func(e entry) bool { return e.part.row != id })
		if n < 0 {
			n = len(batch)
		}
		if err := s.row(tx, id, batch[:n]); err != nil {
			return err
		}
		batch = batch[n:]
	}
	if err := addRows(tx, s.split); err != nil {
		return err
	}
	if err := countRows(tx, s.rows); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(s.told)) {
		if err := p.Outcome(tx, id, s.told[id]); err != nil {
			return fmt.Errorf("outcomes of %s: %w", id, err)
		}
	}
	return nil
}

// reach notes whether a mail host has said a word. A smarthost or a route says nothing about the line to all others.
func (s *settlement) reach(tx *storage.Tx, batch []entry) error {
	s.reached = time.Unix(int64(stateOf(tx, stateReached)), 0)
	if s.options.Smarthost || !slices.ContainsFunc(batch, func(e entry) bool { return e.outcome.Code != 0 && !e.outcome.Relayed }) {
		return nil
	}
	s.reached = s.now
	return state.Put(tx, stateReached, uint64(s.now.Unix()))
}

// row settles the entries of one row. One that is gone was dropped, and its recipients were told of then.
func (s *settlement) row(tx *storage.Tx, id RowID, entries []entry) error {
	r, err := outbox.Get(tx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r.ID = id
	untouched, deferred, reply := s.outcomes(r, entries)
	retried := s.retried(r, deferred, reply)
	for n := range retried {
		at := slices.IndexFunc(entries, func(e entry) bool { return s.options.Smarthost || e.part.has(retried[n].Domain) })
		if at >= 0 {
			retried[n].Group = entries[at].part.to.name
		}
	}
	if len(untouched) == 0 && len(retried) > 0 { // the row lives on as the first of them
		r = retried[0]
		s.again = append(s.again, again{row: Row{ID: id, Rendition: r.Rendition, Queued: r.Queued, Next: r.Next}, shares: []share{{domain: r.Domain, copies: len(r.Recipients)}}})
		untouched, retried = r.Recipients, retried[1:]
	} else {
		s.given(r, untouched, entries)
	}
	s.split = append(s.split, retried...)
	s.rows[r.Rendition] += len(retried)
	if len(untouched) == 0 {
		s.rows[r.Rendition]--
		return outbox.Delete(tx, id)
	}
	r.Recipients = untouched
	return outbox.Put(tx, id, r)
}

// given schedules what the parts that end here gave back: recipients nothing was done for.
func (s *settlement) given(r Row, untouched []Recipient, entries []entry) {
	if len(untouched) == 0 {
		return
	}
	r.Recipients = untouched
	for _, e := range entries {
		if !e.end {
			continue
		}
		if rest := s.options.part(r, e.part.shares); len(rest) > 0 {
			of := []share{{copies: len(rest)}}
			if !s.options.Smarthost {
				of = shares(rest)
			}
			s.again = append(s.again, again{row: Row{ID: r.ID, Rendition: r.Rendition, Queued: r.Queued, Next: r.Next}, shares: of})
		}
	}
}

// outcomes parts the recipients of a row into those without an outcome and those to be tried again, with the last reply.
func (s *settlement) outcomes(r Row, entries []entry) (untouched, deferred []Recipient, reply string) {
	by := make(map[Recipient]*Outcome, len(entries))
	for n := range entries {
		if !entries[n].end {
			by[entries[n].outcome.Recipient] = &entries[n].outcome
		}
	}
	for _, to := range r.Recipients {
		known := by[to]
		if known == nil {
			untouched = append(untouched, to)
			continue
		}
		out := *known
		if age := s.now.Sub(r.Queued); out.Status == Deferred && age >= s.options.MaxAge {
			out = tooOld(out, age)
			out.Ours = out.Ours || out.Code == 0 && !out.Relayed && s.reached.Before(r.Queued)
		}
		if out.Status == Deferred {
			to.LastReply = replyLine(out)
			deferred = append(deferred, to)
			reply = to.LastReply
		}
		s.told[r.Rendition] = append(s.told[r.Rendition], out)
		s.counts[out.Status]++
	}
	return untouched, deferred, reply
}

// retried makes the rows for recipients of r who are tried again: one, or one for each domain of a shared row.
func (s *settlement) retried(r Row, to []Recipient, reply string) []Row {
	if len(to) == 0 {
		return nil
	}
	attempts := r.Attempts + 1
	next := s.now.Add(s.options.pause(attempts))
	if end := r.Queued.Add(s.options.MaxAge); next.After(end) {
		next = end
	}
	order, of := []string{r.Domain}, map[string][]Recipient{r.Domain: to}
	if r.Domain == "" {
		order, of = byDomain(to)
	}
	rows := make([]Row, 0, len(order))
	for _, d := range order {
		for n := range of[d] {
			if of[d][n].LastReply == reply {
				of[d][n].LastReply = "" // the row says it
			}
		}
		rows = append(rows, Row{Rendition: r.Rendition, Domain: d, Recipients: of[d], Attempts: attempts, Queued: r.Queued, Next: next, LastReply: reply})
	}
	return rows
}

func replyLine(out Outcome) string {
	s := out.Text
	if out.Enhanced != "" {
		s = out.Enhanced + " " + s
	}
	if out.Code != 0 {
		s = fmt.Sprint(out.Code, " ", s)
	}
	if out.Host != "" {
		s = out.Host + ": " + s
	}
	return s
}
