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

// feed is one delivery: the copies of one row after another, for one destination.
type feed struct {
	o      *Outbox
	ctx    context.Context
	to     *destination
	domain string
	w      *worker
	first  *item // taken by the dispatcher

	part      *part     // the one taken last
	open      []*part   // those that have not come to their end
	ahead     []*flight // being signed, in order
	handed    bool      // the transport got a copy
	exhausted bool      // the transport was told that there is no more
	last      Outcome   // reported by the transport
}

// part is a claimed item in a worker's hands.
type part struct {
	item
	message *message
	flights []flight
	next    int  // of flights
	left    int  // flights without an outcome
	handed  bool // the transport got one of them
	ended   bool // the committer has it

	deferred []Outcome // kept back, so that they stay together in a row
	counts   map[Status]int
}

// flight is a copy on its way.
type flight struct {
	Outgoing
	part      *part
	signature *signature // nil: unsigned
	chunks    [3][]byte
	reported  bool
}

// work delivers an item, and more of its destination while it may.
func (o *Outbox) work(ctx context.Context, first item, w *worker) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // signatures that nobody waits for
	f := &feed{o: o, ctx: ctx, to: first.to, domain: first.domain, w: w, first: &first}
	f.deliver()
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

// deliver gives the feed to the transport. A panic ends this delivery only.
func (f *feed) deliver() {
	defer func() {
		if r := recover(); r != nil {
			f.exhausted = false
			f.last = Outcome{Status: Deferred, Enhanced: "4.3.0", Text: "the delivery broke down"}
			f.o.Log.Error("deliver", "domain", f.domain, "panic", r, "stack", string(debug.Stack()), "then", "will be tried again")
		}
	}()
	if f.fill(); len(f.ahead) == 0 {
		f.exhausted = true
		return // rows that were gone, or could not be made ready
	}
	f.o.transport.Deliver(f.ctx, f.domain, f.copies, f.report)
}

// copies is what the transport draws from.
func (f *feed) copies(yield func(*Outgoing) bool) {
	for !f.o.halted.Load() && !f.o.commits.stalled.Load() && !f.to.shut.Load() {
		if f.fill(); len(f.ahead) == 0 {
			break
		}
		c := f.ahead[0]
		f.ahead = slices.Delete(f.ahead, 0, 1)
		if c.Skip != "" {
			f.settle(c, Outcome{Status: Skipped, Text: c.Skip})
			continue
		}
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
		c.part.handed, f.handed = true, true
		if !yield(&c.Outgoing) {
			return
		}
	}
	f.exhausted = true
}

// fill takes copies, and rows when these run out, until enough are being signed.
func (f *feed) fill() {
	for len(f.ahead) < f.o.Ahead {
		if f.part == nil || f.part.next == len(f.part.flights) {
			if f.part = f.take(); f.part == nil {
				return
			}
		}
		p := f.part
		c := &p.flights[p.next]
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
	for !f.o.halted.Load() && !f.o.commits.stalled.Load() && (f.first != nil || !f.to.shut.Load()) {
		var i item
		if ok := f.first != nil; ok {
			i, f.first = *f.first, nil
		} else {
			f.o.mu.Lock()
			i, ok = f.o.schedule.more(f.to, f.domain, time.Now())
			f.o.mu.Unlock()
			if !ok {
				return nil
			}
		}
		if p := f.make(i); p != nil {
			return p
		}
	}
	if f.first != nil {
		f.o.putBack(*f.first, time.Now())
		f.first = nil
	}
	return nil
}

// make reads the row of a claimed item and has its copies made. It returns nil when nothing is left to send.
func (f *feed) make(i item) *part {
	to, next, err := f.o.recipients(f.ctx, i)
	switch {
	case err == nil && next.After(time.Now()):
		f.o.putBack(i, next)
		return nil
	case err == nil && len(to) == 0:
		f.o.release(i)
		return nil
	}
	p := &part{item: i, left: len(to), flights: make([]flight, len(to)), counts: map[Status]int{}}
	for n := range to {
		p.flights[n].Recipient, p.flights[n].part = to[n], p
		p.flights[n].flight = &p.flights[n]
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
		f.o.putBack(i, time.Now().Add(time.Minute))
	case err != nil:
		f.rest(p, f.ours(i, err))
	default:
		f.open = append(f.open, p)
		return p
	}
	return nil
}

// recipients reads the row of an item afresh: who of it goes to the item's destination, and not before when.
func (o *Outbox) recipients(ctx context.Context, i item) (to []Recipient, next time.Time, err error) {
	err = o.db.View(ctx, func(tx *storage.Tx) error {
		r, err := outbox.Get(tx, i.row)
		if errors.Is(err, storage.ErrNotFound) {
			return nil // dropped
		}
		to, next = o.part(r, i.domain), r.Next
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

func (o *Outbox) release(i item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.schedule.release(i)
}

func (o *Outbox) putBack(i item, at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.schedule.putBack(i, at)
}
