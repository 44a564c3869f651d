package search

import (
	"html"
	"regexp"
	"strings"

	"kairan/archive"
	"kairan/archive/render"
	"kairan/smtpd/message"
)

// tag is what render writes into the HTML of a block beside escaped text.
var tag = regexp.MustCompile(`<[^>]*>`)

// readable returns the text of a message as its readers see it, and the names of its attachments. raw is what archive.Raw returned; mask, if not nil,
// hides addresses from strangers.
func readable(raw []byte, mask func(string) string) (text string, attachments []render.Attachment) {
	body := render.Show(message.Parse(archive.Public(raw)), render.Options{Mask: mask})
	var b strings.Builder
	for _, block := range body.Blocks {
		s := string(block.HTML)
		if strings.Contains(s, "<") {
			s = tag.ReplaceAllLiteralString(s, "")
		}
		b.WriteString(html.UnescapeString(s))
		b.WriteString("\n\n")
	}
	return b.String(), body.Attachments
}
