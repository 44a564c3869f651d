package queue

import (
	"context"
	"sync"
	"time"
)

const (
	lookups    = 50              // groups looked up at a time
	lookupTime = 5 * time.Second // then a domain is its own group
	maxNames   = 50_000          // domains whose group is remembered
)

// named returns the group of a domain, or false while that is not known: then the row waits for the lookup.
func (s *schedule) named(domain string) (string, bool) {
	if s.Smarthost {
		return "", true
	}
	if s.Group == nil {
		return domain, true
	}
	name, ok := s.names[domain]
	return name, ok
}

// ask starts lookups for domains whose group is not known.
func (o *Outbox) ask(ctx context.Context, workers *sync.WaitGroup) {
	for domain, due := range o.schedule.unnamed {
		if o.schedule.asking >= lookups {
			return
		}
		if due.asked {
			continue
		}
		due.asked = true
		o.schedule.asking++
		workers.Go(func() { o.lookup(ctx, domain) })
	}
}

// lookup finds the group of a domain and lets its rows go on. A failure leaves the domain its own group, until its rows are gone.
func (o *Outbox) lookup(ctx context.Context, domain string) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	name, err := o.Group(ctx, domain)
	if err != nil || name == "" {
		name = domain
	}
	o.mu.Lock()
	s := o.schedule
	s.asking--
	if len(s.names) >= maxNames {
		clear(s.names)
	}
	s.names[domain] = name
	if held := s.unnamed[domain]; held != nil {
		delete(s.unnamed, domain)
		for _, i := range held.items {
			s.copies -= i.copies()
			s.rows--
			s.place(i, s.group(name))
		}
	}
	if err != nil {
		delete(s.names, domain) // the next post asks again
	}
	o.mu.Unlock()
	o.nudge()
}

// unnamed are rows for a domain whose group is being looked up.
type unnamed struct {
	items []*item
	asked bool
}

// hold keeps an item whose one domain has no known group until that is looked up.
func (s *schedule) hold(i item) {
	domain := i.shares[0].domain
	held := s.unnamed[domain]
	if held == nil {
		held = &unnamed{}
		s.unnamed[domain] = held
	}
	held.items = append(held.items, &i)
	s.copies += i.copies()
	s.rows++
}
