package archive

import (
	"bytes"
	"slices"

	"kairan/smtpd/message"
)

// privateFields are not shown to strangers: they tell about those who received the message, about
// the author's network, or give a right to whoever knows them. DKIM-Signature stays,
// as a proof of who wrote it; ARC fields vouch for a way that is no longer told. A name that ends in "-" stands for all that begin so.
var privateFields = map[string]bool{
	"received": true, "x-received": true, "return-path": true, "delivered-to": true,
	"x-original-to": true, "envelope-to": true, "x-envelope-to": true, "x-rcpt-to": true, "apparently-to": true,
	"bcc": true, "resent-bcc": true,
	"list-unsubscribe": true, "list-unsubscribe-post": true,
	"arc-": true, "x-kairan-": true, "x-google-": true, "x-gm-": true, "x-ms-exchange-": true,
	"x-originating-ip": true, "x-sender-ip": true, "x-client-ip": true,
	"approved": true, "approve": true, "x-approved": true, "x-approve": true,
}

// shownFields stay even with a token in them, which is masked.
var shownFields = map[string]bool{
	"subject": true, "from": true, "to": true, "cc": true, "reply-to": true,
	"date": true, "message-id": true, "references": true, "in-reply-to": true,
}

// PublicText is [Public] for a text of a message that was decoded already.
func PublicText(text string) string {
	if hasSecret(text) {
		return string(mask([]byte(text)))
	}
	return text
}

// Public returns raw as it may leave the archive: without receivers' traces, bounce addresses and personal tokens. Every outlet of sources for strangers passes it; those of texts pass
// [PublicText].
//
// Of the header it drops the trace fields, the receivers' fields, List-Unsubscribe, ARC and
// X-Kairan fields, all Authentication-Results but the topmost (ours, added at receipt), and every field
// with an address or link that holds a token of ours. In the body, and in the fields that every
// reader needs, those tokens are replaced by "x"s of the same length, in parts in base64 or quoted-printable too. Messages within the
// message are treated in the same way. All other bytes stay.
func Public(raw []byte) []byte { return public(raw, 0) }

func public(raw []byte, depth int) []byte {
	msg := message.Parse(raw)
	all := msg.Header()
	h := publicHeader(all)
	body := mask(rewriteBody(msg, func(p message.Part) ([]byte, bool) {
		if p.IsMessage() && depth < maxWithin {
			return rewriteWithin(p, func(raw []byte) []byte { return public(raw, depth+1) })
		}
		return maskEncoded(p)
	}, func(b []byte) []byte { return b }))
	if len(all) == 0 { // a part that says to be a message may begin in any way
		return append(slices.Clip(raw[:len(raw)-len(msg.Body())]), body...)
	}
	return message.Join(h, body)
}

func publicHeader(h message.Header) message.Header {
	var all []byte // hardly any header has a token, so all fields are looked at together first
	for _, f := range h {
		all = append(unfold(all, f.Raw), '\n')
	}
	secret := hasSecret(string(all))
	results := 0
	var space [64]byte // all names are shorter
	h = h.Without(func(f message.Field) bool {
		name := appendLower(space[:0], f.Name)
		if string(name) == "authentication-results" {
			results++
			return results > 1 || secret && hasSecret(string(unfold(nil, f.Raw)))
		}
		return isPrivate(name) || secret && !shownFields[string(name)] && hasSecret(string(unfold(nil, f.Raw)))
	})
	for i, f := range h {
		if secret {
			h[i].Raw = mask(f.Raw)
		}
	}
	return h
}

// appendLower appends a name in lower case.
func appendLower(b []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

func isPrivate(name []byte) bool {
	if privateFields[string(name)] {
		return true
	}
	for i, c := range name {
		if c == '-' && privateFields[string(name[:i+1])] {
			return true
		}
	}
	return false
}

// unfold appends the lines of a field without white space, so that a fold does not hide what it holds.
func unfold(b, field []byte) []byte {
	for word := range bytes.FieldsSeq(field) {
		b = append(b, word...)
	}
	return b
}

// maskEncoded masks the tokens in a part whose encoding may hide them. changed is false if there are none.
func maskEncoded(p message.Part) (masked []byte, changed bool) {
	if !p.IsEncoded() {
		return nil, false
	}
	data := p.Decode()
	if !hasSecret(string(data)) {
		return nil, false
	}
	return p.Encode(mask(data)), true
}
