package relay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"kairan/smtpd/queue"
	"kairan/smtpd/resolver"
)

const (
	maxHosts     = 10 // MX hosts looked at
	maxAddresses = 8  // tried in all
)

// target is an address of a host.
type target struct{ host, addr string }

// targets yields what to try for a domain, in order, until yield returns false.
// It returns why nothing could be yielded, or the zero Outcome (RFC 5321, section 5.1).
func (r *Relay) targets(ctx context.Context, domain string, yield func(target) bool) queue.Outcome {
	if r.Smarthost != "" {
		host, _, err := net.SplitHostPort(r.Smarthost)
		if err != nil {
			return noReply(queue.Deferred, "4.3.5", r.Smarthost, "the smarthost is no host:port")
		}
		yield(target{host: host, addr: r.Smarthost})
		return queue.Outcome{}
	}
	hosts, why := r.hosts(ctx, domain)
	if why.Status != "" {
		return why
	}
	tried, own := 0, false
	var unknown error
	for _, host := range hosts {
		ips, err := r.Resolver.Addr(ctx, host)
		if resolver.Temporary(err) {
			unknown = err
		}
		for _, ip := range ips {
			if r.isOwn(ip) {
				own = true
				continue
			}
			if tried++; tried > maxAddresses {
				return queue.Outcome{}
			}
			if !yield(target{host: host, addr: net.JoinHostPort(ip.Unmap().String(), strconv.Itoa(r.port()))}) {
				return queue.Outcome{}
			}
		}
	}
	switch {
	case tried > 0:
		return queue.Outcome{}
	case own:
		return noReply(queue.Deferred, "4.4.6", "", "mail for "+domain+" would come back to this host")
	case unknown != nil:
		return noReply(queue.Deferred, "4.4.3", "", fmt.Sprintf("the addresses of the mail hosts of %s cannot be found now", domain))
	}
	return noReply(queue.Failed, "5.4.4", "", "the mail hosts of "+domain+" have no address")
}

// hosts returns the mail hosts of a domain, the best first, those of equal preference shuffled.
func (r *Relay) hosts(ctx context.Context, domain string) ([]string, queue.Outcome) {
	records, err := r.Resolver.MX(ctx, domain)
	switch {
	case errors.Is(err, resolver.ErrNoDomain):
		return nil, noReply(queue.Failed, "5.1.2", "", "the domain "+domain+" does not exist")
	case resolver.Temporary(err):
		return nil, noReply(queue.Deferred, "4.4.3", "", "the mail hosts of "+domain+" cannot be found now")
	case err != nil || len(records) == 0:
		return []string{domain}, queue.Outcome{}
	}
	if len(records) == 1 && strings.TrimSuffix(records[0].Host, ".") == "" {
		return nil, noReply(queue.Failed, "5.1.10", "", "the domain "+domain+" takes no mail") // RFC 7505
	}
	records = slices.Clone(records)
	rand.Shuffle(len(records), func(a, b int) { records[a], records[b] = records[b], records[a] })
	slices.SortStableFunc(records, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	var hosts []string
	for _, mx := range records[:min(len(records), maxHosts)] {
		host := strings.TrimSuffix(mx.Host, ".")
		if strings.EqualFold(host, r.Hostname) {
			if len(hosts) == 0 {
				return nil, noReply(queue.Deferred, "4.4.6", "", "mail for "+domain+" would come back to this host")
			}
			break // those behind us would send it to us
		}
		if host != "" {
			hosts = append(hosts, host)
		}
	}
	return hosts, queue.Outcome{}
}

func (r *Relay) port() int {
	if r.Port == 0 {
		return 25
	}
	return r.Port
}

// isOwn reports whether a connection to ip would lead to ourselves, or to what only this machine may reach.
func (r *Relay) isOwn(ip netip.Addr) bool {
	ip = ip.Unmap()
	if ip.IsUnspecified() || ip.IsMulticast() || r.Port == 0 && ip.IsLoopback() {
		return true
	}
	for _, own := range r.Own {
		if int(own.Port()) != r.port() {
			continue
		}
		if own.Addr().Unmap() == ip || (!own.Addr().IsValid() || own.Addr().IsUnspecified()) && r.isLocal(ip) {
			return true
		}
	}
	return false
}

// isLocal reports whether ip is an address of this machine.
func (r *Relay) isLocal(ip netip.Addr) bool {
	if ip.IsLoopback() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(addrs, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap() == ip
	})
}
