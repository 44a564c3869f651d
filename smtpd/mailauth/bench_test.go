package mailauth

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

func benchPrepared(b *testing.B) *Prepared {
	key, err := GenerateKey()
	if err != nil {
		b.Fatal(err)
	}
	s := &Signer{Domain: "lists.example.jp", Selector: "k1", Key: key}
	return s.Prepare([]byte("From: Ann <ann@example.jp>\r\nTo: list@lists.example.jp\r\nSubject: Hello\r\n" +
		"Date: Mon, 2 Nov 2026 10:00:00 +0900\r\nMessage-ID: <1@example.jp>\r\nList-Id: <list.lists.example.jp>\r\n\r\n" +
		strings.Repeat("Hello there.\r\n", 500)))
}

func benchPersonal(i int) []byte {
	return fmt.Appendf(nil, "List-Unsubscribe: <https://lists.example.jp/-/u/%020d>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", i)
}

// BenchmarkSign signs a copy; BenchmarkRSA is the part that nothing can spare.
func BenchmarkSign(b *testing.B) {
	p := benchPrepared(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := p.Sign(benchPersonal(i)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRSA(b *testing.B) {
	p, sum := benchPrepared(b), sha256.Sum256(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignWithoutRSA is what Sign does beside the RSA signature.
func BenchmarkSignWithoutRSA(b *testing.B) {
	p := benchPrepared(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.digest(benchPersonal(i))
	}
}
