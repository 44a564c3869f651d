package templates

import (
	"html/template"
	"strconv"
	"strings"
)

// writer writes the parts of which a page has hundreds: html/template looks at the type of every value as it goes, and takes ten times
// as long. It knows two places only, text and attributes in double quotes; addresses that it writes are paths and mailto links of our making.
type writer struct {
	strings.Builder
	lang  string
	words words
	err   error // the first word that is missing
}

// part makes a function of templates of one that writes a value in a language.
func part[V any](lang string, w words, write func(*writer, V)) func(V) (template.HTML, error) {
	return func(v V) (template.HTML, error) {
		out := writer{lang: lang, words: w}
		out.Grow(2 << 10)
		write(&out, v)
		return template.HTML(out.String()), out.err
	}
}

// html writes markup of ours.
func (w *writer) html(markup string) { w.WriteString(markup) }

// text writes a text from outside, escaped.
func (w *writer) text(s string) { WriteText(&w.Builder, s) }

// WriteText writes a text from outside so that it is text in an element of HTML, or in an attribute in quotes.
func WriteText(b *strings.Builder, s string) {
	done := 0
	for i := range len(s) {
		if escaped := escapes[s[i]]; escaped != "" {
			b.WriteString(s[done:i])
			b.WriteString(escaped)
			done = i + 1
		}
	}
	b.WriteString(s[done:])
}

// escapes are the characters that would not stand for themselves.
var escapes = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&#34;", '\'': "&#39;", 0: "\ufffd"}

// between writes a text between two pieces of markup.
func (w *writer) between(before, text, after string) {
	w.html(before)
	w.text(text)
	w.html(after)
}

// int writes a number.
func (w *writer) int(n int) {
	var b [20]byte
	w.Write(strconv.AppendInt(b[:0], int64(n), 10))
}

// t writes the words of a key.
func (w *writer) t(key string, args ...any) {
	text, err := w.words.text(key, args)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.text(text)
}

// langOf writes the attribute that tells the language of a text, where that is not the page's.
func (w *writer) langOf(text string) {
	if lang := languageOf(text); lang != "" && lang != w.lang {
		w.between(` lang="`, lang, `"`)
	}
}

// time writes a moment, with its offset where there is one and that is asked for.
func (w *writer) time(t Time, offset bool) {
	w.between(`<time datetime="`, t.Machine, `">`)
	w.text(t.Human)
	if offset && t.Offset != "" {
		w.between(` <span class="offset">`, t.Offset, `</span>`)
	}
	w.html(`</time>`)
}
