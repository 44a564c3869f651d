package mailauth

import "strings"

const (
	lineWidth   = 78
	maxComment  = 80
	maxProperty = 255
)

// Header returns the value of the Authentication-Results field for r (RFC 8601), folded, CRLF-safe. author is the
// author's address or domain; what it says about the message is shown even where DMARC has no domain.
// Every word from the message is quoted or cleaned: nothing in it can end the field or add a result.
func (r Results) Header(authservID, author string) string {
	w := folded{col: len("Authentication-Results: ")}
	w.add(value(authservID))
	if r.SPF.Result != "" {
		property := "smtp.mailfrom"
		if r.SPF.Helo {
			property = "smtp.helo"
		}
		w.method("spf", r.SPF.Result, r.SPF.Detail)
		w.property(property, r.SPF.Domain)
	}
	for _, s := range r.DKIM {
		w.method("dkim", s.Result, s.Detail)
		w.property("header.d", s.Domain)
		w.property("header.s", s.Selector)
		w.property("header.a", s.Algo)
	}
	if len(r.DKIM) == 0 {
		w.method("dkim", None, "no signature")
	}
	detail := r.DMARC.Detail
	if detail == "" && r.DMARC.Policy != "" {
		detail = "p=" + r.DMARC.Policy
	}
	if r.DMARC.Result != "" {
		w.method("dmarc", r.DMARC.Result, detail)
		from := r.DMARC.Domain
		if from == "" {
			from = author[strings.LastIndexByte(author, '@')+1:]
		}
		w.property("header.from", from)
	}
	return w.String()
}

// folded writes words with white space between them, in lines of at most 78 columns where the words allow it.
type folded struct {
	strings.Builder
	col int
}

func (w *folded) add(text string) {
	switch {
	case w.Len() == 0:
	case w.col+1+len(text) > lineWidth:
		w.newLine()
	default:
		w.WriteByte(' ')
		w.col++
	}
	w.WriteString(text)
	w.col += len(text)
}

func (w *folded) newLine() {
	w.WriteString("\r\n\t")
	w.col = 8
}

// method starts a result on a line of its own, with detail as a comment.
func (w *folded) method(name string, result Result, detail string) {
	w.WriteByte(';')
	w.newLine()
	text := name + "=" + value(string(result))
	w.WriteString(text)
	w.col += len(text)
	detail = keep(detail, maxComment, func(c byte) bool { return c >= ' ' && strings.IndexByte(`()\`, c) < 0 })
	words := strings.Fields(detail)
	for i, text := range words {
		if i == 0 {
			text = "(" + text
		}
		if i == len(words)-1 {
			text += ")"
		}
		w.add(text)
	}
}

func (w *folded) property(name, text string) {
	if text != "" {
		w.add(name + "=" + value(text))
	}
}

// value returns text as a token, or as a quoted string where it is none, without control and non-ASCII characters.
func value(text string) string {
	text = keep(text, maxProperty, func(c byte) bool { return c >= ' ' && c != '"' && c != '\\' })
	isToken := keep(text, maxProperty, func(c byte) bool { return c > ' ' && strings.IndexByte(`()<>@,;:/[]?=`, c) < 0 }) == text
	if isToken && text != "" {
		return text
	}
	return `"` + text + `"`
}

// keep returns the ASCII characters of s that ok admits, at most n.
func keep(s string, n int, ok func(byte) bool) string {
	b := make([]byte, 0, min(len(s), n))
	for i := 0; i < len(s) && len(b) < n; i++ {
		if s[i] < 0x7f && ok(s[i]) {
			b = append(b, s[i])
		}
	}
	return string(b)
}
