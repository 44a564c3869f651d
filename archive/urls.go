package archive

import "strings"

// EscapeSegment makes a name, such as a Message-ID, one path segment that stays readable. It leaves alone what RFC 3986
// (section 3.3) allows in a segment, and makes the pages' addresses and the links that are put into mails (Archived-At).
func EscapeSegment(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
