package smtpd

import (
	"net/netip"
	"strings"
	"time"

	"kairan/smtpd/message"
)

// Received returns the trace field that the receiving host, hostname, puts on top of
// the message (RFC 5321, section 4.4). What the client said is reduced to characters
// that cannot end the field or open a comment.
func (e *Envelope) Received(hostname string) message.Field {
	var b strings.Builder
	b.WriteString("from " + traceWord(e.Helo) + " (" + addressLiteral(e.RemoteIP) + ")")
	b.WriteString(" by " + traceWord(hostname) + " with " + e.protocol())
	b.WriteString(" id " + traceWord(e.ID) + "; " + e.At.Format(time.RFC1123Z))
	return message.NewField("Received", b.String())
}

// protocol names how the message came, as registered by RFC 3848 and RFC 6531, section 4.3.
func (e *Envelope) protocol() string {
	name := "ESMTP"
	switch {
	case e.LMTP && e.UTF8:
		name = "UTF8LMTP"
	case e.LMTP:
		name = "LMTP"
	case e.UTF8:
		name = "UTF8SMTP"
	case e.Basic && !e.TLS: // TLS was begun with EHLO, and RFC 3848 has no other name for it
		name = "SMTP"
	}
	if e.TLS {
		name += "S"
	}
	return name
}

// addressLiteral writes an address as RFC 5321, section 4.1.3 does.
func addressLiteral(ip netip.Addr) string {
	ip = ip.Unmap()
	switch {
	case !ip.IsValid():
		return "local socket"
	case ip.Is4():
		return "[" + ip.String() + "]"
	default:
		return "[IPv6:" + ip.WithZone("").String() + "]"
	}
}

// traceWord keeps what a host name, an address literal or an identifier is made of.
func traceWord(s string) string {
	word := strings.Map(func(r rune) rune {
		if isNameChar(r) {
			return r
		}
		return -1
	}, s[:min(len(s), 255)])
	if word == "" {
		return "unknown"
	}
	return word
}

// isNameChar reports whether r may stand in a host name or an address literal.
// The underscore is no part of RFC 5321, but many real clients have one.
func isNameChar(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		strings.ContainsRune(".-_:[]", r)
}
