package queue

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// destination is a group of domains that one provider serves, or the smarthost (""): what has limits and a gate of its own.
type destination struct {
	name   string
	limits Limits
	lanes  []*lane // with something due
	items  int     // due, or waiting for their time
	inLine bool    // stands in schedule.line

	sending int                  // workers
	limit   int                  // of workers: 1 at first and after a failure, then growing
	careful bool                 // it was too much once: limit grows by one, not by doubling
	rate    float64              // copies of one rendition a second; 0 no limit
	paces   map[string]time.Time // when the next copy of a rendition may go, and under "" of any
	worked  map[string]time.Time // when a domain last took something, for a while

	failures int       // in a row
	gate     time.Time // nothing is tried before
	last     Outcome   // why the gate was closed
	cut      time.Time // when the limit was last cut

	paced  atomic.Bool  // copies have to wait for their moment
	shut   atomic.Bool  // the gate was closed while workers were at it: they stop
	pushed atomic.Int64 // replies in a row that ask us to slow down
}

const (
	// carefulRate is where a group without a known rate starts when one connection is too much; from here on it has none again.
	carefulRate = 20.0
	minRate     = 1.0
	// pushes is how many replies in a row that ask us to slow down close the gate.
	pushes = 10
	// fresh is how long a success tells that a group is well.
	fresh = 10 * time.Minute
)

// group returns the destination of a name, as far as it is remembered.
func (s *schedule) group(name string) *destination {
	d := s.destinations[name]
	if d != nil {
		return d
	}
	l := s.limits(name)
	d = &destination{name: name, limits: l, limit: 1, rate: l.RateOfOne, paces: map[string]time.Time{}, worked: map[string]time.Time{}}
	if s.Smarthost {
		d.limit = l.Connections // one of our own has no need to get used to us
	}
	if r, ok := s.learnt[name]; ok {
		d.recall(r)
		if d.gate.After(time.Now()) {
			heap.Push(&s.later, &item{to: d, at: d.gate})
		}
	}
	d.paced.Store(d.slow() > 0)
	s.destinations[name] = d
	return d
}

// room reports whether another worker may start. A low rate needs few.
func (d *destination) room() bool {
	limit := d.limit
	if rate := d.slow(); rate > 0 {
		limit = min(limit, max(1, int(rate)))
	}
	return d.sending < limit
}

// slow is the lowest rate that holds a copy back, 0 for none.
func (d *destination) slow() float64 {
	if d.rate > 0 && d.limits.Rate > 0 {
		return min(d.rate, d.limits.Rate)
	}
	return max(d.rate, d.limits.Rate)
}

// succeeded notes that a domain took copies. A limit grows only when it is what holds the group back.
func (s *schedule) succeeded(d *destination, domain string, now time.Time) {
	if d.gate.After(now) {
		return // it took that before it said that it is too much
	}
	d.failures = 0
	if len(d.worked) > 1000 {
		clear(d.worked)
	}
	d.worked[domain] = now
	if d.sending >= d.limit && d.limit < d.limits.Connections {
		if d.careful {
			d.limit++
		} else {
			d.limit = min(2*d.limit, d.limits.Connections)
		}
	}
	if full := cmp.Or(d.limits.RateOfOne, carefulRate); d.rate > 0 && (d.rate < full || d.limits.RateOfOne == 0) {
		if d.rate = min(d.rate+full/20, full); d.rate == full && d.limits.RateOfOne == 0 {
			d.rate = 0
		}
	}
	d.careful = d.careful && d.limit < d.limits.Connections
	s.learn(d, now)
	s.enter(d)
}

// failed notes that a domain could not be reached. While the group takes mail of others that is the domain's own trouble, and while it takes
// mail of this one, or says 421 while others are at it, it is one connection too many: failed then returns false, for the rest has nothing
// to do with it.
func (s *schedule) failed(d *destination, domain string, why Outcome, now time.Time) bool {
	if d.gate.After(now) {
		return true // another worker came to the same end
	}
	if at, ok := d.worked[domain]; d.sending > 1 && (ok && now.Sub(at) < time.Minute || why.Code == 421) {
		d.limit, d.careful = max(1, d.sending-1), true
		s.learn(d, now)
		return false
	}
	delete(d.worked, domain)
	for other, at := range d.worked {
		if other != domain && now.Sub(at) < fresh {
			return true
		}
	}
	s.close(d, why, now)
	return true
}

// pressed notes a reply that asks us to slow down.
func (s *schedule) pressed(d *destination, out Outcome, now time.Time) {
	if d.gate.After(now) || d.name != "" && strings.Contains(out.Host, ".") && GroupOf(out.Host) != GroupOf(d.name) {
		return // a host elsewhere does not speak for the group
	}
	stop := out.Enhanced == "4.7.28" // Google's: "stop for ten minutes at least"
	if stop || now.Sub(d.cut) >= time.Second {
		if stop || d.limit == 1 {
			least := min(minRate, cmp.Or(d.limits.RateOfOne, minRate))
			d.rate = max(least, cmp.Or(d.rate, carefulRate)/2)
		}
		d.limit, d.careful, d.cut = max(1, d.limit/2), true, now
		s.learn(d, now)
	}
	if d.pushed.Add(1) >= pushes || stop {
		s.close(d, out, now)
	}
}

// close shuts the gate of d for a while; then one worker tries again.
func (s *schedule) close(d *destination, why Outcome, now time.Time) {
	d.failures++
	d.last = why
	d.limit, d.careful = 1, true
	d.gate = now.Add(max(s.pause(d.failures), d.limits.Pause))
	d.shut.Store(true)
	d.pushed.Store(0)
	s.learn(d, now)
	heap.Push(&s.later, &item{to: d, at: d.gate})
}

// slowDown reports whether an outcome asks us to send less. What is only greylisted wants to be tried, and comes in later.
func slowDown(out Outcome) bool {
	text := strings.ToLower(out.Text)
	return out.Status == Deferred && out.Code/100 == 4 && strings.HasPrefix(out.Enhanced, "4.7.") &&
		!strings.Contains(text, "greylist") && !strings.Contains(text, "graylist")
}

// wait reserves the next moment at which a copy of a rendition may go, and returns how long that is.
func (s *schedule) wait(d *destination, rendition string, now time.Time) time.Duration {
	if d.slow() == 0 {
		return 0
	}
	if len(d.paces) > 100 {
		for id, at := range d.paces {
			if at.Before(now) {
				delete(d.paces, id)
			}
		}
	}
	at := now
	for _, p := range []struct {
		of   string
		rate float64
	}{{"", d.limits.Rate}, {rendition, d.rate}} {
		if p.rate == 0 {
			continue
		}
		mine := now // not at: while one rendition waits for its own moment others go
		if next := d.paces[p.of]; next.After(now) {
			mine = next
		}
		d.paces[p.of] = mine.Add(time.Duration(float64(time.Second) / p.rate))
		if mine.After(at) {
			at = mine
		}
	}
	return at.Sub(now)
}

// next is the lane whose turn it is, among those with an item that may go: that of the rendition served longest ago.
func (d *destination) next(may func(*item) bool) *lane {
	var best *lane
	for _, l := range d.lanes {
		if may(l.items[0]) && (best == nil || *l.served < *best.served) {
			best = l
		}
	}
	return best
}

// pop takes the first item of the lane whose turn it is, nil if there is none.
func (s *schedule) pop(d *destination, may func(*item) bool) *item {
	l := d.next(may)
	if l == nil {
		return nil
	}
	s.turn++
	*l.served = s.turn
	at := slices.Index(d.lanes, l)
	d.lanes = slices.Delete(d.lanes, at, at+1)
	i := l.items[0]
	if l.items = l.items[1:]; len(l.items) > 0 {
		d.lanes = append(d.lanes, l)
	}
	return i
}
