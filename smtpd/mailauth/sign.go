package mailauth

import "crypto/rsa"

// Signer signs for one domain with an RSA-2048 key (RFC 6376, RFC 8301), relaxed/relaxed. It is safe for concurrent use.
type Signer struct {
	Domain   string // d=
	Selector string // s=
	Key      *rsa.PrivateKey
}

// GenerateKey returns a new RSA-2048 key.
func GenerateKey() (*rsa.PrivateKey, error) { panic("contract") }

// Record returns the TXT record to publish at "SELECTOR._domainkey.DOMAIN".
func (s *Signer) Record() (name, txt string) { panic("contract") }

// Prepare does once what all copies of a rendition share: the body hash and the canonical form of its header.
func (s *Signer) Prepare(rendition []byte) *Prepared { panic("contract") }

// Prepared is a rendition made ready by one signer. It is safe for concurrent use.
type Prepared struct{}

// Sign returns the DKIM-Signature field, CRLF-ended, for the rendition with personal header fields on top
// ("Name: value" CRLF…). Copies with the same personal fields share one signature.
// From, Subject, To, Cc, Date, Reply-To, Message-ID, Content-Type, List-Unsubscribe and List-Unsubscribe-Post
// are oversigned.
func (p *Prepared) Sign(personal []byte) ([]byte, error) { panic("contract") }
