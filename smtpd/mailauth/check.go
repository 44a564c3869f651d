package mailauth

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/resolver"
)

const (
	defaultTimeout = 20 * time.Second
	defaultQueries = 100
	cacheEntries   = 20_000
)

// Checker checks messages. Its zero value with a Resolver is usable; it caches DNS answers and is safe for concurrent use.
type Checker struct {
	Resolver resolver.Resolver
	// Hostname is our name: the authserv-id of our Authentication-Results, and the "by" of our Received,
	// by which Trusted knows that field from the relay's.
	Hostname string
	// Timeout bounds all DNS work for one message; 0 means 20 s.
	Timeout time.Duration
	// Queries bounds the DNS questions of one message; 0 means 100. An A and an AAAA question count as one.
	Queries int

	once  sync.Once
	cache resolver.Resolver
}

// Input is what a check needs beside the message.
type Input struct {
	IP       netip.Addr
	Helo     string
	MailFrom address.Address
	Message  *message.Message
}

// Check returns what SPF, DKIM and DMARC say. It never fails: a failure is a result.
func (c *Checker) Check(ctx context.Context, in Input) Results {
	return c.check(ctx, in, func(ctx context.Context, ask resolver.Resolver) SPF { return checkSPF(ctx, ask, in) })
}

func (c *Checker) check(ctx context.Context, in Input, spf func(context.Context, resolver.Resolver) SPF) Results {
	c.once.Do(func() { c.cache = resolver.Cache(c.Resolver, cacheEntries) })
	timeout, queries := c.Timeout, c.Queries
	if timeout == 0 {
		timeout = defaultTimeout
	}
	if queries == 0 {
		queries = defaultQueries
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ask := resolver.Budget(c.cache, queries, timeout)

	author, problem := authorDomain(in.Message)
	v := verifier{author: author, lookup: func(name string) ([]string, error) { return ask.TXT(ctx, name) }}
	var r Results
	var both sync.WaitGroup
	both.Go(func() { r.SPF = spf(ctx, ask) })
	both.Go(func() { r.DKIM = v.verify(in.Message.Raw()) })
	both.Wait()
	if len(v.keys) > 0 {
		r.Keys = v.keys
	}
	if problem != "" {
		r.DMARC = DMARC{Result: None, Detail: problem}
		return r
	}
	w := walker{ask: ask, seen: map[string]walked{}}
	w.evaluate(ctx, &r, author)
	return r
}

// authorDomain returns the domain of the author in A-labels, or the problem with From. Several
// authors are nobody's word (RFC 9989, section 5.3.1).
func authorDomain(m *message.Message) (domain, problem string) {
	from := m.Header().All("From")
	switch {
	case len(from) == 0:
		return "", "no From field"
	case len(from) > 1:
		return "", "several From fields"
	}
	boxes, err := address.ParseList(from[0].Value(), message.DecodeHeader)
	switch {
	case err != nil || len(boxes) == 0:
		return "", "From is unreadable"
	case len(boxes) > 1:
		return "", "several addresses in From"
	}
	domain = asciiName(boxes[0].Address.ASCIIDomain())
	if !isName(domain) {
		return "", "no domain name in From"
	}
	return domain, ""
}
