package resolver

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	tryTimeout = 3 * time.Second // for one server, once
	rounds     = 2               // over all servers
	udpSize    = 1232            // fits an IPv6 packet without fragments (DNS flag day 2020)
	maxChain   = 16              // CNAMEs followed within an answer
)

// DNS returns a Resolver that asks recursive servers, each "host", "host:port" or
// "[v6]:port"; without servers those of /etc/resolv.conf, or else the local host.
// A question goes to the servers in order, twice, for at most 3 s each,
// over UDP (EDNS0) with a fresh port and ID, and over TCP where the answer is truncated.
//
// A server on a loopback address is believed when it says that it validated an answer (the AD bit; RFC 6840, section 5.8).
func DNS(servers []string) Validator { return newDNS(servers, false) }

// Validating is DNS with servers that are all believed: they validate, and nobody can change what they say on the way here.
func Validating(servers []string) Validator { return newDNS(servers, true) }

func newDNS(servers []string, believed bool) Validator {
	if len(servers) == 0 {
		servers = systemServers("/etc/resolv.conf")
	}
	c := &client{timeout: tryTimeout}
	for _, s := range servers {
		addr := withPort(s)
		at, err := netip.ParseAddrPort(addr)
		c.servers = append(c.servers, server{addr: addr, believed: believed || err == nil && at.Addr().Unmap().IsLoopback()})
	}
	return layer{c}
}

func systemServers(file string) []string {
	conf, err := dns.ClientConfigFromFile(file)
	if err != nil || len(conf.Servers) == 0 {
		return []string{"127.0.0.1"} // as resolv.conf(5) says
	}
	return conf.Servers
}

func withPort(server string) string {
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server
	}
	return net.JoinHostPort(strings.Trim(server, "[]"), "53")
}

type client struct {
	servers []server
	timeout time.Duration
}

// server is a recursive server; believed is one whose AD bit counts.
type server struct {
	addr     string
	believed bool
}

func (c *client) ask(ctx context.Context, q question) (answer, error) {
	switch q.kind {
	case kindTXT:
		return c.query(ctx, q.name, dns.TypeTXT)
	case kindMX:
		return c.query(ctx, q.name, dns.TypeMX)
	case kindPTR:
		name, err := dns.ReverseAddr(q.ip.String())
		if err != nil {
			return answer{}, fmt.Errorf("ask %v: %w", q, ErrNoDomain)
		}
		return c.query(ctx, name, dns.TypePTR)
	case kindTLSA:
		return c.query(ctx, q.name, dns.TypeTLSA)
	}
	return c.addresses(ctx, q.name)
}

// addresses asks for both families at once.
func (c *client) addresses(ctx context.Context, name string) (answer, error) {
	var v4, v6 answer
	var err4, err6 error
	var wg sync.WaitGroup
	wg.Go(func() { v4, err4 = c.query(ctx, name, dns.TypeA) })
	wg.Go(func() { v6, err6 = c.query(ctx, name, dns.TypeAAAA) })
	wg.Wait()
	switch {
	case err4 == nil && err6 == nil:
		return answer{addrs: append(v4.addrs, v6.addrs...), name: v4.name, secure: v4.secure && v6.secure, ttl: min(v4.ttl, v6.ttl)}, nil
	case err4 == nil:
		return v4.beside(err6), nil
	case err6 == nil:
		return v6.beside(err4), nil
	case Temporary(err6):
		return answer{}, err6
	default:
		v4.ttl = min(v4.ttl, v6.ttl)
		return v4, err4
	}
}

// beside is an answer for one family where err came of the question for the other. If that is not known, it is asked again soon: an SPF
// record that lets a host in by its name must not keep out the host's other address for an hour.
func (a answer) beside(err error) answer {
	if Temporary(err) {
		a.ttl = time.Second
	}
	return a
}

// query asks the servers in turn until one gives a definite answer.
func (c *client) query(ctx context.Context, name string, qtype uint16) (answer, error) {
	what := dns.TypeToString[qtype] + " " + name
	err := ErrTimeout
	for range rounds {
		for _, server := range c.servers {
			if ctx.Err() != nil {
				return answer{}, fmt.Errorf("ask %s: %w: %w", what, ErrTimeout, context.Cause(ctx))
			}
			var reply *dns.Msg
			reply, err = c.exchange(ctx, server.addr, name, qtype)
			if err != nil {
				continue
			}
			a, readErr := read(reply, name, qtype)
			if !Temporary(readErr) {
				a.secure = reply.AuthenticatedData && server.believed
				return a, wrap(what, readErr)
			}
			err = readErr
		}
	}
	return answer{}, wrap(what, err)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ask %s: %w", what, err)
}

// exchange asks one server once, and again over TCP if the answer did not fit.
func (c *client) exchange(ctx context.Context, server, name string, qtype uint16) (*dns.Msg, error) {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	m.SetEdns0(udpSize, false)
	m.AuthenticatedData = true // asks for the bit in the answer: RFC 6840, section 5.7
	for _, network := range []string{"udp", "tcp"} {
		via := &dns.Client{Net: network, Timeout: c.timeout}
		reply, _, err := via.ExchangeContext(ctx, m, server)
		if err != nil {
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) {
				return nil, fmt.Errorf("%w: %w", ErrTimeout, err)
			}
			return nil, fmt.Errorf("%w: %w", ErrServer, err)
		}
		if !reply.Response || len(reply.Question) != 1 || reply.Question[0].Qtype != qtype ||
			!strings.EqualFold(reply.Question[0].Name, dns.Fqdn(name)) {
			return nil, fmt.Errorf("%w: answer to another question", ErrServer)
		}
		if !reply.Truncated {
			return reply, nil
		}
	}
	return nil, fmt.Errorf("%w: truncated over TCP", ErrServer)
}

// read takes from a reply what belongs to the name asked, through its aliases.
func read(reply *dns.Msg, name string, qtype uint16) (answer, error) {
	if reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError {
		return answer{}, fmt.Errorf("%w: %s", ErrServer, dns.RcodeToString[reply.Rcode])
	}
	owner, ttl := dns.Fqdn(name), uint32(1<<31-1)
	for range maxChain {
		i := slices.IndexFunc(reply.Answer, func(rr dns.RR) bool {
			return rr.Header().Rrtype == dns.TypeCNAME && strings.EqualFold(rr.Header().Name, owner)
		})
		if i < 0 {
			break
		}
		owner = reply.Answer[i].(*dns.CNAME).Target
		ttl = min(ttl, reply.Answer[i].Header().Ttl)
	}
	var a answer
	for _, rr := range reply.Answer {
		if rr.Header().Rrtype == qtype && strings.EqualFold(rr.Header().Name, owner) {
			a.add(rr)
			ttl = min(ttl, rr.Header().Ttl)
		}
	}
	slices.SortStableFunc(a.mx, func(x, y *net.MX) int { return cmp.Compare(x.Pref, y.Pref) })
	var err error
	switch {
	case reply.Rcode == dns.RcodeNameError:
		a, err = answer{}, ErrNoDomain
	case len(a.texts)+len(a.mx)+len(a.addrs)+len(a.tlsa) == 0:
		err = ErrNoData
	}
	if err != nil {
		ttl = min(ttl, negativeTTL(reply))
	}
	a.name = strings.ToLower(strings.TrimSuffix(owner, "."))
	a.ttl = max(time.Second, time.Duration(ttl)*time.Second) // 0 would mean unknown
	return a, err
}

func (a *answer) add(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.TXT:
		a.texts = append(a.texts, JoinText(rr.Txt))
	case *dns.PTR:
		a.texts = append(a.texts, rr.Ptr)
	case *dns.MX:
		a.mx = append(a.mx, &net.MX{Host: rr.Mx, Pref: rr.Preference})
	case *dns.TLSA:
		if data, err := hex.DecodeString(rr.Certificate); err == nil {
			a.tlsa = append(a.tlsa, TLSA{Usage: rr.Usage, Selector: rr.Selector, Matching: rr.MatchingType, Data: data})
		}
	case *dns.A:
		if ip, ok := netip.AddrFromSlice(rr.A); ok {
			a.addrs = append(a.addrs, ip.Unmap())
		}
	case *dns.AAAA:
		if ip, ok := netip.AddrFromSlice(rr.AAAA); ok {
			a.addrs = append(a.addrs, ip)
		}
	}
}

// negativeTTL is how long a missing answer holds (RFC 2308, section 5).
func negativeTTL(reply *dns.Msg) uint32 {
	for _, rr := range reply.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return min(soa.Minttl, soa.Hdr.Ttl)
		}
	}
	return 0
}

// JoinText joins the strings of a TXT record and undoes the presentation format in which miekg/dns
// holds them: \" \\ and \DDD.
func JoinText(parts []string) string {
	s := strings.Join(parts, "")
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		case i+3 < len(s) && isDigits(s[i+1:i+4]):
			b.WriteByte((s[i+1]-'0')*100 + (s[i+2]-'0')*10 + s[i+3] - '0')
			i += 3
		default:
			b.WriteByte(s[i+1])
			i++
		}
	}
	return b.String()
}

func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}
