package mailauth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

const (
	minKeyBits = 1024 // RFC 8301, section 3.2
	maxKeyBits = 4096 // what every verifier handles; more is a way to burn our time
)

// GenerateKey returns a new RSA-2048 key.
func GenerateKey() (*rsa.PrivateKey, error) {
	return rsa.GenerateKey(rand.Reader, 2048)
}

// EncodeKey returns the key as PEM ("PRIVATE KEY", PKCS #8).
func EncodeKey(key *rsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode DKIM key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// ParseKey reads an RSA key of 1024 to 4096 bits from PEM, PKCS #8 or PKCS #1 (as opendkim-genkey writes it).
func ParseKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("read DKIM key: not PEM")
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if any, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return nil, fmt.Errorf("read DKIM key: %w", err)
		}
	}
	key, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read DKIM key: %T is not RSA", any)
	}
	if bits := key.N.BitLen(); bits < minKeyBits || bits > maxKeyBits {
		return nil, fmt.Errorf("read DKIM key: %d bits, want %d to %d", bits, minKeyBits, maxKeyBits)
	}
	return key, nil
}

// Record returns the TXT record to publish at "SELECTOR._domainkey.DOMAIN".
func (s *Signer) Record() (name, txt string) {
	der, err := x509.MarshalPKIXPublicKey(&s.Key.PublicKey)
	if err != nil {
		panic(err) // unreachable: an RSA key can always be marshalled
	}
	return keyName(s.Selector, s.Domain), "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

// ZoneText writes a TXT record's text as the quoted strings of at most 255 bytes that a zone file needs.
func ZoneText(txt string) string {
	var b strings.Builder
	for first := true; first || txt != ""; first = false {
		n := min(len(txt), 255)
		if !first {
			b.WriteByte(' ')
		}
		b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(txt[:n]) + `"`)
		txt = txt[n:]
	}
	return b.String()
}

// keyName is where the key record of a signature stands, in lower case and A-labels.
func keyName(selector, domain string) string {
	return asciiName(selector) + "._domainkey." + asciiName(domain)
}
