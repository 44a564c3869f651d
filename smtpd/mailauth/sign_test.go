package mailauth_test

import (
	"bytes"
	"crypto/rsa"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"kairan/smtpd/mailauth"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := mailauth.GenerateKey()
	if err != nil {
		panic(err)
	}
	return key
})

func testSigner() *mailauth.Signer {
	return &mailauth.Signer{Domain: "lists.example.jp", Selector: "k1", Key: testKey()}
}

// verify checks raw with go-msgauth and returns the only signature.
func verify(t *testing.T, s *mailauth.Signer, raw []byte) *dkim.Verification {
	t.Helper()
	want, txt := s.Record()
	got, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) {
			if name != want {
				t.Errorf("key asked at %q, want %q", name, want)
			}
			return []string{txt}, nil
		}})
	if err != nil || len(got) != 1 {
		t.Fatalf("%d signatures, %v", len(got), err)
	}
	return got[0]
}

const plain = "From: Ann <ann@example.jp>\r\nTo: list@lists.example.jp\r\nSubject: Hello\r\nDate: Mon, 2 Nov 2026 10:00:00 +0900\r\nMessage-ID: <1@example.jp>\r\n"

const personal = "List-Unsubscribe: <https://lists.example.jp/-/u/abc>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"

func TestSignVerifies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ rendition, personal string }{
		"plain":          {plain + "\r\nHello.\r\n", personal},
		"nothing above":  {plain + "\r\nHello.\r\n", ""},
		"empty body":     {plain + "\r\n", personal},
		"no blank line":  {plain, personal},
		"blank lines":    {plain + "\r\n\r\n\r\nHello.\r\n\r\n\r\n\r\n", personal},
		"only blanks":    {plain + "\r\n\r\n \t\r\n\r\n", personal},
		"no last CRLF":   {plain + "\r\nHello.", personal},
		"white space":    {plain + "\r\n  a \t b\t\r\n\t\r\nc  d   \r\n \r\n", personal},
		"odd folding":    {"FROM :\r\n\tAnn\r\n  <ann@example.jp>\r\nSubject:\r\n \r\n  Hello \t \r\n\tthere  \r\nX-Other: 1\r\nto:a@example.jp\r\n\r\nHello.\r\n", "to: b@example.jp\r\n"},
		"repeated":       {"From: a@example.jp\r\nReferences: <1@x>\r\nTo: one@example.jp\r\nTo: two@example.jp\r\nReferences: <2@x>\r\n\r\nHello.\r\n", "To: me@example.jp\r\nCc: you@example.jp\r\nTo: three@example.jp\r\n"},
		"8 bit":          {plain + "X-Original-From: \xe5\x9b\x9e\xe8\xa6\xa7\r\n\r\n\xe5\x9b\x9e\xe8\xa6\xa7 \xff\r\n", personal},
		"no colon":       {plain + "this is no field\r\nSender: x@example.jp\r\n\r\nHello.\r\n", personal},
		"empty value":    {plain + "Cc:\r\nReply-To: \r\n\r\nHello.\r\n", personal},
		"long list":      {plain + strings.Repeat("References: <x@example.jp>\r\n", 60) + "\r\nHello.\r\n", personal},
		"NUL and spaces": {plain + "Sender: a\x00b  \x01\r\n\r\n\x00 \x00\r\n", personal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testSigner()
			field, err := s.Prepare([]byte(tc.rendition)).Sign([]byte(tc.personal))
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(field)) {
				if !strings.HasSuffix(line, "\r\n") || len(line) > 80 {
					t.Errorf("line of %d: %q", len(line), line)
				}
			}
			raw := string(field) + tc.personal + tc.rendition
			if name == "no blank line" {
				raw += "\r\n" // go-msgauth wants one
			}
			if v := verify(t, s, []byte(raw)); v.Err != nil {
				t.Errorf("%v\n%s", v.Err, field)
			}
		})
	}
}

// TestSignGuards adds or changes something in a signed copy, which must break the signature, or must not.
func TestSignGuards(t *testing.T) {
	t.Parallel()
	s := testSigner()
	p := s.Prepare([]byte(plain + "X-Free: 1\r\n\r\nHello.\r\n"))
	field, err := p.Sign([]byte(personal))
	if err != nil {
		t.Fatal(err)
	}
	rest := personal + plain + "X-Free: 1\r\n\r\nHello.\r\n"
	for _, name := range []string{"From", "Subject", "To", "Cc", "Date", "Reply-To", "Message-ID", "Content-Type", "List-Unsubscribe", "List-Unsubscribe-Post"} {
		raw := name + ": added\r\n" + string(field) + rest
		if verify(t, s, []byte(raw)).Err == nil {
			t.Errorf("%s can be added", name)
		}
	}
	for old, breaks := range map[string]bool{"Hello": true, "one-click": false, "/-/u/abc": true, "Hello.": true, "X-Free: 1": false, "<1@": true} {
		raw := string(field) + strings.Replace(rest, old, "changed", 1)
		if got := verify(t, s, []byte(raw)).Err != nil; got != breaks {
			t.Errorf("changing %q: broken = %v, want %v", old, got, breaks)
		}
	}
}

// TestSignShares expects one signature for equal personal fields and another for others, from many goroutines.
func TestSignShares(t *testing.T) {
	t.Parallel()
	s := testSigner()
	rendition := plain + "\r\nHello.\r\n"
	p := s.Prepare([]byte(rendition))
	first, _ := p.Sign([]byte(personal))
	first[0] = 'X' // the caller's own
	again, _ := p.Sign([]byte(personal))
	if !bytes.Equal(first[1:], again[1:]) || again[0] != 'D' {
		t.Errorf("got another signature: %s%s", first, again)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			mine := strings.Replace(personal, "abc", strings.Repeat("z", i), 1)
			for range 3 {
				field, err := p.Sign([]byte(mine))
				if err != nil {
					t.Error(err)
				} else if v := verify(t, s, []byte(string(field)+mine+rendition)); v.Err != nil {
					t.Error(v.Err)
				}
			}
		})
	}
	wg.Wait()
}

// TestSignKeepsShared expects that a signature which several copies shared is not made again, whatever was signed in between.
func TestSignKeepsShared(t *testing.T) {
	t.Parallel()
	s := testSigner()
	synctest.Test(t, func(t *testing.T) {
		p := s.Prepare([]byte(plain + "\r\nHello.\r\n"))
		var fields []string
		for _, who := range []string{"abc", "abc", "x", "y", "abc", "z", "abc"} {
			field, err := p.Sign([]byte(strings.Replace(personal, "abc", who, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if who == "abc" {
				fields = append(fields, string(field))
			}
			time.Sleep(time.Hour) // a new one would have another t=
		}
		if len(slices.Compact(fields)) != 1 {
			t.Errorf("the shared signature was made again: %q", fields)
		}
	})
}

func TestKey(t *testing.T) {
	t.Parallel()
	text, err := mailauth.EncodeKey(testKey())
	if err != nil {
		t.Fatal(err)
	}
	key, err := mailauth.ParseKey(text)
	if err != nil || !key.Equal(testKey()) {
		t.Errorf("got another key, %v", err)
	}
	for _, bad := range []string{"", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, err := mailauth.ParseKey([]byte(bad)); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

func TestZoneText(t *testing.T) {
	t.Parallel()
	for txt, want := range map[string]string{
		"":                       `""`,
		"v=1":                    `"v=1"`,
		`a"\`:                    `"a\"\\"`,
		strings.Repeat("a", 300): `"` + strings.Repeat("a", 255) + `" "` + strings.Repeat("a", 45) + `"`,
	} {
		if got := mailauth.ZoneText(txt); got != want {
			t.Errorf("%q: got %s, want %s", txt, got, want)
		}
	}
	if name, txt := testSigner().Record(); name != "k1._domainkey.lists.example.jp" || !strings.HasPrefix(txt, "v=DKIM1; k=rsa; p=MII") {
		t.Errorf("record %q %q", name, txt)
	}
}
