package message

import (
	"bytes"
	"encoding/base64"
	"mime/quotedprintable"
	"unicode/utf8"
)

// decodeTransfer undoes a content transfer encoding (RFC 2045, section 6). An
// unknown one leaves the bytes as they are.
func decodeTransfer(encoding string, b []byte) []byte {
	switch encoding {
	case "base64":
		return decodeBase64(b)
	case "quoted-printable":
		return decodeQuotedPrintable(b)
	}
	return b
}

// decodeBase64 reads base64 with missing or early padding and foreign
// characters in it: each "=" ends a group, what is no base64 is passed over.
func decodeBase64(b []byte) []byte {
	out := make([]byte, 0, len(b)/4*3+3)
	var group uint32
	n := 0
	flush := func() { // two characters hold one octet, three hold two
		group <<= 6 * (4 - n)
		if n >= 2 {
			out = append(out, byte(group>>16))
		}
		if n >= 3 {
			out = append(out, byte(group>>8))
		}
		group, n = 0, 0
	}
	for _, c := range b {
		v := base64Values[c]
		if v == notBase64 {
			if c == '=' {
				flush()
			}
			continue
		}
		group = group<<6 | uint32(v)
		if n++; n == 4 {
			out = append(out, byte(group>>16), byte(group>>8), byte(group))
			group, n = 0, 0
		}
	}
	flush()
	return out
}

// base64End returns how much of a part is base64. Programs that knew no better put the footer of a list behind it: it begins with a
// line as footers have it, or, in a new line after padding, with anything that is no base64.
func base64End(b []byte) int {
	for _, line := range []string{"\n____", "\n-- "} {
		if i := bytes.Index(b, []byte(line)); i >= 0 {
			b = b[:i+1]
		}
	}
	for end := 0; ; {
		i := bytes.IndexByte(b[end:], '=')
		if i < 0 {
			return len(b)
		}
		if end += i + 1; isFooter(b[end:]) {
			return end + len(firstLine(b[end:])) + 1
		}
	}
}

// isFooter reports whether b, which follows padding, begins a new line with something that is no base64.
func isFooter(b []byte) bool {
	rest := bytes.TrimLeft(b, " \t\r\n")
	if len(rest) == 0 || bytes.IndexByte(b[:len(b)-len(rest)], '\n') < 0 {
		return false
	}
	line := bytes.TrimRight(firstLine(rest), "= \t\r\n")
	return bytes.HasPrefix(line, []byte("__")) || bytes.HasPrefix(line, []byte("--")) ||
		bytes.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf || base64Values[r] == notBase64 })
}

func firstLine(b []byte) []byte {
	if end := bytes.IndexByte(b, '\n'); end >= 0 {
		return b[:end]
	}
	return b
}

// notBase64 is the value of what is no digit of base64.
const notBase64 = 0xff

// base64Values are the values of the digits of base64, those for URLs too.
var base64Values = func() (values [256]byte) {
	for c := range values {
		values[c] = notBase64
	}
	for _, digits := range []string{
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
	} {
		for v := range len(digits) {
			values[digits[v]] = byte(v)
		}
	}
	return values
}()

// decodeQuotedPrintable reads quoted-printable; a "=" that starts no valid
// sequence stands for itself.
func decodeQuotedPrintable(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for line := range bytes.Lines(b) {
		text := bytes.TrimRight(line, "\r\n")
		end := line[len(text):]
		text = bytes.TrimRight(text, " \t") // added on the way, RFC 2045, section 6.7 (3)
		soft := bytes.HasSuffix(text, []byte("="))
		if soft {
			text = text[:len(text)-1]
		}
		for i := 0; i < len(text); i++ {
			if c, ok := hexPair(text, i+1); text[i] == '=' && ok {
				out = append(out, c)
				i += 2
			} else {
				out = append(out, text[i])
			}
		}
		if !soft {
			out = append(out, end...)
		}
	}
	return out
}

// hexPair reads two hexadecimal digits at i.
func hexPair[T string | []byte](s T, i int) (c byte, ok bool) {
	if i+1 >= len(s) {
		return 0, false
	}
	hi, ok1 := hexValue(s[i])
	lo, ok2 := hexValue(s[i+1])
	return hi<<4 | lo, ok1 && ok2
}

func hexValue(c byte) (v byte, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// EncodeQuotedPrintable encodes text (RFC 2045, section 6.7).
func EncodeQuotedPrintable(body []byte) []byte {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	w.Write(body)
	w.Close()
	return b.Bytes()
}

// EncodeBase64 writes lines of 76 characters (RFC 2045, section 6.8).
func EncodeBase64(body []byte) []byte {
	s := base64.StdEncoding.EncodeToString(body)
	var b bytes.Buffer
	b.Grow(len(s) + len(s)/38 + 2)
	for s != "" {
		n := min(76, len(s))
		b.WriteString(s[:n] + "\r\n")
		s = s[n:]
	}
	return b.Bytes()
}
