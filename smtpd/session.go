package address

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mailbox is an address with a display name, as in From: (RFC 5322, section 3.4).
type Mailbox struct {
	Name    string // decoded, UTF-8, no control characters
	Address Address
}

// String returns the mailbox for a header field: the name as atom, quoted
// string or encoded words (RFC 2047) as needed.
func (m Mailbox) String() string {
	name := cleanName(m.Name)
	switch {
	case name == "" && m.Address.IsNull():
		return "<>"
	case name == "":
		return m.Address.String()
	}
	return phrase(name) + " <" + m.Address.String() + ">"
}

// phrase writes a display name (RFC 5322, section 3.2.5). What looks like an
// encoded word is encoded itself, or the reader would decode it.
func phrase(name string) string {
	if !isASCII(name) || strings.Contains(name, "=?") || hasLongWord(name) {
		return encodedWords(name)
	}
	for i := range len(name) {
		if c := name[i]; c != ' ' && !isAtext(c) {
			return quote(name)
		}
	}
	return name
}

// hasLongWord reports whether a word is too long to be folded into lines.
func hasLongWord(s string) bool {
	for word := range strings.SplitSeq(s, " ") {
		if len(word) > 60 {
			return true
		}
	}
	return false
}

// encodedWords writes s as encoded words of at most 72 characters (RFC 2047,
// section 2), never split within a character.
func encodedWords(s string) string {
	const most = 45 // octets of text, 60 characters of base64
	var words []string
	for s != "" {
		n := min(most, len(s))
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n--
		}
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

// cleanName removes control and direction characters and white space that
// means nothing, so that a name cannot pretend to be more than a name.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }), " ")
}
