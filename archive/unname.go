package archive

import (
	"bytes"
	"encoding/base64"
	"mime/quotedprintable"
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
	raw, _ = unnamed(people, raw)
	return raw
}

// unnamed replaces people in a message: in the header, where fields other than the usual ones are dropped when they name somebody, and in
// text parts, whatever their charset and encoding. Signatures, which then no longer fit, go. What is in attachments of other kinds stays.
func unnamed(people []Person, raw []byte) (out []byte, changed bool) {
	if len(people) == 0 {
		return raw, false
	}
	msg := message.Parse(raw)
	if from, err := address.ParseList(msg.Header().Get("From"), msg.Header().Decode); err == nil && len(from) > 0 {
		people = asAuthor(people, from[0].Name, from[0].Address.String())
	}
	header, inHeader := unnameHeader(people, msg.Header())
	body, inBody := unnameBody(people, msg)
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

// unnameBody replaces people in the text parts of a body, and then in all that is written plainly, such as the header of a message within.
func unnameBody(people []Person, msg *message.Message) (body []byte, changed bool) {
	body = msg.Body()
	var out []byte
	done := 0
	for _, p := range msg.Parts() {
		if p.IsMultipart() || len(p.Raw) == 0 || !strings.HasPrefix(p.ContentType, "text/") {
			continue
		}
		edited, found := unnamePart(people, p)
		if !found {
			continue
		}
		at := bytes.Index(body[done:], p.Raw)
		if at < 0 {
			continue // unreachable: parts come in the order of the body
		}
		out = append(append(out, body[done:done+at]...), edited...)
		done += at + len(p.Raw)
		changed = true
	}
	out = append(out, body[done:]...)
	plain, found := unname(people, string(out))
	return []byte(plain), changed || found
}

// unnamePart replaces people in a text part, and writes it in its charset again if that holds the labels, and in its encoding.
func unnamePart(people []Person, p message.Part) (raw []byte, changed bool) {
	text, charset := message.DecodeCharset(p.Params["charset"], p.Decode())
	text, changed = unname(people, text)
	if !changed {
		return nil, false
	}
	b, ok := message.EncodeCharset(charset, text)
	if !ok {
		b = []byte(text) // readers of mail guess UTF-8 where the charset does not fit
	}
	encoding := strings.ToLower(strings.TrimSpace(p.Header.Get("Content-Transfer-Encoding")))
	return encodeTransfer(encoding, b, bytes.HasSuffix(p.Raw, []byte("\n"))), true
}

// encodeTransfer writes data in a content transfer encoding; ended says whether the last line of base64 has its line end.
func encodeTransfer(encoding string, data []byte, ended bool) []byte {
	var b bytes.Buffer
	switch encoding {
	case "quoted-printable":
		w := quotedprintable.NewWriter(&b)
		w.Write(data) // a bytes.Buffer takes everything
		w.Close()
	case "base64":
		text := base64.StdEncoding.EncodeToString(data)
		for len(text) > 76 {
			b.WriteString(text[:76] + "\r\n")
			text = text[76:]
		}
		b.WriteString(text)
		if ended {
			b.WriteString("\r\n")
		}
	default:
		return data
	}
	return b.Bytes()
}
