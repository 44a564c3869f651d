package archive

import "strings"

// EscapeSegment makes a name, such as a Message-ID, one path segment that stays readable. It leaves alone what RFC 3986
// (section 3.3) allows in a segment, and makes the pages' addresses and the links that are put into mails (Archived-At).
func EscapeSegment(s string) string {
	const hex = "0123456789ABCDEF"
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 || !inSegment(byte(r)) }) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if inSegment(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// inSegment reports whether a byte may stand in a path segment.
func inSegment(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0
}
