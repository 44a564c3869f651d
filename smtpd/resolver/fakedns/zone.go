package fakedns

import (
	"bufio"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"kairan/smtpd/resolver"
)

const maxAliases = 8

// Zone answers from records. It is safe for concurrent use.
type Zone struct {
	mu        sync.Mutex
	records   map[string][]dns.RR // by owner, lower case, with the final dot
	exists    map[string]bool     // owners and what stands above them
	failing   map[rule]error      // ErrServer, ErrTimeout or ErrNoDomain
	secure    map[string]bool     // names whose zone is signed, with all below
	questions []string            // asked so far: "TXT example.test."
}

// rule says what a question of that type gets; type ANY stands for all.
type rule struct {
	name  string
	qtype uint16
}

// Parse reads zone text.
func Parse(text string) (*Zone, error) {
	z := &Zone{records: map[string][]dns.RR{}, exists: map[string]bool{}, failing: map[rule]error{}, secure: map[string]bool{}}
	return z, z.Add(text)
}

// Must is Parse for constants and tests; it panics on an error.
func Must(text string) *Zone {
	z, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return z
}

// Add reads more zone text into z. On an error, which names the line, the lines before it stay added.
func (z *Zone) Add(text string) error {
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		var err error
		switch {
		case line == "" || line[0] == ';':
		case line[0] == '!':
			err = z.addRule(line[1:])
		default:
			err = z.addRecord(line)
		}
		if err != nil {
			return fmt.Errorf("zone line %d: %w", n, err)
		}
	}
	return lines.Err()
}

func (z *Zone) addRule(line string) error {
	line, _, _ = strings.Cut(line, ";")
	words := strings.Fields(line)
	r := rule{qtype: dns.TypeANY}
	if len(words) == 3 {
		t, ok := dns.StringToType[strings.ToUpper(words[1])]
		if !ok {
			return fmt.Errorf("unknown type %q", words[1])
		}
		r.qtype = t
		words = slices.Delete(words, 1, 2)
	}
	if len(words) != 2 {
		return fmt.Errorf("want \"! temp|timeout|nx|secure [TYPE] NAME\", got %q", line)
	}
	if words[0] == "secure" && r.qtype == dns.TypeANY {
		z.mu.Lock()
		defer z.mu.Unlock()
		z.secure[canonical(words[1])] = true
		return nil
	}
	how, ok := map[string]error{"temp": resolver.ErrServer, "timeout": resolver.ErrTimeout, "nx": resolver.ErrNoDomain}[words[0]]
	if !ok {
		return fmt.Errorf("unknown rule %q", words[0])
	}
	r.name = canonical(words[1])
	z.mu.Lock()
	defer z.mu.Unlock()
	z.failing[r] = how
	return nil
}

func (z *Zone) addRecord(line string) error {
	rr, err := dns.NewRR(line)
	if err != nil {
		return err
	}
	if rr == nil {
		return fmt.Errorf("no record in %q", line)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	name := canonical(rr.Header().Name)
	z.records[name] = append(z.records[name], rr)
	for rest, ok := name, true; ok && rest != ""; _, rest, ok = strings.Cut(rest, ".") {
		z.exists[rest] = true
	}
	return nil
}

// Questions returns what was asked so far, in order, as "TYPE name." each; an address question counts as A and AAAA.
func (z *Zone) Questions() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.questions)
}

func canonical(name string) string { return strings.ToLower(dns.Fqdn(name)) }

// isSecure reports whether name stands in a signed zone; the caller holds mu.
func (z *Zone) isSecure(name string) bool {
	for rest, ok := name, true; ok && rest != ""; _, rest, ok = strings.Cut(rest, ".") {
		if z.secure[rest] {
			return true
		}
	}
	return false
}

// lookup returns the records of one type, the aliases that lead there in front, and whether the zones of all of them are signed.
func (z *Zone) lookup(name string, qtype uint16) (found []dns.RR, secure bool, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	name = canonical(name)
	z.questions = append(z.questions, dns.TypeToString[qtype]+" "+name)
	secure = true
	for range maxAliases {
		secure = secure && z.isSecure(name)
		for _, r := range []rule{{name, qtype}, {name, dns.TypeANY}} {
			if err := z.failing[r]; err != nil {
				return found, secure && err == resolver.ErrNoDomain, fmt.Errorf("ask %s %s: %w", dns.TypeToString[qtype], name, err)
			}
		}
		alias := ""
		wanted := false
		for _, rr := range z.records[name] {
			if rr.Header().Rrtype == qtype {
				found = append(found, rr)
				wanted = true
			} else if c, ok := rr.(*dns.CNAME); ok {
				found = append(found, rr)
				alias = canonical(c.Target)
			}
		}
		switch {
		case wanted:
			return found, secure, nil
		case alias != "":
			name = alias
		case z.exists[name]:
			return found, secure, fmt.Errorf("ask %s %s: %w", dns.TypeToString[qtype], name, resolver.ErrNoData)
		default:
			return found, secure, fmt.Errorf("ask %s %s: %w", dns.TypeToString[qtype], name, resolver.ErrNoDomain)
		}
	}
	return found, false, fmt.Errorf("ask %s: %w: too many aliases", name, resolver.ErrServer)
}

// pick returns what get makes of the records of its type.
func pick[R dns.RR, T any](ctx context.Context, rrs []dns.RR, err error, get func(R) T) ([]T, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	var all []T
	for _, rr := range rrs {
		if r, ok := rr.(R); ok {
			all = append(all, get(r))
		}
	}
	return all, nil
}

// TXT implements resolver.Resolver.
func (z *Zone) TXT(ctx context.Context, name string) ([]string, error) {
	rrs, _, err := z.lookup(name, dns.TypeTXT)
	return pick(ctx, rrs, err, func(r *dns.TXT) string { return resolver.JoinText(r.Txt) })
}

// MX implements resolver.Resolver.
func (z *Zone) MX(ctx context.Context, name string) ([]*net.MX, error) {
	mxs, _, err := z.SecureMX(ctx, name)
	return mxs, err
}

// SecureMX implements resolver.Validator.
func (z *Zone) SecureMX(ctx context.Context, name string) ([]*net.MX, bool, error) {
	rrs, secure, err := z.lookup(name, dns.TypeMX)
	mxs, err := pick(ctx, rrs, err, func(r *dns.MX) *net.MX { return &net.MX{Host: r.Mx, Pref: r.Preference} })
	slices.SortStableFunc(mxs, func(a, b *net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	return mxs, secure, err
}

// Addr implements resolver.Resolver.
func (z *Zone) Addr(ctx context.Context, name string) ([]netip.Addr, error) {
	h, err := z.SecureAddr(ctx, name)
	return h.Addrs, err
}

// SecureAddr implements resolver.Validator.
func (z *Zone) SecureAddr(ctx context.Context, name string) (resolver.Host, error) {
	rr4, secure4, err4 := z.lookup(name, dns.TypeA)
	rr6, secure6, err6 := z.lookup(name, dns.TypeAAAA)
	v4, err4 := pick(ctx, rr4, err4, func(r *dns.A) netip.Addr { ip, _ := netip.AddrFromSlice(r.A); return ip.Unmap() })
	v6, err6 := pick(ctx, rr6, err6, func(r *dns.AAAA) netip.Addr { ip, _ := netip.AddrFromSlice(r.AAAA); return ip })
	h := resolver.Host{Name: canonical(name), Addrs: append(v4, v6...), Secure: secure4 && secure6}
	for _, rr := range rr4 {
		if c, ok := rr.(*dns.CNAME); ok {
			h.Name = canonical(c.Target)
		}
	}
	h.Name = strings.TrimSuffix(h.Name, ".")
	switch {
	case err4 == nil || err6 == nil:
		return h, nil
	case resolver.Temporary(err6):
		return h, err6
	}
	return h, err4
}

// SecureTLSA implements resolver.Validator.
func (z *Zone) SecureTLSA(ctx context.Context, name string) ([]resolver.TLSA, bool, error) {
	rrs, secure, err := z.lookup(name, dns.TypeTLSA)
	all, err := pick(ctx, rrs, err, func(r *dns.TLSA) resolver.TLSA {
		data, _ := hex.DecodeString(r.Certificate) // the parser of zones has seen to it
		return resolver.TLSA{Usage: r.Usage, Selector: r.Selector, Matching: r.MatchingType, Data: data}
	})
	return all, secure, err
}

// PTR implements resolver.Resolver.
func (z *Zone) PTR(ctx context.Context, ip netip.Addr) ([]string, error) {
	name, err := dns.ReverseAddr(ip.Unmap().WithZone("").String())
	if err != nil {
		return nil, fmt.Errorf("ask PTR %v: %w", ip, resolver.ErrNoDomain)
	}
	rrs, _, err := z.lookup(name, dns.TypePTR)
	return pick(ctx, rrs, err, func(r *dns.PTR) string { return r.Ptr })
}
