package archive

import "strings"

// EscapeSegment makes a name, such as a Message-ID, one path segment that stays readable. It leaves alone what RFC 3986
// (section 3.3) allows in a segment, and makes the pages' addresses and the links that are put into mails (Archived-At).
func EscapeSegment(s string) string {
	const hex = "0123456789ABCDEF"
	plain := 0
	for plain < len(s) && inSegment[s[plain]] {
		plain++
	}
	if plain == len(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if inSegment[c] {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// inSegment has the bytes that may stand in a path segment.
var inSegment = func() (in [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@") {
		in[c] = true
	}
	return in
}()
