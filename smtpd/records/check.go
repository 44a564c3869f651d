package records

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"kairan/smtpd/mailauth"
	"kairan/smtpd/resolver"
)

// State is how a record stands.
type State string

const (
	OK       State = "ok"
	Missing  State = "missing"  // there is none
	Differs  State = "differs"  // there is one, and it does not do
	Optional State = "optional" // there is none, which may be
	Unknown  State = "unknown"  // the DNS did not say
)

// Finding is a record and what the DNS has in its place.
type Finding struct {
	Record
	State State
	Found []string // as the DNS says it; at most a few of them
}

// maxFound is how many answers a Finding keeps, and maxText how long they are.
const (
	maxFound = 5
	maxText  = 600
)

// Check finds out how the records of a domain stand. It asks for all at once, and ends when ctx does.
func (m Machine) Check(ctx context.Context, r resolver.Resolver, domain string, s *mailauth.Signer) []Finding {
	if len(m.Addresses) == 0 {
		addrs, err := r.Addr(ctx, m.Hostname)
		if err == nil {
			m.Addresses = addrs[:min(2, len(addrs))]
		}
	}
	wanted := append(m.Records(domain, s),
		Record{TLSRPT, "_smtp._tls." + domain + ".", "TXT", mailauth.ZoneText("v=TLSRPTv1; rua=mailto:postmaster@" + domain), "who wants to hear of TLS that fails"},
		Record{Purpose: MTASTS, Name: "_mta-sts." + domain + ".", Type: "TXT"},
	)
	all := make([]Finding, len(wanted))
	var wg sync.WaitGroup
	for i, w := range wanted {
		wg.Go(func() {
			all[i] = Finding{Record: w, State: Unknown}
			m.look(ctx, r, &all[i])
			for n, text := range all[i].Found {
				all[i].Found[n] = strings.ToValidUTF8(text[:min(len(text), maxText)], "")
			}
			all[i].Found = all[i].Found[:min(len(all[i].Found), maxFound)]
		})
	}
	wg.Wait()
	return all
}

// look asks for one record and compares.
func (m Machine) look(ctx context.Context, r resolver.Resolver, f *Finding) {
	name := strings.TrimSuffix(f.Name, ".")
	switch f.Purpose {
	case MX:
		mxs, err := r.MX(ctx, name)
		for _, mx := range mxs {
			f.Found = append(f.Found, mx.Host)
		}
		f.judge(err, slices.ContainsFunc(f.Found, func(h string) bool { return same(h, m.Hostname) }))
	case SPF, Helo:
		m.lookSPF(ctx, r, f, name)
	case DKIM:
		f.texts(ctx, r, "v=DKIM1", func(text string) bool { return tag(text, "p") == tag(unquote(f.Data), "p") })
	case DMARC:
		f.texts(ctx, r, "v=DMARC1", func(text string) bool {
			return slices.Contains([]string{"none", "quarantine", "reject"}, strings.ToLower(tag(text, "p")))
		})
	case Host:
		addrs, err := r.Addr(ctx, name)
		for _, ip := range addrs {
			if ip.Unmap().Is4() == (f.Type == "A") {
				f.Found = append(f.Found, ip.Unmap().String())
			}
		}
		f.judge(err, slices.Contains(f.Found, f.Data))
		if len(m.Addresses) == 0 && f.State == Differs {
			f.State = Unknown // we do not know our own address
		}
	case PTR:
		m.lookPTR(ctx, r, f)
	case TLSRPT:
		f.texts(ctx, r, "v=TLSRPTv1", func(text string) bool { return tag(text, "rua") != "" })
		f.optional()
	case MTASTS:
		f.texts(ctx, r, "v=STSv1", func(text string) bool { return tag(text, "id") != "" })
		f.optional()
	}
}

// lookSPF asks whether our addresses may send. What an SPF record says is only known by evaluating it.
func (m Machine) lookSPF(ctx context.Context, r resolver.Resolver, f *Finding, name string) {
	f.texts(ctx, r, "v=spf1", func(string) bool { return true })
	if f.State != OK || m.Smarthost != "" && f.Purpose == SPF { // then others send, whom we do not know
		return
	}
	for _, ip := range m.Addresses {
		switch res := mailauth.CheckSPF(ctx, r, ip, name).Result; res {
		case mailauth.Pass:
		case mailauth.TempError:
			f.State = Unknown
			return
		default:
			f.State = Differs
			return
		}
	}
	if len(m.Addresses) == 0 {
		f.State = Unknown
	}
}

// lookPTR wants the reverse name to be the one we greet with.
func (m Machine) lookPTR(ctx context.Context, r resolver.Resolver, f *Finding) {
	if len(m.Addresses) == 0 {
		return
	}
	i := slices.IndexFunc(m.Addresses, func(ip netip.Addr) bool { return reverseName(ip) == f.Name })
	var err error
	f.Found, err = r.PTR(ctx, m.Addresses[i]) // Records made f of one of them
	f.judge(err, slices.ContainsFunc(f.Found, func(h string) bool { return same(h, m.Hostname) }))
}

// texts asks for the TXT records that begin with a version; ok says whether one does.
func (f *Finding) texts(ctx context.Context, r resolver.Resolver, version string, ok func(string) bool) {
	all, err := r.TXT(ctx, f.Name)
	for _, text := range all {
		first, _, _ := strings.Cut(text, ";")
		first, _, _ = strings.Cut(strings.TrimSpace(first), " ")
		if strings.EqualFold(first, version) || version == "v=DKIM1" && tag(text, "p") != "" {
			f.Found = append(f.Found, text)
		}
	}
	f.judge(err, len(f.Found) == 1 && ok(f.Found[0]))
}

// judge says how the record stands, by the DNS's answer and what of it was found to be one.
func (f *Finding) judge(err error, ok bool) {
	switch {
	case resolver.Temporary(err):
		f.State = Unknown
	case len(f.Found) == 0:
		f.State = Missing
	case ok:
		f.State = OK
	default:
		f.State = Differs
	}
}

func (f *Finding) optional() {
	if f.State == Missing {
		f.State = Optional
	}
}

// tag is the value of a tag in "v=DKIM1; k=rsa; p=…", without spaces.
func tag(text, name string) string {
	for part := range strings.SplitSeq(text, ";") {
		if key, value, ok := strings.Cut(part, "="); ok && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Join(strings.Fields(value), "")
		}
	}
	return ""
}

// unquote joins the strings of a zone file's text.
func unquote(data string) string { return strings.NewReplacer(`" "`, "", `"`, "").Replace(data) }

func same(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}
