package web

import (
	"regexp"
	"strings"

	"kairan/smtpd/message"
)

// Characters of what strangers write, as pages have it; sources have it whole.
const (
	maxSubject = 200
	maxName    = 80
)

// numbered is a mark with a post number, as it comes back in replies: "[janog:00123] ", "【janog:00123】". With a space in it
// it may be anything, such as "[Errno 2]", unless the name is the list's own, or the number is written as fml does.
var numbered = regexp.MustCompile(`(?:\[([\p{L}\p{N}._-]{1,40})([:, ] ?)(\d{1,9})\]|[［【][\w.-]{1,40}[:：][0-9０-９]{1,9}[］】])\s*`)

// subject is a Subject for a page, where everybody sees which list this is: without numbered marks, and masked for strangers.
// Other marks in brackets, such as "[PATCH]", say something.
func (q *request) subject(s string) string {
	if plain := q.withoutMarks(s); plain != "" {
		s = plain
	}
	return message.Brief(q.show(s), maxSubject)
}

func (q *request) withoutMarks(s string) string {
	if !strings.ContainsAny(s, "[［【") {
		return s
	}
	return numbered.ReplaceAllStringFunc(s, func(mark string) string {
		part := numbered.FindStringSubmatch(mark)
		name, between, number := part[1], part[2], part[3]
		fml := len(number) == 5 && number[0] == '0' // as it counts
		if own, _, _ := strings.Cut(q.list.Address, "@"); between == " " && !fml && !strings.EqualFold(name, own) {
			return mark
		}
		return ""
	})
}

// called is the name of an author as pages have it, "" for none that could be seen.
func (q *request) called(name string) string { return message.Brief(q.show(name), maxName) }
