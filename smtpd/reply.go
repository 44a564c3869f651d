package smtpd

import (
	"fmt"
	"strings"

	"github.com/emersion/go-smtp"
)

// This file is the only place where a decision or an error becomes an SMTP code.
// An error of ours is always 4xx: a full disk or a bug must not bounce mail.

// maxReplyText keeps a reply line within the 512 octets of RFC 5321, section 4.5.3.1.5.
const maxReplyText = 400

var errorReply = Reply{Code: 451, Enhanced: [3]int{4, 3, 0}, Text: "Error in processing, please try again later"}

// panicReply also ends the connection, whose state nobody can vouch for.
var panicReply = Reply{Code: 421, Enhanced: [3]int{4, 3, 0}, Text: "Error in processing, closing connection"}

// clean returns the reply as it may be sent: a code of a class that exists, an enhanced
// code of the same class, and one line of printable ASCII.
// A code that makes no sense is an error of ours.
func (r Reply) clean() Reply {
	if r.Code == 0 {
		r.Code = 250
	}
	class := r.Code / 100
	if r.Code > 599 || class != 2 && class != 4 && class != 5 {
		return errorReply
	}
	if r.Enhanced[0] != class || !inRange(r.Enhanced[1]) || !inRange(r.Enhanced[2]) {
		r.Enhanced = [3]int{class, 0, 0}
	}
	if r.Text = asciiLine(r.Text, maxReplyText); r.Text == "" {
		r.Text = defaultText(class)
	}
	return r
}

// inRange reports whether n may be the subject or detail of an enhanced code (RFC 3463, section 2).
func inRange(n int) bool { return n >= 0 && n <= 999 }

func defaultText(class int) string {
	switch class {
	case 2:
		return "OK"
	case 4:
		return "Please try again later"
	default:
		return "Refused"
	}
}

// line returns the reply as a line on the wire.
func (r Reply) line() string {
	r = r.clean()
	return fmt.Sprintf("%d %d.%d.%d %s\r\n", r.Code, r.Enhanced[0], r.Enhanced[1], r.Enhanced[2], r.Text)
}

// asError returns what go-smtp has to see to take a command as refused, or nil.
func (r Reply) asError() error {
	r = r.clean()
	if r.OK() {
		return nil
	}
	return &smtp.SMTPError{Code: r.Code, EnhancedCode: smtp.EnhancedCode(r.Enhanced), Message: r.Text}
}

// asciiLine reduces text to at most limit printable ASCII characters on one line.
func asciiLine(text string, limit int) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case b.Len() >= limit:
			return strings.TrimSpace(b.String())
		case r == '\r' || r == '\n' || r == '\t':
			b.WriteByte(' ')
		case r < ' ' || r == 0x7f:
			// Control characters have no place in a reply.
		case r > '~':
			b.WriteByte('?')
		default:
			b.WriteByte(byte(r))
		}
	}
	return strings.TrimSpace(b.String())
}
