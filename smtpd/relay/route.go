package relay

import (
	"net"
	"strings"
)

// hop is where the mail of a domain goes.
type hop struct {
	addr  string // host:port; "" is the domain's MX
	tls   TLSPolicy
	login Login
}

// hop finds the route of a domain: its own, that of the nearest domain above it, the smarthost, or its MX.
func (r *Relay) hop(domain string) hop {
	for rest := domain; rest != "" && len(r.Routes) > 0; {
		if addr, ok := r.Routes[rest]; ok {
			return r.hopTo(addr)
		}
		dot := strings.IndexByte(rest[1:], '.') // ".example.com" comes after "a.example.com"
		if dot < 0 {
			break
		}
		rest = rest[1+dot:]
	}
	return r.hopTo(r.Smarthost)
}

func (r *Relay) hopTo(addr string) hop {
	switch _, port, _ := net.SplitHostPort(addr); {
	case addr == "mx" || addr == "":
		return hop{}
	case addr == r.Smarthost:
		return hop{addr: addr, tls: r.TLS, login: r.Login}
	case port == "465": // submissions: RFC 8314, section 7.3
		return hop{addr: addr, tls: Implicit}
	}
	return hop{addr: addr}
}
