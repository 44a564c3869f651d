package mailauth

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"kairan/smtpd/resolver"
)

// maxTags bounds the tags read from one record.
const maxTags = 50

// record is a DMARC policy record (RFC 9989, section 4.7).
type record struct {
	domain     string
	p, sp, np  string // none, quarantine or reject; sp and np may be ""
	psd        byte   // 'y', 'n' or 0
	testing    bool   // t=y
	strictDKIM bool   // adkim=s
	strictSPF  bool   // aspf=s
	void       bool   // a policy that cannot be read, and no address for reports: no DMARC
}

// parseRecord reads a TXT record; ok is false when it is no DMARC record. Unknown tags
// and bad values are ignored, but for the policies: a bad one makes the record p=none
// if it names an address for reports, and void otherwise.
func parseRecord(txt string) (rec record, ok bool) {
	rec.p = "none"
	bad, reports := false, false
	for i, tag := range strings.SplitN(txt, ";", maxTags) {
		name, value, _ := strings.Cut(tag, "=")
		name, value = strings.ToLower(strings.Trim(name, " \t")), strings.Trim(value, " \t")
		if i == 0 {
			if name != "v" || value != "DMARC1" {
				return record{}, false
			}
			continue
		}
		lower := strings.ToLower(value)
		switch name {
		case "p", "sp", "np":
			isPolicy := slices.Contains([]string{"none", "quarantine", "reject"}, lower)
			bad = bad || !isPolicy
			*map[string]*string{"p": &rec.p, "sp": &rec.sp, "np": &rec.np}[name] = lower
		case "psd":
			if lower == "y" || lower == "n" {
				rec.psd = lower[0]
			}
		case "t":
			rec.testing = lower == "y"
		case "adkim":
			rec.strictDKIM = lower == "s"
		case "aspf":
			rec.strictSPF = lower == "s"
		case "rua":
			reports = reports || slices.ContainsFunc(strings.Split(value, ","), isReportURI)
		}
	}
	if bad {
		rec.p, rec.sp, rec.np, rec.void = "none", "", "", !reports
	}
	return rec, true
}

func isReportURI(s string) bool {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "!")
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Opaque != "" || u.Host != "")
}

// evaluate judges the message by its author domain and marks what is aligned with it.
func (w *walker) evaluate(ctx context.Context, r *Results, author string) {
	found := w.walk(ctx, author)
	rec, ok, err := found.policy()
	r.DMARC = DMARC{Result: None, Domain: author, Org: found.org()}
	d := &r.DMARC
	if ok && !rec.void {
		d.Record, d.Testing, d.StrictDKIM = rec.domain, rec.testing, rec.strictDKIM
		d.Policy, err = w.policyFor(ctx, rec, author)
	}
	unknown := w.align(ctx, r, rec)
	switch {
	case !ok && err != nil:
		d.Result, d.Detail = TempError, clip(err.Error())
	case !ok:
		d.Detail = "no policy record"
	case rec.void:
		d.Detail = "policy record of " + rec.domain + " is unreadable"
	case d.SPFAligned || r.dkimAligned():
		d.Result = Pass
	case err != nil || unknown != nil:
		d.Result, d.Detail = TempError, clip(errors.Join(err, unknown).Error())
	default:
		d.Result = Fail
	}
}

// policyFor returns the policy of rec for the author domain: p for its own, else np where the author domain
// does not exist, else sp; p stands in for what is not given.
func (w *walker) policyFor(ctx context.Context, rec record, author string) (string, error) {
	if rec.domain == author {
		return rec.p, nil
	}
	sub := rec.p
	if rec.sp != "" {
		sub = rec.sp
	}
	if rec.np == "" || rec.np == sub {
		return sub, nil
	}
	_, err := w.ask.TXT(ctx, author)
	switch {
	case errors.Is(err, resolver.ErrNoDomain):
		return rec.np, nil
	case resolver.Temporary(err):
		return "", err
	}
	return sub, nil
}

// align marks the identifiers aligned with the author domain, those that passed first, so that they
// get the questions left. unknown is the DNS failure that may have hidden an aligned pass.
func (w *walker) align(ctx context.Context, r *Results, rec record) (unknown error) {
	spfAligned, err := w.aligned(ctx, r.DMARC, r.SPF.Domain, rec.strictSPF)
	r.DMARC.SPFAligned = spfAligned && r.SPF.Result == Pass
	unknown = errors.Join(unknown, doubt(r.SPF.Result, spfAligned, err))
	for _, counted := range []bool{true, false} {
		for i := range r.DKIM {
			s := &r.DKIM[i]
			if counts := s.Result == Pass || s.Result == TempError; counts != counted {
				continue
			}
			s.Aligned, err = w.aligned(ctx, r.DMARC, s.Domain, rec.strictDKIM)
			unknown = errors.Join(unknown, doubt(s.Result, s.Aligned, err))
		}
	}
	return unknown
}

// doubt returns an error if an identifier with that result might be an aligned pass without our knowing.
func doubt(result Result, aligned bool, err error) error {
	switch {
	case result == Pass, result == TempError && err != nil:
		return err
	case result == TempError && aligned:
		return errors.New("an aligned check failed temporarily")
	}
	return nil
}

// aligned reports whether domain aligns with the author domain (RFC 9989, section 4.4).
// It walks only where the answer is not plain.
func (w *walker) aligned(ctx context.Context, d DMARC, domain string, strict bool) (bool, error) {
	switch {
	case domain == "":
		return false, nil
	case domain == d.Domain:
		return true, nil
	case strict:
		return false, nil
	case d.Org == "":
		return false, w.walk(ctx, d.Domain).err
	case !isBelow(domain, d.Org):
		return false, nil
	}
	found := w.walk(ctx, domain)
	return found.org() == d.Org, found.err
}
