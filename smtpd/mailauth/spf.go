package mailauth

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"blitiri.com.ar/go/spf"

	"kairan/smtpd/address"
	"kairan/smtpd/resolver"
)

// checkSPF checks the MAIL FROM identity, or HELO for the null sender (RFC 7208, section 2.4).
func checkSPF(ctx context.Context, ask resolver.Resolver, in Input) SPF {
	s := SPF{Result: None, IP: in.IP.Unmap().WithZone("")}
	helo := asciiName(in.Helo)
	local := "postmaster"
	if in.MailFrom.IsNull() {
		s.Domain, s.Helo = helo, true
	} else {
		s.Domain, local = asciiName(in.MailFrom.ASCIIDomain()), in.MailFrom.Local()
	}
	if !isHost(s.Domain) {
		// RFC 7208, section 4.3: what is no domain name gets no check.
		s.Domain, s.Detail = "", "no domain to check"
		return s
	}
	if !isHost(helo) {
		helo = "unknown"
	}
	if !s.IP.IsValid() {
		s.Detail = "no client address"
		return s
	}
	result, err := spf.CheckHostWithSender(s.IP.AsSlice(), helo, macroSafe(local)+"@"+s.Domain,
		spf.WithContext(ctx), spf.WithResolver(spfResolver{ask}))
	s.Result = Result(result)
	if err != nil {
		s.Detail = clip(err.Error())
	}
	return s
}

// macroSafe makes a local part fit for SPF macros: package spf takes the first "@" for the
// separator, and the rest becomes part of domain names.
func macroSafe(local string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`@"\()<>[]:;,%`, r) {
			return '_'
		}
		return r
	}, local)
}

// spfResolver gives package spf our answers, with errors in the words of package net.
type spfResolver struct{ ask resolver.Resolver }

func (s spfResolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	texts, err := s.ask.TXT(ctx, name)
	return texts, netError(name, err)
}

func (s spfResolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	mxs, err := s.ask.MX(ctx, name)
	return mxs, netError(name, err)
}

func (s spfResolver) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	ips, err := s.ask.Addr(ctx, host)
	addrs := make([]net.IPAddr, len(ips))
	for i, ip := range ips {
		addrs[i].IP = ip.AsSlice()
	}
	return addrs, netError(host, err)
}

func (s spfResolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, netError(addr, resolver.ErrNoDomain)
	}
	names, err := s.ask.PTR(ctx, ip)
	return names, netError(addr, err)
}

// netError says in a word what err is, for these words end up in Results.
func netError(name string, err error) error {
	if err == nil {
		return nil
	}
	reason := resolver.ErrServer
	for _, known := range []error{resolver.ErrNoDomain, resolver.ErrNoData, resolver.ErrTimeout, resolver.ErrBudget} {
		if errors.Is(err, known) {
			reason = known
		}
	}
	return &net.DNSError{Err: reason.Error(), Name: name, UnwrapErr: err, IsNotFound: !resolver.Temporary(err),
		IsTemporary: resolver.Temporary(err), IsTimeout: errors.Is(err, resolver.ErrTimeout)}
}

// clip makes a detail of an error text: one line of at most 200 bytes.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), 200)]
}

// CheckSPF says whether a domain (in A-labels) lets an address send its mail (RFC 7208).
func CheckSPF(ctx context.Context, ask resolver.Resolver, ip netip.Addr, domain string) SPF {
	from, err := address.New("postmaster", domain)
	if err != nil {
		return SPF{Result: None, IP: ip, Detail: "no domain to check"}
	}
	return checkSPF(ctx, ask, Input{IP: ip, Helo: domain, MailFrom: from})
}
