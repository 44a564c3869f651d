package queue

import (
	"slices"
	"sync/atomic"
	"time"
)

// hang is how long a delivery may go without an answer before it no longer counts.
const hang = 10 * time.Second

// worker is a delivery as the schedule sees it.
type worker struct {
	since  atomic.Int64 // Unix nanoseconds of the last progress
	aside  bool
	domain string  // it is at
	held   []*item // claimed, and not at their end
	spare  int     // shares of these that it has not begun
}

func (w *worker) progress(now time.Time) { w.since.Store(now.UnixNano()) }

func (w *worker) take(i *item) {
	w.held = append(w.held, i)
	w.begin(w.domain)
}

// leave forgets an item: nothing of it will be taken away any more.
func (w *worker) leave(i *item) {
	w.held = slices.DeleteFunc(w.held, func(other *item) bool { return other == i })
	w.count()
}

// begin notes that the worker turns to a domain.
func (w *worker) begin(domain string) {
	w.domain = domain
	for _, i := range w.held {
		for n := range i.shares {
			if mine := &i.shares[n]; mine.domain == domain && !mine.lost {
				mine.begun = true
			}
		}
	}
	w.count()
}

func (w *worker) count() {
	w.spare = 0
	for _, i := range w.held {
		for _, mine := range i.shares {
			if !mine.begun && !mine.lost {
				w.spare++
			}
		}
	}
}

// relieve takes from workers that hang what they hold for other domains, for others. It returns when the next one will have hung for
// long enough, zero for never.
func (s *schedule) relieve(now time.Time) (next time.Time) {
	for w := range s.workers {
		if w.spare == 0 {
			continue
		}
		if at := time.Unix(0, w.since.Load()).Add(hang); at.After(now) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		for _, i := range w.held {
			s.relinquish(i)
		}
		w.count()
	}
	return next
}

// relinquish makes an item of the shares of i that have not begun.
func (s *schedule) relinquish(i *item) {
	rest := &item{row: i.row, rendition: i.rendition, queued: i.queued, at: i.at}
	before := i.copies()
	for n := range i.shares {
		if mine := &i.shares[n]; !mine.begun && !mine.lost {
			rest.shares = append(rest.shares, *mine)
			mine.lost = true
			delete(s.claimed, claim{i.row, mine.domain})
		}
	}
	if len(rest.shares) > 0 {
		s.waiting[i.to] -= before - i.copies()
		s.copies -= before - i.copies()
		s.place(rest, i.to)
	}
}

// setAside gives the places of deliveries that hang to others: up to as many again as Options.Connections may hang without
// holding anybody up. It returns when the next one will have hung for long enough, zero for never.
func (s *schedule) setAside(now time.Time) (next time.Time) {
	if s.Smarthost || len(s.line) == 0 || s.sending < s.Connections {
		return time.Time{}
	}
	for w := range s.workers {
		if w.aside || s.aside >= s.Connections {
			continue
		}
		at := time.Unix(0, w.since.Load()).Add(hang)
		if !at.After(now) {
			w.aside = true
			s.aside++
			s.sending--
		} else if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// pace waits until a copy of a rendition may go; false when the delivery ends meanwhile.
func (f *feed) pace(rendition string) bool {
	if !f.to.paced.Load() {
		return true
	}
	f.o.mu.Lock()
	d := f.o.schedule.wait(f.to, rendition, time.Now())
	f.o.mu.Unlock()
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return !f.to.shut.Load()
	case <-f.ctx.Done():
		return false
	}
}
