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
	// Attempts of a client without a session: to sign in, to join, to open a link. A whole meeting may sit behind one address; what
	// protects people from mail are the limits for each of them, in list/subscribe.
	attempts     = 30 // at once
	attemptEvery = 6 * time.Second
	// Changes by who is signed in.
	changes     = 120 // at once
	changeEvery = time.Second

	limitedNumber = 10_000 // clients remembered
)

// limiter counts what somebody does. It remembers a bounded number of them.
type limiter[K comparable] struct {
	every time.Duration
	burst int

	mu      sync.Mutex // protects clients
	clients map[K]*rate.Limiter
}

// newLimiter allows burst events at once, and one more each time after every.
func newLimiter[K comparable](every time.Duration, burst int) *limiter[K] {
	return &limiter[K]{every: every, burst: burst, clients: map[K]*rate.Limiter{}}
}

// network is what a client counts by: its address, or with IPv6 its /64. Clients without an address, behind a unix socket, count as one.
func network(ip netip.Addr) netip.Prefix {
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// allow reports whether one more event of who is within bounds.
func (l *limiter[K]) allow(who K) bool { return l.take(who, 1) == 0 }

// take counts an event that is worth cost events, if it is within bounds, or returns in what time it is.
func (l *limiter[K]) take(who K, cost int) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.clients[who]
	if c == nil {
		l.makeRoom()
		c = rate.NewLimiter(rate.Every(l.every), l.burst)
		l.clients[who] = c
	}
	now := time.Now()
	r := c.ReserveN(now, min(cost, l.burst))
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// makeRoom forgets the clients that have their whole allowance back, and when there are none, any.
func (l *limiter[K]) makeRoom() {
	if len(l.clients) < limitedNumber {
		return
	}
	for who, c := range l.clients {
		if c.Tokens() >= float64(l.burst) {
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
