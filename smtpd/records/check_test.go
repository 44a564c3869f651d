package records_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"kairan/smtpd/mailauth"
	"kairan/smtpd/records"
	"kairan/smtpd/resolver/fakedns"
)

// signer signs for lists.test; every test may use the one key.
var signer = func() *mailauth.Signer {
	key, err := mailauth.GenerateKey()
	if err != nil {
		panic(err)
	}
	return &mailauth.Signer{Domain: "lists.test", Selector: "s1", Key: key}
}()

// direct sends by itself, from two addresses.
var direct = records.Machine{Hostname: "mx.test", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.25"), netip.MustParseAddr("2001:db8::25")}}

// published is a zone with all that a machine needs.
func published(m records.Machine) string {
	var zone strings.Builder
	for _, r := range m.Records("lists.test", signer) {
		zone.WriteString(r.Line() + "\n")
	}
	return zone.String()
}

// without is a zone without the lines of a name and type; "" leaves the type open.
func without(zone, name, kind string) string {
	return strings.Join(slices.DeleteFunc(strings.SplitAfter(zone, "\n"), func(line string) bool {
		cells := strings.Split(line, "\t")
		return cells[0] == name && (kind == "" || cells[1] == kind)
	}), "")
}

// states are what a check finds, as "PURPOSE TYPE STATE", without what is in order.
func states(all []records.Finding) (wrong []string) {
	for _, f := range all {
		if f.State != records.OK {
			wrong = append(wrong, fmt.Sprintf("%s %s %s", f.Purpose, f.Type, f.State))
		}
	}
	return wrong
}

// What we tell people to publish is what we want to find, with and without a smarthost, and where the name of the machine is the domain.
func TestWhatIsProposedIsInOrder(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]records.Machine{
		"direct":    direct,
		"smarthost": {Hostname: "mx.test", Smarthost: "relay.test:587", Addresses: direct.Addresses},
		"one name":  {Hostname: "lists.test", Addresses: direct.Addresses},
	} {
		zone := fakedns.Must(published(m) + `
			_smtp._tls.lists.test. TXT "v=TLSRPTv1; rua=mailto:tls@lists.test"
			_mta-sts.lists.test.   TXT "v=STSv1; id=20261101"`)
		if got := states(m.Check(t.Context(), zone, "lists.test", signer)); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// An empty DNS has nothing, of which two may be.
func TestNothingPublished(t *testing.T) {
	t.Parallel()
	got := states(direct.Check(t.Context(), fakedns.Must(""), "lists.test", signer))
	want := []string{"mx MX missing", "spf TXT missing", "dkim TXT missing", "dmarc TXT missing", "host A missing", "host AAAA missing", "helo TXT missing",
		"ptr PTR missing", "ptr PTR missing", "tlsrpt TXT optional", "mtasts TXT optional"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Each case changes one record of a zone in which all is in order.
func TestOneRecord(t *testing.T) {
	t.Parallel()
	good := published(direct) + "_smtp._tls.lists.test.\tTXT\t\"v=TLSRPTv1; rua=mailto:tls@lists.test\"\n_mta-sts.lists.test.\tTXT\t\"v=STSv1; id=1\"\n"
	_, key := signer.Record()
	key = mailauth.ZoneText(key)
	for _, c := range []struct {
		what, name, kind, instead string
		want                      []string
	}{
		{"none", "lists.test.", "MX", "", []string{"mx MX missing"}},
		{"another host", "lists.test.", "MX", `lists.test. MX 10 old.test.`, []string{"mx MX differs"}},
		{"ours among others, in capitals", "lists.test.", "MX", "lists.test. MX 5 old.test.\nlists.test. MX 10 MX.test.", nil},
		{"a domain that takes no mail", "lists.test.", "MX", `lists.test. MX 0 .`, []string{"mx MX differs"}},
		{"no answer", "lists.test.", "MX", `! temp MX lists.test.`, []string{"mx MX unknown"}},

		{"only other texts", "lists.test.", "TXT", `lists.test. TXT "site-verification=1"`, []string{"spf TXT missing"}},
		{"another machine", "lists.test.", "TXT", `lists.test. TXT "v=spf1 ip4:198.51.100.0/24 -all"`, []string{"spf TXT differs"}},
		{"one of two addresses", "lists.test.", "TXT", `lists.test. TXT "v=spf1 ip4:192.0.2.25 -all"`, []string{"spf TXT differs"}},
		{"others than all may", "lists.test.", "TXT", `lists.test. TXT "v=spf1 ip4:198.51.100.1 ~all"`, []string{"spf TXT differs"}},
		{"said in another way", "lists.test.", "TXT", `lists.test. TXT "V=SPF1 mx ?all"`, nil},
		{"beside other texts", "lists.test.", "TXT", "lists.test. TXT \"site-verification=1\"\nlists.test. TXT \"v=spf1 mx -all\"", nil},
		{"two", "lists.test.", "TXT", "lists.test. TXT \"v=spf1 mx -all\"\nlists.test. TXT \"v=spf1 a -all\"", []string{"spf TXT differs"}},
		{"one that cannot be read", "lists.test.", "TXT", `lists.test. TXT "v=spf1 ip4:192.0.2.256 mx -all"`, []string{"spf TXT differs"}},
		{"a later version", "lists.test.", "TXT", `lists.test. TXT "v=spf10 mx -all"`, []string{"spf TXT missing"}},
		{"an included one that cannot be looked up", "lists.test.", "TXT", "lists.test. TXT \"v=spf1 include:spf.test -all\"\n! temp TXT spf.test.", []string{"spf TXT unknown"}},

		{"none", "s1._domainkey.lists.test.", "", "", []string{"dkim TXT missing"}},
		{"another key", "s1._domainkey.lists.test.", "", `s1._domainkey.lists.test. TXT "v=DKIM1; k=rsa; p=MIIBIjANBg"`, []string{"dkim TXT differs"}},
		{"a revoked key", "s1._domainkey.lists.test.", "", `s1._domainkey.lists.test. TXT "v=DKIM1; p="`, []string{"dkim TXT differs"}},
		{"without version, with spaces", "s1._domainkey.lists.test.", "", "s1._domainkey.lists.test. TXT \"k = rsa; \" " + strings.Replace(strings.Replace(key, "v=DKIM1; k=rsa; ", "", 1), "p=", "p = ", 1), nil},
		{"twice", "s1._domainkey.lists.test.", "", "s1._domainkey.lists.test. TXT " + key + "\ns1._domainkey.lists.test. TXT \"v=DKIM1; p=MIIBIjANBg\"", []string{"dkim TXT differs"}},

		{"none", "_dmarc.lists.test.", "", "", []string{"dmarc TXT missing"}},
		{"stricter", "_dmarc.lists.test.", "", `_dmarc.lists.test. TXT "v=DMARC1; p=Reject"`, nil},
		{"no policy", "_dmarc.lists.test.", "", `_dmarc.lists.test. TXT "v=DMARC1; rua=mailto:a@lists.test"`, []string{"dmarc TXT differs"}},
		{"a policy that is none", "_dmarc.lists.test.", "", `_dmarc.lists.test. TXT "v=DMARC1; p=block"`, []string{"dmarc TXT differs"}},
		{"two", "_dmarc.lists.test.", "", "_dmarc.lists.test. TXT \"v=DMARC1; p=none\"\n_dmarc.lists.test. TXT \"v=DMARC1; p=reject\"", []string{"dmarc TXT differs"}},

		{"another address", "mx.test.", "A", `mx.test. A 192.0.2.99`, []string{"host A differs", "helo TXT differs"}},
		{"one family only", "mx.test.", "AAAA", "", []string{"host AAAA missing", "helo TXT differs"}},
		{"nobody", "mx.test.", "TXT", `mx.test. TXT "v=spf1 -all"`, []string{"helo TXT differs"}},
		{"none", "mx.test.", "TXT", "", []string{"helo TXT missing"}},

		{"the provider's", "25.2.0.192.in-addr.arpa.", "", "25.2.0.192.in-addr.arpa. PTR host25.provider.test.", []string{"ptr PTR differs"}},
		{"two, ours among them", "25.2.0.192.in-addr.arpa.", "", "25.2.0.192.in-addr.arpa. PTR host25.provider.test.\n25.2.0.192.in-addr.arpa. PTR mx.test.", nil},
		{"none", "25.2.0.192.in-addr.arpa.", "", "", []string{"ptr PTR missing"}},

		{"no receiver", "_smtp._tls.lists.test.", "", `_smtp._tls.lists.test. TXT "v=TLSRPTv1"`, []string{"tlsrpt TXT differs"}},
		{"none", "_smtp._tls.lists.test.", "", "", []string{"tlsrpt TXT optional"}},
		{"no id", "_mta-sts.lists.test.", "", `_mta-sts.lists.test. TXT "v=STSv1;"`, []string{"mtasts TXT differs"}},
		{"no answer", "_mta-sts.lists.test.", "", `! timeout _mta-sts.lists.test.`, []string{"mtasts TXT unknown"}},
	} {
		zone := fakedns.Must(without(good, c.name, c.kind) + c.instead)
		if got := states(direct.Check(t.Context(), zone, "lists.test", signer)); !slices.Equal(got, c.want) {
			t.Errorf("%s %s: %s: got %q, want %q", c.name, c.kind, c.what, got, c.want)
		}
	}
}

// Others send, through whom we cannot see: that there is an SPF record is enough.
func TestSmarthost(t *testing.T) {
	t.Parallel()
	m := records.Machine{Hostname: "mx.test", Smarthost: "relay.test:587", Addresses: direct.Addresses}
	for host, want := range map[string]string{
		"relay.test:587":   "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 a:relay.test -all",
		"198.51.100.7:25":  "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ip4:198.51.100.7 -all",
		"[2001:db8::7]:25": "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ip6:2001:db8::7 -all",
		"localhost:25":     "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all",
		"127.0.0.1:10025":  "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all",
		"":                 "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all",
	} {
		m.Smarthost = host
		if got := m.Records("lists.test", signer)[1].Data; got != `"`+want+`"` {
			t.Errorf("smarthost %q: %s", host, got)
		}
	}
	m.Smarthost = "relay.test:587"
	zone := fakedns.Must(without(published(m), "lists.test.", "TXT") + `lists.test. TXT "v=spf1 include:_spf.relay.test -all"`)
	got := states(m.Check(t.Context(), zone, "lists.test", signer))
	if want := []string{"tlsrpt TXT optional", "mtasts TXT optional"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Where the machine does not know its address, that of its name counts; where there is none either, nothing is called wrong that may be right.
func TestUnknownAddress(t *testing.T) {
	t.Parallel()
	m := records.Machine{Hostname: "mx.test"}
	zone := fakedns.Must(published(records.Machine{Hostname: "mx.test", Addresses: direct.Addresses[:1]}))
	all := m.Check(t.Context(), zone, "lists.test", signer)
	if got, want := states(all), []string{"tlsrpt TXT optional", "mtasts TXT optional"}; !slices.Equal(got, want) {
		t.Errorf("by the name: got %q, want %q", got, want)
	}
	zone = fakedns.Must(without(published(direct), "mx.test.", "A") + "! temp mx.test.\n")
	got := states(m.Check(t.Context(), zone, "lists.test", signer))
	want := []string{"spf TXT unknown", "host A unknown", "helo TXT unknown", "ptr PTR unknown", "tlsrpt TXT optional", "mtasts TXT optional"}
	if !slices.Equal(got, want) {
		t.Errorf("no address: got %q, want %q", got, want)
	}
}

// What strangers publish is kept within bounds and as text; what was not asked in time is not called wrong.
func TestBounds(t *testing.T) {
	t.Parallel()
	zone := fakedns.Must("")
	for i := range 40 {
		if err := zone.Add(fmt.Sprintf("lists.test. MX %d old%d.test.", i, i)); err != nil {
			t.Fatal(err)
		}
	}
	long := mailauth.ZoneText("v=DMARC1; p=none; rua=mailto:" + strings.Repeat("あ", 300) + "@x.test")
	if err := zone.Add("_dmarc.lists.test. TXT " + long); err != nil {
		t.Fatal(err)
	}
	for _, f := range direct.Check(t.Context(), zone, "lists.test", signer) {
		if len(f.Found) > 5 {
			t.Errorf("%s: %d answers", f.Purpose, len(f.Found))
		}
		for _, text := range f.Found {
			if len(text) > 600 || strings.ToValidUTF8(text, "?") != text {
				t.Errorf("%s: %d bytes: %q", f.Purpose, len(text), text)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, f := range direct.Check(ctx, zone, "lists.test", signer) {
		if f.State != records.Unknown {
			t.Errorf("%s %s: %s, though nobody waited", f.Purpose, f.Type, f.State)
		}
	}
}
