package dsn

import (
	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// Class says what a failed delivery means for the address it was meant for.
type Class string

// The classes. Only [Gone], [Full], [Transient] and [Unknown] say anything about the recipient;
// the others are about the message, its author or us, and must not be held against a member.
const (
	Gone       Class = "gone"       // the mailbox, the account or the domain is not there (any more)
	Full       Class = "full"       // the mailbox has no room
	Transient  Class = "transient"  // trouble on the way: network, load, configuration, time ran out
	Policy     Class = "policy"     // authentication, relaying, who may write to whom, form of the message
	Content    Class = "content"    // spam, virus, attachment or size of this message
	Reputation Class = "reputation" // the sending host: block lists, reverse DNS, rate
	NotABounce Class = "none"       // nothing failed
	Unknown    Class = "unknown"    // it failed, and nothing known says why
)

// Kind says what a message that came to a bounce address is.
type Kind string

const (
	Bounce    Kind = "bounce"    // at least one recipient will not get the message
	Delayed   Kind = "delayed"   // still being tried; a Bounce may follow
	Delivered Kind = "delivered" // a report of success, relaying or expansion
	Complaint Kind = "complaint" // a feedback report (RFC 5965): somebody called the message abuse
	Vacation  Kind = "vacation"  // an answer by a machine for a person, or a note that it was read
	Other     Kind = "other"     // none of these: a person's mail, or a form nobody knows
)

// Report is what a message says about the delivery of an earlier one.
// All of it is the claim of whoever wrote the message: information, no proof of who bounced.
type Report struct {
	Kind       Kind
	Format     string      // the name of the form it is in: "rfc3464", "arf", "qmail", …; "" for Other
	Recipients []Recipient // at most 100, in their order; none where no address could be read
	Class      Class       // of the whole: that of the first recipient with a known class
	Reason     string      // the rule that decided Class
	// OriginalMessageID is the identifier of the returned message without "<>", or "".
	OriginalMessageID string
	// Original is the header of the returned message as far as it was returned, or nil.
	// A complaint with blacked-out addresses is traced by what we put there ourselves.
	Original message.Header
	// FeedbackType is the type of a Complaint in lower case ("abuse", "fraud", "not-spam"), else "".
	FeedbackType string
	// MailFrom is the envelope sender that a Complaint says its message had (Original-Mail-From), or the zero Address.
	MailFrom address.Address
}

// Recipient is one address of a Report.
type Recipient struct {
	Address    address.Address // the final recipient; the zero Address where it cannot be read
	Original   address.Address // the address the sender used, where the report names it
	Action     string          // RFC 3464, section 2.3.3, in lower case, or ""
	Status     string          // "5.1.1" (RFC 3463), or ""
	Diagnostic string          // what the other side said, one line, at most 500 bytes
	MTA        string          // the host that said it, or ""
	Class      Class
	Reason     string // the rule that decided Class
}

// For returns the entry for an address: the one that names it as original or final recipient, else
// the first. A copy with its own envelope sender has one recipient, but a forwarder may have given
// it another name, so there is no better guess. ok is false for a report without recipients.
func (r Report) For(a address.Address) (rcpt Recipient, ok bool) {
	for _, c := range r.Recipients {
		if c.Original.Key() == a.Key() || c.Address.Key() == a.Key() {
			return c, true
		}
	}
	if len(r.Recipients) == 0 {
		return Recipient{}, false
	}
	return r.Recipients[0], true
}

// settle fills in what follows from the recipients.
func (r *Report) settle() {
	r.Class, r.Reason = Unknown, "no-rule"
	switch r.Kind {
	case Other, Vacation, Complaint, Delivered:
		r.Class, r.Reason = NotABounce, string(r.Kind)
		return
	}
	for _, c := range r.Recipients {
		if r.Kind == Bounce && c.Class == NotABounce {
			continue // delivered, or still tried
		}
		if r.Class == Unknown || r.Reason == "no-rule" {
			r.Class, r.Reason = c.Class, c.Reason
		}
	}
}
