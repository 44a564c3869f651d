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

// targets yields what to try for a domain, in order, until yield returns false. For a report the demands of the domain do not count.
// It returns why nothing could be yielded, or the zero Outcome (RFC 5321, section 5.1).
func (r *Relay) targets(ctx context.Context, domain string, report bool, yield func(target) bool) queue.Outcome {
	if h := r.hop(domain); h.addr != "" {
		host, _, err := net.SplitHostPort(h.addr)
		if err != nil {
			return ourTrouble("4.3.5", h.addr, "the next hop is no host:port")
		}
		yield(target{host: host, addr: h.addr, hop: true, login: h.login, demand: demand{TLSPolicy: h.tls, name: host}})
		return queue.Outcome{}
	}
	hosts, secure, why := r.hosts(ctx, domain)
	if why.Status != "" {
		return why
	}
	var asked asked
	if !report {
		if asked, why = r.asked(ctx, domain, secure); why.Status != "" {
			return why
		}
	}
	tried := 0
	why = noReply(queue.Failed, "5.4.4", "", "the mail hosts of "+domain+" have no address")
	for _, host := range hosts {
		found, err := r.Resolver.SecureAddr(ctx, host)
		if resolver.Temporary(err) {
			why = noReply(queue.Deferred, "4.4.3", "", fmt.Sprintf("the addresses of the mail hosts of %s cannot be found now", domain))
		}
		ips, not := r.reachable(domain, found.Addrs)
		if not.Status != "" {
			why = not
		}
		if len(ips) == 0 {
			continue
		}
		demand, not := demand{name: host}, queue.Outcome{}
		if !report {
			demand, not = r.demands(ctx, asked, host, found)
		}
		if not.Status != "" {
			r.Log.Debug("relay", "domain", domain, "host", host, "err", not.Text, "then", "passed over")
			why = not
			continue
		}
		for _, ip := range ips {
			if tried++; tried > maxAddresses {
				return queue.Outcome{}
			}
			if !yield(target{host: host, addr: net.JoinHostPort(ip.String(), strconv.Itoa(r.port())), domain: domain, demand: demand}) {
				return queue.Outcome{}
			}
		}
	}
	if tried > 0 {
		return queue.Outcome{}
	}
	return why
}

// reachable returns those of a host's addresses that may be tried, and why some may not.
func (r *Relay) reachable(domain string, addrs []netip.Addr) (ips []netip.Addr, why queue.Outcome) {
	for _, ip := range addrs {
		ip = ip.Unmap()
		switch {
		case r.isOwn(ip):
			why = ourTrouble("4.4.6", "", "mail for "+domain+" would come back to this host")
		case len(r.Sources) > 0 && !slices.ContainsFunc(r.Sources, func(s netip.Addr) bool { return s.Is4() == ip.Is4() }):
			why = ourTrouble("4.4.4", "", "the mail hosts of "+domain+" have no address of a family that we send from")
		default:
			ips = append(ips, ip)
		}
	}
	return ips, why
}

// hosts returns the mail hosts of a domain, the best first, those of equal preference shuffled,
// and whether DNSSEC vouches for them.
func (r *Relay) hosts(ctx context.Context, domain string) (hosts []string, secure bool, why queue.Outcome) {
	records, secure, err := r.Resolver.SecureMX(ctx, domain)
	switch {
	case errors.Is(err, resolver.ErrNoDomain):
		return nil, false, noReply(queue.Failed, "5.1.2", "", "the domain "+domain+" does not exist")
	case resolver.Temporary(err):
		return nil, false, noReply(queue.Deferred, "4.4.3", "", "the mail hosts of "+domain+" cannot be found now")
	case err != nil || len(records) == 0:
		return []string{domain}, secure, queue.Outcome{}
	}
	if len(records) == 1 && strings.TrimSuffix(records[0].Host, ".") == "" {
		return nil, false, noReply(queue.Failed, "5.1.10", "", "the domain "+domain+" takes no mail") // RFC 7505
	}
	records = slices.Clone(records)
	rand.Shuffle(len(records), func(a, b int) { records[a], records[b] = records[b], records[a] })
	slices.SortStableFunc(records, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	for _, mx := range records[:min(len(records), maxHosts)] {
		host := strings.TrimSuffix(mx.Host, ".")
		if strings.EqualFold(host, r.Hostname) {
			if len(hosts) == 0 {
				return nil, false, ourTrouble("4.4.6", "", "mail for "+domain+" would come back to this host")
			}
			break // those behind us would send it to us
		}
		if host != "" {
			hosts = append(hosts, host)
		}
	}
	return hosts, secure, queue.Outcome{}
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
