package smtptest

import (
	"slices"
	"time"
)

// Stage says at which point of a dialog Config.Behave is asked.
type Stage string

// The stages, in the order of a dialog.
const (
	AtConnect Stage = "connect" // before the greeting; nothing is known
	AtRcpt    Stage = "rcpt"    // Message.To is the one recipient
	AtData    Stage = "data"    // before 354; Message.To are the accepted recipients
	AtEnd     Stage = "end"     // the message was received
)

// Message is what a sink was sent.
type Message struct {
	Stage     Stage
	Helo      string
	TLS       bool
	From      string   // as in MAIL, without "<>"
	Params    string   // of MAIL, as sent: "SIZE=100 SMTPUTF8"
	To        []string // as in RCPT, without "<>"
	MessageID string   // without "<>"
	Data      []byte   // undotted; nil unless Config needs it
	At        time.Time
}

// clone returns a message that does not share To.
func (m Message) clone() Message {
	m.To = slices.Clone(m.To)
	return m
}

// Behaviour is what the sink does at a stage. The zero Behaviour is to accept.
type Behaviour struct {
	// Delay comes first.
	Delay time.Duration
	// HangUp closes the connection instead of replying. AtData it does so in the middle
	// of the message; AtEnd the message was taken, but the client does not hear of it.
	HangUp bool
	// Code and Text reply, such as 550 and "5.1.1 No such user". Code 0 accepts.
	Code int
	Text string
	// HangUpAfter closes the connection after the reply.
	HangUpAfter bool
}

// takes reports whether a message with this behaviour AtEnd counts as received.
func (b Behaviour) takes() bool { return b.Code == 0 || b.Code/100 == 2 }
