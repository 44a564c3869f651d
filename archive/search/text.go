package search

import (
	"kairan/archive"
	"kairan/archive/render"
	"kairan/smtpd/message"
)

// readable returns the text of a message as its readers see it, up to so many bytes unless most is 0, and the names of its attachments. mask, if
// not nil, hides addresses from strangers. cut says that there is more text.
func readable(msg *message.Message, mask func(string) string, most int) (text string, attachments []string, cut bool) {
	body := render.Show(msg, render.Options{Filter: archive.PublicText, Mask: mask, TextOnly: true, Most: most})
	for _, a := range body.Attachments {
		attachments = append(attachments, a.Name)
	}
	return body.Text(), attachments, body.Cut
}
