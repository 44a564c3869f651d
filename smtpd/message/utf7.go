package message

import (
	"strings"
	"unicode/utf16"
)

// decodeUTF7 decodes UTF-7 (RFC 2152); what is no UTF-7 is U+FFFD.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		c := b[0]
		b = b[1:]
		if c >= 0x80 {
			out.WriteRune('\ufffd')
			continue
		}
		if c != '+' {
			out.WriteByte(c)
			continue
		}
		n := 0
		for n < len(b) && base64Value(b[n]) >= 0 {
			n++
		}
		ended := n < len(b) && b[n] == '-'
		if n == 0 && ended {
			out.WriteByte('+')
		} else {
			utf7Run(&out, b[:n])
		}
		if b = b[n:]; ended {
			b = b[1:]
		}
	}
	return out.String()
}

// utf7Run writes what stands between a "+" and the end of its base64: UTF-16, the octet of greater weight first, and less than a character
// of zero bits.
func utf7Run(out *strings.Builder, b []byte) {
	var units []uint16
	bits, n := uint32(0), 0
	for _, c := range b {
		bits = bits<<6 | uint32(base64Value(c))
		if n += 6; n >= 16 {
			n -= 16
			units = append(units, uint16(bits>>n))
			bits &= 1<<n - 1
		}
	}
	out.WriteString(string(utf16.Decode(units))) // a surrogate alone is U+FFFD
	if n >= 6 || bits != 0 || len(b) == 0 {
		out.WriteRune('\ufffd')
	}
}

// base64Value returns what a character of base64 stands for, or -1.
func base64Value(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}
