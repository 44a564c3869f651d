package render

import (
	"time"

	"kairan/smtpd/message"
)

// Enclosed is a message that came within another: one that was forwarded, or one of a digest (RFC 2046, section 5.2.1).
type Enclosed struct {
	From, Subject string    // lines of text; "" for none that could be seen
	Date          time.Time // zero without one that can be read
	Body          Body
}

// Limits of the messages within a message; they have its limits of text with it.
const (
	maxDepth    = 5
	maxMessages = 100
	maxField    = 200 // characters
)

// enclosed shows an attached message whose source is data; nil if there is no room, or it is none.
func (s *shower) enclosed(path string, data []byte) *Enclosed {
	msg := message.Parse(data)
	if len(msg.Header()) == 0 {
		return nil
	}
	if s.depth == maxDepth || s.messages == 0 || s.left <= 0 || s.lines <= 0 {
		s.body.Cut = s.body.Cut || s.TextOnly
		return nil
	}
	s.messages--
	e := &Enclosed{From: s.field(msg, "From"), Subject: s.field(msg, "Subject")}
	e.Date, _ = msg.Date()
	within := *s
	within.depth++
	within.body = Body{mask: s.Mask}
	within.message(msg, path+".")
	e.Body = within.body
	within.body, within.depth = s.body, s.depth
	*s = within // what may still be shown is less now
	s.body.Cut = s.body.Cut || s.TextOnly && e.Body.Cut
	return e
}

// field returns a field of the header as a line of text.
func (s *shower) field(msg *message.Message, name string) string {
	text := s.filter(clean(msg.Header().Text(name)))
	if s.Mask != nil {
		text = s.Mask(text)
	}
	return message.Brief(text, maxField)
}
