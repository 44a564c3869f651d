package resolver

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	defaultTTL = 5 * time.Minute  // where the layer below does not know
	maxTTL     = time.Hour        // so that a repaired zone is seen the same day
	maxAnswer  = 4 << 10          // bytes; larger answers are not kept
	flightTime = 20 * time.Second // an abandoned question ends by then
)

// Cache returns a Resolver that remembers the answers of r, positive and
// negative ones, for their TTL but at most an hour. It keeps at most entries
// answers of at most 4 KB, the lately used ones first. Callers that ask the same at
// the same time share one question, and none suffers from the cancellation of another.
// Temporary errors are not remembered.
func Cache(r Resolver, entries int) Validator {
	return layer{&cache{below: asking(r), half: max(1, entries/2), young: map[question]entry{}}}
}

type entry struct {
	answer answer
	err    error
	until  time.Time
}

// cache keeps two generations: when the young one is full, it becomes the old one and the old one is
// forgotten; what is asked again moves to the young. That approximates LRU without a list.
type cache struct {
	below  asker
	half   int // entries per generation
	flight singleflight.Group

	mu         sync.Mutex
	young, old map[question]entry
}

func (c *cache) ask(ctx context.Context, q question) (answer, error) {
	if e, ok := c.get(q); ok {
		return e.answer, e.err
	}
	done := c.flight.DoChan(q.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightTime)
		defer cancel()
		a, err := c.below.ask(ctx, q)
		if !Temporary(err) {
			c.put(q, entry{answer: a, err: err, until: time.Now().Add(lifetime(a))})
		}
		return a, err
	})
	select {
	case r := <-done:
		return r.Val.(answer), r.Err
	case <-ctx.Done():
		return answer{}, wrap(q.String(), context.Cause(ctx))
	}
}

func lifetime(a answer) time.Duration {
	if a.ttl == 0 {
		return defaultTTL
	}
	return min(a.ttl, maxTTL)
}

func (c *cache) get(q question) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, young := c.young[q]
	if !young {
		var ok bool
		if e, ok = c.old[q]; !ok {
			return entry{}, false
		}
	}
	if !time.Now().Before(e.until) {
		return entry{}, false
	}
	if !young {
		c.store(q, e)
	}
	return e, true
}

func (c *cache) put(q question, e entry) {
	if e.answer.size() > maxAnswer {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(q, e)
}

func (c *cache) store(q question, e entry) {
	if len(c.young) >= c.half {
		c.old, c.young = c.young, make(map[question]entry)
	}
	c.young[q] = e
}
