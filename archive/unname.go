package archive

import (
	"bytes"
	"strings"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// mailboxFields hold people; in them a mailbox is replaced whole.
var mailboxFields = map[string]bool{"from": true, "to": true, "cc": true, "reply-to": true, "sender": true}

// identifierFields hold identifiers, which stay, or the message would no longer be found.
var identifierFields = map[string]bool{"message-id": true, "references": true, "in-reply-to": true, "date": true}

// unnameRaw returns the message without the people.
func unnameRaw(people []Person, raw []byte) []byte {
	raw, _ = unnamed(people, raw, 0)
	return raw
}

// unnamed replaces people in a message: in the header, where fields other than the usual ones are dropped when they name somebody, in
// text parts, whatever their charset and encoding, and in messages within it; depth is how many it is within itself. Signatures, which
// then no longer fit, go. What is in attachments of other kinds stays.
func unnamed(people []Person, raw []byte, depth int) (out []byte, changed bool) {
	if len(people) == 0 {
		return raw, false
	}
	msg := message.Parse(raw)
	if from, err := address.ParseList(msg.Header().Get("From"), msg.Header().Decode); err == nil && len(from) > 0 {
		people = asAuthor(people, from[0].Name, from[0].Address.String())
	}
	header, inHeader := unnameHeader(people, msg.Header())
	body, inBody := unnameBody(people, msg, depth)
	if !inHeader && !inBody {
		return raw, false
	}
	header = header.Without(func(f message.Field) bool {
		name := strings.ToLower(f.Name)
		return name == "dkim-signature" || name == "domainkey-signature" || strings.HasPrefix(name, "arc-")
	})
	return message.Join(header, body), true
}

func unnameHeader(people []Person, h message.Header) (out message.Header, changed bool) {
	for _, f := range h {
		name := strings.ToLower(f.Name)
		text, found := unname(people, h.Decode(f.Value()))
		switch {
		case !found || identifierFields[name]:
			out = append(out, f)
			continue
		case name == "subject":
			out = append(out, message.TextField(f.Name, text, "UTF-8"))
		case mailboxFields[name]:
			if edited, ok := unnameField(people, f, h.Decode); ok {
				out = append(out, edited)
			}
		}
		changed = true
	}
	return out, changed
}

// unnameField replaces people in a list of mailboxes; ok is false if it cannot be read.
func unnameField(people []Person, f message.Field, decode func(string) string) (edited message.Field, ok bool) {
	all, err := address.ParseList(f.Value(), decode)
	if err != nil || len(all) == 0 {
		return f, false
	}
	var words []string
	for _, box := range all {
		name, addr := unnameMailbox(people, box.Name, box.Address.String())
		if a, err := address.Parse(addr); err == nil {
			box.Address = a
		}
		box.Name = name
		words = append(words, box.String())
	}
	return message.NewField(f.Name, strings.Join(words, ", ")), true
}

// unnameBody replaces people in the texts of a body, and in the messages within it, and then in all that is written plainly.
func unnameBody(people []Person, msg *message.Message, depth int) (body []byte, changed bool) {
	out := rewriteBody(msg, func(p message.Part) ([]byte, bool) {
		switch {
		case p.IsMessage() && depth < maxWithin:
			return rewriteWithin(p, func(raw []byte) []byte {
				raw, _ = unnamed(people, raw, depth+1)
				return raw
			})
		case !strings.HasPrefix(p.ContentType, "text/"):
			return nil, false
		}
		data, ok := rewriteText(p, func(text string) string {
			text, _ = unname(people, text)
			return text
		})
		if !ok {
			return nil, false
		}
		return p.Encode(data), true
	}, func(b []byte) []byte { return b })
	plain, found := unname(people, string(out))
	return []byte(plain), found || !bytes.Equal(out, msg.Body())
}
