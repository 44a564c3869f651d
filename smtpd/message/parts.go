package message

import (
	"bytes"
	"strconv"
	"strings"
)

// Part is a leaf or a container of the MIME tree, in the order of the message.
type Part struct {
	Path        string // "1.2": position in the tree, "" for the message itself
	Header      Header
	ContentType string            // lower case, "text/plain" if absent or unreadable
	Params      map[string]string // of Content-Type; names in lower case
	Disposition string            // "inline", "attachment" or ""
	Filename    string            // decoded (RFC 2231, RFC 2047, raw), base name only, safe
	Raw         []byte            // the body as in the message, encoded

	container bool
}

// Parts walks the MIME tree without recursion and returns its leaves and containers within
// DefaultLimits; what lies beyond them is returned as opaque leaves. A multipart
// without a boundary that occurs is such a leaf too, and message/rfc822 is a leaf.
func (m *Message) Parts() []Part {
	w := walker{body: m.Body(), limits: DefaultLimits}
	w.walk(m.header)
	return w.parts
}

// IsMultipart reports whether the part only holds others.
func (p Part) IsMultipart() bool { return p.container }

// Decode undoes the content transfer encoding; damaged input gives what could be read.
func (p Part) Decode() []byte {
	if p.container {
		return p.Raw // RFC 2045, section 6.4: a multipart is not encoded
	}
	return decodeTransfer(p.encoding(), p.Raw)
}

// Encode returns data as the part's body has it: in its content transfer encoding, and with a line end after base64 only if it has one.
func (p Part) Encode(data []byte) []byte {
	switch p.encoding() {
	case "base64":
		b := EncodeBase64(data)
		if !bytes.HasSuffix(p.Raw, []byte("\n")) {
			b = bytes.TrimSuffix(b, []byte("\r\n"))
		}
		return b
	case "quoted-printable":
		return EncodeQuotedPrintable(data)
	}
	return data
}

// IsEncoded reports whether the body of the part is in an encoding that hides what it says.
func (p Part) IsEncoded() bool {
	encoding := p.encoding()
	return encoding == "base64" || encoding == "quoted-printable"
}

// IsMessage reports whether the part is a message of its own (RFC 2046, section 5.2.1; RFC 6532).
func (p Part) IsMessage() bool {
	switch p.ContentType {
	case "message/rfc822", "message/global", "message/news":
		return true
	}
	return false
}

// encoding is the content transfer encoding in lower case.
func (p Part) encoding() string {
	encoding, _, _ := strings.Cut(p.Header.Get("Content-Transfer-Encoding"), ";")
	return strings.ToLower(strings.Trim(encoding, " \t\"'"))
}

// walker reads a MIME body line by line, once.
type walker struct {
	body   []byte
	limits Limits
	strict bool // stop where a limit is broken

	parts  []Part
	starts []int   // offset of the body of each part
	open   []frame // containers, outermost first
	leaf   int     // the leaf being read, -1 if none

	tooDeep, tooMany bool
}

// frame is a multipart whose boundary is looked for.
type frame struct {
	part     int
	boundary []byte
	children int
	digest   bool
	closed   bool // its last boundary has come
}

// walk reads the body that belongs to header.
func (w *walker) walk(header Header) {
	w.leaf = -1
	w.begin("", header, 0, false)
	for pos := 0; pos < len(w.body) && len(w.open) > 0; {
		if w.strict && (w.tooDeep || w.tooMany) {
			return
		}
		end := lineEnd(w.body, pos)
		level, last := w.match(w.body[pos:end])
		if level < 0 {
			pos = end
			continue
		}
		w.finish(pos, level)
		switch {
		case last:
			w.open[level].closed = true
		case len(w.parts) >= w.limits.Parts:
			w.tooMany = true
			w.opaque(end)
			return
		default:
			end = w.child(end)
		}
		pos = end
	}
	w.finish(len(w.body), -1)
}

// match finds the open multipart whose boundary this line is (RFC 2046, section
// 5.1.1), the innermost first, and whether it is the last one of it.
func (w *walker) match(line []byte) (level int, last bool) {
	if !bytes.HasPrefix(line, []byte("--")) {
		return -1, false
	}
	line = bytes.TrimRight(line[2:], " \t\r\n")
	for i := len(w.open) - 1; i >= 0; i-- {
		f := &w.open[i]
		if f.closed || !bytes.HasPrefix(line, f.boundary) {
			continue
		}
		switch rest := string(line[len(f.boundary):]); rest {
		case "":
			return i, false
		case "--":
			return i, true
		}
	}
	return -1, false
}

// child begins the part that follows a boundary, and returns where its body starts.
func (w *walker) child(pos int) int {
	f := &w.open[len(w.open)-1]
	f.children++
	path := strconv.Itoa(f.children)
	if parent := w.parts[f.part].Path; parent != "" {
		path = parent + "." + path
	}
	header, next := splitHeader(w.body[pos:], func(line []byte) bool {
		level, _ := w.match(line)
		return level >= 0
	})
	w.begin(path, header, pos+next, f.digest)
	return pos + next
}

// begin adds a part whose body starts at pos.
func (w *walker) begin(path string, header Header, pos int, inDigest bool) {
	p := newPart(path, header, inDigest)
	w.parts = append(w.parts, p)
	w.starts = append(w.starts, pos)
	index := len(w.parts) - 1
	boundary := strings.TrimRight(p.Params["boundary"], " \t")
	if !strings.HasPrefix(p.ContentType, "multipart/") || boundary == "" {
		w.leaf = index
		return
	}
	if len(w.open) >= w.limits.Depth {
		w.tooDeep = true
		w.leaf = index
		return
	}
	w.open = append(w.open, frame{part: index, boundary: []byte(boundary), digest: p.ContentType == "multipart/digest"})
}

// finish ends the leaf and the containers within level at the line that starts
// at pos. The line end before a boundary belongs to the boundary.
func (w *walker) finish(pos, level int) {
	end := pos
	if level >= 0 {
		if end > 0 && w.body[end-1] == '\n' {
			end--
			if end > 0 && w.body[end-1] == '\r' {
				end--
			}
		}
	}
	w.end(w.leaf, end)
	if w.leaf >= 0 {
		if p := &w.parts[w.leaf]; p.encoding() == "base64" {
			end := base64End(p.Raw)
			p.Raw = p.Raw[:end:end]
		}
	}
	w.leaf = -1
	for _, f := range w.open[level+1:] {
		w.end(f.part, end)
		w.parts[f.part].container = f.children > 0
	}
	w.open = w.open[:level+1]
}

// end sets the body of a part.
func (w *walker) end(part, end int) {
	if part >= 0 {
		start := w.starts[part]
		end = max(start, end)
		w.parts[part].Raw = w.body[start:end:end]
	}
}

// opaque takes all that is left as one part, because there are too many.
func (w *walker) opaque(pos int) {
	f := w.open[len(w.open)-1]
	path := strings.TrimPrefix(w.parts[f.part].Path+"."+strconv.Itoa(f.children+1), ".")
	w.parts = append(w.parts, Part{Path: path, ContentType: "application/octet-stream"})
	w.starts = append(w.starts, pos)
	w.leaf = len(w.parts) - 1
	w.open[len(w.open)-1].children++
	w.finish(len(w.body), -1)
}

// newPart reads what the header says about a part.
func newPart(path string, header Header, inDigest bool) Part {
	p := Part{Path: path, Header: header, ContentType: "text/plain"}
	if inDigest {
		p.ContentType = "message/rfc822" // RFC 2046, section 5.1.5
	}
	main, params := parseParams(header.Get("Content-Type"))
	if kind, sub, ok := strings.Cut(main, "/"); ok && isToken(kind) && isToken(sub) {
		p.ContentType = main
	} else if main != "" && main != "text" {
		p.ContentType = "text/plain" // RFC 2045, section 5.2
	}
	p.Params = params
	disposition, more := parseParams(header.Get("Content-Disposition"))
	switch disposition {
	case "", "inline":
		p.Disposition = disposition
	default: // RFC 2183, section 2.8
		p.Disposition = "attachment"
	}
	p.Filename = safeName(more["filename"])
	if p.Filename == "" {
		p.Filename = safeName(params["name"])
	}
	return p
}
