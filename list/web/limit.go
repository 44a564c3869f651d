package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	attempts      = 10 // at once, for one client
	attemptEvery  = 6 * time.Second
	limitedNumber = 10_000 // clients remembered
)

// limiter counts attempts to sign in by client. It remembers a bounded number of clients.
type limiter struct {
	mu      sync.Mutex // protects clients
	clients map[netip.Prefix]*rate.Limiter
}

func newLimiter() *limiter { return &limiter{clients: map[netip.Prefix]*rate.Limiter{}} }

// allow reports whether one more attempt from ip is within bounds. IPv6 clients count by their /64.
func (l *limiter) allow(ip netip.Addr) bool {
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	who, err := ip.Prefix(bits)
	if err != nil {
		who = netip.Prefix{} // clients without an address, behind a unix socket, count as one
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.clients[who]
	if c == nil {
		l.makeRoom()
		c = rate.NewLimiter(rate.Every(attemptEvery), attempts)
		l.clients[who] = c
	}
	return c.Allow()
}

// makeRoom forgets the clients that have their whole allowance back, and when there are none, any.
func (l *limiter) makeRoom() {
	if len(l.clients) < limitedNumber {
		return
	}
	for who, c := range l.clients {
		if c.Tokens() >= attempts {
			delete(l.clients, who)
		}
	}
	for who := range l.clients {
		if len(l.clients) < limitedNumber {
			return
		}
		delete(l.clients, who)
	}
}

// clientIP returns the address of the client: the peer, or, behind proxies that we trust, the last address in
// X-Forwarded-For that is not one of them. What stands further left can be written by anybody.
func (s *site) clientIP(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	ip := peer.Addr().Unmap()
	if err == nil && !s.trusts(ip) {
		return ip
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return ip
		}
		if ip = addr.Unmap(); !s.trusts(ip) {
			return ip
		}
	}
	return ip
}

func (s *site) trusts(ip netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}
