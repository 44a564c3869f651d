package mbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Record is a message with what the archive knows about it.
type Record struct {
	Post     string    // opaque post ID; without it no X-Kairan field is written
	Number   uint64    // post number, 0 without one
	ID       string    // Message-ID without "<>"
	Seq      uint64    // position in the list's archive, 0 if unknown
	Received time.Time // from the envelope line if that is all there is, zero if unknown
	Old      string    // what the message was called in the archive it came from, such as "pipermail/12345"
	Raw      []byte    // the message

	// Checked says that the record carried length and sum of its message and that both are right.
	Checked bool
}

const fieldPrefix = "X-Kairan-"

// The X-Kairan fields of a record.
const (
	postField     = fieldPrefix + "ID"
	numberField   = fieldPrefix + "Number"
	idField       = fieldPrefix + "Message-ID"
	seqField      = fieldPrefix + "Seq"
	receivedField = fieldPrefix + "Received"
	oldField      = fieldPrefix + "Old"
	rawField      = fieldPrefix + "Raw"
)

// Append appends the record in mboxrd form to b.
// Without a Post the message alone is written, for files that leave the archive:
// bare LFs in it then become ordinary line ends when it is read.
func Append(b []byte, r Record) []byte {
	b = append(b, "From MAILER-DAEMON "...)
	b = r.Received.UTC().AppendFormat(b, time.ANSIC)
	b = append(b, '\n')
	keep := !canonical(r.Raw)
	if r.Post != "" {
		b = appendFields(b, r, keep)
	}
	for line := range bytes.Lines(r.Raw) {
		if isFromLine(line) {
			b = append(b, '>')
		}
		if keep {
			b = append(b, line...)
		} else {
			b = append(append(b, line[:len(line)-2]...), '\n')
		}
	}
	if len(r.Raw) > 0 && r.Raw[len(r.Raw)-1] != '\n' {
		b = append(b, '\n')
	}
	return append(b, '\n')
}

func appendFields(b []byte, r Record, keep bool) []byte {
	field := func(name, value string) {
		b = append(b, name...)
		b = append(b, ": "...)
		b = append(b, value...)
		b = append(b, '\n')
	}
	field(postField, quote(r.Post))
	if r.Number != 0 {
		field(numberField, strconv.FormatUint(r.Number, 10))
	}
	if r.ID != "" {
		field(idField, quote(r.ID))
	}
	if r.Seq != 0 {
		field(seqField, strconv.FormatUint(r.Seq, 10))
	}
	if !r.Received.IsZero() {
		field(receivedField, r.Received.UTC().Format(time.RFC3339Nano))
	}
	if r.Old != "" {
		field(oldField, quote(r.Old))
	}
	sum := sha256.Sum256(r.Raw)
	raw := strconv.Itoa(len(r.Raw)) + " " + hex.EncodeToString(sum[:])
	if keep {
		raw += " kept"
	}
	field(rawField, raw)
	return b
}

// canonical reports whether every line ends in CRLF.
func canonical(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		if !bytes.HasSuffix(line, []byte("\r\n")) {
			return false
		}
	}
	return true
}

// isFromLine reports whether a line is any number of ">" and "From ".
func isFromLine(line []byte) bool {
	if len(line) == 0 || line[0] != '>' && line[0] != 'F' { // almost every line
		return false
	}
	return bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From "))
}

// quote makes a value fit on a line.
func quote(s string) string {
	if strings.HasPrefix(s, `"`) || strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return strconv.QuoteToASCII(s)
	}
	return s
}

func unquote(s string) (string, bool) {
	if !strings.HasPrefix(s, `"`) {
		return s, true
	}
	s, err := strconv.Unquote(s)
	return s, err == nil
}
