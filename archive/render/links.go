package render

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"kairan/smtpd/address"
	"kairan/templates"
)

// link finds what may be a URL (RFC 3986) in a line of text. It does not start within a word.
var link = regexp.MustCompile(`(?i)\b(?:https?://|mailto:)[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+`)

// maxURL is the longest URL that becomes a link, in bytes.
const maxURL = 2000

// writeLine writes a clean line as HTML. mask hides addresses in text, unless it is nil.
func writeLine(b *strings.Builder, line string, mask func(string) string) {
	done := 0
	var found [][]int
	if mayLink(line) { // the expression is slow
		found = link.FindAllStringIndex(line, -1)
	}
	for _, at := range found {
		u := trimURL(line[at[0]:at[1]])
		if !isLink(u, mask != nil) {
			continue
		}
		writeText(b, line[done:at[0]], mask)
		b.WriteString(`<a href="`)
		templates.WriteText(b, u)
		b.WriteString(`" rel="nofollow ugc noopener noreferrer">`)
		templates.WriteText(b, u)
		b.WriteString(`</a>`)
		done = at[0] + len(u)
	}
	writeText(b, line[done:], mask)
}

// mayLink reports whether a line holds "://" or, in any case, "mailto:".
func mayLink(line string) bool {
	const mailto = "mailto"
	for from := 0; ; from++ {
		i := strings.IndexByte(line[from:], ':')
		if i < 0 {
			return false
		}
		from += i
		if strings.HasPrefix(line[from:], "://") || from >= len(mailto) && strings.EqualFold(line[from-len(mailto):from], mailto) {
			return true
		}
	}
}

// clean returns a text without what is not to be written.
func clean(text string) string {
	if utf8.ValidString(text) && (!mayHide(text) || !strings.ContainsFunc(text, isHidden)) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if isHidden(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}

// mayHide reports whether a text has bytes that hidden characters begin with. It is fast, and false for most texts.
func mayHide(text string) bool {
	for i := range len(text) {
		switch c := text[i]; c {
		case 0x7f, 0xc2, 0xd8, 0xe2: // U+0080 to U+00BF, U+0600 to U+063F, U+2000 to U+2FFF
			return true
		default:
			if c < ' ' && c != '\t' && c != '\n' {
				return true
			}
		}
	}
	return false
}

func writeText(b *strings.Builder, text string, mask func(string) string) {
	if mask != nil {
		text = mask(text)
	}
	templates.WriteText(b, text)
}

// trimURL takes off what at the end belongs to the sentence rather than to the URL.
func trimURL(u string) string {
	opened := strings.Count(u, "(") - strings.Count(u, ")")
	bracketed := strings.Count(u, "[") - strings.Count(u, "]")
	for u != "" {
		switch last := u[len(u)-1]; {
		case strings.IndexByte(".,;:!?'*", last) >= 0:
		case last == ')' && opened < 0:
			opened++
		case last == ']' && bracketed < 0:
			bracketed++
		default:
			return u
		}
		u = u[:len(u)-1]
	}
	return u
}

// isLink reports whether u may be a link. Strangers get none that is a mailbox or has one in its query.
func isLink(u string, stranger bool) bool {
	if len(u) > maxURL {
		return false
	}
	parsed, err := url.Parse(u)
	if err != nil {
		return false
	}
	switch parsed.Scheme {
	case "mailto":
		_, err := address.Parse(parsed.Opaque)
		return err == nil && !stranger
	case "http", "https":
		query := strings.ToLower(parsed.RawQuery)
		return parsed.Hostname() != "" && parsed.User == nil && !(stranger && (strings.Contains(query, "@") || strings.Contains(query, "%40")))
	}
	return false
}
