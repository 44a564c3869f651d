package rules

import (
	"kairan/list"
	"kairan/smtpd/message"
)

// Automatic reports whether a message answers or reports by itself (RFC 3834). Such mail never acts: it
// confirms, leaves and accepts nothing.
func Automatic(f *Facts) bool {
	q := &question{f: f, header: message.Parse(f.Header).Header()}
	sure, _ := automatic(q)
	perhaps, _ := looksAutomatic(q)
	return sure == list.Discard || perhaps == list.Hold
}
