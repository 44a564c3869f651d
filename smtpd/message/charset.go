package message

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"
)

// Names of the charsets that we know ourselves, as they are used in mail.
const (
	asciiName = "US-ASCII"
	utf8Name  = "UTF-8"
	jis       = "ISO-2022-JP"
	sjis      = "Shift_JIS"
	euc       = "EUC-JP"
	sjis2004  = "Shift_JIS-2004"
	euc2004   = "EUC-JIS-2004"
	utf7      = "UTF-7"
	latin     = "WINDOWS-1252"
)

// canonical returns our name of a charset, any name used in the wild; "" if it
// says nothing, and the name itself in lower case if the charset is another.
func canonical(name string) string {
	name = strings.ToLower(strings.Trim(name, " \t\"'"))
	if i := strings.IndexAny(name, " \t;("); i >= 0 {
		name = name[:i]
	}
	switch strings.ReplaceAll(strings.TrimPrefix(name, "x-"), "_", "-") {
	case "", "unknown-8bit", "unknown", "8bit", "7bit", "binary", "default", "none", "default-charset", "user-defined":
		return ""
	case "us-ascii", "ascii", "ansi-x3.4-1968", "iso646-us", "us":
		return asciiName
	case "utf-8", "utf8", "utf8mb4", "unicode-1-1-utf-8":
		return utf8Name
	case "iso-2022-jp", "iso2022jp", "iso2022-jp", "iso-2022jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-2004",
		"iso-2022-jp-ms", "iso-2022-jp-ext", "csiso2022jp", "csiso2022jp2", "cp50220", "cp50221", "cp50222", "jis", "jis7", "jis8":
		return jis
	case "shift-jis", "shiftjis", "sjis", "sjis-win", "sjis-open", "cp932", "ms932", "windows-31j", "windows-932", "cswindows31j",
		"csshiftjis", "ms-kanji", "mskanji", "macjapanese", "mac-japanese", "cp943", "cp943c", "ibm-943", "pck":
		return sjis
	case "shift-jis-2004", "shift-jisx0213", "sjis-2004":
		return sjis2004
	case "euc-jisx0213", "euc-jis-2004":
		return euc2004
	case "utf-7", "utf7", "unicode-1-1-utf-7", "unicode-2-0-utf-7", "csunicode11utf7":
		return utf7
	case "iso-2022-kr", "iso2022kr", "csiso2022kr":
		return "iso-2022-kr"
	case "euc-jp", "eucjp", "ujis", "eucjp-ms", "eucjp-win", "eucjpms", "cp51932", "euc-jp-ms", "euc", "cseucpkdfmtjapanese":
		return euc
	}
	return name
}

// DecodeCharset turns bytes into UTF-8: first as the charset declared (any name used in the wild), then, where that does
// not fit the bytes, as what Japanese mail most likely is (ISO-2022-JP with vendor extensions and half-width kana, CP932, EUC-JP, UTF-8).
// used names the charset that was taken.
func DecodeCharset(declared string, b []byte) (text, used string) {
	name := canonical(declared)
	switch name {
	case "":
		return guess(b)
	case asciiName, utf8Name:
		if isASCIIText(b) {
			return string(b), name
		}
		return guess(b)
	case jis:
		if isSevenBit(b) {
			return decodeJIS(withEscapes(b)), jis
		}
		return guess(b)
	case utf7:
		if text := decodeUTF7(b); damage(text) == 0 {
			return text, utf7
		}
		return guess(b)
	case sjis, euc, sjis2004, euc2004:
		if looksJIS(b) || looksUTF8(b) {
			return guess(b)
		}
		text := decodeAs(name, b)
		if damage(text) > 0 { // perhaps another charset, perhaps only a sign that is in no table
			if other, used := guess(b); damage(other) < damage(text) {
				return other, used
			}
		}
		return text, name
	}
	if name == "iso-2022-kr" && isSevenBit(b) {
		return decodeISO2022KR(b), "ISO-2022-KR"
	}
	if looksJIS(b) || utf8.Valid(b) && !isSevenBit(b) {
		return guess(b)
	}
	if enc, official := lookUp(name); enc != nil {
		if text, err := enc.NewDecoder().Bytes(b); err == nil {
			if n := damage(string(text)); n > 0 {
				if other, used := guess(b); damage(other) < n {
					return other, used
				}
			}
			return string(text), official
		}
	}
	return guess(b)
}

// lookUp finds any other charset.
func lookUp(name string) (encoding.Encoding, string) {
	if name == "utf-16" { // for the web it is UTF-16LE
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "UTF-16" // RFC 2781, section 4.3
	}
	if enc, err := htmlindex.Get(name); err == nil && enc != nil {
		if official, err := htmlindex.Name(enc); err == nil && official != "replacement" {
			return enc, strings.ToUpper(name)
		}
	}
	if enc, err := ianaindex.MIME.Encoding(name); err == nil && enc != nil {
		return enc, strings.ToUpper(name)
	}
	return nil, ""
}

// maxByLine bounds the text whose lines are guessed one by one, in octets.
const maxByLine = 4 << 20

// guess decodes bytes that declare nothing, or something wrong. If no charset
// fits them all, each line is decoded for itself: a footer may be written in
// another charset than the text above it.
func guess(b []byte) (text, used string) {
	text, used = guessWhole(b)
	if damage(text) == 0 || len(b) > maxByLine || bytes.IndexByte(b, '\n') < 0 {
		return text, used
	}
	var lines strings.Builder
	for line := range bytes.Lines(b) {
		decoded, _ := guessWhole(line)
		lines.WriteString(decoded)
	}
	if byLine := lines.String(); damage(byLine) < damage(text) {
		return byLine, used
	}
	return text, used
}

// guessWhole takes the charset that leaves the least damage.
func guessWhole(b []byte) (text, used string) {
	switch {
	case isASCIIText(b):
		return string(b), asciiName
	case looksJIS(b):
		return decodeJIS(b), jis
	case utf8.Valid(b):
		return string(b), utf8Name
	}
	best := 0
	for _, name := range []string{euc, sjis, utf8Name} {
		decoded := decodeAs(name, b)
		score := 10*damage(decoded) + unlikely(decoded)
		if name == utf8Name {
			score -= 10 * threeOctets(decoded)
		}
		if text == "" || score < best {
			text, used, best = decoded, name, score
		}
	}
	if standApart(text) && looksLatin(b) {
		return decodeLatin(b), latin
	}
	return text, used
}

// decodeAs decodes one of the charsets we know; what does not fit is U+FFFD.
func decodeAs(name string, b []byte) string {
	var enc encoding.Encoding
	switch name {
	case jis:
		return decodeJIS(b)
	case sjis:
		enc = japanese.ShiftJIS
	case euc:
		enc = japanese.EUCJP
	case sjis2004:
		return decodeSJIS2004(b)
	case euc2004:
		return decodeEUC2004(b)
	default:
		return string([]rune(string(b))) // U+FFFD for each octet
	}
	text, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\ufffd") // unreachable: these decoders replace
	}
	return string(text)
}

// damage counts the characters and escape sequences that could not be read.
func damage(text string) int {
	return strings.Count(text, "\ufffd") + strings.Count(text, "\x1b$")
}

// threeOctets counts the characters that take three octets or more in UTF-8
// and were read as such: octets of other charsets hardly ever form one.
func threeOctets(text string) int {
	n := 0
	for _, r := range text {
		if r >= 0x800 && r != utf8.RuneError {
			n++
		}
	}
	return n
}

// unlikely counts half-width kana and private characters: what kanji and kana
// look like in the wrong charset.
func unlikely(text string) int {
	n := 0
	for _, r := range text {
		if r >= 0xff61 && r <= 0xff9f || r >= 0xe000 && r <= 0xf8ff || r >= 0x80 && r < 0xa0 {
			n++
		}
	}
	return n
}

func isSevenBit(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isASCIIText reports whether b is ASCII without the shifts of ISO 2022.
func isASCIIText(b []byte) bool {
	return isSevenBit(b) && bytes.IndexByte(b, esc) < 0 && bytes.IndexByte(b, shiftOut) < 0
}

// looksJIS reports whether b is 7-bit with the escapes or shifts of ISO-2022-JP.
func looksJIS(b []byte) bool {
	return isSevenBit(b) && (bytes.Contains(b, []byte("\x1b$")) || bytes.Contains(b, []byte("\x1b(")) || bytes.IndexByte(b, shiftOut) >= 0)
}

// looksUTF8 reports whether b is UTF-8 with a character of three octets, as all
// Japanese ones have; text in another charset hardly ever happens to be that.
func looksUTF8(b []byte) bool {
	return utf8.Valid(b) && bytes.ContainsFunc(b, func(r rune) bool { return r >= 0x800 })
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// EncodeCharset encodes text in "UTF-8", "US-ASCII" or a Japanese charset as a mail program would (half-width kana made full width,
// wave dash and minus mapped for ISO-2022-JP). ok is false when the charset cannot hold the text.
func EncodeCharset(charset, text string) (b []byte, ok bool) {
	if !utf8.ValidString(text) {
		return nil, false
	}
	switch canonical(charset) {
	case utf8Name:
		return []byte(text), true
	case asciiName:
		return []byte(text), isASCII(text)
	case jis:
		if strings.ContainsAny(text, "\x1b\x0e\x0f") {
			return nil, false
		}
		b, err := japanese.ISO2022JP.NewEncoder().Bytes([]byte(forJIS(text)))
		// JIS X 0212 and half-width kana are no part of the charset (RFC 1468).
		ok = err == nil && !bytes.Contains(b, []byte("\x1b$(D")) && !bytes.Contains(b, []byte("\x1b(I"))
		return b, ok
	case sjis:
		b, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte(sameSigns(text)))
		return b, err == nil
	case euc:
		b, err := japanese.EUCJP.NewEncoder().Bytes([]byte(sameSigns(text)))
		return b, err == nil
	}
	return nil, false
}

// forJIS makes text ready for ISO-2022-JP: half-width kana full width, with
// their voice marks joined, and signs as the encoder knows them.
func forJIS(text string) string {
	var b strings.Builder
	for text != "" {
		n := strings.IndexFunc(text, isHalfKana)
		if n < 0 {
			n = len(text)
		}
		b.WriteString(text[:n])
		text = text[n:]
		m := strings.IndexFunc(text, func(r rune) bool { return !isHalfKana(r) })
		if m < 0 {
			m = len(text)
		}
		b.WriteString(norm.NFKC.String(text[:m]))
		text = text[m:]
	}
	return sameSigns(b.String())
}

func isHalfKana(r rune) bool { return r >= 0xff61 && r <= 0xff9f }

// sameSigns maps signs that have two code points to the one that encoders of
// Japanese charsets know.
func sameSigns(text string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '〜':
			return '～'
		case '−':
			return '－'
		case '‖':
			return '∥'
		case '—':
			return '―'
		case '¢':
			return '￠'
		case '£':
			return '￡'
		case '¬':
			return '￢'
		case '¥':
			return '￥'
		case '\u00a0':
			return ' '
		}
		return r
	}, text)
}
