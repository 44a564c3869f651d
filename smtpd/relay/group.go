package relay

import (
	"cmp"
	"context"
	"net"
	"strings"

	"kairan/smtpd/queue"
	"kairan/smtpd/resolver"
)

// Group names the group of domains that a domain's mail hosts serve (queue.Options.Group): its next hop's host where a route
// or the smarthost says so, else what [queue.GroupOf] makes of the best MX host, or of a domain without any.
func (r *Relay) Group(ctx context.Context, domain string) (string, error) {
	if h := r.hop(domain); h.addr != "" {
		host, _, err := net.SplitHostPort(h.addr)
		return host, err
	}
	records, err := r.Resolver.MX(ctx, domain)
	if resolver.Temporary(err) {
		return "", err
	}
	if len(records) == 0 {
		return queue.GroupOf(domain), nil // its own mail host
	}
	best := records[0]
	for _, mx := range records[1:] {
		if mx.Pref < best.Pref || mx.Pref == best.Pref && mx.Host < best.Host { // the same one every time
			best = mx
		}
	}
	host := strings.TrimSuffix(best.Host, ".")
	if host == "" {
		return domain, nil // RFC 7505: it takes no mail
	}
	return queue.GroupOf(host), nil
}

// most is how many copies a connection to t carries.
func (r *Relay) most(t target) int {
	group := queue.GroupOf(t.host)
	if t.hop {
		group = t.host
	}
	return cmp.Or(queue.LimitsOf(r.Limits, group).Messages, r.MaxMessages)
}
