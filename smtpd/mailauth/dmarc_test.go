package mailauth

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/resolver/fakedns"
)

// TestTreeWalk looks for organizational domains and policies (RFC 9989, section 4.10).
// A zone here is lines of "DOMAIN RECORD"; the record "!" fails temporarily.
func TestTreeWalk(t *testing.T) {
	t.Parallel()
	type found struct {
		Org, Record string
		Temp        bool
		Asked       int
	}
	for name, tc := range map[string]struct {
		domain, zone string
		want         found
	}{
		"no record":            {"mail.example.jp", "", found{Org: "mail.example.jp", Asked: 3}},
		"single label":         {"jp", "jp v=DMARC1", found{Org: "jp", Record: "jp", Asked: 1}},
		"own record":           {"example.jp", "example.jp v=DMARC1", found{"example.jp", "example.jp", false, 2}},
		"fewest labels":        {"a.b.example.jp", "b.example.jp v=DMARC1\nexample.jp v=DMARC1", found{"example.jp", "example.jp", false, 4}},
		"own before org":       {"a.example.jp", "a.example.jp v=DMARC1\nexample.jp v=DMARC1", found{"example.jp", "a.example.jp", false, 3}},
		"psd=n ends":           {"a.b.example.jp", "b.example.jp v=DMARC1;psd=n\nexample.jp v=DMARC1", found{"b.example.jp", "b.example.jp", false, 2}},
		"psd=y ends":           {"a.example.co.jp", "co.jp v=DMARC1;psd=y\njp v=DMARC1", found{"example.co.jp", "co.jp", false, 3}},
		"psd=y, org has own":   {"a.example.co.jp", "co.jp v=DMARC1;psd=y\nexample.co.jp v=DMARC1", found{"example.co.jp", "example.co.jp", false, 3}},
		"psd=y where it began": {"co.jp", "co.jp v=DMARC1;psd=y\njp v=DMARC1", found{"co.jp", "co.jp", false, 1}},
		"psd=y at the top":     {"example.bank", "bank v=DMARC1;psd=y", found{"example.bank", "bank", false, 2}},
		"psd=u is nothing":     {"a.example.jp", "a.example.jp v=DMARC1;psd=u\nexample.jp v=DMARC1", found{"example.jp", "a.example.jp", false, 3}},
		"several are none":     {"a.example.jp", "a.example.jp v=DMARC1\na.example.jp v=DMARC1;p=reject\nexample.jp v=DMARC1", found{"example.jp", "example.jp", false, 3}},
		"others do not count":  {"example.jp", "example.jp v=DMARC1\nexample.jp v=spf1\nexample.jp v=dmarc1", found{"example.jp", "example.jp", false, 2}},
		"seven labels":         {"1.2.3.4.5.example.jp", "2.3.4.5.example.jp v=DMARC1", found{"2.3.4.5.example.jp", "2.3.4.5.example.jp", false, 7}},
		"eight labels":         {"1.2.3.4.5.6.example.jp", "2.3.4.5.6.example.jp v=DMARC1", found{"2.3.4.5.6.example.jp", "2.3.4.5.6.example.jp", false, 8}},
		"many labels":          {strings.Repeat("x.", 50) + "5.4.3.2.1.example.jp", "x.5.4.3.2.1.example.jp v=DMARC1", found{Org: strings.Repeat("x.", 50) + "5.4.3.2.1.example.jp", Asked: 8}},
		"jumped over":          {"a.b.2.3.4.5.6.example.jp", "b.2.3.4.5.6.example.jp v=DMARC1\nexample.jp v=DMARC1", found{"example.jp", "example.jp", false, 8}},
		"below a jump":         {"a.b.2.3.4.5.6.example.jp", "3.4.5.6.example.jp v=DMARC1;psd=y\n", found{"2.3.4.5.6.example.jp", "3.4.5.6.example.jp", false, 3}},
		"temporary":            {"a.example.jp", "example.jp !\njp v=DMARC1", found{Temp: true, Asked: 2}},
		"temporary above":      {"example.jp", "example.jp v=DMARC1\njp !", found{Record: "example.jp", Asked: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := fakedns.Must("")
			for line := range strings.Lines(tc.zone) {
				name, txt, _ := strings.Cut(strings.TrimSpace(line), " ")
				text := fmt.Sprintf("_dmarc.%s. TXT %q", name, txt)
				if txt == "!" {
					text = "! temp _dmarc." + name
				}
				if err := zone.Add(text); err != nil {
					t.Fatal(err)
				}
			}
			w := walker{ask: zone, seen: map[string]walked{}}
			walked := w.walk(t.Context(), tc.domain)
			rec, _, err := walked.policy()
			got := found{walked.org(), rec.domain, err != nil, len(zone.Questions())}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("-want +got:\n%s\nasked %q", d, zone.Questions())
			}
		})
	}
}

func TestParseRecord(t *testing.T) {
	t.Parallel()
	for txt, want := range map[string]record{
		"v=DMARC1":                    {p: "none"},
		" v = DMARC1 ; p = reject ; ": {p: "reject"},
		"v=DMARC1; p=REJECT; sp=None": {p: "reject", sp: "none"},
		"v=DMARC1; p=quarantine; np=reject; t=y; psd=Y; adkim=s; aspf=s": {p: "quarantine", np: "reject", testing: true, psd: 'y', strictDKIM: true, strictSPF: true},
		"v=DMARC1; p=reject; pct=x; fo=7; nonsense; =; adkim=q; t=z":     {p: "reject"},
		"v=DMARC1; p=deny": {p: "none", void: true},
		"v=DMARC1; p=deny; rua=mailto:a@example.jp!10m":          {p: "none"},
		"v=DMARC1; p=deny; rua=nonsense":                         {p: "none", void: true},
		"v=DMARC1; p=reject; sp=; rua=x, mailto:a@example.jp":    {p: "none"},
		"v=DMARC1; p=reject; np=x":                               {p: "none", void: true},
		"v=DMARC1; psd=n; sp=reject":                             {p: "none", sp: "reject", psd: 'n'},
		"v=DMARC1" + strings.Repeat(";x=y", 10000) + ";p=reject": {p: "none"},
	} {
		got, ok := parseRecord(txt)
		if d := cmp.Diff(want, got, cmp.AllowUnexported(record{})); !ok || d != "" {
			t.Errorf("%.60q: %v, -want +got:\n%s", txt, ok, d)
		}
	}
	for _, txt := range []string{"", "v=DMARC2", "v=dmarc1; p=reject", "p=reject; v=DMARC1", "v=DMARC1 p=reject", "DMARC1", "v=DMARC1x"} {
		if _, ok := parseRecord(txt); ok {
			t.Errorf("%q is no record", txt)
		}
	}
}
