package smtptest

import (
	"slices"
	"sync"
	"time"
)

// Arrivals are the times at which a [Sink] took messages since the last Take, for tests that kill the sender. Add is its OnMessage.
type Arrivals struct {
	mu sync.Mutex
	at []time.Time
}

// Add notes a message.
func (a *Arrivals) Add(Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = append(a.at, time.Now())
}

// Count returns how many came.
func (a *Arrivals) Count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.at)
}

// Take returns how many came, and the highest rate in messages a second over any 50 ms, and forgets them.
func (a *Arrivals) Take() (came int, rate float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.SortFunc(a.at, time.Time.Compare)
	first := 0
	for n, at := range a.at {
		for at.Sub(a.at[first]) > 50*time.Millisecond {
			first++
		}
		rate = max(rate, float64(n-first+1)/0.05)
	}
	came, a.at = len(a.at), nil
	return came, rate
}
