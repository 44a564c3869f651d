package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/records"
	"kairan/storage"
	"kairan/templates"
)

const (
	dnsPatience  = 5 * time.Second // how long a page waits for the DNS
	domainsShown = 10              // on one page
)

// siteDomains shows what the DNS says about the domains that lists live in, and what it should.
func (s *site) siteDomains(w http.ResponseWriter, r *http.Request, _ actor) error {
	page, err := pageNumber(r, 1000)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	var domains []string
	signers := map[string]*mailauth.Signer{}
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		domains = nil
		for l := range list.All(tx) {
			domains = append(domains, l.Address.ASCIIDomain())
		}
		slices.Sort(domains)
		domains = slices.Compact(domains)
		for _, d := range domains {
			if signer, err := list.SignerOf(tx, d); err == nil {
				signers[d] = signer
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	view := templates.SiteDomains{Pages: parts(len(domains), domainsShown, page, sitePath("domains"))}
	first := min(len(domains), (page-1)*domainsShown)
	shown := domains[first:min(len(domains), first+domainsShown)]
	view.Domains = make([]templates.DomainStatus, len(shown))
	ctx, cancel := context.WithTimeout(r.Context(), dnsPatience)
	defer cancel()
	var wg sync.WaitGroup
	for i, d := range shown {
		wg.Go(func() { view.Domains[i] = s.domainStatus(ctx, lang, d, signers[d]) })
	}
	wg.Wait()
	return s.sitePage(w, r, "domains", templates.Reply{Page: "site-domains", View: view})
}

// domainStatus compares what a domain needs with what is published.
func (s *site) domainStatus(ctx context.Context, lang, domain string, signer *mailauth.Signer) templates.DomainStatus {
	status := templates.DomainStatus{Name: domain, NoKey: signer == nil, Fine: true}
	if a, err := address.New("x", domain); err == nil {
		status.Name = a.Domain()
	}
	if signer == nil {
		status.Fine = false
		return status
	}
	for _, f := range s.Machine.Check(ctx, s.DNS, domain, signer) {
		row := templates.RecordRow{
			State: s.Templates.T(lang, "site-domains.state."+string(f.State)), Bad: f.State == records.Missing || f.State == records.Differs,
			Name: strings.TrimSuffix(f.Name, "."), Type: f.Type, Found: f.Found,
			What: s.Templates.T(lang, "site-domains."+string(f.Purpose)), Means: s.Templates.T(lang, "site-domains."+string(f.Purpose)+".means"),
		}
		if f.State != records.OK && f.Data != "" {
			row.Publish = f.Line()
		}
		status.Fine = status.Fine && !row.Bad && f.State != records.Unknown
		status.Records = append(status.Records, row)
	}
	return status
}
