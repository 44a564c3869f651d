package relay

import (
	"context"
	"net"
	"strings"

	"kairan/smtpd/queue"
	"kairan/smtpd/resolver"
)

// Group names the group of domains that a domain's mail hosts serve (queue.Options.Group): its next hop's host where a route
// or the smarthost says so, else the registered domain of the best MX host, else the domain itself.
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
		return domain, nil
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
