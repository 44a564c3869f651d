package web

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"kairan/templates"
)

// burstMinutes is for how many minutes' worth of pages a client may read at once.
const burstMinutes = 5

// What is dearer than a page, in pages.
const (
	searchCost   = 5
	downloadCost = 30
)

// paced makes crawlers slow: who reads more pages than people do has to wait. Who is signed in is a person, and is not paced. Nor is
// who comes from this machine or a private network without a forwarded address: that is a proxy which we were not told of, and behind it everybody.
func (s *site) paced(next http.Handler) http.Handler {
	if s.pages == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ip := s.clientIP(r)
		if templates.FrameOf(r.Context()).User != "" || !isPublic(ip) {
			next.ServeHTTP(w, r)
			return
		}
		if wait := s.pages.take(network(ip), cost(r)); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			s.notice(w, r, http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isPublic(ip netip.Addr) bool { return ip.IsValid() && !ip.IsLoopback() && !ip.IsPrivate() }

// cost is what an answer costs, in pages.
func cost(r *http.Request) int {
	path := r.URL.Path
	switch last := path[strings.LastIndexByte(path, '/')+1:]; {
	case last == "robots.txt":
		return 0
	case strings.HasSuffix(last, ".mbox.gz"):
		return downloadCost
	case last == "search" || strings.HasPrefix(last, "search."):
		return searchCost
	}
	return 1
}
