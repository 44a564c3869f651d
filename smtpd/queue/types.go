package queue

import (
	"context"
	"iter"
	"time"

	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/storage"
)

// Recipient is one receiver of a rendition. Ref is opaque to the queue: the Personaliser knows what it means.
type Recipient struct {
	Ref string          `json:"r,omitempty"`
	To  address.Address `json:"a"`
	// LastReply is what was said to the copy before, where that is not what Row.LastReply says.
	LastReply string `json:"l,omitempty"`
}

// Copy is one recipient's finished copy, but for its signature.
type Copy struct {
	Recipient
	// Skip, when not empty, says why nothing is sent any more ("left", "nomail").
	Skip string
	// Sender is the envelope sender; null for notices.
	Sender address.Address
	// Header is the personal fields, "Name: value" CRLF each, put on top of the rendition.
	Header []byte
	// Signer signs the copy; nil leaves it unsigned.
	Signer *mailauth.Signer
	// Report says that the copy is a report about TLS, which must arrive whatever the domain demands (RFC 8460, section 3).
	Report bool
}

// Status is what an attempt came to.
type Status string

const (
	Delivered Status = "delivered" // 2xx: the next hop has it
	Deferred  Status = "deferred"  // 4xx, or no connection: to be tried again
	Failed    Status = "failed"    // 5xx, or too old: never tried again
	Skipped   Status = "skipped"   // not sent: Copy.Skip
)

// Outcome is what became of one copy in one attempt.
type Outcome struct {
	Recipient
	Status   Status
	Code     int    // SMTP reply code, 0 without a reply
	Enhanced string // "5.1.1", or ""
	Text     string // the last reply, or our reason; one line, at most 500 bytes
	Host     string // who said so
	At       time.Time
	// Relayed says that Host is a smarthost or the host of a route, which speaks for every domain.
	Relayed bool
	// Ours says that what stands in the way is on our side: a smarthost that cannot be had or does not let us in, a route that leads
	// back, a copy that cannot be made, a line over which no mail host could be reached for as long as the copy was tried.
	Ours bool
}

// Personaliser makes copies personal. It is implemented to the right of this package.
type Personaliser interface {
	// Personalise returns the copies of some recipients of a rendition, in their order, as they should leave now.
	// All of them are of one group (see [GroupOf]); to a smarthost it is "", and they may be anybody's.
	// The address of a copy is its recipient's whatever the Personaliser says. An error defers them all.
	Personalise(ctx context.Context, rendition, group string, to []Recipient) ([]Copy, error)
	// Outcome is called in the transaction that retires or re-schedules the recipients: what it writes stands or falls with it.
	// Deferred outcomes are told too. It may be called again for outcomes whose transaction failed, and it may Enqueue.
	Outcome(tx *storage.Tx, rendition string, outcomes []Outcome) error
}

// Transport makes one delivery attempt (relay.Relay).
type Transport interface {
	// Deliver sends the copies that next yields to their next hop and reports an outcome for each exactly once, in any order, before it returns.
	// All copies are for one domain (in A-labels), or for the smarthost (""). Data of a copy is only asked for when it is about to be sent.
	// When the next hop cannot be had, Deliver reports so for what it was given and stops asking: if the outcome reported last is Deferred, or
	// Failed with Code 0, it holds for the copies that were not asked for too.
	Deliver(ctx context.Context, domain string, next iter.Seq[*Outgoing], report func(*Outgoing, Outcome))
}

// Outgoing is a copy on its way: what a Transport needs.
type Outgoing struct {
	Copy
	// Chunks is the message in CRLF lines, in pieces: signature, personal fields, rendition.
	Chunks [][]byte
	// Stuffed reports that the last chunk (the rendition) has its dots doubled already (RFC 5321, section 4.5.2).
	Stuffed bool
	// EightBit and UTF8 say what the next hop must offer: 8BITMIME, SMTPUTF8.
	EightBit, UTF8 bool

	flight *flight // whose Outgoing this is
}
