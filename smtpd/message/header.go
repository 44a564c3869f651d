package message

import (
	"bytes"
	"slices"
	"strings"
)

// Field is one header field as it stands in the message: name, colon, value and line ends.
type Field struct {
	Name string // as written
	Raw  []byte // whole, with its line ends; not to be changed
}

// Value returns the value unfolded and trimmed, otherwise as written.
func (f Field) Value() string {
	raw := f.Raw
	if f.Name != "" {
		_, raw, _ = bytes.Cut(raw, []byte(":"))
	}
	if bytes.IndexByte(raw, '\n') == len(raw)-1 && bytes.IndexByte(raw, '\r') >= len(raw)-2 {
		return string(bytes.Trim(raw, " \t\r\n")) // one line, as most are
	}
	b := make([]byte, 0, len(raw))
	for i, c := range raw {
		switch c {
		case '\r':
		case '\n': // RFC 5322, section 2.2.3: the white space after it stays
			if i+1 < len(raw) && raw[i+1] != ' ' && raw[i+1] != '\t' {
				b = append(b, ' ')
			}
		default:
			b = append(b, c)
		}
	}
	return string(bytes.Trim(b, " \t"))
}

// Header is the fields of a message in order. Editing returns a new Header and leaves the bytes of other fields alone.
type Header []Field

// Get returns the value of the first field of that name (any case), or "".
func (h Header) Get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value()
		}
	}
	return ""
}

// Text is Get with encoded words decoded and control characters removed.
func (h Header) Text(name string) string { return h.Decode(h.Get(name)) }

// Decode is [DecodeHeader] for a value of this header: raw 8-bit bytes are likely to be in the charset of the text.
func (h Header) Decode(value string) string {
	if isASCII(value) {
		return DecodeHeader(value)
	}
	_, params := parseParams(h.Get("Content-Type"))
	charset := canonical(params["charset"])
	if strings.HasPrefix(charset, "iso-8859-1") || charset == "windows-1252" {
		charset = "" // many a program writes this and means nothing
	}
	return decodeHeader(value, charset)
}

// All returns the fields of that name, in order.
func (h Header) All(name string) []Field {
	var all []Field
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f)
		}
	}
	return all
}

// Without returns the header without the fields for which drop is true.
func (h Header) Without(drop func(Field) bool) Header {
	return slices.DeleteFunc(slices.Clone(h), drop)
}

// Prepend returns the header with fields on top, in the order given.
func (h Header) Prepend(fields ...Field) Header {
	return slices.Concat(Header(fields), h)
}

// Set replaces the first field of that name in its place and drops the others;
// it is appended at the end of the header if there is none.
func (h Header) Set(f Field) Header {
	edited := make(Header, 0, len(h)+1)
	done := false
	for _, old := range h {
		switch {
		case !strings.EqualFold(old.Name, f.Name):
			edited = append(edited, old)
		case !done:
			edited = append(edited, f)
			done = true
		}
	}
	if !done {
		edited = append(edited, f)
	}
	return edited
}

// size is how many bytes the header has, its blank line included, or a few less.
func (h Header) size() int {
	size := 2
	for _, f := range h {
		size += len(f.Raw) + 2
	}
	return size
}

// Bytes returns the header with the blank line that ends it. Its line end is
// that of the first field, CRLF if there is none.
func (h Header) Bytes() []byte { return h.appendTo(make([]byte, 0, h.size())) }

func (h Header) appendTo(b []byte) []byte {
	end := "\r\n"
	if len(h) > 0 && bytes.HasSuffix(h[0].Raw, []byte("\n")) && !bytes.HasSuffix(h[0].Raw, []byte("\r\n")) {
		end = "\n"
	}
	for _, f := range h {
		b = append(b, f.Raw...)
		if !bytes.HasSuffix(f.Raw, []byte("\n")) {
			b = append(b, end...)
		}
	}
	return append(b, end...)
}

// NewField makes a field from a value that is already in wire form (ASCII, or UTF-8 in an SMTPUTF8 message),
// folded at 78 columns where it has white space; CR, LF and NUL in name or value are removed.
// Unfolding gives back the value, so encoded words in it keep their bytes.
func NewField(name, value string) Field { return foldField(name, value, 78) }

// lineBreaks is what no field may hold inside its value.
var lineBreaks = strings.NewReplacer("\r", "", "\n", "", "\x00", "")

// foldField writes a field in lines of at most width octets where white space
// allows it (RFC 5322, section 2.2.3). It never folds before the first word,
// and never makes a line of nothing but white space.
func foldField(name, value string, width int) Field {
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || r == ':' {
			return -1
		}
		return r
	}, name)
	value = strings.Trim(lineBreaks.Replace(value), " \t")
	b := append(make([]byte, 0, len(name)+len(value)+len(value)/20+8), name...)
	b = append(b, ':')
	column := len(b)
	for first := true; value != ""; first = false {
		gap := len(value) - len(strings.TrimLeft(value, " \t"))
		word := strings.IndexAny(value[gap:], " \t")
		if word < 0 {
			word = len(value) - gap
		}
		space := value[:gap]
		if first {
			space = " "
		} else if column+gap+word > width {
			b = append(b, '\r', '\n')
			column = 0
		}
		b = append(append(b, space...), value[gap:gap+word]...)
		column += len(space) + word
		value = value[gap+word:]
	}
	return Field{Name: name, Raw: append(b, '\r', '\n')}
}
