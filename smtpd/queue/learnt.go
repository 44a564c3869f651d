package queue

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"kairan/storage"
)

// learnt is what is remembered of a group across restarts.
// It is stored as it stands; fields may be added, and their zero value then means what was before.
type learnt struct {
	Limit    int       `json:"n"`
	Careful  bool      `json:"c,omitempty"`
	Rate     float64   `json:"r,omitempty"`
	Failures int       `json:"f,omitempty"`
	Gate     time.Time `json:"g,omitzero"`
	Reply    string    `json:"t,omitempty"`
	Ours     bool      `json:"o,omitempty"`
	At       time.Time `json:"at"`
}

const (
	maxLearnt = 10_000              // groups remembered
	maxKnown  = 30 * 24 * time.Hour // since anything was learnt
)

var groups = storage.NewTable[string, learnt]("outboxgroups", storage.Strings[string]())

// learntOf reads the table.
func learntOf(tx *storage.Tx) map[string]learnt {
	all := map[string]learnt{}
	for name, r := range groups.Scan(tx, storage.Range[string]{}) {
		all[name] = r
	}
	return all
}

// learn notes the state of d, to be stored with the next outcomes.
func (s *schedule) learn(d *destination, now time.Time) {
	r := learnt{Limit: d.limit, Careful: d.careful, Rate: d.rate, Failures: d.failures, Gate: d.gate, Reply: d.last.Text, Ours: d.last.Ours, At: now}
	d.paced.Store(d.slow() > 0)
	before := s.learnt[d.name]
	if len(d.name) > 255 || now.Sub(before.At) < time.Hour && before.Limit == r.Limit && before.Careful == r.Careful && before.Rate == r.Rate && before.Failures == r.Failures && before.Gate.Equal(r.Gate) {
		return // nothing new
	}
	s.learnt[d.name] = r
	s.changed[d.name] = true
}

// recall takes up what was learnt before.
func (d *destination) recall(r learnt) {
	d.limit, d.careful = max(1, min(r.Limit, d.limits.Connections)), r.Careful
	if d.limits.RateOfOne == 0 || r.Rate > 0 && r.Rate < d.limits.RateOfOne {
		d.rate = r.Rate
	}
	d.failures, d.gate = r.Failures, r.Gate
	d.last = Outcome{Status: Deferred, Text: r.Reply, Ours: r.Ours}
}

// lessons takes what must be stored: nil for what is too old, or too much.
func (s *schedule) lessons(now time.Time) map[string]*learnt {
	if len(s.changed) == 0 {
		return nil
	}
	m := map[string]*learnt{}
	for name := range s.changed {
		r := s.learnt[name]
		m[name] = &r
	}
	clear(s.changed)
	if len(s.learnt) > maxLearnt {
		oldest := slices.SortedFunc(maps.Keys(s.learnt), func(a, b string) int { return s.learnt[a].At.Compare(s.learnt[b].At) })
		for _, name := range oldest[:maxLearnt/10] {
			delete(s.learnt, name)
			m[name] = nil
		}
	}
	return m
}

func storeLessons(tx *storage.Tx, lessons map[string]*learnt) error {
	for name, r := range lessons {
		var err error
		if r == nil {
			err = groups.Delete(tx, name)
		} else {
			err = groups.Put(tx, name, *r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remember reads what was learnt before, and forgets what is old.
func (o *Outbox) remember(ctx context.Context) error {
	var all map[string]learnt
	err := o.db.Update(ctx, func(tx *storage.Tx) error {
		all = map[string]learnt{}
		for name, r := range groups.Scan(tx, storage.Range[string]{}) {
			if time.Since(r.At) < maxKnown {
				all[name] = r
				continue
			}
			if err := groups.Delete(tx, name); err != nil {
				return err
			}
		}
		return nil
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.schedule.learnt = all
	return err
}

// GroupState is a group of destinations as the queue sees it now.
type GroupState struct {
	Name        string
	Waiting     int // copies
	Sending     int // deliveries that run
	Connections int // that may run
	Rate        float64
	Gate        time.Time // nothing is tried before; zero when all is well
	Reply       string    // why
}

// Groups returns the groups that have something waiting, by name. Before Run has started there are none.
func (o *Outbox) Groups() []GroupState {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []GroupState
	for _, d := range o.schedule.destinations {
		g := GroupState{Name: d.name, Sending: d.sending, Connections: d.limit, Rate: d.slow(), Waiting: o.schedule.waiting[d]}
		if d.gate.After(time.Now()) {
			g.Gate, g.Reply = d.gate, d.last.Text
		}
		all = append(all, g)
	}
	return slices.SortedFunc(slices.Values(all), func(a, b GroupState) int { return cmp.Compare(a.Name, b.Name) })
}

// GroupOf returns the group that a domain was last found to belong to, "" before it was looked up.
func (o *Outbox) GroupOf(domain string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.schedule.names[domain]
}
