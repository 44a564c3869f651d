package cook

import (
	"bytes"
	"strings"

	"kairan/smtpd/message"
)

// longLines encodes parts whose lines are longer than mail allows, and says where 8-bit text stays (RFC 5321, section 4.5.3.1.6).
func longLines(d *draft) string {
	var notes []string
	if longest(d.body) > maxLine && d.encodeLong() {
		notes = append(notes, "parts with long lines encoded")
	}
	if longest(d.body) > maxLine { // outside any part, or in one that may not be encoded
		d.body = foldBody(d.body)
		notes = append(notes, "long lines folded")
	}
	if !sevenBit(d.body) {
		notes = append(notes, "8-bit body")
	}
	return strings.Join(notes, ", ")
}

// encodeLong encodes each leaf that has a long line, and reports whether there was one.
func (d *draft) encodeLong() (found bool) {
	for _, p := range d.message().Parts() {
		kind, _, _ := strings.Cut(p.ContentType, "/")
		if p.IsMultipart() || kind == "multipart" || kind == "message" || longest(p.Raw) <= maxLine {
			continue // RFC 2046, section 5.2.1: a message is not encoded
		}
		found = true
		coding, encoded := "base64", message.EncodeBase64(p.Decode())
		if kind == "text" {
			coding, encoded = encode(p.Decode())
		}
		field := message.NewField("Content-Transfer-Encoding", coding)
		if p.Path == "" {
			d.body = encoded
			d.header = d.header.Set(field)
			d.mime()
			continue
		}
		was := message.Join(p.Header, p.Raw)
		d.body = bytes.Replace(d.body, was, message.Join(p.Header.Set(field), encoded), 1)
	}
	return found
}

// foldBody breaks lines that are too long, between characters of UTF-8 where it can.
func foldBody(body []byte) []byte {
	b := make([]byte, 0, len(body)+len(body)/400)
	for line := range bytes.Lines(body) {
		for len(bytes.TrimRight(line, "\r\n")) > maxLine {
			n := maxLine
			for n > maxLine-4 && line[n]&0xc0 == 0x80 {
				n--
			}
			b = append(append(b, line[:n]...), '\r', '\n')
			line = line[n:]
		}
		b = append(b, line...)
	}
	return b
}
