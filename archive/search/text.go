package search

import (
	"kairan/archive"
	"kairan/archive/render"
	"kairan/smtpd/message"
)

// readable returns the text of a message as its readers see it, and the names of its attachments. raw is what archive.Raw returned; mask, if not nil,
// hides addresses from strangers.
func readable(raw []byte, mask func(string) string) (text string, attachments []string) {
	body := render.Show(message.Parse(raw), render.Options{Mask: mask, TextOnly: true})
	for _, a := range body.Attachments {
		attachments = append(attachments, archive.PublicText(a.Name))
	}
	return archive.PublicText(body.Text()), attachments
}
