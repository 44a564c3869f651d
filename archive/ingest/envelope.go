package ingest

import (
	"bytes"
	"strings"
	"time"

	"kairan/smtpd/message"
)

// likeness is how much a line looks like the envelope line of an mbox.
type likeness int

const (
	unlike likeness = iota
	bare            // nothing but "From", or "From -"
	loose           // a time and a year
	strict          // a weekday and a month besides
)

// maxEnvelope is the longest envelope line, in bytes.
const maxEnvelope = 1000

// envelopeLike judges a line.
func envelopeLike(line []byte) likeness {
	rest, ok := envelopeWords(line)
	if !ok {
		return unlike
	}
	var clock, year, weekday, month bool
	for word := range bytes.FieldsSeq(rest) {
		word = bytes.TrimRight(word, ",")
		switch {
		case isClock(word):
			clock = true
		case len(word) == 4 && digits(word) && (word[0] == '1' || word[0] == '2'):
			year = true
		case len(word) == 3 && oneOf(word, "Mon Tue Wed Thu Fri Sat Sun"):
			weekday = true
		case len(word) == 3 && oneOf(word, "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"):
			month = true
		}
	}
	switch {
	case clock && year && weekday && month:
		return strict
	case clock && year:
		return loose
	case len(rest) == 0 || string(rest) == "-":
		return bare
	}
	return unlike
}

// envelopeWords returns what a line says behind "From".
func envelopeWords(line []byte) (rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(line, []byte("From "))
	return bytes.TrimSpace(rest), ok && len(rest) <= maxEnvelope
}

// isClock reports whether a word is 15:04 or 15:04:05.
func isClock(word []byte) bool {
	return len(word) >= 4 && len(word) <= 8 && word[0] >= '0' && word[0] <= '9' &&
		bytes.IndexByte(word, ':') > 0 && len(bytes.Trim(word, "0123456789:")) == 0
}

func digits(b []byte) bool { return len(b) > 0 && len(bytes.Trim(b, "0123456789")) == 0 }

func oneOf(word []byte, words string) bool { return strings.Contains(words, string(word)) }

// isField reports whether a line looks like a header field, or like an envelope line that was quoted and stands before them.
func isField(line []byte) bool {
	if bytes.HasPrefix(line, []byte(">From ")) {
		return true
	}
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || colon > 100 {
		return false
	}
	for _, c := range bytes.TrimRight(line[:colon], " \t") {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// isWholeField reports whether a line looks like a header field and like no address of a page.
func isWholeField(line []byte) bool {
	_, value, _ := bytes.Cut(line, []byte(":"))
	return isField(line) && (len(value) == 0 || bytes.IndexByte([]byte(" \t\r\n"), value[0]) >= 0)
}

// isEmpty reports whether there is nothing on a line.
func isEmpty(line []byte) bool { return len(bytes.TrimRight(line, "\r\n")) == 0 }

// envelopeTime reads the time of an envelope line, as UTC if it names no zone, or returns the zero time.
func envelopeTime(line []byte) time.Time {
	words := strings.Fields(string(line))
	for i, word := range words {
		if len(word) >= 3 && oneOf([]byte(word[:3]), "Mon Tue Wed Thu Fri Sat Sun") && i > 0 {
			return date(strings.Join(words[i:], " "))
		}
	}
	return time.Time{}
}

// date reads a date as a header writes it, or returns the zero time.
func date(value string) time.Time {
	if t, ok := message.Parse([]byte("Date: " + value + "\r\n\r\n")).Date(); ok {
		return t
	}
	return time.Time{}
}

// isMangled reports whether an envelope line writes an address as pipermail does.
func isMangled(line []byte) bool {
	words := bytes.Fields(line)
	return len(words) > 4 && string(words[2]) == "at" && bytes.IndexByte(words[3], '.') > 0
}
