package message

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is read of one field's parameters.
const (
	maxParams   = 64
	maxFilename = 200 // octets
)

// parseParams reads the value of Content-Type or Content-Disposition (RFC 2045,
// section 5.1; RFC 2231) with all that is wrong with it in the wild: doubled or
// missing semicolons, missing quotes, raw Japanese text, parameters twice (the
// first counts). The values are text.
func parseParams(value string) (main string, params map[string]string) {
	p := paramParser{s: value, raw: !utf8.ValidString(value)}
	main = p.upTo(" \t;")
	plain := map[string]string{}
	sections := map[string]map[int]section{}
	for range maxParams {
		name, text, ok := p.next()
		if !ok {
			break
		}
		base, number, sec := splitName(name, text)
		if number < 0 {
			if _, twice := plain[base]; !twice {
				plain[base] = text
			}
			continue
		}
		if sections[base] == nil {
			sections[base] = map[int]section{}
		}
		if _, twice := sections[base][number]; !twice {
			sections[base][number] = sec
		}
	}
	for name, text := range plain {
		plain[name] = DecodeHeader(text)
	}
	for name, parts := range sections {
		plain[name] = joinSections(parts)
	}
	return strings.ToLower(main), plain
}

// paramParser reads parameters from left to right.
type paramParser struct {
	s   string
	raw bool // not UTF-8: the second octet of a character may look like ASCII
}

// upTo takes what stands before the next of these characters.
func (p *paramParser) upTo(stops string) string {
	n := strings.IndexAny(p.s, stops)
	if n < 0 {
		n = len(p.s)
	}
	text := p.s[:n]
	p.s = p.s[n:]
	return strings.Trim(text, " \t")
}

// next reads "name=value" after any semicolons.
func (p *paramParser) next() (name, value string, ok bool) {
	for {
		p.s = strings.TrimLeft(p.s, " \t;")
		if p.s == "" {
			return "", "", false
		}
		name = strings.ToLower(p.upTo("=;"))
		if strings.HasPrefix(p.s, "=") && name != "" {
			break
		}
		p.s = strings.TrimPrefix(p.s, "=")
	}
	if i := strings.LastIndexAny(name, " \t)"); i >= 0 {
		name = name[i+1:] // a word or comment before it that has no "="
	}
	p.s = strings.TrimLeft(p.s[1:], " \t")
	if strings.HasPrefix(p.s, `"`) {
		return name, p.quoted(), true
	}
	return name, p.upTo(";"), true
}

// quoted reads a quoted string. A backslash only counts before a quote or
// another: old browsers send whole Windows paths.
func (p *paramParser) quoted() string {
	var b strings.Builder
	i := 1
	for i < len(p.s) && p.s[i] != '"' {
		n := 1
		switch c := p.s[i]; {
		case c == '\\' && i+1 < len(p.s) && (p.s[i+1] == '"' || p.s[i+1] == '\\'):
			i++
		case c == esc:
			n = jisRun(p.s[i:])
		case p.raw && (c >= 0x81 && c <= 0x9f || c >= 0xe0 && c <= 0xfc) && i+1 < len(p.s):
			n = 2
		}
		b.WriteString(p.s[i : i+n])
		i += n
	}
	p.s = p.s[min(i+1, len(p.s)):]
	return b.String()
}

// jisRun returns the length of raw ISO-2022-JP text at the start of s, up to
// its return to ASCII: octets within may look like quotes.
func jisRun(s string) int {
	const most = 1024 // octets looked at
	if !strings.HasPrefix(s, "\x1b$") {
		return 1
	}
	s = s[:min(len(s), most)]
	for _, end := range []string{"\x1b(B", "\x1b(J"} {
		if i := strings.Index(s, end); i >= 0 {
			return i + len(end)
		}
	}
	return 1
}

// section is a piece of a parameter (RFC 2231, section 3).
type section struct {
	text    string
	escaped bool // with "%XX"
}

// splitName takes "name*1*" apart; number is -1 for a plain parameter.
func splitName(name, text string) (base string, number int, s section) {
	base, rest, star := strings.Cut(name, "*")
	if !star {
		return name, -1, section{}
	}
	digits, escaped := strings.CutSuffix(rest, "*")
	if rest == "" {
		return base, 0, section{text: text, escaped: true}
	}
	number, err := strconv.Atoi(digits)
	if err != nil || number < 0 {
		return name, -1, section{}
	}
	return base, number, section{text: text, escaped: escaped}
}

// joinSections puts the pieces of a parameter together before decoding them:
// characters may be cut.
func joinSections(parts map[int]section) string {
	var b []byte
	charset, escaped := "", false
	for _, n := range slices.Sorted(maps.Keys(parts)) {
		s := parts[n]
		if !s.escaped {
			b = append(b, s.text...)
			continue
		}
		if !escaped {
			if fields := strings.SplitN(s.text, "'", 3); len(fields) == 3 {
				charset, s.text = fields[0], fields[2]
			}
			escaped = true
		}
		b = append(b, unescape(s.text)...)
	}
	if !escaped {
		return DecodeHeader(string(b))
	}
	text, _ := DecodeCharset(charset, b)
	return cleanLine(text)
}

// unescape undoes "%XX".
func unescape(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if c, ok := hexPair(s, i+1); s[i] == '%' && ok {
			b = append(b, c)
			i += 2
		} else {
			b = append(b, s[i])
		}
	}
	return b
}

// isToken reports whether s is a token (RFC 2045, section 5.1).
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// safeName makes a file name of what a mail calls one: the last element of a
// path, without invisible characters, "" rather than ".." or nothing at all.
func safeName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s)
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.TrimRight(strings.TrimSpace(s), " .")
	if len(s) <= maxFilename {
		return s
	}
	ext := ""
	if i := strings.LastIndexByte(s, '.'); i >= 0 && len(s)-i <= 16 {
		ext = s[i:]
	}
	return strings.ToValidUTF8(s[:maxFilename-len(ext)], "") + ext
}
