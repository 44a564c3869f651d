package tlspolicy

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"kairan/smtpd/resolver"
	"kairan/storage"
)

const (
	refreshAfter = 24 * time.Hour  // of a policy in use
	retryAfter   = 5 * time.Minute // a failed fetch
	maxFailures  = 10_000          // remembered
)

// Options say how policies are found. DB and Resolver are needed.
type Options struct {
	DB       *storage.DB
	Resolver resolver.Resolver
	// RootCAs check the certificates of policy hosts; nil are the system's.
	RootCAs *x509.CertPool
	// Dial replaces the system's, for tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Log gets a line for each policy fetched or not; nil discards them.
	Log *slog.Logger
}

// Cache knows the MTA-STS policies of domains. Make one with New; it is safe for concurrent use.
type Cache struct {
	Options
	flight singleflight.Group

	mu     sync.Mutex
	failed map[string]failure // the last fetch, by domain
}

// failure is a fetch that failed.
type failure struct {
	at  time.Time
	why error
}

// New returns a cache over what is in the store.
func New(o Options) *Cache {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return &Cache{Options: o, failed: map[string]failure{}}
}

// row is what is kept of a domain. It is on disk: a new field's zero value must mean what was before.
type row struct {
	ID      string    `json:"id"`
	Policy  Policy    `json:"policy"`
	Fetched time.Time `json:"fetched"`
}

// holds reports whether the policy is not too old.
func (r row) holds(now time.Time) bool { return now.Before(r.Fetched.Add(r.Policy.MaxAge)) }

// stale reports whether it is time to look for another one.
func (r row) stale(now time.Time) bool {
	return !now.Before(r.Fetched.Add(min(refreshAfter, r.Policy.MaxAge/2)))
}

var policies = storage.NewTable[string, row]("mtasts", storage.Strings[string]())

// Policy returns the policy that holds for a domain, in A-labels and lower case, now; the zero Policy if there is none.
// It asks the DNS for the policy's id, and fetches a policy that is not known yet. An error means that we failed, not the domain.
func (c *Cache) Policy(ctx context.Context, domain string) (Policy, error) {
	known, err := c.known(ctx, domain)
	if err != nil {
		return Policy{}, err
	}
	now := time.Now()
	holds := known.holds(now)
	texts, err := c.Resolver.TXT(ctx, "_mta-sts."+domain)
	id := parseRecord(texts)
	// A record that is gone or cannot be found does not end a policy: RFC 8461, section 3.1 and 5.1.
	var trouble error
	if wanted := err == nil && id != "" && (!holds || id != known.ID || known.stale(now)); wanted {
		if trouble = c.failedLately(domain, now); trouble == nil {
			if known, err = c.shared(ctx, domain, id); err != nil {
				return Policy{}, err
			}
			holds, trouble = known.holds(time.Now()), c.failedLately(domain, time.Now())
		}
	}
	p := known.Policy
	if !holds || p.Mode == None {
		p = Policy{}
	}
	p.Trouble = trouble
	return p, nil
}

func (c *Cache) known(ctx context.Context, domain string) (r row, err error) {
	err = c.DB.View(ctx, func(tx *storage.Tx) (err error) {
		r, err = policies.Get(tx, domain)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	})
	return r, err
}

// shared fetches a policy, once for all who want it now, and returns what is known then.
func (c *Cache) shared(ctx context.Context, domain, id string) (row, error) {
	done := c.flight.DoChan(domain, func() (any, error) {
		// Not ended with the delivery that came first; the fetch has its own limit.
		return c.renew(context.WithoutCancel(ctx), domain, id)
	})
	select {
	case r := <-done:
		return r.Val.(row), r.Err
	case <-ctx.Done():
		return row{}, context.Cause(ctx)
	}
}

func (c *Cache) renew(ctx context.Context, domain, id string) (row, error) {
	p, err := c.fetch(ctx, domain)
	if err != nil {
		c.Log.Info("mta-sts", "domain", domain, "err", err, "then", "what was known before holds; another try in "+retryAfter.String())
		c.note(domain, &failure{time.Now(), err})
		return c.known(ctx, domain)
	}
	c.note(domain, nil)
	c.Log.Info("mta-sts", "domain", domain, "id", id, "mode", string(p.Mode), "mx", p.MX, "max_age", p.MaxAge)
	r := row{ID: id, Policy: p, Fetched: time.Now()}
	err = c.DB.Update(ctx, func(tx *storage.Tx) error {
		expired, n := []string{}, 0
		for d, old := range policies.Scan(tx, storage.Range[string]{After: &domain}) { // a few each time
			if n++; n > 10 {
				break
			}
			if !old.holds(r.Fetched) {
				expired = append(expired, d)
			}
		}
		for _, d := range expired {
			if err := policies.Delete(tx, d); err != nil {
				return err
			}
		}
		return policies.Put(tx, domain, r)
	})
	return r, err
}

// failedLately is why a fetch failed that is not to be repeated yet, nil for none.
func (c *Cache) failedLately(domain string, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.failed[domain]; ok && now.Before(f.at.Add(retryAfter)) {
		return f.why
	}
	return nil
}

// note remembers a failed fetch, or forgets it after one that did not fail.
func (c *Cache) note(domain string, f *failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f == nil {
		delete(c.failed, domain)
		return
	}
	if len(c.failed) >= maxFailures {
		clear(c.failed)
	}
	c.failed[domain] = *f
}
