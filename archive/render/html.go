package render

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxQuote is how many ">"s stand before a line at the most.
const maxQuote = 10

// htmlText reduces HTML to text: block elements become lines, quotes get ">", links their URL. cut says that the text was too long.
func htmlText(source string) (text string, cut bool) {
	z := html.NewTokenizer(strings.NewReader(source))
	z.SetMaxBuf(1 << 20)
	var w textWriter
	for w.b.Len() <= maxText {
		switch z.Next() {
		case html.ErrorToken:
			return w.b.String(), z.Err() == html.ErrBufferExceeded
		case html.TextToken:
			if w.skip == 0 {
				w.text(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			w.open(z)
		case html.EndTagToken:
			name, _ := z.TagName()
			w.close(atom.Lookup(name))
		}
	}
	return w.b.String(), true
}

// textWriter writes words into lines.
type textWriter struct {
	b      strings.Builder
	breaks int       // line ends to write before the next word
	space  bool      // a space is due before the next word
	quote  int       // open blockquotes
	level  int       // ">"s before the line that is written
	pre    int       // open pres
	skip   atom.Atom // the open element whose content is not text
	href   string    // of the open link
	linkAt int       // where its text starts
}

// open takes a start tag.
func (w *textWriter) open(z *html.Tokenizer) {
	name, hasAttr := z.TagName()
	tag := atom.Lookup(name)
	if w.skip != 0 {
		return
	}
	switch tag {
	case atom.Script, atom.Style, atom.Title, atom.Iframe, atom.Noembed, atom.Noframes, atom.Textarea:
		w.skip = tag // the tokenizer gives their content as one text, so they do not nest
	case atom.Br:
		w.breaks = min(w.breaks+1, 3)
	case atom.Hr:
		w.line(1)
		w.word("----------")
		w.line(1)
	case atom.Img:
		if alt := strings.TrimSpace(attribute(z, hasAttr, "alt")); alt != "" {
			w.text("[" + alt + "]")
		}
	case atom.A:
		w.endLink()
		w.href, w.linkAt = attribute(z, hasAttr, "href"), w.b.Len()
	case atom.Td, atom.Th:
		w.space = true
	case atom.Blockquote:
		w.line(2)
		w.quote++
	case atom.Li:
		w.line(1)
		w.word("*")
		w.space = true
	case atom.Pre:
		w.line(2)
		w.pre++
	default:
		w.line(linesAround(tag))
	}
}

// close takes an end tag; one without a start tag does no harm.
func (w *textWriter) close(tag atom.Atom) {
	if w.skip != 0 {
		if tag == w.skip {
			w.skip = 0
		}
		return
	}
	switch tag {
	case atom.A:
		w.endLink()
	case atom.Blockquote:
		w.line(2)
		w.quote = max(0, w.quote-1)
	case atom.Pre:
		w.line(2)
		w.pre = max(0, w.pre-1)
	default:
		w.line(linesAround(tag))
	}
}

// linesAround is how many line ends stand before and after an element.
func linesAround(tag atom.Atom) int {
	switch tag {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Dl, atom.Table:
		return 2
	case atom.Div, atom.Tr, atom.Li, atom.Dt, atom.Dd, atom.Section, atom.Article, atom.Header, atom.Footer,
		atom.Main, atom.Center, atom.Address, atom.Fieldset, atom.Form, atom.Body:
		return 1
	}
	return 0
}

func (w *textWriter) line(n int) { w.breaks = max(w.breaks, n) }

// text writes text, white space collapsed outside of pre.
func (w *textWriter) text(s string) {
	if w.pre > 0 {
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				w.breaks++
			}
			if strings.TrimSpace(line) != "" {
				w.word(strings.TrimRight(line, "\r"))
			}
		}
		return
	}
	isSpace := func(r rune) bool { return r == ' ' || r == '\n' || r == '\r' || r == '\t' || r == '\f' }
	words := strings.FieldsFunc(s, isSpace)
	if s != "" && isSpace(rune(s[0])) {
		w.space = true
	}
	for i, word := range words {
		if i > 0 {
			w.space = true
		}
		w.word(strings.ReplaceAll(word, "\u00a0", " "))
	}
	if len(words) > 0 && isSpace(rune(s[len(s)-1])) {
		w.space = true
	}
}

// word writes what is due, and then the word.
func (w *textWriter) word(s string) {
	prefix := strings.Repeat(">", min(w.quote, maxQuote))
	between := prefix[:min(len(prefix), w.level)]
	switch {
	case w.b.Len() == 0:
		w.breaks = 1
		fallthrough
	case w.breaks > 0:
		for i := range min(w.breaks, 50) {
			if i > 0 {
				w.b.WriteString(between)
			}
			w.b.WriteByte('\n')
		}
		if w.b.WriteString(prefix); prefix != "" {
			w.b.WriteByte(' ')
		}
	case w.space:
		w.b.WriteByte(' ')
	}
	w.breaks, w.space, w.level = 0, false, len(prefix)
	w.b.WriteString(s)
}

// endLink writes the URL of a link whose text does not say it.
func (w *textWriter) endLink() {
	u := strings.TrimSpace(w.href)
	w.href = ""
	if !isLink(u, false) || link.FindString(u) != u {
		return
	}
	bare := strings.TrimSuffix(u[strings.IndexByte(u, ':')+1:], "/")
	if strings.Contains(w.b.String()[w.linkAt:], strings.TrimPrefix(bare, "//")) {
		return
	}
	w.space = true
	w.word("<" + u + ">")
}

// attribute returns the value of a tag's first attribute of that name.
func attribute(z *html.Tokenizer, more bool, name string) string {
	for more {
		var key, value []byte
		if key, value, more = z.TagAttr(); string(key) == name {
			return string(value)
		}
	}
	return ""
}
