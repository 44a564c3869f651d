package web

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// since says what is new to a reader: what came after a moment, or after a message.
type since struct {
	text string // as it stands in the address, "" for nothing
	at   time.Time
	seq  uint64

	count int    // new messages
	first uint64 // Seq of the first of them
}

// parseSince reads ?since=: "m123" is what came after that message, and a time (RFC 3339) or a day what came from then on. What makes
// no sense is nothing.
func parseSince(text string, loc *time.Location) since {
	if digits, ok := strings.CutPrefix(text, "m"); ok {
		if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
			return since{text: text, seq: n}
		}
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, strings.ReplaceAll(text, " ", "+"), loc); err == nil { // "+" is a space in a query
			return since{text: text, at: t}
		}
	}
	return since{}
}

// query returns the query of a page that goes on with what is new, 0 for none in particular; "" where nothing is asked for.
func (s *since) query(page int) string {
	values := url.Values{}
	if page > 0 {
		values.Set("p", itoa(page))
	}
	if s.text != "" {
		values.Set("since", s.text)
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// after reports whether a message is new.
func (s *since) after(received time.Time, seq uint64) bool {
	switch {
	case s.text == "":
		return false
	case s.at.IsZero():
		return seq > s.seq
	}
	return !received.Before(s.at)
}

// look counts a message, if it is new. Messages are looked at in the order of their receipt.
func (s *since) look(received time.Time, seq uint64) {
	if !s.after(received, seq) {
		return
	}
	if s.count++; s.first == 0 {
		s.first = seq
	}
}
