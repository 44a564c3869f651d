package message

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Bounds of where a pseudo-field is looked for.
const (
	maxPseudoPlain = 4 << 10  // octets of plain text, encoded
	maxPseudoHTML  = 64 << 10 // of HTML: mail programs put style sheets before the text
	maxPseudoParts = 20
)

// Pseudo is a header field that people write as the first line of the text, because their program lets them write no other:
// "Approved: yes".
type Pseudo struct {
	plain, line *regexp.Regexp
}

// NewPseudo returns the pseudo-field of some names, in lower case. Its value is one word.
func NewPseudo(names ...string) *Pseudo {
	field := `(?i)(?:` + strings.Join(names, "|") + `)[ \t]*:[ \t]*(\S+)[ \t]*`
	return &Pseudo{
		plain: regexp.MustCompile(`^(?:\x{feff})?(?:[ \t]*\r?\n)*[ \t]*` + field + `(?:\r?\n(?:[ \t]*(?:\r?\n|$))?|$)`),
		line:  regexp.MustCompile(`^` + field + `$`),
	}
}

// Take returns the field's value and the message without it, whatever the charset (but for UTF-16 and UTF-32) and encoding: the
// first line of each text that a reader sees, plain or HTML. value is "", and the message the same, where there is none.
func (ps *Pseudo) Take(m *Message) (value string, without *Message) {
	for range maxPseudoParts {
		found := false
		for _, p := range m.Parts() {
			word, raw, ok := ps.takePart(p)
			if !ok {
				continue
			}
			at := bytes.Index(m.Body(), p.Raw) // an equal part before this one is the next to be found
			body := slices.Concat(m.Body()[:at], raw, m.Body()[at+len(p.Raw):])
			m, found = Parse(Join(m.Header(), body)), true
			if value == "" {
				value = word
			}
			break
		}
		if !found {
			break
		}
	}
	return value, m
}

// takePart returns the value in a part, and the part's body without it, encoded as it was.
func (ps *Pseudo) takePart(p Part) (value string, raw []byte, ok bool) {
	if !isBodyText(p) || p.ContentType != "text/plain" && p.ContentType != "text/html" {
		return "", nil, false
	}
	take, most := ps.takePlain, maxPseudoPlain
	if p.ContentType == "text/html" {
		take, most = ps.takeHTML, maxPseudoHTML
	}
	head := p
	head.Raw = p.Raw[:min(len(p.Raw), most)]
	if _, _, ok := take(head.Decode()); !ok {
		return "", nil, false
	}
	value, text, ok := take(p.Decode())
	return value, p.Encode(text), ok
}

func (ps *Pseudo) takePlain(text []byte) (value string, without []byte, ok bool) {
	m := ps.plain.FindSubmatchIndex(text)
	if m == nil {
		return "", nil, false
	}
	return string(text[m[2]:m[3]]), text[m[1]:], true
}

// takeHTML leaves the tags round the line where they are.
func (ps *Pseudo) takeHTML(source []byte) (value string, without []byte, ok bool) {
	z := html.NewTokenizer(bytes.NewReader(source[:min(len(source), maxPseudoHTML)]))
	var line strings.Builder
	var cut [][2]int // the places of its pieces
	hidden := atom.Atom(0)
	for pos, ended := 0, false; !ended; {
		kind := z.Next()
		from := pos
		pos += len(z.Raw())
		switch kind {
		case html.ErrorToken:
			ended = true
		case html.TextToken:
			if text := html.UnescapeString(string(z.Raw())); hidden == 0 && (line.Len() > 0 || strings.TrimSpace(text) != "") {
				line.WriteString(text)
				cut = append(cut, [2]int{from, pos})
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			switch {
			case hidden != 0:
				if tag == hidden && kind == html.EndTagToken {
					hidden = 0
				}
			case isHidden(tag) && kind == html.StartTagToken:
				hidden = tag
			default:
				ended = line.Len() > 0 && !isInline(tag)
			}
		}
	}
	m := ps.line.FindStringSubmatch(strings.Join(strings.Fields(line.String()), " "))
	if m == nil {
		return "", nil, false
	}
	at := 0
	for _, c := range cut {
		without = append(without, source[at:c[0]]...)
		at = c[1]
	}
	return m[1], append(without, source[at:]...), true
}

// isInline reports whether the line goes on after a tag.
func isInline(tag atom.Atom) bool {
	switch tag {
	case atom.A, atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.S, atom.Small, atom.Span, atom.Strong, atom.Tt, atom.U, 0:
		return true
	}
	return false
}
