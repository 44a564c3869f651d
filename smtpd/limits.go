package smtpd

import (
	"time"

	"kairan/smtpd/message"
)

// Limits bound what clients may use. A field that is zero means its default.
type Limits struct {
	MessageBytes  int64          // size of a message (RFC 1870); default 25 MiB
	InFlightBytes int64          // sum of the messages being received at one time; default 512 MiB
	LineBytes     int            // length of a line with its CRLF, in a command or a message; default 2000, at most 16 KiB
	Message       message.Limits // of header and structure; default message.DefaultLimits

	Recipients    int // of one message, then 452; default 1000
	Messages      int // on one connection, then 421; default 1000
	BadRecipients int // refused for good on one connection, then 421; default 20
	BadCommands   int // commands refused on one connection, then 421; default 10
	IdleCommands  int // NOOP, RSET, VRFY, EHLO… since the last message, then 421; default 100

	Connections int // open at one time; default 1000
	PerIP       int // open at one time from one address; default 20
	PerNetwork  int // open at one time from one IPv4 /24 or IPv6 /64; default 50

	// Idle is how long a client may take for one whole command line.
	// RFC 5321, section 4.5.3.2.7 asks for at least 5 minutes, which is the default.
	Idle time.Duration
	// Grace and BytesPerSecond bound the time for a message: after n bytes a client
	// has had at most Grace plus n/BytesPerSecond. The defaults are 5 minutes and 2048.
	Grace          time.Duration
	BytesPerSecond int64
	// Write is how long a client may take to accept a reply; default 1 minute.
	Write time.Duration
	// Handling bounds each call of the Handler; default 4 minutes, less than the
	// 5 minutes for RCPT and 10 minutes for the final reply that clients wait.
	Handling time.Duration
}

// withDefaults returns the limits with each zero field replaced by its default.
func (l Limits) withDefaults() Limits {
	or(&l.MessageBytes, 25<<20)
	or(&l.InFlightBytes, 512<<20)
	or(&l.LineBytes, 2000)
	l.LineBytes = min(l.LineBytes, bufferSize)
	or(&l.Message, message.DefaultLimits)
	or(&l.Recipients, 1000)
	or(&l.Messages, 1000)
	or(&l.BadRecipients, 20)
	or(&l.BadCommands, 10)
	or(&l.IdleCommands, 100)
	or(&l.Connections, 1000)
	or(&l.PerIP, 20)
	or(&l.PerNetwork, 50)
	or(&l.Idle, 5*time.Minute)
	or(&l.Grace, 5*time.Minute)
	or(&l.BytesPerSecond, 2048)
	or(&l.Write, time.Minute)
	or(&l.Handling, 4*time.Minute)
	return l
}

func or[T comparable](field *T, otherwise T) {
	var zero T
	if *field == zero {
		*field = otherwise
	}
}
