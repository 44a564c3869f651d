package cook

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/message"
)

// drop removes the fields that unwanted speaks of, by name in lower case, and reports whether there were any.
func (d *draft) drop(unwanted func(name string) bool) bool {
	before := len(d.header)
	d.header = d.header.Without(func(f message.Field) bool { return unwanted(strings.ToLower(f.Name)) })
	return len(d.header) < before
}

func (d *draft) dropNamed(names ...string) bool {
	return d.drop(func(name string) bool { return slices.Contains(names, name) })
}

// wellFormed makes every line end CRLF (RFC 5321, section 2.3.8), and every line of the header part of a field: for some
// programs any other line is the first of the body.
func wellFormed(d *draft) string {
	var notes []string
	raw := message.Join(d.header, d.body)
	crlf := bytes.Count(raw, []byte("\r\n"))
	if crlf != bytes.Count(raw, []byte("\n")) || crlf != bytes.Count(raw, []byte("\r")) {
		raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
		msg := message.Parse(bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")))
		d.header, d.body = msg.Header(), msg.Body()
		notes = append(notes, "line ends made CRLF")
	}
	ugly := false
	d.header = d.header.Without(func(f message.Field) bool { return f.Name == "" })
	for i, f := range d.header {
		if isBroken(f) {
			d.header[i], ugly = message.NewField(f.Name, f.Value()), true
		}
	}
	if ugly {
		notes = append(notes, "stray lines of the header joined")
	}
	return strings.Join(notes, ", ")
}

// isBroken reports whether a line of the field after its first does not begin with white space, or holds nothing else (RFC 5322, section 2.2.3).
func isBroken(f message.Field) bool {
	first := true
	for line := range bytes.Lines(f.Raw) {
		if !first && (line[0] != ' ' && line[0] != '\t' || len(bytes.TrimSpace(line)) == 0) {
			return true
		}
		first = false
	}
	return !bytes.HasSuffix(f.Raw, []byte("\r\n"))
}

// identify adds the fields every message must have (RFC 5322, section 3.6).
func identify(d *draft) string {
	var added []string
	if message.MessageID(d.header.Get("Message-ID")) == "" {
		d.header = d.header.Set(message.NewField("Message-ID", "<"+d.Post.MessageID+">"))
		added = append(added, "Message-ID")
	}
	if d.header.Get("Date") == "" {
		d.header = d.header.Set(message.NewField("Date", d.Post.Received.Format(time.RFC1123Z)))
		added = append(added, "Date")
	}
	if len(added) == 0 {
		return ""
	}
	return "added " + strings.Join(added, " and ")
}

// secrets removes what was written for the list, or for one receiver: passwords of moderators, traces of delivery, and links that unsubscribe somebody from elsewhere.
func secrets(d *draft) string {
	if d.drop(func(name string) bool {
		switch name {
		case "urgent", "x-urgent",
			"bcc", "resent-bcc", "return-path", "delivered-to", "x-delivered-to", "x-original-to", "x-envelope-to", "envelope-to",
			"list-unsubscribe", "list-unsubscribe-post", "x-list-unsubscribe", "errors-to":
			return true
		}
		return strings.HasPrefix(name, "x-admin")
	}) {
		return "secrets removed"
	}
	return ""
}

// approval removes "Approved: …", in the header or as the first line of the text.
func approval(d *draft) string {
	before := d.message()
	_, msg := list.TakeApproval(before)
	if len(msg.Raw()) == len(before.Raw()) {
		return ""
	}
	d.header, d.body = msg.Header(), msg.Body()
	return "approval removed"
}

// receipts removes requests that thousands of readers would answer.
func receipts(d *draft) string {
	if d.dropNamed("disposition-notification-to", "disposition-notification-options", "return-receipt-to", "return-receipt-requested",
		"read-receipt-to", "x-confirm-reading-to", "x-pmrqc", "generate-delivery-report", "registered-mail-reply-requested-by",
		"x-acknowledge-to", "x-chameleon-return-to") {
		return "receipt requests removed"
	}
	return ""
}

// authenticationResults puts what we found on top and removes what claims to be by us (RFC 8601, section 5).
func authenticationResults(d *draft) string {
	h := mailauth.StripForged(d.header, d.Site.Hostname)
	ours := d.Post.Auth.Header(d.Site.Hostname, d.Post.Author.String())
	raw := "Authentication-Results: " + ours + "\r\n" // folded already
	d.header = h.Prepend(message.Field{Name: "Authentication-Results", Raw: []byte(raw)})
	return ""
}

// anonymise keeps only the fields that say nothing about the author, of those that a reader needs.
func anonymise(d *draft) string {
	if !d.List.Settings.AnonymousList {
		return ""
	}
	d.drop(func(name string) bool {
		switch name {
		case "subject", "message-id", "in-reply-to", "references", "to", "cc", "date", "mime-version", "x-no-archive", "archive":
			return false
		}
		return !strings.HasPrefix(name, "content-")
	})
	if t, ok := d.message().Date(); ok {
		d.header = d.header.Set(message.NewField("Date", t.UTC().Format(time.RFC1123Z)))
	}
	for _, name := range []string{"To", "Cc"} {
		d.withoutAuthor(name)
	}
	d.header = d.header.Prepend(message.NewField("From", d.listMailbox(d.List.Title())))
	return "author removed"
}

// withoutAuthor takes the author's own address out of an address field.
func (d *draft) withoutAuthor(name string) {
	boxes, _ := address.ParseList(d.header.Get(name), message.DecodeHeader)
	others := slices.DeleteFunc(slices.Clone(boxes), func(b address.Mailbox) bool { return b.Address.Key() == d.Post.Author.Key() })
	if len(others) == len(boxes) {
		return
	}
	d.dropNamed(strings.ToLower(name))
	if len(others) > 0 {
		d.header = append(d.header, message.NewField(name, mailboxes(others)))
	}
}

// mailboxes writes an address list.
func mailboxes(boxes []address.Mailbox) string {
	written := make([]string, len(boxes))
	for i, box := range boxes {
		written[i] = wireMailbox(box)
	}
	return strings.Join(written, ", ")
}

// listMailbox is the list's address with a display name.
func (d *draft) listMailbox(name string) string {
	return wireMailbox(address.Mailbox{Name: name, Address: d.List.Address})
}

// wireMailbox writes a mailbox in ASCII (RFC 5322, section 3.4). An address that needs SMTPUTF8 becomes an empty group of
// its name (RFC 6857, section 3.1.8): it can be read, but no longer be sent to.
func wireMailbox(m address.Mailbox) string {
	if m.Address.IsASCII() {
		if a, err := address.New(m.Address.Local(), m.Address.ASCIIDomain()); err == nil {
			m.Address = a
		}
		return m.String()
	}
	name := strings.TrimSpace(m.Name + " " + m.Address.String())
	return wirePhrase(name) + ": ;"
}

// wirePhrase writes a phrase as atoms, a quoted string or encoded words (RFC 5322, section 3.2.5).
func wirePhrase(s string) string {
	const stand = "a@b"
	written := address.Mailbox{Name: s, Address: address.Must(stand)}.String()
	return strings.TrimSuffix(strings.TrimSuffix(written, "<"+stand+">"), " ")
}
