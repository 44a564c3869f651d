package web

import (
	"regexp"

	"kairan/smtpd/message"
)

// Characters of what strangers write, as pages have it; sources have it whole.
const (
	maxSubject = 200
	maxName    = 80
)

// numbered is a list's mark with a post number, as it comes back in replies: "[janog:00123] ", "【janog:00123】".
var numbered = regexp.MustCompile(`(?:\[[\p{L}\p{N}._-]{1,40}[:, ] ?\d{1,9}\]|[［【][\w.-]{1,40}[:：][0-9０-９]{1,9}[］】])\s*`)

// subject is a Subject for a page, where everybody sees which list this is: without numbered marks, and masked for strangers.
// Other marks in brackets, such as "[PATCH]", say something.
func (q *request) subject(s string) string {
	if plain := numbered.ReplaceAllString(s, ""); plain != "" {
		s = plain
	}
	return message.Brief(q.show(s), maxSubject)
}

// called is the name of an author as pages have it, "" for none that could be seen.
func (q *request) called(name string) string { return message.Brief(q.show(name), maxName) }
