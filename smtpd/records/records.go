package records

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"kairan/smtpd/mailauth"
)

// Purpose is what a record is for.
type Purpose string

// The purposes, by the names of their words.
const (
	MX     Purpose = "mx"     // mail to the lists comes here
	SPF    Purpose = "spf"    // which machines send mail of the domain (RFC 7208)
	DKIM   Purpose = "dkim"   // the key that copies are signed with (RFC 6376)
	DMARC  Purpose = "dmarc"  // what receivers do with mail that is neither (RFC 9989)
	Host   Purpose = "host"   // the name that this machine greets with
	Helo   Purpose = "helo"   // SPF of that name
	PTR    Purpose = "ptr"    // the name of its address
	TLSRPT Purpose = "tlsrpt" // where reports about TLS go (RFC 8460)
	MTASTS Purpose = "mtasts" // the policy that senders use TLS (RFC 8461)
)

// Record is a DNS record to publish.
type Record struct {
	Purpose Purpose
	Name    string // ends in a dot
	Type    string
	Data    string // as a zone file has it; "" where there is nothing to propose
	Why     string // in English, for a zone file's comment
}

// Line is the record as a zone file has it.
func (r Record) Line() string { return r.Name + "\t" + r.Type + "\t" + r.Data }

// Machine is who sends and takes the mail.
type Machine struct {
	Hostname  string // it greets with
	Smarthost string // host:port that all mail goes through, or ""
	// Addresses are those it sends from. Where none is known, the check asks for those of the host name.
	Addresses []netip.Addr
}

// placeholder stands where no address is known (RFC 5737).
const placeholder = "192.0.2.1"

// Records are those that a domain (in A-labels) needs. Those that are merely good to have are not among them.
func (m Machine) Records(domain string, s *mailauth.Signer) []Record {
	dkimName, dkim := s.Record()
	rs := []Record{
		{MX, domain + ".", "MX", "10 " + m.Hostname + ".", "mail to the lists comes here"},
		{SPF, domain + ".", "TXT", mailauth.ZoneText(m.spf()), "SPF for the bounce addresses; some carriers look at it for From too"},
		{DKIM, dkimName + ".", "TXT", mailauth.ZoneText(dkim), "DKIM: the key every copy is signed with"},
		{DMARC, "_dmarc." + domain + ".", "TXT", mailauth.ZoneText("v=DMARC1; p=none; rua=mailto:postmaster@" + domain), "DMARC; raise p to quarantine or reject when the reports look right"},
	}
	addrs := m.addresses()
	for _, ip := range addrs {
		if ip.Is4() {
			rs = append(rs, Record{Host, m.Hostname + ".", "A", ip.String(), "the name this machine greets with"})
		} else {
			rs = append(rs, Record{Host, m.Hostname + ".", "AAAA", ip.String(), "the same over IPv6"})
		}
	}
	if m.Hostname != domain {
		rs = append(rs, Record{Helo, m.Hostname + ".", "TXT", mailauth.ZoneText("v=spf1 a -all"), "SPF of the greeting name: used for mail without a sender"})
	}
	for _, ip := range addrs {
		rs = append(rs, Record{PTR, reverseName(ip), "PTR", m.Hostname + ".", "reverse name; usually set by who gives you the address"})
	}
	return rs
}

// addresses are the known ones, or the placeholder.
func (m Machine) addresses() []netip.Addr {
	if len(m.Addresses) == 0 {
		return []netip.Addr{netip.MustParseAddr(placeholder)}
	}
	return m.Addresses
}

// Address is the first address, or one that stands for it where none is known.
func (m Machine) Address() netip.Addr { return m.addresses()[0] }

func (m Machine) spf() string {
	spf := "v=spf1"
	for _, ip := range m.addresses() {
		spf += mechanism(ip)
	}
	if m.Smarthost != "" {
		spf += smarthostSPF(m.Smarthost)
	}
	return spf + " -all"
}

func mechanism(ip netip.Addr) string {
	if ip.Is4() {
		return " ip4:" + ip.String()
	}
	return " ip6:" + ip.String()
}

// smarthostSPF is the mechanism that lets a smarthost send for us; one on this machine needs none.
func smarthostSPF(smarthost string) string {
	host, _, err := net.SplitHostPort(smarthost)
	if err != nil {
		return "" // unreachable: the configuration was checked
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "localhost" || ip.IsLoopback():
		return ""
	case err != nil:
		return " a:" + host
	}
	return mechanism(ip)
}

// reverseName returns the name of an address's PTR record (RFC 1035, section 3.5; RFC 3596, section 2.5).
func reverseName(a netip.Addr) string {
	b := a.AsSlice()
	var labels []string
	for i := len(b) - 1; i >= 0; i-- {
		if a.Is4() {
			labels = append(labels, fmt.Sprint(b[i]))
		} else {
			labels = append(labels, fmt.Sprintf("%x.%x", b[i]&15, b[i]>>4))
		}
	}
	if a.Is4() {
		return strings.Join(labels, ".") + ".in-addr.arpa."
	}
	return strings.Join(labels, ".") + ".ip6.arpa."
}

// PublicAddresses returns this machine's first public addresses, one of each family, IPv4 before IPv6.
func PublicAddresses() []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var v4, v6 []netip.Addr
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || !p.Addr().IsGlobalUnicast() || p.Addr().IsPrivate() {
			continue
		}
		if ip := p.Addr().Unmap(); ip.Is4() {
			v4 = append(v4, ip)
		} else {
			v6 = append(v6, ip)
		}
	}
	return append(v4[:min(1, len(v4))], v6[:min(1, len(v6))]...)
}
