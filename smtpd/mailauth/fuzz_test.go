package mailauth_test

import (
	"strings"
	"testing"

	"kairan/smtpd/mailauth"
)

// FuzzVerify checks hostile messages. A pass must come with the d= of a field that names it.
func FuzzVerify(f *testing.F) {
	s := &mailauth.Signer{Domain: "lists.example.jp", Selector: "k1", Key: caseKey(f)}
	rendition := plain + "\r\nHello.\r\n"
	field, err := s.Prepare([]byte(rendition)).Sign(nil)
	if err != nil {
		f.Fatal(err)
	}
	name, record := s.Record()
	keys := map[string]string{name: record, "k1._domainkey.other.test": "v=DKIM1; k=ed25519; p=AAAA"}
	f.Add(string(field) + rendition)
	f.Add(strings.Replace(string(field), ":", "\r\n :", 1) + strings.Replace(string(field), "lists.example.jp", "other.test", 1) + rendition)
	f.Add("DKIM-Signature: v=1; a=rsa-sha256; d=other.test; s=k1; h=From; bh=; b=\r\n" + string(field) + rendition)
	f.Add("DKIM-Signature:\r\n")
	f.Add(" \r\n\r\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		for _, s := range mailauth.VerifyWith([]byte(raw), keys, "example.jp", "example.jp") {
			if s.Result == mailauth.Pass && s.Domain != "lists.example.jp" {
				t.Errorf("%s passed", s.Domain)
			}
			if s.Result == "" {
				t.Errorf("no result: %+v", s)
			}
		}
	})
}
