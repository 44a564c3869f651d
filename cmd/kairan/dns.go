package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/storage"
)

type dkimCmd struct {
	Domain string `arg:"" help:"Domain of a list."`
}

func (cmd *dkimCmd) run(ctx context.Context, app *App, _ call, std streams) error {
	domain, err := parseDomain(cmd.Domain)
	if err != nil {
		return usageError{err}
	}
	if _, err := app.ensureKey(ctx, domain); err != nil {
		return err
	}
	return app.printRecords(ctx, std.out, domain)
}

// parseDomain returns a domain as DNS knows it, in A-labels.
func parseDomain(s string) (string, error) {
	a, err := address.Parse("postmaster@" + strings.TrimSuffix(s, "."))
	if err != nil || !strings.Contains(a.Domain(), ".") || strings.HasPrefix(a.Domain(), "[") {
		return "", fmt.Errorf("%q is no domain such as lists.example.jp", s)
	}
	return a.ASCIIDomain(), nil
}

// ensureKey makes a DKIM key for a domain that has none, and reports whether it did.
func (app *App) ensureKey(ctx context.Context, domain string) (created bool, err error) {
	return app.withKey(ctx, domain, func(*storage.Tx) error { return nil })
}

// withKey runs change in one transaction with giving the domain a DKIM key if it has none, and reports whether it did.
func (app *App) withKey(ctx context.Context, domain string, change func(*storage.Tx) error) (created bool, err error) {
	missing := func(tx *storage.Tx) (bool, error) {
		_, err := list.GetDKIMKey(tx, domain)
		if errors.Is(err, storage.ErrNotFound) {
			return true, nil
		}
		return false, err
	}
	err = app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		created, err = missing(tx)
		return err
	})
	if err != nil {
		return false, err
	}
	var key list.DKIMKey
	if created { // it takes its time: not inside the transaction that writes
		if key, err = newKey(time.Now()); err != nil {
			return false, err
		}
	}
	err = app.DB.Update(ctx, func(tx *storage.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		still, err := missing(tx)
		if created = created && still; err != nil || !created {
			return err
		}
		return list.SetDKIMKey(tx, domain, key)
	})
	app.Copies.ForgetKeys()
	return created, err
}

func newKey(now time.Time) (list.DKIMKey, error) {
	key, err := mailauth.GenerateKey()
	if err != nil {
		return list.DKIMKey{}, err
	}
	pem, err := mailauth.EncodeKey(key)
	return list.DKIMKey{Selector: "kairan" + now.Format("200601"), PEM: string(pem)}, err
}

// record is a DNS record to publish.
type record struct{ name, kind, data, why string }

// printRecords prints what to publish so that mail of a list domain arrives and is believed.
func (app *App) printRecords(ctx context.Context, w io.Writer, domain string) error {
	var signer mailauth.Signer
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		k, err := list.GetDKIMKey(tx, domain)
		if err != nil {
			return err
		}
		signer = mailauth.Signer{Domain: domain, Selector: k.Selector}
		signer.Key, err = mailauth.ParseKey([]byte(k.PEM))
		return err
	})
	if err != nil {
		return fmt.Errorf("DKIM key of %s: %w", domain, err)
	}
	v4, v6 := publicAddresses()
	fmt.Fprintf(w, "Publish these records (%s is the sending address of this machine; correct it if it is not):\n\n", v4)
	for _, r := range records(domain, app.Site.Hostname, app.Config.Delivery.Smarthost, v4, v6, &signer) {
		fmt.Fprintf(w, "; %s\n%s\t%s\t%s\n", r.why, r.name, r.kind, r.data)
	}
	return nil
}

func records(domain, host, smarthost, v4, v6 string, s *mailauth.Signer) []record {
	spf := "v=spf1 ip4:" + v4
	if v6 != "" {
		spf += " ip6:" + v6
	}
	if smarthost != "" {
		spf += smarthostSPF(smarthost)
	}
	spf += " -all"
	dkimName, dkim := s.Record()
	rs := []record{
		{domain + ".", "MX", "10 " + host + ".", "mail to the lists comes here"},
		{domain + ".", "TXT", mailauth.ZoneText(spf), "SPF for the bounce addresses; some carriers look at it for From too"},
		{dkimName + ".", "TXT", mailauth.ZoneText(dkim), "DKIM: the key every copy is signed with"},
		{"_dmarc." + domain + ".", "TXT", mailauth.ZoneText("v=DMARC1; p=none; rua=mailto:postmaster@" + domain), "DMARC; raise p to quarantine or reject when the reports look right"},
		{host + ".", "A", v4, "the name this machine greets with"},
	}
	if v6 != "" {
		rs = append(rs, record{host + ".", "AAAA", v6, "the same over IPv6"})
	}
	if host != domain {
		rs = append(rs, record{host + ".", "TXT", mailauth.ZoneText("v=spf1 a -all"), "SPF of the greeting name: used for mail without a sender"})
	}
	for _, ip := range []string{v4, v6} {
		if a, err := netip.ParseAddr(ip); err == nil {
			rs = append(rs, record{reverseName(a), "PTR", host + ".", "reverse name; usually set by who gives you the address"})
		}
	}
	return rs
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
	case ip.Is4():
		return " ip4:" + host
	}
	return " ip6:" + host
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

// publicAddresses returns this machine's first public addresses, or a documentation address to be replaced.
func publicAddresses() (v4, v6 string) {
	v4 = "192.0.2.1"
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return v4, ""
	}
	found := false
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || !p.Addr().IsGlobalUnicast() || p.Addr().IsPrivate() {
			continue
		}
		switch ip := p.Addr(); {
		case ip.Is4() && !found:
			v4, found = ip.String(), true
		case ip.Is6() && v6 == "":
			v6 = ip.String()
		}
	}
	return v4, v6
}
