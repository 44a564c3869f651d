package dsn

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"time"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// Undelivered is what a report of ours says.
type Undelivered struct {
	From       address.Address // a postmaster of ours; the envelope sender is null all the same
	To         address.Address // the envelope sender of the message that failed
	ID         string          // the report's own message identifier, without "<>"
	Host       string          // our name, for Reporting-MTA
	At         time.Time       // when the report is made
	Subject    string          // for people
	Text       string          // for people: what happened, and what to do
	Recipients []Recipient     // with Address, Action ("failed" if empty) and Status; Diagnostic and MTA if known
	Original   message.Header  // the header to return, or nil; the body is never returned
}

// Write returns a report as a multipart/report message with three parts (RFC 3464, RFC 6522), lines ending in CRLF.
// Whatever the fields hold cannot break out of their place. It is answered by nobody if it is sent with a null sender,
// which is the caller's to do.
func Write(u Undelivered) []byte {
	var text bytes.Buffer
	q := quotedprintable.NewWriter(&text)
	// unreachable: a bytes.Buffer takes every write.
	_, _ = q.Write([]byte(strings.ReplaceAll(strings.ReplaceAll(u.Text, "\r\n", "\n"), "\n", "\r\n") + "\r\n"))
	_ = q.Close()
	parts := []string{
		"Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + text.String(),
		"Content-Type: message/delivery-status\r\n\r\n" + u.status(),
	}
	if len(u.Original) > 0 {
		parts = append(parts, "Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"+crlf(u.Original))
	}
	// The boundary follows from what it parts, so no part can hold it.
	boundary := fmt.Sprintf("=_%x", sha256.Sum256([]byte(strings.Join(parts, "\x00"))))[:40]
	header := message.Header{
		message.NewField("From", "<"+u.From.Wire()+">"),
		message.NewField("To", "<"+u.To.Wire()+">"),
		message.TextField("Subject", u.Subject, "UTF-8"),
		message.NewField("Date", u.At.Format(time.RFC1123Z)),
		message.NewField("Message-ID", "<"+u.ID+">"),
		message.NewField("Auto-Submitted", "auto-replied"),
		message.NewField("MIME-Version", "1.0"),
		message.NewField("Content-Type", "multipart/report; report-type=delivery-status; boundary=\""+boundary+"\""),
	}
	var body strings.Builder
	for _, p := range parts {
		body.WriteString("--" + boundary + "\r\n" + p + "\r\n")
	}
	body.WriteString("--" + boundary + "--\r\n")
	return message.Join(header, []byte(body.String()))
}

// status is the machine-readable part.
func (u Undelivered) status() string {
	var out strings.Builder
	field := func(name, kind, value string) {
		if value != "" {
			out.WriteString(name + ": " + kind + escape(oneLine(value)) + "\r\n")
		}
	}
	field("Reporting-MTA", "dns; ", u.Host)
	for _, c := range u.Recipients {
		out.WriteString("\r\n")
		field("Original-Recipient", addressType(c.Original), c.Original.String())
		field("Final-Recipient", addressType(c.Address), c.Address.String())
		action := c.Action
		if action == "" {
			action = "failed"
		}
		field("Action", "", action)
		field("Status", "", c.Status)
		field("Remote-MTA", "dns; ", c.MTA)
		field("Diagnostic-Code", "smtp; ", c.Diagnostic)
	}
	return out.String()
}

// addressType is the type of an address in a delivery status (RFC 3464, section 2.3.1; RFC 6533, section 3).
func addressType(a address.Address) string {
	if a.IsASCII() {
		return "rfc822; "
	}
	return "utf-8; "
}

// escape writes what is not ASCII as RFC 6533, section 3 does (utf-8-addr-xtext), so that the part stays 7-bit.
func escape(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case r >= 0x80:
			fmt.Fprintf(&out, `\x{%X}`, r)
		case r >= ' ' && r != 0x7f:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// crlf returns header fields with CRLF ends and no blank line among them.
func crlf(h message.Header) string {
	var out strings.Builder
	for _, f := range h {
		for line := range strings.Lines(string(f.Raw)) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				out.WriteString(line + "\r\n")
			}
		}
	}
	return out.String()
}
