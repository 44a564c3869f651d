package search

import (
	"kairan/archive"
	"kairan/archive/render"
	"kairan/smtpd/message"
)

// readable returns the text of a message as its readers see it, up to so many bytes unless most is 0, and the names of its attachments, those
// of messages that are attached too. mask, if not nil, hides addresses from strangers. cut says that there is more text.
func readable(msg *message.Message, mask func(string) string, most int) (text string, attachments []string, cut bool) {
	body := render.Show(msg, render.Options{Filter: archive.PublicText, Mask: mask, TextOnly: true, Most: most})
	return body.Text(), fileNames(body, nil), body.Cut
}

func fileNames(body render.Body, to []string) []string {
	for _, a := range body.Attachments {
		to = append(to, a.Name)
		if a.Message != nil {
			to = fileNames(a.Message.Body, to)
		}
	}
	return to
}
