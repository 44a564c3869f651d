package message

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Message is a raw message (RFC 5322) with its header split into fields. It is immutable.
type Message struct {
	raw    []byte
	header Header
	body   int // offset in raw
}

// Parse splits raw into header and body. It never fails: a line without a colon is kept as
// part of what stands before it, a missing blank line means an empty body.
// Lines end in CRLF, or in LF for mail from old files. The message keeps raw,
// which must not change afterwards.
func Parse(raw []byte) *Message {
	header, body := splitHeader(raw, nil)
	return &Message{raw: raw, header: header, body: body}
}

// Raw returns the message as it came.
func (m *Message) Raw() []byte { return m.raw }

// Body returns what follows the blank line.
func (m *Message) Body() []byte { return slices.Clip(m.raw[m.body:]) }

// Header returns the header fields in order.
func (m *Message) Header() Header { return slices.Clip(m.header) }

// Limits that Check enforces on what comes from outside.
type Limits struct {
	HeaderBytes int // of the whole top header
	Fields      int // header fields
	Depth       int // MIME nesting
	Parts       int // MIME parts in all
	Received    int // hops
}

// DefaultLimits are what the daemon accepts unless configured otherwise.
var DefaultLimits = Limits{HeaderBytes: 128 << 10, Fields: 500, Depth: 20, Parts: 200, Received: 100}

// Check says which limit the message breaks, in a sentence for an SMTP reply, or "".
// It reads no more of the message than it must.
func (m *Message) Check(l Limits) string {
	if m.body > l.HeaderBytes {
		return fmt.Sprintf("The header has %d bytes, the limit is %d.", m.body, l.HeaderBytes)
	}
	if n := len(m.header); n > l.Fields {
		return fmt.Sprintf("The header has %d fields, the limit is %d.", n, l.Fields)
	}
	if n := len(m.header.All("Received")); n > l.Received {
		return fmt.Sprintf("The message has passed %d hosts (Received fields), the limit is %d.", n, l.Received)
	}
	w := walker{body: m.Body(), limits: l, strict: true}
	w.walk(m.header)
	switch {
	case w.tooDeep:
		return fmt.Sprintf("MIME parts are nested %d deep or more, the limit is %d.", l.Depth+1, l.Depth)
	case w.tooMany:
		return fmt.Sprintf("The message has %d MIME parts or more, the limit is %d.", l.Parts+1, l.Parts)
	}
	return ""
}

// maxFields bounds what a header bomb costs in memory.
const maxFields = 10_000

// splitHeader reads the fields at the start of raw and returns them with the
// offset of what follows the blank line. A line for which stop is true ends the
// header as well, and is not part of it.
func splitHeader(raw []byte, stop func(line []byte) bool) (h Header, next int) {
	start := 0 // of the field being read
	if stop == nil {
		h = make(Header, 0, 48) // what came by a list has as many
	}
	name := ""
	finish := func(end int) {
		if end > start {
			h = append(h, Field{Name: name, Raw: raw[start:end:end]})
		}
		start = end
	}
	for pos := 0; pos < len(raw); {
		line := raw[pos:lineEnd(raw, pos)]
		if (line[0] == '\r' || line[0] == '\n') && len(bytes.TrimRight(line, "\r\n")) == 0 {
			finish(pos)
			return h, pos + len(line)
		}
		if stop != nil && stop(line) {
			finish(pos)
			return h, pos
		}
		if n := fieldName(line); n != "" && len(h) < maxFields {
			finish(pos)
			name = n
		}
		pos += len(line)
	}
	finish(len(raw))
	return h, len(raw)
}

// lineEnd returns the offset after the line that starts at pos.
func lineEnd(b []byte, pos int) int {
	if i := bytes.IndexByte(b[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(b)
}

// fieldName returns the name of the field that starts on this line (RFC 5322,
// section 3.6.8; white space before the colon as in section 4.5), or "" if the
// line goes on with the field before it.
func fieldName(line []byte) string {
	if line[0] <= ' ' {
		return ""
	}
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return ""
	}
	name := line[:colon]
	if name[colon-1] <= ' ' {
		name = bytes.TrimRight(name, " \t")
	}
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return ""
		}
	}
	return string(name)
}

// Join returns header, blank line and body as one message.
func Join(h Header, body []byte) []byte {
	return append(h.appendTo(make([]byte, 0, h.size()+len(body))), body...)
}

// MessageID returns the first message identifier in value without "<>", or "".
func MessageID(value string) string {
	if ids := messageIDs(value, 1); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

// MessageIDs returns all identifiers of a References or In-Reply-To value, without "<>";
// no more than 1,000.
func MessageIDs(value string) []string { return messageIDs(value, 1000) }

// messageIDs finds what stands in "<>" (RFC 5322, section 3.6.4), or words
// with an "@" where nothing does.
func messageIDs(value string, most int) []string {
	const maxLen = 998 // of a line
	var ids []string
	keep := func(id string) {
		id = strings.Map(dropControlAndSpace, strings.ToValidUTF8(id, "\ufffd"))
		if id != "" && len(id) <= maxLen {
			ids = append(ids, id)
		}
	}
	for rest := value; len(ids) < most; {
		_, after, found := strings.Cut(rest, "<")
		end := strings.IndexAny(after, "<>")
		if !found || end < 0 {
			break
		}
		if after[end] == '>' {
			keep(after[:end])
			end++
		}
		rest = after[end:]
	}
	if len(ids) > 0 {
		return ids
	}
	for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;<>", r) }) {
		if strings.Contains(word, "@") && len(ids) < most {
			keep(word)
		}
	}
	return ids
}

func dropControlAndSpace(r rune) rune {
	if r <= ' ' || r >= 0x7f && r < 0xa0 {
		return -1
	}
	return r
}
