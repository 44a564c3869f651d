package mailauth_test

import (
	"bytes"
	"crypto/rsa"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/message"
	"kairan/smtpd/resolver/fakedns"
)

var update = flag.Bool("update", false, "rewrite what the cases want")

// TestCases runs testdata/*.txtar. The comment of a case says, a line each, what comes with the message:
//
//	ip ADDRESS, helo NAME, from SENDER, relay ID (its Authentication-Results are trusted),
//	sign d=DOMAIN s=SELECTOR [i=AGENT] (with testdata/key.pem, first line first),
//	after OLD=>NEW (changed after signing)
//
// "$KEY" in its zone is the public key. Other lines explain.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runCase(t, file)
		})
	}
}

func runCase(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	part := map[string]string{} // by name; "" is the comment
	name := ""
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "-- "); ok {
			name = strings.TrimSuffix(rest, " --\n")
			continue
		}
		part[name] += line
	}
	key := caseKey(t)
	_, record := (&mailauth.Signer{Key: key}).Record()
	zone, err := fakedns.Parse(strings.ReplaceAll(part["dns"], "$KEY", strings.TrimPrefix(record, "v=DKIM1; k=rsa; ")))
	if err != nil {
		t.Fatal(err)
	}
	in := mailauth.Input{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mx.example.jp"}
	raw := strings.ReplaceAll(part["msg"], "\n", "\r\n")
	var relays []string
	for line := range strings.Lines(part[""]) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "ip":
			in.IP = netip.MustParseAddr(rest)
		case "helo":
			in.Helo = rest
		case "from":
			in.MailFrom = address.Must(rest)
		case "relay":
			relays = append(relays, rest)
		case "sign":
			raw = signLike(t, key, raw, rest)
		case "after":
			was, is, _ := strings.Cut(rest, "=>")
			if !strings.Contains(raw, was) {
				t.Fatalf("nothing to change: %q", was)
			}
			raw = strings.Replace(raw, was, strings.ReplaceAll(is, `\n`, "\r\n"), 1)
		}
	}
	in.Message = message.Parse([]byte(raw))
	c := &mailauth.Checker{Resolver: zone, Hostname: "lists.example.jp"}
	var r mailauth.Results
	if relays == nil {
		r = c.Check(t.Context(), in)
	} else {
		var ok bool
		if r, ok = c.Trusted(t.Context(), in, relays); !ok {
			r = mailauth.Results{SPF: mailauth.SPF{Detail: "not trusted"}}
		}
	}
	got := describe(r)
	if *update {
		if err := os.WriteFile(file, []byte(strings.TrimSuffix(string(text), part["want"])+got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(part["want"], got); d != "" {
		t.Errorf("-want +got:\n%s\nasked: %q", d, zone.Questions())
	}
}

// describe says all of r in lines.
func describe(r mailauth.Results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "author=%t unknown=%t\n", r.Author(), r.Unknown())
	fmt.Fprintf(&b, "spf %s %q helo=%t %s\n", r.SPF.Result, r.SPF.Domain, r.SPF.Helo, r.SPF.Detail)
	for _, s := range r.DKIM {
		fmt.Fprintf(&b, "dkim %s d=%s s=%s aligned=%t %s\n", s.Result, s.Domain, s.Selector, s.Aligned, s.Detail)
	}
	d := r.DMARC
	fmt.Fprintf(&b, "dmarc %s domain=%s org=%s record=%s policy=%s testing=%t strict=%t spf=%t %s\n",
		d.Result, d.Domain, d.Org, d.Record, d.Policy, d.Testing, d.StrictDKIM, d.SPFAligned, d.Detail)
	fmt.Fprintf(&b, "keys=%d relay=%s\n", len(r.Keys), r.Relay)
	return b.String()
}

func caseKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	text, err := os.ReadFile("testdata/key.pem")
	if err != nil {
		t.Fatal(err)
	}
	key, err := mailauth.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signLike signs with go-msgauth, an implementation other than ours.
func signLike(t *testing.T, key *rsa.PrivateKey, raw, how string) string {
	t.Helper()
	o := &dkim.SignOptions{Signer: key, HeaderKeys: []string{"From", "Subject", "To"}}
	for _, word := range strings.Fields(how) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "d":
			o.Domain = value
		case "s":
			o.Selector = value
		case "i":
			o.Identifier = value
		case "c":
			o.HeaderCanonicalization = dkim.Canonicalization(value)
			o.BodyCanonicalization = dkim.Canonicalization(value)
		default:
			t.Fatalf("unknown %q", word)
		}
	}
	var b bytes.Buffer
	if err := dkim.Sign(&b, strings.NewReader(raw), o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
