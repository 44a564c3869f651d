package queue

import (
	"container/heap"
	"maps"
	"math"
	"slices"
	"time"
)

// item is a row, or the part of a shared row that goes to one group of destinations,
// as the schedule knows it. It is a hint; the row itself is the truth.
type item struct {
	row       RowID
	rendition string
	shares    []share // by domain; to a smarthost one, of ""
	to        *destination
	queued    time.Time
	at        time.Time // when it is due
	expired   bool      // taken behind a closed gate, because it is too old to wait for it
}

// share is what an item has for one domain.
type share struct {
	domain string
	copies int
	begun  bool // a worker is at it, or has been
	lost   bool // taken from a worker that hangs, for others
}

// domain is that of all copies, "" where there are several, or a smarthost.
func (i *item) domain() string {
	if len(i.shares) == 1 {
		return i.shares[0].domain
	}
	return ""
}

func (i *item) copies() (n int) {
	for _, of := range i.shares {
		if !of.lost {
			n += of.copies
		}
	}
	return n
}

// claim names what one worker at a time may hold.
type claim struct {
	row    RowID
	domain string
}

// lane is what one rendition has due for one domain, or for several of a group that share rows ("").
type lane struct {
	rendition, domain string
	served            *uint64 // the turn the rendition was last served in, anywhere
	items             []*item
}

// schedule is what the outbox knows in memory. It is not safe for concurrent use.
type schedule struct {
	Options
	destinations map[string]*destination
	line         []*destination // with something due and room for a worker, in turn
	later        waiting
	claimed      map[claim]*item
	sending      int // workers that count
	copies, rows int // not retired yet, about

	turn    uint64
	served  map[string]*uint64 // rendition -> the turn it was last served in
	waiting map[*destination]int

	names   map[string]string   // domain -> group
	unnamed map[string]*unnamed // by domain
	asking  int                 // lookups that run

	learnt  map[string]learnt // by group
	changed map[string]bool   // groups to be stored

	workers map[*worker]bool
	aside   int // workers that hang and do not count
}

func newSchedule(o Options) *schedule {
	return &schedule{
		Options: o, destinations: map[string]*destination{}, claimed: map[claim]*item{},
		served: map[string]*uint64{}, waiting: map[*destination]int{}, names: map[string]string{}, unnamed: map[string]*unnamed{},
		learnt: map[string]learnt{}, changed: map[string]bool{}, workers: map[*worker]bool{},
	}
}

// add schedules a row, in as many parts as it has groups.
func (s *schedule) add(r Row) {
	if s.Smarthost || r.Domain != "" {
		s.addPart(r, []share{{domain: r.Domain, copies: len(r.Recipients)}})
		return
	}
	s.addPart(r, shares(r.Recipients))
}

// shares counts recipients by domain.
func shares(to []Recipient) []share {
	order, of := byDomain(to)
	all := make([]share, len(order))
	for n, d := range order {
		all[n] = share{domain: d, copies: len(of[d])}
	}
	return all
}

// addPart schedules some shares of a row, but for those that a worker holds.
func (s *schedule) addPart(r Row, of []share) {
	groups, order := map[string][]share{}, []string{}
	for _, mine := range of {
		if s.Smarthost {
			mine.domain = ""
		}
		if s.claimed[claim{r.ID, mine.domain}] != nil {
			continue // whoever holds it adds what is left
		}
		name, known := s.named(mine.domain)
		if !known {
			s.hold(item{row: r.ID, rendition: r.Rendition, shares: []share{mine}, queued: r.Queued, at: r.Next})
			continue
		}
		if groups[name] == nil {
			order = append(order, name)
		}
		groups[name] = append(groups[name], mine)
	}
	for _, name := range order {
		s.place(&item{row: r.ID, rendition: r.Rendition, shares: groups[name], queued: r.Queued, at: r.Next}, s.group(name))
	}
}

// place has an item wait for its time.
func (s *schedule) place(i *item, d *destination) {
	i.to = d
	d.items++
	s.waiting[d] += i.copies()
	s.copies += i.copies()
	s.rows++
	heap.Push(&s.later, i)
}

// due moves what has its time to the lanes and returns when more will be, or zero.
func (s *schedule) due(now time.Time) time.Time {
	for len(s.later) > 0 && !s.later[0].at.After(now) {
		i := heap.Pop(&s.later).(*item)
		if i.row != 0 {
			s.push(i.to, i)
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

// push puts an item at the end of its lane.
func (s *schedule) push(d *destination, i *item) {
	at := slices.IndexFunc(d.lanes, func(l *lane) bool { return l.rendition == i.rendition && l.domain == i.domain() })
	if at < 0 {
		at = len(d.lanes)
		turn := s.served[i.rendition]
		if turn == nil {
			turn = new(uint64)
			s.served[i.rendition] = turn
		}
		d.lanes = append(d.lanes, &lane{rendition: i.rendition, domain: i.domain(), served: turn})
	}
	d.lanes[at].items = append(d.lanes[at].items, i)
}

// enter puts a destination in line if it has something due and may have another worker.
func (s *schedule) enter(d *destination) {
	if !d.inLine && len(d.lanes) > 0 && d.room() {
		d.inLine = true
		s.line = append(s.line, d)
	}
}

// start takes the destination in line whose turn it is, with its first item and a worker for it.
func (s *schedule) start(now time.Time) (*item, *worker) {
	for len(s.line) > 0 && s.sending < s.Connections {
		at := s.foremost()
		d := s.line[at]
		s.line = slices.Delete(s.line, at, at+1)
		d.inLine = false
		if !d.room() {
			continue
		}
		w := &worker{}
		i := s.take(d, w, "", now)
		if i == nil {
			s.forget(d)
			continue
		}
		w.progress(now)
		s.workers[w] = true
		d.sending++
		s.sending++
		s.enter(d)
		return i, w
	}
	return nil, nil
}

// foremost finds the destination in line that has something of the rendition served longest ago: a post to thousands of
// domains lets one to a single domain in between.
func (s *schedule) foremost() (at int) {
	best := uint64(math.MaxUint64)
	for n, d := range s.line {
		for _, l := range d.lanes {
			if *l.served < best {
				at, best = n, *l.served
			}
		}
	}
	return at
}

// more gives a worker for a domain of d, or "" for any, another item, unless somebody else waits for its place.
func (s *schedule) more(d *destination, w *worker, domain string, now time.Time) *item {
	others := len(s.line) > 1 || len(s.line) == 1 && s.line[0] != d
	if others && s.sending >= s.Connections || d.sending > d.limit {
		return nil
	}
	if !d.room() && slices.ContainsFunc(d.lanes, func(l *lane) bool { return l.domain != domain }) {
		return nil // other domains of the group wait
	}
	return s.take(d, w, domain, now)
}

// take claims for a worker what d has due next, for one domain if it is not "". Behind a closed gate only what is too old
// to wait for it to open is, and that will not be sent.
func (s *schedule) take(d *destination, w *worker, domain string, now time.Time) *item {
	closed := d.gate.After(now)
	for {
		i := s.pop(d, func(i *item) bool {
			return (!closed || now.Sub(i.queued) >= s.MaxAge) && (domain == "" || i.domain() == domain)
		})
		if i == nil {
			return nil
		}
		if !s.claim(i) {
			s.leave(i) // scheduled twice, and somebody is at it
			continue
		}
		w.take(i)
		i.expired = closed
		if !closed {
			d.shut.Store(false)
		}
		return i
	}
}

// claim takes those shares of an item that nobody holds, and reports whether there were some.
func (s *schedule) claim(i *item) (some bool) {
	before := i.copies()
	for n := range i.shares {
		mine, of := &i.shares[n], claim{i.row, i.shares[n].domain}
		if s.claimed[of] != nil {
			mine.lost = true
			continue
		}
		s.claimed[of] = i
		some = true
	}
	if some {
		s.waiting[i.to] -= before - i.copies()
		s.copies -= before - i.copies()
	} else {
		for n := range i.shares {
			i.shares[n].lost = false // for leave to count
		}
	}
	return some
}

// unclaim gives up what is left of a claim.
func (s *schedule) unclaim(i *item) {
	for _, mine := range i.shares {
		if !mine.lost {
			delete(s.claimed, claim{i.row, mine.domain})
		}
	}
}

// leave forgets an item.
func (s *schedule) leave(i *item) {
	i.to.items--
	s.waiting[i.to] -= i.copies()
	s.copies -= i.copies()
	s.rows--
	s.forget(i.to)
}

// release gives a claim back. What is left of it is added anew by the caller.
func (s *schedule) release(i *item) {
	s.unclaim(i)
	s.leave(i)
}

// putBack gives a claim back untouched, to be taken again from at on.
func (s *schedule) putBack(i *item, at time.Time) {
	s.unclaim(i)
	i.at, i.expired = at, false
	for n := range i.shares {
		i.shares[n].begun = false
	}
	if i.shares = slices.DeleteFunc(i.shares, func(of share) bool { return of.lost }); len(i.shares) == 0 {
		s.leave(i)
		return
	}
	heap.Push(&s.later, i)
}

// ended counts a worker of d out.
func (s *schedule) ended(d *destination, w *worker) {
	d.sending--
	if w.aside {
		s.aside--
	} else {
		s.sending--
	}
	delete(s.workers, w)
	s.enter(d)
	s.forget(d)
}

// forget drops a destination that nothing is known about.
func (s *schedule) forget(d *destination) {
	if d.items == 0 && d.sending == 0 && d.failures == 0 && s.destinations[d.name] == d {
		delete(s.destinations, d.name)
		delete(s.waiting, d)
	}
	if len(s.destinations) == 0 && len(s.unnamed) == 0 {
		clear(s.served)
	}
}

// clear empties the schedule but for what workers hold, and opens the gates that were opened in the store.
func (s *schedule) clear(stored map[string]learnt) {
	s.line, s.later, s.copies, s.rows = nil, nil, 0, 0
	s.learnt = stored
	clear(s.waiting)
	clear(s.unnamed)
	held, seen := map[*destination]int{}, map[*item]bool{}
	for _, i := range s.claimed {
		if seen[i] {
			continue
		}
		seen[i] = true
		held[i.to]++
		s.waiting[i.to] += i.copies()
		s.copies += i.copies()
		s.rows++
	}
	for _, d := range slices.Collect(maps.Values(s.destinations)) {
		d.lanes, d.items, d.inLine = nil, held[d], false
		if r := stored[d.name]; r.Gate.IsZero() {
			d.failures, d.gate = 0, time.Time{}
			d.shut.Store(false)
		} else if d.gate.After(time.Now()) {
			heap.Push(&s.later, &item{to: d, at: d.gate})
		}
		s.forget(d)
	}
}

// waiting is a heap of items by time.
type waiting []*item

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(a, b int) bool { return w[a].at.Before(w[b].at) }
func (w waiting) Swap(a, b int)      { w[a], w[b] = w[b], w[a] }
func (w *waiting) Push(x any)        { *w = append(*w, x.(*item)) }
func (w *waiting) Pop() any {
	i := (*w)[len(*w)-1]
	*w = (*w)[:len(*w)-1]
	return i
}
