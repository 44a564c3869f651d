package address_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/address"
)

func TestParse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64)
	for _, c := range []struct{ in, str, wire, key string }{
		{"Ann@Example.JP", "Ann@example.jp", "Ann@example.jp", "ann@example.jp"},
		{"a..b@docomo.example", "a..b@docomo.example", "a..b@docomo.example", "a..b@docomo.example"},
		{"a.@ezweb.example", "a.@ezweb.example", "a.@ezweb.example", "a.@ezweb.example"},
		{`"a."@ezweb.example`, "a.@ezweb.example", "a.@ezweb.example", "a.@ezweb.example"},
		{`"ann"@example.jp`, "ann@example.jp", "ann@example.jp", "ann@example.jp"},
		{`"a> RET=FULL"@example.jp`, `"a> RET=FULL"@example.jp`, `"a> RET=FULL"@example.jp`, `"a> ret=full"@example.jp`},
		{`"a\"b\\c@d"@example.jp`, `"a\"b\\c@d"@example.jp`, `"a\"b\\c@d"@example.jp`, `"a\"b\\c@d"@example.jp`},
		{"ann@日本語.example", "ann@日本語.example", "ann@xn--wgv71a119e.example", "ann@xn--wgv71a119e.example"},
		{"ann@ｅｘａｍｐｌｅ.jp", "ann@example.jp", "ann@example.jp", "ann@example.jp"},
		{"ann@example。jp", "ann@example.jp", "ann@example.jp", "ann@example.jp"},
		{"ann@BÜCHER.example", "ann@bücher.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
		{"山田@日本語.example", "山田@日本語.example", "山田@日本語.example", "山田@xn--wgv71a119e.example"},
		{"Ü@example.jp", "Ü@example.jp", "Ü@example.jp", "ü@example.jp"},
		{"İ@example.jp", "İ@example.jp", "İ@example.jp", "İ@example.jp"},
		{"ann@[192.0.2.1]", "ann@[192.0.2.1]", "ann@[192.0.2.1]", "ann@[192.0.2.1]"},
		{"ann@[IPv6:2001:DB8::1]", "ann@[ipv6:2001:db8::1]", "ann@[ipv6:2001:db8::1]", "ann@[ipv6:2001:db8::1]"},
		{long + "@example.jp", long + "@example.jp", long + "@example.jp", long + "@example.jp"},
		{"root@localhost", "root@localhost", "root@localhost", "root@localhost"},
		{"a/b+c=d@example.jp", "a/b+c=d@example.jp", "a/b+c=d@example.jp", "a/b+c=d@example.jp"},
	} {
		a, err := address.Parse(c.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
			continue
		}
		if got := []string{a.String(), a.Wire(), a.Key()}; !cmp.Equal(got, []string{c.str, c.wire, c.key}) {
			t.Errorf("Parse(%q): got %q, want %q", c.in, got, []string{c.str, c.wire, c.key})
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "@", "ann", "ann@", "@example.jp", `""@example.jp`, "<ann@example.jp>", "ann@@example.jp",
		"a b@example.jp", "a>b@example.jp", "ann@example.jp ", " ann@example.jp", "ann@exa mple.jp",
		"ann@example.jp.", "ann@.jp", "ann@-a.jp", "ann@a-.jp", "ann@exa>mple.jp",
		"\"a\r\nb\"@example.jp", "a\x00@example.jp", "\"a\tb\"@example.jp", "\"a\x7f\"@example.jp", "\u0085@example.jp",
		"a\u202eb@example.jp", "\xff@example.jp", "\ufffd@example.jp", "\u212aen@example.jp", "a\u3000b@example.jp",
		`"ann@example.jp`, `"ann"x@example.jp`, `"ann\`, "ann@[192.0.2.1", "ann@[192.0.2]", "ann@[2001:db8::1]",
		"ann@[IPv6:192.0.2.1]", "ann@[IPv6:fe80::1%eth0]",
		strings.Repeat("x", 65) + "@example.jp", "a@" + strings.Repeat("x", 64) + ".jp",
		"a@" + strings.Repeat("xxxxxxx.", 32) + "jp", strings.Repeat("a@b", 1<<16),
		"ann@example.jp\r\nRCPT TO:<bob@example.jp>", "ann@\xff.jp", "ann@\u202e.jp",
	} {
		if a, err := address.Parse(in); err == nil {
			t.Errorf("Parse(%.80q) = %q, want an error", in, a)
		}
	}
}

func TestNull(t *testing.T) {
	t.Parallel()
	var a address.Address
	if !a.IsNull() || a.String() != "" || a.Wire() != "" || a.Key() != "" || address.Must("a@b.test").IsNull() {
		t.Errorf("null sender: %q %q %q", a, a.Wire(), a.Key())
	}
	got := address.Must("a@b.test")
	if err := got.UnmarshalText(nil); err != nil || !got.IsNull() {
		t.Errorf("UnmarshalText(nil) = %q, %v", got, err)
	}
	if err := got.UnmarshalText([]byte("nobody")); err == nil {
		t.Error("UnmarshalText took an address without a domain")
	}
}

func TestIsASCII(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{"ann@example.jp": true, "ann@日本語.example": true, "山田@example.jp": false} {
		if got := address.Must(in).IsASCII(); got != want {
			t.Errorf("%q: IsASCII %v, want %v", in, got, want)
		}
	}
}

func TestMailboxString(t *testing.T) {
	t.Parallel()
	ann := address.Must("ann@example.jp")
	for name, want := range map[string]string{
		"":                   "ann@example.jp",
		"Ann Doe":            "Ann Doe <ann@example.jp>",
		"Doe, Ann":           `"Doe, Ann" <ann@example.jp>`,
		`Ann "A" <b@c> \`:    `"Ann \"A\" <b@c> \\" <ann@example.jp>`,
		"山田":                 "=?UTF-8?B?5bGx55Sw?= <ann@example.jp>",
		"=?utf-8?q?x?=":      "=?UTF-8?B?PT91dGYtOD9xP3g/PQ==?= <ann@example.jp>",
		"a\r\nBcc: b@c":      `"a Bcc: b@c" <ann@example.jp>`,
		"a\u202e\x00b":       "a b <ann@example.jp>",
		"\r\n ":              "ann@example.jp",
		"Ann  \t Doe":        "Ann Doe <ann@example.jp>",
		"Ann (gmail) v. Doe": `"Ann (gmail) v. Doe" <ann@example.jp>`,
	} {
		if got := (address.Mailbox{Name: name, Address: ann}).String(); got != want {
			t.Errorf("name %q: got %s, want %s", name, got, want)
		}
	}
	long := address.Mailbox{Name: strings.Repeat("あ", 100), Address: ann}.String()
	for word := range strings.FieldsSeq(long) {
		if len(word) > 75 {
			t.Errorf("encoded word of %d characters", len(word))
		}
	}
}

func TestParseList(t *testing.T) {
	t.Parallel()
	decode := strings.NewReplacer("=?UTF-8?B?5bGx55Sw?=", "山田", "=?utf-8?b?eA0KQmNjOiB6?=", "x\r\nBcc: z").Replace
	for _, c := range []struct {
		in   string
		want []string // name|address
		bad  string   // a part of the error
	}{
		{in: ""},
		{in: " , ,"},
		{in: "ann@example.jp", want: []string{"|ann@example.jp"}},
		{in: "Ann <ann@example.jp>, bob@example.jp,", want: []string{"Ann|ann@example.jp", "|bob@example.jp"}},
		{in: "Doe, John <a@b.test>", want: []string{"Doe, John|a@b.test"}},
		{in: "Doe, John, Jr. <a@b.test>, c@d.test", want: []string{"Doe, John, Jr.|a@b.test", "|c@d.test"}},
		{in: `"Doe, John" <a@b.test>`, want: []string{"Doe, John|a@b.test"}},
		{in: `"John Doe <a@b.test>`, want: []string{"John Doe|a@b.test"}},
		{in: `John Doe" <a@b.test>`, want: []string{"John Doe|a@b.test"}},
		{in: "a@b.test <c@d.test>", want: []string{"a@b.test|c@d.test"}},
		{in: `"a@b.test" <c@d.test>`, want: []string{"a@b.test|c@d.test"}},
		{in: "John Doe a@b.test", want: []string{"John Doe|a@b.test"}},
		{in: "a@b.test (John (the) Doe)", want: []string{"John (the) Doe|a@b.test"}},
		{in: "(John) a@b.test", want: []string{"John|a@b.test"}},
		{in: "John (x <a@b.test>", want: []string{"John (x|a@b.test"}},
		{in: "a@b.test <c@d.test", want: []string{"a@b.test|c@d.test"}},
		{in: "Ann <a@b.test> <c@d.test>", want: []string{"Ann|a@b.test", "|c@d.test"}},
		{in: "<a@b.test, <c@d.test>", want: []string{"|a@b.test", "|c@d.test"}},
		{in: "undisclosed-recipients:;"},
		{in: "team: Ann <a@b.test>, c@d.test; e@f.test", want: []string{"Ann|a@b.test", "|c@d.test", "|e@f.test"}},
		{in: "a@b.test; c@d.test;", want: []string{"|a@b.test", "|c@d.test"}},
		{in: "<@x.test,@y.test:a@b.test>", want: []string{"|a@b.test"}},
		{in: "< a @ b.test >", want: []string{"|a@b.test"}},
		{in: "mailto:a@b.test, <mailto:c@d.test>", want: []string{"|a@b.test", "|c@d.test"}},
		{in: "a..b@docomo.example, <a.@ezweb.example>, \"a.\"@ezweb.example", want: []string{"|a..b@docomo.example", "|a.@ezweb.example", "|a.@ezweb.example"}},
		{in: `=?UTF-8?B?5bGx55Sw?= <a@b.test>`, want: []string{"山田|a@b.test"}},
		{in: `"=?UTF-8?B?5bGx55Sw?=" <a@b.test>`, want: []string{"山田|a@b.test"}},
		{in: "a@b.test (=?UTF-8?B?5bGx55Sw?=)", want: []string{"山田|a@b.test"}},
		{in: "=?utf-8?b?eA0KQmNjOiB6?= <a@b.test>", want: []string{"x Bcc: z|a@b.test"}},
		{in: "山田 <a@b.test>", want: []string{"山田|a@b.test"}},
		{in: "\x1b$B\",<;@\x1b(B <a@b.test>", want: []string{"$B\",<;@ (B|a@b.test"}},
		{in: "a@[192.0.2.1], b@[IPv6:2001:db8::1]", want: []string{"|a@[192.0.2.1]", "|b@[ipv6:2001:db8::1]"}},
		{in: "[janog] Ann <a@b.test>", want: []string{"[janog] Ann|a@b.test"}},
		{in: "Ann\r\n <a@b.test>,\r\n\tc@d.test", want: []string{"Ann|a@b.test", "|c@d.test"}},
		{in: `"a> b"@c.test`, want: []string{`|"a> b"@c.test`}},
		{in: "<>", bad: "\"\""},
		{in: "nobody", bad: "nobody"},
		{in: "a@b.test, nobody, c@d.test", want: []string{"|a@b.test", "|c@d.test"}, bad: "nobody"},
		{in: "a@b@c.test, c@d.test", want: []string{"|c@d.test"}, bad: "a@b@c.test"},
		{in: "=?UTF-8?B?5bGx55Sw?=@x y@b.test", bad: "y@b.test"},
		{in: "\xff@b.test, c@d.test", want: []string{"|c@d.test"}, bad: "UTF-8"},
	} {
		found, err := address.ParseList(c.in, decode)
		var got []string
		for _, m := range found {
			got = append(got, m.Name+"|"+m.Address.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("ParseList(%q): -want +got\n%s", c.in, diff)
		}
		if (err != nil) != (c.bad != "") || err != nil && !strings.Contains(err.Error(), c.bad) {
			t.Errorf("ParseList(%q): error %v, want one with %q", c.in, err, c.bad)
		}
	}
}

func TestParseListIsBounded(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"(", "\"", "<", "a@b.test,", "[", "\x1b$", "Doe,", "x:", "\\", "a ", "<\"", "(\\", ",<@"} {
		found, err := address.ParseList(strings.Repeat(unit, 250<<10/len(unit)), nil)
		if len(found) > 5000 {
			t.Errorf("%q: %d mailboxes, error %v", unit, len(found), err)
		}
	}
	if _, err := address.ParseList(strings.Repeat(" ", 300<<10), nil); err == nil {
		t.Error("a list of 300 KiB was read")
	}
	if found, err := address.ParseList(strings.Repeat("a@b.test,", 6000), nil); err == nil || len(found) != 5000 {
		t.Errorf("6000 mailboxes: read %d, error %v", len(found), err)
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"ann@example.jp", `"a\"> b"@[192.0.2.1]`, "山田@日本語.example", "a..b.@x.test", "Doe, J \"x\" <a@b> (c), g: d@e;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := address.Parse(s); err == nil {
			checkRoundTrip(t, a)
		}
		found, _ := address.ParseList(s, nil)
		for _, m := range found {
			checkRoundTrip(t, m.Address)
			again, err := address.ParseList(m.String(), nil)
			if err != nil || len(again) != 1 || again[0].Address != m.Address {
				t.Errorf("mailbox %q read again: %q, %v", m.String(), again, err)
			}
		}
	})
}

func checkRoundTrip(t *testing.T, a address.Address) {
	if again, err := address.Parse(a.String()); err != nil || again != a {
		t.Errorf("Parse(%q) = %q, %v", a.String(), again, err)
	}
	wire, err := address.Parse(a.Wire())
	if err != nil || wire.Key() != a.Key() {
		t.Errorf("Wire %q of %q: key %q, want %q, %v", a.Wire(), a, wire.Key(), a.Key(), err)
	}
	if key, err := address.Parse(a.Key()); err == nil && key.Key() != a.Key() {
		t.Errorf("Key of %q is %q", a.Key(), key.Key())
	}
	if strings.ContainsFunc(a.Wire(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		t.Errorf("Wire %q has a control character", a.Wire())
	}
}
