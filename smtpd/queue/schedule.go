package queue

import (
	"container/heap"
	"maps"
	"slices"
	"time"
)

// item is a row, or the part of a shared row that goes to one destination,
// as the schedule knows it. It is a hint; the row itself is the truth.
type item struct {
	row       RowID
	rendition string
	to        *destination
	copies    int
	queued    time.Time
	at        time.Time // when it is due
	expired   bool      // taken behind a closed gate, because it is too old to wait for it
}

// claim names what one worker at a time may hold.
type claim struct {
	row    RowID
	domain string
}

func (i item) claim() claim { return claim{row: i.row, domain: i.to.name} }

// destination is where one connection can bring copies: a domain, or "" for the smarthost.
type destination struct {
	name     string
	lanes    []*lane   // renditions with something due, served in turn
	items    int       // due, or waiting for their time
	sending  int       // workers
	limit    int       // of workers: 1 after a failure, then growing
	failures int       // in a row
	gate     time.Time // nothing is tried before
	last     Outcome   // why the gate was closed
	inLine   bool      // stands in schedule.line
}

// lane is what one rendition has due for one destination.
type lane struct {
	rendition string
	items     []item
}

// schedule is what the outbox knows in memory. It is not safe for concurrent use.
type schedule struct {
	Options
	destinations map[string]*destination
	line         []*destination // with something due and room for a worker, in turn
	later        waiting
	claimed      map[claim]int // copies
	sending      int           // workers in all
	copies, rows int           // not retired yet, about
}

func newSchedule(o Options) *schedule {
	return &schedule{Options: o, destinations: map[string]*destination{}, claimed: map[claim]int{}}
}

// add schedules a row, in as many parts as it has destinations.
func (s *schedule) add(r Row) {
	if s.Smarthost || r.Domain != "" {
		s.addPart(r, r.Domain, len(r.Recipients))
		return
	}
	order, of := byDomain(r.Recipients)
	for _, d := range order {
		s.addPart(r, d, len(of[d]))
	}
}

// addPart schedules the recipients of a row who go to one destination, unless a worker holds them.
func (s *schedule) addPart(r Row, domain string, copies int) {
	if s.Smarthost {
		domain = ""
	}
	if _, ok := s.claimed[claim{row: r.ID, domain: domain}]; ok {
		return // whoever holds it adds what is left
	}
	d := s.destinations[domain]
	if d == nil {
		d = &destination{name: domain, limit: s.PerDomain}
		s.destinations[domain] = d
	}
	d.items++
	s.copies += copies
	s.rows++
	heap.Push(&s.later, item{row: r.ID, rendition: r.Rendition, to: d, copies: copies, queued: r.Queued, at: r.Next})
}

// due moves what has its time to the lanes and returns when more will be, or zero.
func (s *schedule) due(now time.Time) time.Time {
	for len(s.later) > 0 && !s.later[0].at.After(now) {
		i := heap.Pop(&s.later).(item)
		if i.row != 0 {
			i.to.push(i)
		} else if i.to.items == 0 { // a gate opens that nobody waits at
			i.to.failures = 0
			s.forget(i.to)
		}
		s.enter(i.to)
	}
	if len(s.later) == 0 {
		return time.Time{}
	}
	return s.later[0].at
}

// push puts an item at the end of its rendition's lane.
func (d *destination) push(i item) {
	at := slices.IndexFunc(d.lanes, func(l *lane) bool { return l.rendition == i.rendition })
	if at < 0 {
		at = len(d.lanes)
		d.lanes = append(d.lanes, &lane{rendition: i.rendition})
	}
	d.lanes[at].items = append(d.lanes[at].items, i)
}

// pop takes the first item of the lane whose turn it is, among those that may.
func (d *destination) pop(may func(item) bool) (item, bool) {
	at := slices.IndexFunc(d.lanes, func(l *lane) bool { return may(l.items[0]) })
	if at < 0 {
		return item{}, false
	}
	l := d.lanes[at]
	d.lanes = slices.Delete(d.lanes, at, at+1)
	i := l.items[0]
	if l.items = l.items[1:]; len(l.items) > 0 {
		d.lanes = append(d.lanes, l)
	}
	return i, true
}

// enter puts a destination in line if it has something due and may have another worker.
func (s *schedule) enter(d *destination) {
	if !d.inLine && len(d.lanes) > 0 && d.sending < d.limit {
		d.inLine = true
		s.line = append(s.line, d)
	}
}

// start takes the next destination in line that may have a worker now, with its first item.
func (s *schedule) start(now time.Time) (item, bool) {
	for len(s.line) > 0 && s.sending < s.Connections {
		d := s.line[0]
		s.line = s.line[1:]
		d.inLine = false
		i, ok := s.take(d, now)
		if !ok {
			s.forget(d)
			continue
		}
		d.sending++
		s.sending++
		s.enter(d)
		return i, true
	}
	return item{}, false
}

// more gives a worker of d another item, unless another destination waits for its place.
func (s *schedule) more(d *destination, now time.Time) (item, bool) {
	others := len(s.line) > 1 || len(s.line) == 1 && s.line[0] != d
	if others && s.sending >= s.Connections {
		return item{}, false
	}
	return s.take(d, now)
}

// take claims what d has due next. Behind a closed gate only what is too old
// to wait for it to open is, and that will not be sent.
func (s *schedule) take(d *destination, now time.Time) (item, bool) {
	closed := d.gate.After(now)
	for {
		i, ok := d.pop(func(i item) bool { return !closed || now.Sub(i.queued) >= s.MaxAge })
		if !ok {
			return item{}, false
		}
		if _, held := s.claimed[i.claim()]; held {
			s.leave(i) // scheduled twice, and somebody is at it
			continue
		}
		s.claimed[i.claim()] = i.copies
		i.expired = closed
		return i, true
	}
}

// leave forgets an item.
func (s *schedule) leave(i item) {
	i.to.items--
	s.copies -= i.copies
	s.rows--
	s.forget(i.to)
}

// release gives a claim back. What is left of it is added anew by the caller.
func (s *schedule) release(i item) {
	delete(s.claimed, i.claim())
	s.leave(i)
}

// putBack gives a claim back untouched, to be taken again from at on.
func (s *schedule) putBack(i item, at time.Time) {
	delete(s.claimed, i.claim())
	i.at, i.expired = at, false
	heap.Push(&s.later, i)
}

// ended counts a worker of d out.
func (s *schedule) ended(d *destination) {
	d.sending--
	s.sending--
	s.enter(d)
	s.forget(d)
}

// worked notes that d takes mail: its limit grows.
func (s *schedule) worked(d *destination) {
	d.failures = 0
	d.limit = min(2*d.limit, s.PerDomain)
	s.enter(d)
}

// failed closes the gate of d for a while; then one worker tries again.
func (s *schedule) failed(d *destination, why Outcome, now time.Time) {
	if d.gate.After(now) {
		return // another worker came to the same end
	}
	d.failures++
	d.last = why
	d.limit = 1
	d.gate = now.Add(s.pause(d.failures))
	heap.Push(&s.later, item{to: d, at: d.gate})
}

// forget drops a destination that nothing is known about.
func (s *schedule) forget(d *destination) {
	if d.items == 0 && d.sending == 0 && d.failures == 0 && s.destinations[d.name] == d {
		delete(s.destinations, d.name)
	}
}

// clear empties the schedule but for what workers hold, and opens all gates.
func (s *schedule) clear() {
	held := map[string]int{}
	s.line, s.later, s.copies, s.rows = nil, nil, 0, len(s.claimed)
	for c, copies := range s.claimed {
		held[c.domain]++
		s.copies += copies
	}
	for _, d := range slices.Collect(maps.Values(s.destinations)) {
		d.lanes, d.items, d.limit, d.failures, d.gate, d.inLine = nil, held[d.name], s.PerDomain, 0, time.Time{}, false
		s.forget(d)
	}
}

// waiting is a heap of items by time.
type waiting []item

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(a, b int) bool { return w[a].at.Before(w[b].at) }
func (w waiting) Swap(a, b int)      { w[a], w[b] = w[b], w[a] }
func (w *waiting) Push(x any)        { *w = append(*w, x.(item)) }
func (w *waiting) Pop() any {
	i := (*w)[len(*w)-1]
	*w = (*w)[:len(*w)-1]
	return i
}
