package mailauth

import "net/netip"

// Result is the outcome of one method, in the words of RFC 8601.
type Result string

const (
	None      Result = "none"
	Pass      Result = "pass"
	Fail      Result = "fail"
	SoftFail  Result = "softfail"
	Neutral   Result = "neutral"
	Policy    Result = "policy"
	TempError Result = "temperror"
	PermError Result = "permerror"
)

// Results is everything known about a message's authentication. It is stored with the post.
type Results struct {
	SPF   SPF         `json:"spf"`
	DKIM  []Signature `json:"dkim,omitempty"` // in the message's order
	DMARC DMARC       `json:"dmarc"`
	// Relay is the host whose Authentication-Results were believed instead of our own checks, or "".
	Relay string `json:"relay,omitempty"`
	// Keys are the DKIM key records seen, by "selector._domainkey.domain", so that a finished copy can be checked without DNS.
	Keys map[string]string `json:"keys,omitempty"`
}

// SPF is the result of RFC 7208 for the MAIL FROM identity, or HELO for the null sender.
type SPF struct {
	Result Result     `json:"result"`
	Domain string     `json:"domain,omitempty"` // the domain checked
	Helo   bool       `json:"helo,omitempty"`   // it is that of HELO, the sender being null
	IP     netip.Addr `json:"ip,omitzero"`
	Detail string     `json:"detail,omitempty"`
}

// Signature is the result of one DKIM signature (RFC 6376).
type Signature struct {
	Result   Result `json:"result"`
	Domain   string `json:"domain"` // d=
	Selector string `json:"selector"`
	Algo     string `json:"algo,omitempty"`
	Detail   string `json:"detail,omitempty"`
	Aligned  bool   `json:"aligned,omitempty"` // Domain aligns with the author domain
}

// DMARC is the result of RFC 9989 for the author domain.
type DMARC struct {
	Result  Result `json:"result"` // none: no record applies
	Domain  string `json:"domain,omitempty"`
	Org     string `json:"org,omitempty"`     // its organizational domain, "" if DNS hid it
	Record  string `json:"record,omitempty"`  // the domain whose record applies
	Policy  string `json:"policy,omitempty"`  // none, quarantine or reject, as it applies to Domain
	Testing bool   `json:"testing,omitempty"` // t=y
	// StrictDKIM says adkim=s: only signatures of Domain itself align, so VerifyWith gets no org.
	StrictDKIM bool   `json:"strict_dkim,omitempty"`
	Detail     string `json:"detail,omitempty"`
	// SPFAligned says that SPF passed for a domain aligned with the author domain.
	SPFAligned bool `json:"spf_aligned,omitempty"`
}

// Author reports whether the message is authenticated for its author domain: DMARC pass, or, where the domain
// publishes no DMARC record, an aligned DKIM or SPF pass. Where DNS hid the record, a pass for the author
// domain itself is enough: it is aligned whatever the record says.
func (r Results) Author() bool {
	if r.DMARC.Result == Pass {
		return true
	}
	return r.DMARC.Result != Fail && (r.DMARC.SPFAligned || r.dkimAligned())
}

func (r Results) dkimAligned() bool {
	for _, s := range r.DKIM {
		if s.Result == Pass && s.Aligned {
			return true
		}
	}
	return false
}

// Unknown reports whether a DNS failure stood between the message and an authenticated author: asked
// again later, the answer of Author might be true.
func (r Results) Unknown() bool {
	d := r.DMARC
	switch {
	case r.Author():
		return false
	case d.Result != None || d.Domain == "":
		return d.Result == TempError // a fail is final: whatever failed temporarily could not have aligned
	case r.SPF.Result == TempError && (r.SPF.Domain == d.Domain || isBelow(r.SPF.Domain, d.Org)):
		return true
	}
	for _, s := range r.DKIM {
		if s.Result == TempError && s.Aligned {
			return true
		}
	}
	return false
}
