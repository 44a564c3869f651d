package mailauth

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/message"
)

func TestHeader(t *testing.T) {
	t.Parallel()
	r := Results{
		SPF: SPF{Result: Pass, Domain: "example.jp", IP: netip.MustParseAddr("192.0.2.1"), Detail: "matched ip"},
		DKIM: []Signature{
			{Result: Pass, Domain: "example.jp", Selector: "k1", Algo: "rsa-sha256"},
			{Result: Fail, Domain: "list.test", Selector: "k2", Algo: "rsa-sha256", Detail: "body hash did not verify"},
		},
		DMARC: DMARC{Result: Pass, Domain: "example.jp", Policy: "reject"},
	}
	want := strings.ReplaceAll(`lists.example.jp;
	spf=pass (matched ip) smtp.mailfrom=example.jp;
	dkim=pass header.d=example.jp header.s=k1 header.a=rsa-sha256;
	dkim=fail (body hash did not verify) header.d=list.test header.s=k2
	header.a=rsa-sha256;
	dmarc=pass (p=reject) header.from=example.jp`, "\n", "\r\n")
	if d := cmp.Diff(want, r.Header("lists.example.jp", "ann@example.jp")); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// FuzzHeader puts hostile words everywhere and expects as many results as there are, with a clean id.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{"x\r\nBcc: y", "a; dmarc=pass", `"\"; spf=pass`, `"; spf=pass`, `x" ; spf=pass y="`, "x) ; spf=pass (", `\`, "((", "", "a=b c=d", "\x00\x7f\xff", strings.Repeat("x", 5000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := Results{
			SPF:   SPF{Result: Fail, Domain: s, Detail: s},
			DKIM:  []Signature{{Result: Fail, Domain: s, Selector: s, Algo: s, Detail: s}},
			DMARC: DMARC{Result: Fail, Domain: s, Policy: s, Detail: s},
		}
		got := r.Header("lists.example.jp", s)
		for line := range strings.SplitSeq(got, "\r\n\t") {
			if strings.ContainsAny(line, "\r\n\x00") || len(line) > 998 {
				t.Errorf("bad line %q", line)
			}
		}
		a := parseAuthRes(got)
		var methods []string
		for _, r := range a.results {
			methods = append(methods, r.method+"="+string(r.result))
		}
		if d := cmp.Diff([]string{"spf=fail", "dkim=fail", "dmarc=fail"}, methods); a.id != "lists.example.jp" || d != "" {
			t.Errorf("%q: id %q, -want +got:\n%s\n%s", s, a.id, d, got)
		}
	})
}

func TestStripForged(t *testing.T) {
	t.Parallel()
	drop := []string{
		"Authentication-Results: lists.example.jp; dmarc=pass",
		"AUTHENTICATION-RESULTS:LISTS.example.JP;dmarc=pass",
		"Authentication-Results : lists.example.jp 2; none",
		"Authentication-Results: lists.example.jp/1; none",
		"Authentication-Results: (x (y) \\) z) lists.example.jp (w); none",
		"Authentication-Results:\r\n\t(x)\r\n \"lists.example.jp\" ; none",
		"Authentication-Results: lists.example.jp.; none",
		"Authentication-Results: lists.example.jp",
		"Authentication-Results: ; dmarc=pass",
		"Authentication-Results: (unclosed lists.example.jp; none",
	}
	stay := []string{
		"Authentication-Results: other.test; dmarc=pass (lists.example.jp)",
		"Authentication-Results: xlists.example.jp; none",
		"ARC-Authentication-Results: i=1; lists.example.jp; none",
		"X-Note: Authentication-Results: lists.example.jp; none",
	}
	raw := strings.Join(append(append([]string{"From: a@example.jp"}, drop...), stay...), "\r\n") + "\r\n\r\nBody"
	want := strings.Join(append([]string{"From: a@example.jp"}, stay...), "\r\n") + "\r\n\r\n"
	got := StripForged(message.Parse([]byte(raw)).Header(), "Lists.Example.JP")
	if d := cmp.Diff(want, string(got.Bytes())); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
