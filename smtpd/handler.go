package smtpd

import (
	"context"
	"net/netip"
	"time"

	"kairan/smtpd/address"
)

// Envelope is what a mail transaction says outside the message (RFC 5321, section 3.3).
type Envelope struct {
	ID       string     // of the transaction, for logs and Received
	RemoteIP netip.Addr // of the client; invalid on a unix socket
	Helo     string     // the client's EHLO or LHLO name
	TLS      bool       // came over TLS
	LMTP     bool       // came over LMTP (RFC 2033)
	Basic    bool       // the client greeted with HELO, not EHLO
	UTF8     bool       // SMTPUTF8 (RFC 6531) was asked for
	From     address.Address
	To       []address.Address // as accepted by Handler.Rcpt, in order, exact form
	At       time.Time         // when the message was received
}

// Reply is an answer to a client. The zero Reply is 250 2.0.0.
type Reply struct {
	Code     int    // 250, 4xx or 5xx
	Enhanced [3]int // RFC 3463
	Text     string // ASCII English, one line; what the sender may do
}

// OK reports whether the reply accepts.
func (r Reply) OK() bool { return r.Code == 0 || r.Code/100 == 2 }

// Handler decides about mail on the wire. An error means that we failed: the client is told 451
// and tries again; the error's text goes to the log only.
// The context ends with the connection and bounds each call's time.
type Handler interface {
	// Rcpt is asked about each recipient. env.To holds those accepted before.
	Rcpt(ctx context.Context, env *Envelope, to address.Address) (Reply, error)
	// Data gets the whole message, lines ended by CRLF, within all limits.
	// It returns one reply for SMTP and one for each of env.To for LMTP.
	// Our own Received field is not in raw; it is [Envelope.Received].
	// raw and env are the handler's to keep.
	Data(ctx context.Context, env *Envelope, raw []byte) ([]Reply, error)
}
