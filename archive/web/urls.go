package web

import (
	"fmt"
	"strconv"
	"strings"

	"kairan/archive"
)

// EscapeSegment makes a name, such as a Message-ID, one path segment that stays readable. It leaves alone what RFC 3986
// (section 3.3) allows in a segment, so that it is the same as in the links that are put into mails (Archived-At).
func EscapeSegment(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// messagePath returns the permanent path of a message.
func (q *request) messagePath(m *archive.Message) string {
	path := q.base() + "m/" + EscapeSegment(m.ID) + "/"
	if m.Nth > 1 {
		path += strconv.Itoa(m.Nth) + "/"
	}
	return path
}

// threadPath returns the path of the thread that begins with the message of that ID.
func (q *request) threadPath(id string) string { return q.base() + "t/" + EscapeSegment(id) + "/" }

// monthPath returns the path of a month such as "2026-01".
func (q *request) monthPath(month string) string { return q.base() + month + "/" }

// anchor is the id of a message within the page of its thread.
func anchor(seq uint64) string { return "m" + strconv.FormatUint(seq, 10) }

// isMonth reports whether s looks like "2026-01".
func isMonth(s string) bool {
	var year, month int
	if len(s) != 7 || s[4] != '-' {
		return false
	}
	n, err := fmt.Sscanf(s, "%4d-%2d", &year, &month)
	return err == nil && n == 2 && month >= 1 && month <= 12 && s == fmt.Sprintf("%04d-%02d", year, month)
}

// nth returns which message of its ID the path names; 0 for what is no such number.
func nth(value string) int {
	if value == "" {
		return 1
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 2 || strconv.Itoa(n) != value {
		return 0 // "/1/" and "/02/" would be second addresses of one page
	}
	return n
}
