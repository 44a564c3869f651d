package templates

import (
	"html/template"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// hostile are texts that would leave their place on a page.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='x`, `" autofocus onfocus="x`, `&lt;b&gt;`, `</time></a></li></ol>`,
	"a\x00b", "<!--", "]]>", "&#34;", "日本語 <回覧>", "\xff<\xfe", `javascript:alert("x")`,
}

// TestWriterEscapes writes hostile texts into every field of a message and an outline, and finds the elements of a harmless one.
func TestWriterEscapes(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	shape := func(x string) (elements []string, all string) {
		p := Post{
			ID: x, Anchor: x, Subject: x, From: x, FromAddress: x, Initial: x, Sent: Time{x, x, x}, Href: x, Raw: x, Reply: x, New: true, FirstNew: true, Cut: true,
			InReplyTo: Link{x, x}, Attachments: []Attachment{{Href: x, Name: x, Kind: x, Size: x, HTML: "words", Lines: 1, Cut: true}},
			Blocks: []Block{{Kind: "text", HTML: "words"}, {Kind: "quote", Fold: true, Preformatted: true, HTML: "words"}},
		}
		row := OutlineRow{Href: x, From: x, Subject: x, Sent: Time{x, x, x}, Current: true, New: true, HasAttachment: true}
		whole := Message{
			Post: p, Canonical: x, Prev: Link{x, x}, Next: Link{x, x}, ThreadPrev: Link{x, x}, ThreadNext: Link{x, x}, Thread: x, ThreadCount: 2,
			Outline: []OutlineRow{row}, Recipients: x, Cc: x, Number: x, Decide: []Link{{x, x}}, Join: x,
		}
		month := MonthThread{Href: x, Subject: x, Earlier: true, Rows: []OutlineRow{row}, More: 2}
		year := Year{Months: []MonthLink{{Href: x, Name: x, Short: x}}}
		for _, lang := range Languages() {
			w := s.words[lang]
			for _, write := range []func() (template.HTML, error){
				func() (template.HTML, error) { return part(lang, w, threadPost)([]Post{p}) },
				func() (template.HTML, error) {
					return part(lang, w, func(w *writer, m Message) { message(w, m, x) })(whole)
				},
				func() (template.HTML, error) { return part(lang, w, monthThreads)([]MonthThread{month}) },
				func() (template.HTML, error) { return part(lang, w, cells)(year) },
				func() (template.HTML, error) { return part(lang, w, alternates)([]Form{{x, Link{x, x}}}) },
				func() (template.HTML, error) { return part(lang, w, forms)([]Form{{x, Link{x, x}}}) },
				func() (template.HTML, error) { return part(lang, w, crumbs)([]Link{{x, x}}) },
			} {
				got, err := write()
				if err != nil {
					t.Fatal(err)
				}
				all += string(got)
			}
		}
		z := html.NewTokenizer(strings.NewReader(all))
		for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
			tok := z.Token()
			if kind == html.TextToken {
				continue
			}
			element := kind.String() + " " + tok.Data
			for _, a := range tok.Attr {
				if a.Key != "lang" { // which depends on the text
					element += " " + a.Key
				}
			}
			elements = append(elements, element)
		}
		return elements, all
	}
	want, _ := shape("harmless")
	for _, x := range hostile {
		got, all := shape(x)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%q makes other elements:\n%s", x, all)
		}
		if !strings.Contains(html.UnescapeString(all), strings.ReplaceAll(x, "\x00", "\ufffd")) {
			t.Errorf("%q is not there as a text:\n%s", x, all)
		}
	}
}

func TestWriterTellsMissingWords(t *testing.T) {
	t.Parallel()
	write := part("en", words{}, func(w *writer, key string) { w.t(key) })
	if _, err := write("no.such"); err == nil || !strings.Contains(err.Error(), "no.such") {
		t.Errorf("got %v", err)
	}
}
