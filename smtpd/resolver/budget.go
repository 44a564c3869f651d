package resolver

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Budget returns a Resolver that lets at most questions different questions
// through to r, and none after d has passed from now. Whatever is beyond is answered with
// ErrBudget or a timeout, both temporary. The same question again is free: put a
// [Cache] below.
func Budget(r Resolver, questions int, d time.Duration) Resolver {
	return layer{&budget{below: asking(r), left: questions, until: time.Now().Add(d), asked: map[question]bool{}}}
}

type budget struct {
	below asker
	until time.Time

	mu    sync.Mutex
	left  int
	asked map[question]bool
}

func (b *budget) ask(ctx context.Context, q question) (answer, error) {
	if !b.spend(q) {
		return answer{}, fmt.Errorf("ask %v: %w", q, ErrBudget)
	}
	ctx, cancel := context.WithDeadlineCause(ctx, b.until, ErrTimeout)
	defer cancel()
	if ctx.Err() != nil {
		return answer{}, fmt.Errorf("ask %v: %w", q, context.Cause(ctx))
	}
	return b.below.ask(ctx, q)
}

func (b *budget) spend(q question) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked[q] {
		return true
	}
	if b.left <= 0 {
		return false
	}
	b.left--
	b.asked[q] = true
	return true
}
