package web

import "regexp"

// numbered is a list's mark with a post number, as it comes back in replies: "[janog:00123] ", "【janog:00123】".
var numbered = regexp.MustCompile(`(?:\[[\p{L}\p{N}._-]{1,40}[:, ] ?\d{1,9}\]|[［【][\w.-]{1,40}[:：][0-9０-９]{1,9}[］】])\s*`)

// subject is a Subject for a page, where everybody sees which list this is: without numbered marks, and masked for strangers.
// Other marks in brackets, such as "[PATCH]", say something.
func (q *request) subject(s string) string {
	if plain := numbered.ReplaceAllString(s, ""); plain != "" {
		s = plain
	}
	return q.show(s)
}
