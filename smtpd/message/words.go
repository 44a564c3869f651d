package message

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// DecodeHeader returns the text of a header value: encoded words (RFC 2047, also where the
// standard does not allow them), raw 8-bit bytes, control characters removed.
func DecodeHeader(value string) string { return decodeHeader(value, "") }

// decodeHeader is DecodeHeader where raw bytes may be in a charset.
func decodeHeader(value, charset string) string {
	if isPlain(value) {
		return value
	}
	var out strings.Builder
	raw := 0 // start of what has not been written
	lastEnd := strings.LastIndex(value, "?=")
	for pos := 0; pos < lastEnd; {
		at := strings.Index(value[pos:], "=?")
		if at < 0 {
			break
		}
		at += pos
		words, n := readWords(value[at:])
		if n == 0 {
			pos = at + 2 // the characters stand for themselves
			continue
		}
		out.WriteString(decodeRaw(value[raw:at], charset))
		for len(words) > 0 {
			same := 1
			for same < len(words) && words[same].alike(words[0]) {
				same++
			}
			out.WriteString(decodeWords(words[:same]))
			words = words[same:]
		}
		pos = at + n
		raw = pos
	}
	out.WriteString(decodeRaw(value[raw:], charset))
	return cleanLine(out.String())
}

// word is an encoded word.
type word struct {
	charset  string
	encoding byte // 'b' or 'q'
	text     string
}

func (w word) alike(v word) bool {
	return w.encoding == v.encoding && strings.EqualFold(w.charset, v.charset)
}

// readWords reads the encoded words at the start of s that only white space
// parts, and the length of them all.
func readWords(s string) (words []word, n int) {
	for rest := s; ; {
		rest = strings.TrimLeft(rest, " \t\r\n")
		w, length := readWord(rest)
		if length == 0 {
			return words, n
		}
		words = append(words, w)
		rest = rest[length:]
		n = len(s) - len(rest)
	}
}

// readWord reads "=?charset?encoding?text?=" at the start of s; n is 0 if none is there.
func readWord(s string) (w word, n int) {
	const maxCharset = 64
	if !strings.HasPrefix(s, "=?") {
		return word{}, 0
	}
	mark := strings.IndexByte(s[:min(len(s), maxCharset)], ' ')
	if mark < 0 {
		mark = min(len(s), maxCharset)
	}
	q := strings.IndexByte(s[2:mark], '?') + 2
	if q < 2 || q+2 >= len(s) || s[q+2] != '?' {
		return word{}, 0
	}
	w.charset, _, _ = strings.Cut(s[2:q], "*") // RFC 2231, section 5: a language may follow
	w.encoding = s[q+1] | 0x20
	if w.encoding != 'b' && w.encoding != 'q' {
		return word{}, 0
	}
	end := strings.Index(s[q+3:], "?=")
	if end < 0 {
		return word{}, 0
	}
	w.text = s[q+3 : q+3+end]
	return w, q + 3 + end + 2
}

// decodeWords decodes neighbours of one charset and encoding. Their bytes are
// joined before they become text, because mailers cut them inside characters.
func decodeWords(words []word) string {
	var apart, joined []byte
	for _, w := range words {
		if w.encoding == 'q' {
			apart = append(apart, decodeQ(w.text)...)
		} else {
			apart = append(apart, decodeBase64([]byte(w.text))...)
		}
	}
	text, _ := DecodeCharset(words[0].charset, apart)
	if words[0].encoding == 'q' || damage(text) == 0 {
		return text
	}
	for _, w := range words { // some cut inside a group of four characters as well
		joined = append(joined, w.text...)
	}
	other, _ := DecodeCharset(words[0].charset, decodeBase64(joined))
	if damage(other) < damage(text) {
		return other
	}
	return text
}

// decodeQ undoes the Q encoding (RFC 2047, section 4.2).
func decodeQ(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '_' {
			b = append(b, ' ')
		} else if c, ok := hexPair(s, i+1); s[i] == '=' && ok {
			b = append(b, c)
			i += 2
		} else {
			b = append(b, s[i])
		}
	}
	return b
}

// decodeRaw makes text of what stands outside encoded words: in that charset if it is all text there.
func decodeRaw(s, charset string) string {
	if isPlain(s) {
		return s
	}
	if charset != "" {
		if text, _ := DecodeCharset(charset, []byte(s)); damage(text) == 0 {
			return text
		}
	}
	text, _ := DecodeCharset("", []byte(s))
	return text
}

// isPlain reports whether s is printable ASCII without encoded words.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f || s[i] == '=' && i+1 < len(s) && s[i+1] == '?' {
			return false
		}
	}
	return true
}

// cleanLine removes what must not stand in a line of text: control characters
// (a tab becomes a space) and those that change the direction of writing.
func cleanLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// TextField makes an unstructured field (Subject…) from text, encoded as RFC 2047 asks, in the charset
// given if it can hold the text ("ISO-2022-JP" or "UTF-8"), else UTF-8. Words of
// plain ASCII before and after the rest stay as they are.
func TextField(name, text, charset string) Field {
	words := strings.Split(strings.Trim(cleanLine(strings.ReplaceAll(text, "\n", " ")), " "), " ")
	first := slices.IndexFunc(words, needsEncoding)
	if first < 0 {
		return NewField(name, strings.Join(words, " "))
	}
	last := len(words)
	for !needsEncoding(words[last-1]) {
		last--
	}
	column := len(name) + 2
	for _, w := range words[:first] {
		column += len(w) + 1
	}
	encoded := encodeWords(strings.Join(words[first:last], " "), charset, column)
	all := slices.Concat(words[:first], encoded, words[last:])
	return foldField(name, strings.Join(all, " "), 76)
}

// needsEncoding reports whether a word cannot stand in a header as it is: it is
// not ASCII, would be read as an encoded word, or cannot be folded.
func needsEncoding(w string) bool {
	return len(w) > 76 || !isASCII(w) || strings.Contains(w, "=?")
}

// encodeWords encodes text as encoded words of at most 75 characters, the first
// one short enough for a line that is used up to column.
func encodeWords(text, charset string, column int) []string {
	const most = 75 // RFC 2047, section 2
	if canonical(charset) != jis {
		charset = utf8Name
	} else if _, ok := EncodeCharset(jis, text); ok {
		charset, text = jis, forJIS(text)
	} else {
		charset = utf8Name
	}
	room := most
	if column < 36 {
		room = 76 - column
	}
	var words []string
	for text != "" {
		chunk, n := "", 0
		for n < len(text) {
			_, size := utf8.DecodeRuneInString(text[n:])
			b, ok := EncodeCharset(charset, text[:n+size])
			longer := "=?" + charset + "?B?" + base64.StdEncoding.EncodeToString(b) + "?="
			if !ok || n > 0 && len(longer) > room {
				break
			}
			chunk, n = longer, n+size
		}
		if n == 0 {
			break // unreachable: each character alone can be encoded
		}
		words = append(words, chunk)
		text = text[n:]
		room = most
	}
	return words
}
