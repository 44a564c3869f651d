package queue

import (
	"sync/atomic"
	"time"
)

// hang is how long a delivery may go without an answer before it no longer counts.
const hang = 10 * time.Second

// worker is a delivery as the schedule sees it.
type worker struct {
	since atomic.Int64 // Unix nanoseconds of the last progress
	aside bool
}

func (w *worker) progress(now time.Time) { w.since.Store(now.UnixNano()) }

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
