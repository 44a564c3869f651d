package mailauth

import (
	"context"
	"net/netip"
	"time"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/resolver"
)

// Checker checks messages. Its zero value with a Resolver is usable; it caches DNS answers and is safe for concurrent use.
type Checker struct {
	Resolver resolver.Resolver
	// Hostname is the authserv-id of our Authentication-Results.
	Hostname string
	// Timeout bounds all DNS work for one message; 0 means 20 s.
	Timeout time.Duration
	// Queries bounds the DNS questions of one message; 0 means 100.
	Queries int
	// unexported: cache
}

// Input is what a check needs beside the message.
type Input struct {
	IP       netip.Addr
	Helo     string
	MailFrom address.Address
	Message  *message.Message
}

// Check returns what SPF, DKIM and DMARC say. It never fails: a failure is a result.
func (c *Checker) Check(ctx context.Context, in Input) Results { panic("contract") }

// Trusted reads the Authentication-Results that a trusted relay (one of ids) put on top of the message
// instead of asking the DNS about SPF; ok is false when there is none.
func (c *Checker) Trusted(ctx context.Context, in Input, ids []string) (r Results, ok bool) {
	panic("contract")
}

// VerifyWith checks the DKIM signatures of raw with the key records of an earlier check and without DNS, and sets Aligned for authorDomain
// whose organizational domain is org.
func VerifyWith(raw []byte, keys map[string]string, authorDomain, org string) []Signature {
	panic("contract")
}

// Header returns the value of the Authentication-Results field for r (RFC 8601), folded, CRLF-safe.
func (r Results) Header(authservID, author string) string { panic("contract") }

// StripForged returns h without Authentication-Results fields that bear id (RFC 8601, section 5).
func StripForged(h message.Header, id string) message.Header { panic("contract") }
