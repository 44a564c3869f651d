package mailauth_test

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/message"
	"kairan/smtpd/resolver"
	"kairan/smtpd/resolver/fakedns"
)

// TestBombardment lets one message ask for as much as it can.
func TestBombardment(t *testing.T) {
	t.Parallel()
	deep := func(i int) string { return fmt.Sprintf("a%d.b%d.c%d.d.e.f.example.jp", i, i, i) }
	zone := fakedns.Must("_dmarc.example.jp. TXT v=DMARC1")
	key := caseKey(t)
	_, record := (&mailauth.Signer{Key: key}).Record()
	raw := plain + "\r\nHello.\r\n"
	raw = strings.Replace(raw, "ann@example.jp", "ann@x.y.z.d.e.f.example.jp", 1)
	for i := range 25 {
		if err := zone.Add(fmt.Sprintf("k._domainkey.%s. TXT %q", deep(i), record)); err != nil {
			t.Fatal(err)
		}
		raw = signLike(t, key, raw, "s=k d="+deep(i))
	}
	for i := range 25 {
		raw = fmt.Sprintf("DKIM-Signature: v=1; a=rsa-sha256; d=example.jp; s=k%d; bh=x; b=x; h=From%s\r\n", i, strings.Repeat(":x", 5000)) + raw
	}
	spf := "v=spf1"
	for i := range 10 {
		spf += fmt.Sprintf(" mx:m%d.example.jp", i)
		for j := range 10 {
			if err := zone.Add(fmt.Sprintf("m%d.example.jp. MX 1 h%d-%d.example.jp.", i, i, j)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := zone.Add("example.com. TXT \"" + spf + "\""); err != nil {
		t.Fatal(err)
	}
	in := mailauth.Input{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mx.example.com", MailFrom: address.Must("a@example.com")}
	for name, top := range map[string]string{"small": "", "large": strings.Repeat("X: y\r\n", 100_000)} {
		in.Message = message.Parse([]byte(top + raw))
		c := &mailauth.Checker{Resolver: zone}
		before := len(zone.Questions())
		r := c.Check(t.Context(), in)
		if asked := len(zone.Questions()) - before; asked > 2*100 {
			t.Errorf("%s: %d questions, want at most 100 pairs", name, asked)
		}
		if len(r.DKIM) > 10 || len(r.Keys) > 10 {
			t.Errorf("%s: %d signatures, %d keys", name, len(r.DKIM), len(r.Keys))
		}
		if r.Author() {
			t.Errorf("%s: authenticated: %+v", name, r)
		}
	}
}

// TestOwnSignatureFirst buries the author's signature below nine times as many as are checked.
func TestOwnSignatureFirst(t *testing.T) {
	t.Parallel()
	key := caseKey(t)
	_, record := (&mailauth.Signer{Key: key}).Record()
	zone := fakedns.Must(fmt.Sprintf("k._domainkey.example.jp. TXT %q", record))
	raw := signLike(t, key, plain+"\r\nHello.\r\n", "s=k d=example.jp")
	for i := range 90 {
		raw = fmt.Sprintf("DKIM-Signature: v=1; a=rsa-sha256; d=d%d.test; s=k; bh=x; b=x; h=From\r\n", i) + raw
	}
	c := &mailauth.Checker{Resolver: zone}
	r := c.Check(t.Context(), mailauth.Input{IP: netip.MustParseAddr("192.0.2.1"), Helo: "h", Message: message.Parse([]byte(raw))})
	if !r.Author() || len(r.DKIM) != 10 || r.DKIM[9].Domain != "example.jp" {
		t.Errorf("got %+v", r.DKIM)
	}
}

// silent never answers.
type silent struct{ *fakedns.Zone }

func (silent) TXT(ctx context.Context, name string) ([]string, error) {
	<-ctx.Done()
	return nil, fmt.Errorf("ask %s: %w", name, resolver.ErrTimeout)
}

func TestTimeBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		raw := "DKIM-Signature: v=1; a=rsa-sha256; d=example.jp; s=k; bh=x; b=x; h=From\r\n" + plain + "\r\nHello.\r\n"
		c := &mailauth.Checker{Resolver: silent{fakedns.Must("")}, Timeout: 5 * time.Second}
		start := time.Now()
		r := c.Check(t.Context(), mailauth.Input{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mx.example.jp",
			MailFrom: address.Must("ann@example.jp"), Message: message.Parse([]byte(raw))})
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %v, want 5s", took)
		}
		if !r.Unknown() || r.SPF.Result != mailauth.TempError || r.DKIM[0].Result != mailauth.TempError || r.DMARC.Result != mailauth.TempError {
			t.Errorf("got %+v", r)
		}
		time.Sleep(time.Minute) // until the cache gives up the questions
	})
}

// TestCacheAcross expects a second message of the same kind to cost no question.
func TestCacheAcross(t *testing.T) {
	t.Parallel()
	zone := fakedns.Must("example.jp. TXT \"v=spf1 ip4:192.0.2.1 -all\"")
	c := &mailauth.Checker{Resolver: zone}
	in := mailauth.Input{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mx.example.jp", MailFrom: address.Must("ann@example.jp"),
		Message: message.Parse([]byte(plain + "\r\nHello.\r\n"))}
	c.Check(t.Context(), in)
	asked := len(zone.Questions())
	if r := c.Check(t.Context(), in); !r.Author() || len(zone.Questions()) != asked {
		t.Errorf("asked again: %q", zone.Questions()[asked:])
	}
}

func TestVerifyWith(t *testing.T) {
	t.Parallel()
	key := caseKey(t)
	name, record := (&mailauth.Signer{Key: key, Domain: "mail.example.jp", Selector: "k"}).Record()
	keys := map[string]string{name: record}
	raw := signLike(t, key, plain+"\r\nHello.\r\n", "s=k d=mail.example.jp")
	got := mailauth.VerifyWith([]byte(raw), keys, "example.jp", "example.jp")
	if len(got) != 1 || got[0].Result != mailauth.Pass || !got[0].Aligned {
		t.Errorf("got %+v", got)
	}
	if got := mailauth.VerifyWith([]byte(raw), keys, "example.jp", ""); got[0].Aligned {
		t.Errorf("strict: got %+v", got)
	}
	if got := mailauth.VerifyWith([]byte(raw), keys, "le.jp", "le.jp"); got[0].Aligned {
		t.Errorf("another domain that ends alike: got %+v", got)
	}
	if got := mailauth.VerifyWith([]byte("Subject: [x]\r\n"+raw), keys, "example.jp", "example.jp"); got[0].Result != mailauth.Pass {
		t.Errorf("a field on top of one that is not oversigned: got %+v", got)
	}
	if got := mailauth.VerifyWith([]byte(raw+"footer\r\n"), keys, "example.jp", "example.jp"); got[0].Result != mailauth.Fail {
		t.Errorf("footer: got %+v", got)
	}
	if got := mailauth.VerifyWith([]byte(raw), nil, "example.jp", "example.jp"); got[0].Result != mailauth.PermError {
		t.Errorf("no key: got %+v", got)
	}
	if got := mailauth.VerifyWith([]byte(plain), nil, "example.jp", "example.jp"); len(got) != 0 {
		t.Errorf("unsigned: got %+v", got)
	}
}

// TestKeySizes refuses keys that are too small or too large, before any arithmetic is done with them.
func TestKeySizes(t *testing.T) {
	t.Parallel()
	raw := signLike(t, caseKey(t), plain+"\r\nHello.\r\n", "s=k d=example.jp")
	for bits, want := range map[uint]mailauth.Result{512: mailauth.PermError, 1024: mailauth.Fail, 4096: mailauth.Fail, 4097: mailauth.Policy, 8192: mailauth.Policy, 16384: mailauth.Policy} {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537})
		if err != nil {
			t.Fatal(err)
		}
		got := mailauth.VerifyWith([]byte(raw), map[string]string{
			"k._domainkey.example.jp": "v=DKIM1; p=" + base64.StdEncoding.EncodeToString(der)}, "example.jp", "example.jp")
		if got[0].Result != want {
			t.Errorf("%d bits: %+v, want %s", bits, got[0], want)
		}
	}
}

// TestLargeBody checks fewer signatures of a large message, the author's among them.
func TestLargeBody(t *testing.T) {
	t.Parallel()
	key := caseKey(t)
	name, record := (&mailauth.Signer{Key: key, Domain: "example.jp", Selector: "k"}).Record()
	raw := plain + "\r\n" + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 22<<10)
	raw = signLike(t, key, raw, "s=k d=example.jp")
	for i := range 5 {
		raw = fmt.Sprintf("DKIM-Signature: v=1; a=rsa-sha256; d=d%d.test; s=k; bh=x; b=x; h=From\r\n", i) + raw
	}
	got := mailauth.VerifyWith([]byte(raw), map[string]string{name: record}, "example.jp", "example.jp")
	if len(got) != 6 || got[5].Result != mailauth.Pass || got[4].Result != mailauth.Policy {
		t.Errorf("got %+v", got)
	}
}

// TestTooMuchToCheck makes valid signatures cost more than they are worth.
func TestTooMuchToCheck(t *testing.T) {
	t.Parallel()
	s := testSigner()
	name, record := s.Record()
	sign := func(rendition string) []byte {
		field, err := s.Prepare([]byte(rendition)).Sign(nil)
		if err != nil {
			t.Fatal(err)
		}
		return append(field, rendition...)
	}
	references := func(n int) string { return strings.Repeat("References: <x@example.jp>\r\n", n) }
	for what, tc := range map[string]struct {
		raw  []byte
		want mailauth.Result
	}{
		"80 names":      {sign(references(60) + plain), mailauth.Pass},
		"120 names":     {sign(references(100) + plain), mailauth.Policy},
		"fields":        {append(sign(plain), strings.Repeat("X:y\r\n", 601)...), mailauth.Policy},
		"header":        {append(sign(plain), "X: "+strings.Repeat("y", 192<<10)+"\r\n"...), mailauth.Policy},
		"not too large": {append(sign(plain), strings.Repeat("X:y\r\n", 500)...), mailauth.Pass},
	} {
		got := mailauth.VerifyWith(tc.raw, map[string]string{name: record}, "example.jp", "example.jp")
		if len(got) != 1 || got[0].Result != tc.want {
			t.Errorf("%s: got %+v, want %s", what, got, tc.want)
		}
	}
}
