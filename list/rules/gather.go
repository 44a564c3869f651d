package rules

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// Bounds of what is taken from a message.
const (
	maxExcerpt = 2 << 10
	maxTo      = 1000
)

// Gather returns the facts that the message and its envelope tell. What the store, the network and the checks of
// authentication know is for the caller to add.
func Gather(msg *message.Message, env *smtpd.Envelope) Facts {
	raw, h := msg.Raw(), msg.Header()
	f := Facts{
		Header:  string(raw[:len(raw)-len(msg.Body())]),
		Excerpt: excerpt(msg),
		Size:    len(raw),
		Subject: h.Text("Subject"),
		Sender:  env.From,
	}
	f.Author, f.Froms = author(h)
	for _, name := range []string{"To", "Cc"} {
		for _, field := range h.All(name) {
			boxes, _ := address.ParseList(field.Value(), message.DecodeHeader) // what can be read counts
			for _, box := range boxes[:min(len(boxes), maxTo-len(f.To))] {
				f.To = append(f.To, box.Address)
			}
		}
	}
	return f
}

// author returns the address in From and how many there are. What cannot be read counts as one more: another
// program may read somebody else there.
func author(h message.Header) (a address.Address, froms int) {
	for _, field := range h.All("From") {
		boxes, err := address.ParseList(field.Value(), message.DecodeHeader)
		for _, box := range boxes {
			a = box.Address
			froms++
		}
		if err != nil {
			froms++
		}
	}
	if froms != 1 {
		return address.Address{}, froms
	}
	return a, froms
}

// excerpt returns the first lines of the text people read: of the first text part, or of the first HTML part where there is none.
func excerpt(msg *message.Message) string {
	var plain, markup *message.Part
	for _, p := range msg.Parts() {
		switch {
		case p.Disposition == "attachment":
		case p.ContentType == "text/plain" && plain == nil:
			plain = &p
		case p.ContentType == "text/html" && markup == nil:
			markup = &p
		}
	}
	switch {
	case plain != nil:
		text, _ := plain.Text()
		return clip(strings.TrimSpace(text))
	case markup != nil:
		text, _ := markup.Text()
		return clip(strings.TrimSpace(htmlText(text)))
	}
	return ""
}

// htmlText returns the first words of HTML, a line for each block. It is good enough to find a lone command.
func htmlText(markup string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(markup))
	z.SetMaxBuf(64 << 10)
	hidden := false
	for b.Len() < maxExcerpt {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if !hidden {
				b.Write(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			switch t := z.Token(); t.Data {
			case "style", "script", "title":
				hidden = t.Type == html.StartTagToken
			case "br", "p", "div", "li", "tr", "h1", "h2", "h3", "blockquote":
				b.WriteByte('\n')
			}
		}
	}
	return b.String()
}

// clip cuts s to maxExcerpt bytes between two characters.
func clip(s string) string {
	if len(s) <= maxExcerpt {
		return s
	}
	n := maxExcerpt
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
