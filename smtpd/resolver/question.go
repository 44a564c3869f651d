package resolver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

type kind string

const (
	kindTXT  kind = "TXT"
	kindMX   kind = "MX"
	kindAddr kind = "A/AAAA"
	kindPTR  kind = "PTR"
	kindTLSA kind = "TLSA"
)

// question is comparable: the same question has the same value.
type question struct {
	kind kind
	name string     // lower case, without the final dot; "" for PTR
	ip   netip.Addr // for PTR
}

func (q question) String() string {
	if q.kind == kindPTR {
		return string(q.kind) + " " + q.ip.String()
	}
	return string(q.kind) + " " + q.name
}

// answer holds the records of the question's kind and how long they hold;
// ttl is 0 where the asker does not know. It accompanies ErrNoDomain and ErrNoData too, and so does secure.
type answer struct {
	texts  []string // TXT, PTR
	mx     []*net.MX
	addrs  []netip.Addr
	tlsa   []TLSA
	name   string // that has the records, after all aliases
	secure bool   // DNSSEC says so
	ttl    time.Duration
}

// size is the memory that an answer takes, roughly, in bytes.
func (a answer) size() int {
	n := 24*len(a.addrs) + len(a.name)
	for _, rr := range a.tlsa {
		n += 32 + len(rr.Data)
	}
	for _, s := range a.texts {
		n += 16 + len(s)
	}
	for _, mx := range a.mx {
		n += 32 + len(mx.Host)
	}
	return n
}

func (a answer) clone() answer {
	a.texts, a.addrs = slices.Clone(a.texts), slices.Clone(a.addrs)
	mxs := make([]*net.MX, len(a.mx))
	for i, mx := range a.mx {
		mxs[i] = &net.MX{Host: mx.Host, Pref: mx.Pref}
	}
	a.mx = mxs
	a.tlsa = slices.Clone(a.tlsa)
	for i := range a.tlsa {
		a.tlsa[i].Data = slices.Clone(a.tlsa[i].Data)
	}
	return a
}

// asker is what a layer implements; layer makes a Resolver of it.
type asker interface {
	ask(ctx context.Context, q question) (answer, error)
}

type layer struct{ asker }

func (l layer) TXT(ctx context.Context, name string) ([]string, error) {
	a, err := l.askName(ctx, kindTXT, name)
	return a.texts, err
}

func (l layer) MX(ctx context.Context, name string) ([]*net.MX, error) {
	a, err := l.askName(ctx, kindMX, name)
	return a.mx, err
}

func (l layer) Addr(ctx context.Context, name string) ([]netip.Addr, error) {
	a, err := l.askName(ctx, kindAddr, name)
	return a.addrs, err
}

func (l layer) SecureMX(ctx context.Context, name string) ([]*net.MX, bool, error) {
	a, err := l.askName(ctx, kindMX, name)
	return a.mx, a.secure, err
}

func (l layer) SecureAddr(ctx context.Context, name string) (Host, error) {
	a, err := l.askName(ctx, kindAddr, name)
	return Host{Name: a.name, Addrs: a.addrs, Secure: a.secure}, err
}

func (l layer) SecureTLSA(ctx context.Context, name string) ([]TLSA, bool, error) {
	a, err := l.askName(ctx, kindTLSA, name)
	return a.tlsa, a.secure, err
}

func (l layer) PTR(ctx context.Context, ip netip.Addr) ([]string, error) {
	q := question{kind: kindPTR, ip: ip.Unmap().WithZone("")}
	if !ip.IsValid() {
		return nil, fmt.Errorf("ask %v: %w", q, ErrNoDomain)
	}
	a, err := l.askChecked(ctx, q)
	return a.texts, err
}

func (l layer) askName(ctx context.Context, k kind, name string) (answer, error) {
	q := question{kind: k, name: strings.ToLower(strings.TrimSuffix(name, "."))}
	if !askable(q.name) {
		return answer{}, fmt.Errorf("ask %s %.80q: %w", k, name, ErrNoDomain)
	}
	return l.askChecked(ctx, q)
}

func (l layer) askChecked(ctx context.Context, q question) (answer, error) {
	a, err := l.ask(ctx, q)
	if err != nil {
		return answer{secure: a.secure}, err
	}
	return a.clone(), nil
}

// askable reports whether name can exist. Names come from strangers' mail and SPF macros, so
// what the presentation format of miekg/dns would read as an escape is refused with the rest.
func askable(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return false
		}
	}
	_, ok := dns.IsDomainName(name)
	return ok && name != "" && len(name) <= 253
}

// asking lets any Resolver stand under a layer. The answers of one that is no Validator are not secure.
func asking(r Resolver) asker {
	switch r := r.(type) {
	case layer:
		return r.asker
	case Validator:
		return validating{r}
	}
	return foreign{r}
}

type validating struct{ Validator }

func (v validating) ask(ctx context.Context, q question) (a answer, err error) {
	switch q.kind {
	case kindMX:
		a.mx, a.secure, err = v.SecureMX(ctx, q.name)
	case kindAddr:
		var h Host
		h, err = v.SecureAddr(ctx, q.name)
		a.addrs, a.name, a.secure = h.Addrs, h.Name, h.Secure
	case kindTLSA:
		a.tlsa, a.secure, err = v.SecureTLSA(ctx, q.name)
	default:
		return foreign{v}.ask(ctx, q)
	}
	return a, err
}

type foreign struct{ Resolver }

func (f foreign) ask(ctx context.Context, q question) (a answer, err error) {
	switch q.kind {
	case kindTXT:
		a.texts, err = f.TXT(ctx, q.name)
	case kindMX:
		a.mx, err = f.MX(ctx, q.name)
	case kindAddr:
		a.name = q.name
		a.addrs, err = f.Addr(ctx, q.name)
	case kindPTR:
		a.texts, err = f.PTR(ctx, q.ip)
	case kindTLSA:
		err = fmt.Errorf("ask %v: %w", q, ErrNoData)
	}
	return a, err
}
