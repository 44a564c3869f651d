package web

import (
	"fmt"
	"strconv"
	"strings"

	"kairan/archive"
)

// messagePath returns the permanent path of a message.
func (q *request) messagePath(m *archive.Message) string {
	path := q.base() + "m/" + archive.EscapeSegment(m.ID) + "/"
	if m.Nth > 1 {
		path += strconv.Itoa(m.Nth) + "/"
	}
	return path
}

// threadPath returns the path of the thread that begins with the message of that ID.
func (q *request) threadPath(id string) string {
	return q.base() + "t/" + archive.EscapeSegment(id) + "/"
}

// monthPath returns the path of a month such as "2026-01".
func (q *request) monthPath(month string) string { return q.base() + month + "/" }

// leaf is what follows the folder in the address of another form of a page, such as "index.json"; "" for the page itself.
func (q *request) leaf() string {
	path := q.r.URL.EscapedPath()
	return path[strings.LastIndexByte(path, '/')+1:]
}

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
