package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"kairan/storage"
)

// feed is one worker's deliveries: the copies of one item after another, for one destination. Those for each domain are a delivery.
type feed struct {
	o     *Outbox
	ctx   context.Context
	to    *destination
	lane  string // what it takes more of: a domain, or "" for any
	w     *worker
	first *item // taken by the dispatcher

	part  *part     // the one taken last
	open  []*part   // those that have not come to their end
	ahead []*flight // being signed, in order
	attempt
}

// attempt is what the transport does for one domain.
type attempt struct {
	domain    string
	handed    bool    // it got a copy
	exhausted bool    // it was told that there is no more
	worked    bool    // something was delivered that the schedule has not been told of
	last      Outcome // it reported
}

// part is a claimed item in a worker's hands.
type part struct {
	*item
	message *message
	flights []flight
	next    int  // of flights
	left    int  // flights without an outcome
	handed  bool // the transport got one of them
	ended   bool // the committer has it

	deferred []Outcome // kept back, so that they stay together in a row
	counts   map[Status]int
}

// has reports whether the part is about a domain.
func (p *part) has(domain string) bool {
	return slices.ContainsFunc(p.shares, func(of share) bool { return of.domain == domain })
}

// flight is a copy on its way.
type flight struct {
	Outgoing
	part      *part
	domain    string     // that the transport is told
	signature *signature // nil: unsigned
	chunks    [3][]byte
	handed    bool // to the transport
	reported  bool // or given to another worker
}

// work delivers an item, and more of its destination while it may.
func (o *Outbox) work(ctx context.Context, first *item, w *worker) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // signatures that nobody waits for
	f := &feed{o: o, ctx: ctx, to: first.to, lane: first.domain(), w: w, first: first}
	for f.begin() {
		f.deliver()
		if !f.judge() {
			break
		}
	}
	f.close()
	o.mu.Lock()
	o.schedule.ended(f.to, f.w)
	idle := o.schedule.sending+o.schedule.aside == 0
	o.mu.Unlock()
	if idle {
		o.commits.hurry()
	}
	o.nudge()
}

// begin turns to the domain of the next copy, if there is one. What was given to others meanwhile is theirs.
func (f *feed) begin() bool {
	for f.fill(); len(f.ahead) > 0 && f.may(); f.fill() {
		f.attempt = attempt{domain: f.ahead[0].domain}
		f.w.progress(time.Now())
		f.o.mu.Lock()
		f.w.begin(f.domain)
		var lost []*part
		for _, p := range f.open {
			if slices.ContainsFunc(p.shares, func(of share) bool { return of.domain == f.domain && of.lost }) {
				lost = append(lost, p)
			}
		}
		f.o.mu.Unlock()
		for _, p := range lost {
			f.forgo(p)
		}
		if len(f.ahead) > 0 && f.ahead[0].domain == f.domain {
			return true
		}
	}
	return false
}

// may reports whether anything may be sent now.
func (f *feed) may() bool { return !f.o.stopped() && !f.to.shut.Load() }

// stopped reports whether the queue ends, or cannot note what it sends.
func (o *Outbox) stopped() bool { return o.halted.Load() || o.commits.stalled.Load() }

// forgo leaves what a part has for this domain to the worker who has it now.
func (f *feed) forgo(p *part) {
	for n := range p.flights {
		if c := &p.flights[n]; c.domain == f.domain && !c.reported {
			c.reported = true
			p.left--
		}
	}
	f.ahead = slices.DeleteFunc(f.ahead, func(c *flight) bool { return c.reported })
	if p.left == 0 {
		f.end(p)
	}
}

// deliver gives the copies for a domain to the transport. A panic ends this delivery only.
func (f *feed) deliver() {
	defer func() {
		if r := recover(); r != nil {
			f.exhausted = false
			f.last = Outcome{Status: Deferred, Enhanced: "4.3.0", Text: "the delivery broke down"}
			f.o.Log.Error("deliver", "domain", f.domain, "panic", r, "stack", string(debug.Stack()), "then", "will be tried again")
		}
	}()
	f.o.transport.Deliver(f.ctx, f.domain, f.copies, f.report)
}

// copies is what the transport draws from.
func (f *feed) copies(yield func(*Outgoing) bool) {
	for f.may() {
		if f.fill(); len(f.ahead) == 0 || f.ahead[0].domain != f.domain {
			break
		}
		c := f.ahead[0]
		f.ahead = slices.Delete(f.ahead, 0, 1)
		if c.Skip != "" {
			f.settle(c, Outcome{Status: Skipped, Text: c.Skip})
			continue
		}
		f.await(c)
		err := c.complete(f.ctx)
		if f.ctx.Err() != nil {
			break
		}
		if err != nil {
			f.settle(c, f.ours(c.part.item, fmt.Errorf("sign the copy: %w", err)))
			continue
		}
		if !f.pace(c.part.rendition) {
			break
		}
		c.part.handed, c.handed, f.handed = true, true, true
		if !yield(&c.Outgoing) {
			return
		}
	}
	f.exhausted = true
}

// fill takes copies, and rows when these run out, until enough are being signed. It waits until half of them have left: who signs and who
// sends wake each other once for some copies, not for each.
func (f *feed) fill() {
	if len(f.ahead) > f.o.Ahead/2 {
		return
	}
	for len(f.ahead) < f.o.Ahead {
		if f.part == nil || f.part.next == len(f.part.flights) {
			if f.part = f.take(); f.part == nil {
				return
			}
		}
		p := f.part
		c := &p.flights[p.next]
		if c.reported {
			p.next++
			continue
		}
		if c.Skip == "" && c.Signer != nil {
			if p.next > 0 && p.flights[p.next-1].signature != nil && sameSignature(&c.Copy, &p.flights[p.next-1].Copy) {
				c.signature = p.flights[p.next-1].signature
			} else {
				c.signature = f.o.sign(f.ctx, c)
			}
		}
		p.next++
		f.ahead = append(f.ahead, c)
	}
}

// await waits, where the signature of a copy is not made yet, for some of those behind it too.
func (f *feed) await(c *flight) {
	if c.signature == nil || c.signature.made() {
		return
	}
	last := c.signature
	for _, next := range f.ahead[:min(len(f.ahead), max(0, f.o.Ahead/2-1))] {
		if next.signature != nil {
			last = next.signature
		}
	}
	select {
	case <-last.done:
	case <-f.ctx.Done():
	}
}

// complete waits for the signature and puts the message together.
func (c *flight) complete(ctx context.Context) error {
	if s := c.signature; s != nil {
		select {
		case <-s.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if s.err != nil {
			return s.err
		}
		c.chunks[0] = s.field
	}
	m := c.part.message
	c.chunks[1], c.chunks[2] = c.Header, m.stuffed
	c.Chunks, c.Stuffed = c.chunks[:], true
	plain := ascii(c.Header)
	c.EightBit = m.EightBit || !plain
	c.UTF8 = m.UTF8 || !plain || !c.To.IsASCII() || !c.Sender.IsASCII()
	return nil
}

// take claims the next row and makes its copies; nil when there is none for now.
func (f *feed) take() *part {
	for f.may() || f.first != nil && !f.o.stopped() {
		i := f.first
		if f.first = nil; i == nil {
			f.o.mu.Lock()
			i = f.o.schedule.more(f.to, f.w, f.lane, time.Now())
			f.o.mu.Unlock()
			if i == nil {
				return nil
			}
		}
		if p := f.make(i); p != nil {
			return p
		}
	}
	if f.first != nil {
		f.putBack(f.first, time.Now())
		f.first = nil
	}
	return nil
}

// make reads the row of a claimed item and has its copies made. It returns nil when nothing is left to send.
func (f *feed) make(i *item) *part {
	to, next, err := f.o.recipients(f.ctx, i)
	switch {
	case err == nil && next.After(time.Now()):
		f.putBack(i, next)
		return nil
	case err == nil && len(to) == 0:
		f.release(i)
		return nil
	}
	p := &part{item: i, left: len(to), flights: make([]flight, len(to)), counts: map[Status]int{}}
	for n := range to {
		p.flights[n].Recipient, p.flights[n].part = to[n], p
		p.flights[n].flight = &p.flights[n]
		if !f.o.Smarthost {
			p.flights[n].domain = to[n].To.ASCIIDomain()
		}
	}
	if err == nil && !i.expired {
		err = p.personalise(f.ctx, f.o, to)
	}
	switch {
	case i.expired:
		f.o.mu.Lock()
		why := f.to.last
		f.o.mu.Unlock()
		f.rest(p, why)
	case err != nil && (f.ctx.Err() != nil || len(to) == 0):
		f.putBack(i, time.Now().Add(time.Minute))
	case err != nil:
		f.rest(p, f.ours(i, err))
	default:
		f.open = append(f.open, p)
		return p
	}
	return nil
}

// recipients reads the row of an item afresh: who of it goes to the item's destination, and not before when.
func (o *Outbox) recipients(ctx context.Context, i *item) (to []Recipient, next time.Time, err error) {
	o.mu.Lock()
	shares := slices.Clone(i.shares)
	o.mu.Unlock()
	err = o.db.View(ctx, func(tx *storage.Tx) error {
		r, err := outbox.Get(tx, i.row)
		if errors.Is(err, storage.ErrNotFound) {
			return nil // dropped
		}
		to, next = o.part(r, shares), r.Next
		return err
	})
	return to, next, err
}

// personalise fills in the copies. A panic is an error of this row: others go on.
func (p *part) personalise(ctx context.Context, o *Outbox, to []Recipient) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("personalise: panic: %v\n%s", r, debug.Stack())
		}
	}()
	if p.message, err = o.messages.get(ctx, p.rendition); err != nil {
		return fmt.Errorf("read rendition: %w", err)
	}
	copies, err := o.personaliser.Personalise(ctx, p.rendition, p.to.name, to)
	if err != nil {
		return fmt.Errorf("personalise: %w", err)
	}
	if len(copies) != len(to) {
		return fmt.Errorf("personalise: %d copies for %d recipients", len(copies), len(to))
	}
	for n := range copies {
		p.flights[n].Copy = copies[n]
		p.flights[n].Recipient = to[n]
	}
	return nil
}

func (f *feed) release(i *item) {
	f.o.mu.Lock()
	defer f.o.mu.Unlock()
	f.w.leave(i)
	f.o.schedule.release(i)
}

func (f *feed) putBack(i *item, at time.Time) {
	f.o.mu.Lock()
	defer f.o.mu.Unlock()
	f.w.leave(i)
	f.o.schedule.putBack(i, at)
}
