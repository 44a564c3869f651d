package queue

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"
)

// Options are the numbers of an [Outbox]. The zero value is the documented default.
type Options struct {
	// Smarthost says that every copy goes to one next hop, whatever its domain.
	Smarthost bool
	// Connections is how many deliveries run at a time: 20 to a smarthost, else 100. Where there are several next hops, those that
	// go without an answer for 10 seconds do not count, up to as many again.
	Connections int
	// PerGroup is how many of them may go to one group of destinations that has no limits of its own: all to a smarthost, else 4.
	PerGroup int
	// Limits are the site's own limits of some groups, by name.
	Limits map[string]Limits
	// Group names the group of domains that share a domain's mail hosts, in A-labels; nil makes every domain a group. It is called
	// when a domain has something to be sent, outside of deliveries, for at most 5 seconds; an error leaves the domain its own group.
	Group func(ctx context.Context, domain string) (string, error)
	// Signers is how many copies are signed at a time: runtime.GOMAXPROCS, which should be the number of cores. A program
	// that must answer quickly meanwhile sets this and then raises GOMAXPROCS: signers then give way to all else.
	Signers int
	// Ahead is how many copies a delivery has signed ahead, half of them at a time: 6.
	Ahead int
	// CommitDelay is how long an outcome may wait for others to be committed with: 50 ms. Where a commit takes long it waits seven
	// times as long as the last one took, a second at most.
	CommitDelay time.Duration
	// FirstRetry is the pause after the first deferral: 5 minutes. Each further one is twice as long, up to LastRetry: 4 hours.
	FirstRetry, LastRetry time.Duration
	// MaxAge is how long a recipient is tried: 5 days (RFC 5321, section 4.5.4.1).
	MaxAge time.Duration
	// Grace is how long copies in flight may take after Run was told to end: 30 seconds.
	Grace time.Duration
	// Log gets a line for each row that was tried; nil discards it.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	connections, perGroup := 100, 4
	if o.Smarthost {
		connections = 20
	}
	o.Connections = cmp.Or(o.Connections, connections)
	if o.Smarthost {
		perGroup = o.Connections
	}
	o.PerGroup = min(cmp.Or(o.PerGroup, perGroup), o.Connections)
	o.Signers = cmp.Or(o.Signers, runtime.GOMAXPROCS(0))
	o.Ahead = cmp.Or(o.Ahead, 6)
	o.CommitDelay = cmp.Or(o.CommitDelay, 50*time.Millisecond)
	o.FirstRetry = cmp.Or(o.FirstRetry, 5*time.Minute)
	o.LastRetry = cmp.Or(o.LastRetry, 4*time.Hour)
	o.MaxAge = cmp.Or(o.MaxAge, 5*24*time.Hour)
	o.Grace = cmp.Or(o.Grace, 30*time.Second)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return o
}

// pause is how long to wait after the n-th failure in a row, n from 1, give or
// take a tenth so that what failed together does not come back together.
func (o Options) pause(n int) time.Duration {
	d := o.FirstRetry
	for range n - 1 {
		if d *= 2; d >= o.LastRetry {
			d = o.LastRetry
			break
		}
	}
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}

// part returns the recipients of a row whom some shares are about, those of one domain together.
func (o Options) part(r Row, of []share) []Recipient {
	if o.Smarthost || r.Domain != "" {
		return r.Recipients
	}
	at := make(map[string]int, len(of))
	for n, mine := range of {
		if !mine.lost {
			at[mine.domain] = n
		}
	}
	to := make([][]Recipient, len(of))
	for _, r := range r.Recipients {
		if n, ok := at[r.To.ASCIIDomain()]; ok {
			to[n] = append(to[n], r)
		}
	}
	return slices.Concat(to...)
}
