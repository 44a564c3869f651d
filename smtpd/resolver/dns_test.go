package resolver_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/resolver"
	"kairan/smtpd/resolver/fakedns"
)

const zone = `
example.test.      TXT   "v=spf1 " "-all"
example.test.      TXT   "say \"hi\" \\o/ \; \228"
example.test.      MX    20 mx2.example.test.
example.test.      MX    10 mx1.example.test.
mx1.example.test.  A     192.0.2.25
mx1.example.test.  AAAA  2001:db8::25
mx2.example.test.  AAAA  2001:db8::26
nomail.test.       MX    0 .
www.example.test.  CNAME alias.example.test.
alias.example.test. CNAME mx1.example.test.
loop.test.         CNAME loop.test.
deep.empty.test.   A     192.0.2.1
25.2.0.192.in-addr.arpa. PTR mx1.example.test.
half.test.         A     192.0.2.9
! temp AAAA half.test.
! temp broken.test.
! timeout TXT slow.test.
`

func serve(t *testing.T, z *fakedns.Zone) string {
	t.Helper()
	s, err := fakedns.Serve(z)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Addr
}

// TestSame asks the same of the zone itself and of our client over the wire.
func TestSame(t *testing.T) {
	t.Parallel()
	z := fakedns.Must(zone)
	for name, r := range map[string]resolver.Resolver{
		"zone":  z,
		"wire":  resolver.DNS([]string{serve(t, z)}),
		"cache": resolver.Cache(z, 10),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, r)
		})
	}
}

func check(t *testing.T, r resolver.Resolver) {
	ctx := t.Context()
	got := map[string]string{}
	note := func(what string, v any, err error) {
		s := fmt.Sprint(v)
		switch {
		case errors.Is(err, resolver.ErrNoDomain):
			s = "no domain"
		case errors.Is(err, resolver.ErrNoData):
			s = "no data"
		case errors.Is(err, resolver.ErrServer):
			s = "server"
		case err != nil:
			s = err.Error()
		}
		got[what] = s
	}
	for _, name := range []string{"example.test", "EXAMPLE.test.", "mx1.example.test", "empty.test.", "gone.test", "broken.test",
		strings.Repeat("a", 64) + ".test", `a\.b.test`, "a b.test", "", "."} {
		v, err := r.TXT(ctx, name)
		note("TXT "+name, fmt.Sprintf("%q", v), err)
	}
	for _, name := range []string{"example.test", "nomail.test", "mx1.example.test"} {
		mxs, err := r.MX(ctx, name)
		var v []string
		for _, mx := range mxs {
			v = append(v, fmt.Sprint(mx.Pref, " ", mx.Host))
		}
		note("MX "+name, v, err)
	}
	for _, name := range []string{"mx1.example.test", "mx2.example.test", "www.example.test", "half.test", "example.test", "gone.test", "loop.test", "broken.test"} {
		v, err := r.Addr(ctx, name)
		note("Addr "+name, v, err)
	}
	for _, ip := range []string{"192.0.2.25", "::ffff:192.0.2.25", "192.0.2.26"} {
		v, err := r.PTR(ctx, netip.MustParseAddr(ip))
		note("PTR "+ip, v, err)
	}
	delete(got, "Addr loop.test") // a client may call it no data, a server a failure
	want := map[string]string{
		"TXT example.test":                         `["v=spf1 -all" "say \"hi\" \\o/ ; \xe4"]`,
		"TXT EXAMPLE.test.":                        `["v=spf1 -all" "say \"hi\" \\o/ ; \xe4"]`,
		"TXT mx1.example.test":                     "no data",
		"TXT empty.test.":                          "no data",
		"TXT gone.test":                            "no domain",
		"TXT broken.test":                          "server",
		"TXT " + strings.Repeat("a", 64) + ".test": "no domain",
		`TXT a\.b.test`:                            "no domain",
		"TXT a b.test":                             "no domain",
		"TXT ":                                     "no domain",
		"TXT .":                                    "no domain",
		"MX example.test":                          "[10 mx1.example.test. 20 mx2.example.test.]",
		"MX nomail.test":                           "[0 .]",
		"MX mx1.example.test":                      "no data",
		"Addr mx1.example.test":                    "[192.0.2.25 2001:db8::25]",
		"Addr mx2.example.test":                    "[2001:db8::26]",
		"Addr www.example.test":                    "[192.0.2.25 2001:db8::25]",
		"Addr half.test":                           "[192.0.2.9]",
		"Addr example.test":                        "no data",
		"Addr gone.test":                           "no domain",
		"Addr broken.test":                         "server",
		"PTR 192.0.2.25":                           "[mx1.example.test.]",
		"PTR ::ffff:192.0.2.25":                    "[mx1.example.test.]",
		"PTR 192.0.2.26":                           "no domain",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
