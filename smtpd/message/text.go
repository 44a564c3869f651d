package message

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Text returns the decoded body of a text part as UTF-8 with LF line ends, format=flowed joined (RFC 3676, DelSp too),
// and the charset that was used. Control characters other than tab and LF are removed.
func (p Part) Text() (text, charset string) {
	text, charset = DecodeCharset(p.Params["charset"], p.Decode())
	text = withoutControls(strings.TrimPrefix(withoutReturns(text), "\ufeff"))
	if p.ContentType == "text/plain" && strings.EqualFold(p.Params["format"], "flowed") {
		text = unflow(text, strings.EqualFold(p.Params["delsp"], "yes"))
	}
	return text, charset
}

// withoutReturns makes LF of each CRLF.
func withoutReturns(text string) string {
	at := strings.IndexByte(text, '\r')
	if at < 0 {
		return text
	}
	var out strings.Builder
	out.Grow(len(text))
	for ; at >= 0; at = strings.IndexByte(text, '\r') {
		out.WriteString(text[:at])
		if text = text[at+1:]; !strings.HasPrefix(text, "\n") {
			out.WriteByte('\r')
		}
	}
	out.WriteString(text)
	return out.String()
}

// withoutControls drops control characters but tab and LF; a CR alone is a line end.
func withoutControls(text string) string {
	if !mayHaveControls(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
}

// mayHaveControls reports whether a text has bytes of control characters, or is no UTF-8. It is fast, as hardly any text has.
func mayHaveControls(text string) bool {
	for i := range len(text) {
		if c := text[i]; controls[c] && (c != 0xc2 || i+1 < len(text) && text[i+1] < 0xa0) { // U+0080 to U+009F
			return true
		}
	}
	return !utf8.ValidString(text)
}

// controls are the bytes that control characters but tab and LF begin with.
var controls = func() (all [256]bool) {
	for c := range byte(' ') {
		all[c] = c != '\n' && c != '\t'
	}
	all[0x7f], all[0xc2] = true, true
	return all
}()

// unflow joins the lines of format=flowed (RFC 3676, section 4.1).
func unflow(text string, delSp bool) string {
	var out strings.Builder
	flowing, depth := false, 0
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		rest := strings.TrimLeft(line, ">")
		level := len(line) - len(rest)
		rest = strings.TrimPrefix(rest, " ") // stuffed
		signature := rest == "-- "
		if flowing && (level != depth || signature) {
			out.WriteByte('\n')
			flowing = false
		}
		if !flowing && level > 0 {
			out.WriteString(line[:level])
			out.WriteByte(' ')
		}
		flowing, depth = strings.HasSuffix(rest, " ") && !signature && ended, level
		if flowing && delSp {
			rest = rest[:len(rest)-1]
		}
		out.WriteString(rest)
		if !flowing && ended {
			out.WriteByte('\n')
		}
	}
	if flowing {
		out.WriteByte('\n')
	}
	return out.String()
}

// Text returns the best plain text of the whole message, "" if there is none:
// its text/plain parts that are no attachments, one of each
// multipart/alternative; HTML reduced to text only where there is nothing else.
func (m *Message) Text() string {
	parts := m.Parts()
	hasPlain := map[string]bool{}
	for _, p := range parts {
		if p.ContentType == "text/plain" && isBodyText(p) {
			hasPlain[alternative(parts, p)] = true
		}
	}
	var texts []string
	taken := map[string]bool{}
	for _, p := range parts {
		in := alternative(parts, p)
		isHTML := p.ContentType == "text/html" && !(in != "" && hasPlain[in])
		if !isBodyText(p) || in != "" && taken[in] || p.ContentType != "text/plain" && !isHTML {
			continue
		}
		text, _ := p.Text()
		if isHTML {
			text = htmlText(text)
		}
		if strings.TrimSpace(text) != "" {
			texts = append(texts, strings.TrimRight(text, "\n")+"\n")
			taken[in] = in != ""
		}
	}
	if len(texts) == 0 && len(parts) == 1 && strings.HasPrefix(parts[0].ContentType, "multipart/") {
		text, _ := parts[0].Text() // a multipart without its boundary: show what is there
		return text
	}
	return strings.Join(texts, "\n")
}

func isBodyText(p Part) bool {
	return !p.container && p.Disposition != "attachment" && (p.Filename == "" || p.Path == "")
}

// alternative returns the outermost multipart/alternative that p is in, as a
// key that is never "", or "".
func alternative(parts []Part, p Part) string {
	for _, c := range parts {
		if c.container && c.ContentType == "multipart/alternative" && (c.Path == "" || strings.HasPrefix(p.Path, c.Path+".")) {
			return "/" + c.Path
		}
	}
	return ""
}

// maxHTML bounds how much HTML is reduced to text, in octets.
const maxHTML = 1 << 20

// htmlText reduces HTML to its text, with line ends where blocks end.
func htmlText(source string) string {
	if len(source) > maxHTML {
		source = source[:maxHTML]
	}
	z := html.NewTokenizer(bytes.NewReader([]byte(source)))
	var out htmlWriter
	hidden := atom.Atom(0) // the element whose content does not show
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return strings.TrimSpace(out.String()) + "\n"
		case html.TextToken:
			if hidden == 0 {
				out.text(string(z.Text()), out.pre > 0)
			}
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			switch {
			case hidden != 0 && tag == hidden && kind == html.EndTagToken:
				hidden = 0
			case hidden == 0 && isHidden(tag) && kind == html.StartTagToken:
				hidden = tag
			case hidden == 0:
				out.tag(tag, kind == html.EndTagToken)
			}
		}
	}
}

func isHidden(tag atom.Atom) bool {
	switch tag {
	case atom.Head, atom.Script, atom.Style, atom.Title, atom.Template:
		return true
	}
	return false
}

// htmlWriter collects text with its white space collapsed.
type htmlWriter struct {
	strings.Builder
	newlines int // at the end
	space    bool
	pre      int
}

func (w *htmlWriter) text(s string, keep bool) {
	for _, r := range s {
		switch {
		case keep && r == '\n':
			w.line(maxHTML)
		case keep:
			w.space, w.newlines = false, 0
			w.WriteRune(r)
		case r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0':
			w.space = true
		default:
			if w.space && w.newlines == 0 && w.Len() > 0 {
				w.WriteByte(' ')
			}
			w.space, w.newlines = false, 0
			w.WriteRune(r)
		}
	}
}

// line ends the line, unless that many line ends stand there already.
func (w *htmlWriter) line(most int) {
	if w.newlines < most && w.Len() > 0 {
		w.WriteByte('\n')
		w.newlines++
	}
	w.space = false
}

func (w *htmlWriter) tag(tag atom.Atom, end bool) {
	switch tag {
	case atom.Br:
		w.line(2)
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Ul, atom.Ol, atom.Blockquote:
		w.line(1)
		w.line(2)
	case atom.Div, atom.Tr, atom.Li, atom.Hr, atom.Dt, atom.Dd, atom.Section, atom.Article, atom.Header, atom.Footer:
		w.line(1)
	case atom.Td, atom.Th:
		w.space = true
	case atom.Pre:
		w.line(1)
		if end {
			w.pre = max(0, w.pre-1)
		} else {
			w.pre++
		}
	}
}
