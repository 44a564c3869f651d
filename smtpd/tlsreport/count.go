package tlsreport

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/address"
	"kairan/smtpd/resolver"
	"kairan/storage"
	"kairan/templates"
)

const (
	maxDomains  = 50_000 // counted a day, and at most so many between two stores
	maxPolicies = 20     // of a domain and day
	maxFailures = 50     // kinds of failures under a policy that are told apart
	storeAfter  = 5 * time.Second
)

// Options say how domains are told. All but RootCAs, Dial and Log are needed.
type Options struct {
	DB        *storage.DB
	Resolver  resolver.Resolver
	Templates *templates.Set
	// Language is the site's: the few words for people are in English and in it.
	Language string
	// Contact is told to the receivers of reports: the administrator.
	Contact address.Address
	// Domain returns the domain that speaks and signs, or "" while none has a key.
	Domain func(tx *storage.Tx) (string, error)
	// Send puts a mail from a domain, which signs it, into the queue, together with what the function does.
	Send func(ctx context.Context, m Mail, with func(*storage.Tx) error) error
	// RootCAs check the certificates of web servers that want reports; nil are the system's.
	RootCAs *x509.CertPool
	// Dial replaces the system's, for tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Log gets a line for each report; nil discards them.
	Log *slog.Logger
}

// Mail is a report on its way.
type Mail struct {
	Domain  string // signs
	To      []address.Address
	Message []byte // unsigned, lines ended by CRLF
}

// Reports counts and reports. Make one with New; it is safe for concurrent use.
type Reports struct {
	Options

	mu      sync.Mutex // protects pending
	pending map[key]*row
	some    chan struct{} // pending is not empty
}

// New returns the reports over what is in the store. Nothing is stored or sent before Run.
func New(o Options) *Reports {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return &Reports{Options: o, pending: map[key]*row{}, some: make(chan struct{}, 1)}
}

type key = storage.Pair[string, string] // day, domain

// row is what was counted for a domain on a day. It is on disk: a new field's zero value must mean what was before.
type row struct {
	Policies []tlsrpt.Result `json:"policies"`
	Told     []string        `json:"told,omitempty"` // the URIs that have the report
}

var table = storage.NewTable[key, row]("tlsreports", storage.Pairs(storage.Strings[string](), storage.Strings[string]()))

// Count notes what became of TLS in a session with a mail host of a domain (in A-labels). It does not wait.
func (r *Reports) Count(domain string, result tlsrpt.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := storage.P(time.Now().UTC().Format(time.DateOnly), domain)
	into := r.pending[k]
	if into == nil {
		if len(r.pending) >= maxDomains || len(domain) > 255 {
			return
		}
		into = &row{}
		r.pending[k] = into
	}
	into.add(result)
	select {
	case r.some <- struct{}{}:
	default:
	}
}

// add counts results under their policies. Kinds of failures beyond the most are counted without being told apart.
func (r *row) add(results ...tlsrpt.Result) {
	report := tlsrpt.Report{Policies: r.Policies}
	report.Merge(results...)
	r.Policies = report.Policies[:min(len(report.Policies), maxPolicies)]
	for n := range r.Policies {
		if f := r.Policies[n].FailureDetails; len(f) > maxFailures {
			r.Policies[n].FailureDetails = f[:maxFailures]
		}
	}
}

// Run stores what is counted and sends reports that are due, until ctx ends.
func (r *Reports) Run(ctx context.Context) error {
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		if err := r.Round(ctx, time.Now()); err != nil && ctx.Err() == nil {
			r.Log.Error("tls reports: will retry in an hour", "err", err)
		}
		for due := false; !due; {
			select {
			case <-ctx.Done():
				return r.Store(context.WithoutCancel(ctx))
			case <-hourly.C:
				due = true
			case <-r.some:
				r.linger(ctx)
				if err := r.Store(context.WithoutCancel(ctx)); err != nil {
					r.Log.Error("tls reports: some sessions are not counted", "err", err)
				}
			}
		}
	}
}

// linger waits for company, so that a fan-out costs few transactions.
func (r *Reports) linger(ctx context.Context) {
	timer := time.NewTimer(storeAfter)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Store stores what was counted since the last time.
func (r *Reports) Store(ctx context.Context) error {
	r.mu.Lock()
	pending := r.pending
	r.pending = map[key]*row{}
	r.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	err := r.DB.Update(ctx, func(tx *storage.Tx) error {
		days := map[string]int{}
		for k, more := range pending {
			old, err := table.Get(tx, k)
			switch {
			case err == nil:
			case !errors.Is(err, storage.ErrNotFound):
				return err
			case full(tx, days, k.A):
				continue
			}
			old.add(more.Policies...)
			if err := table.Put(tx, k, old); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store sessions: %w", err)
	}
	return nil
}

// full reports whether there is no room for another domain of a day, and counts it in otherwise. days remembers the counts.
func full(tx *storage.Tx, days map[string]int, day string) bool {
	n, ok := days[day]
	if !ok {
		for range storage.Under(tx, table, storage.Strings[string](), day) {
			n++
		}
	}
	days[day] = n + 1
	return n >= maxDomains
}
