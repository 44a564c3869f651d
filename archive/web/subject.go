package web

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"kairan/smtpd/message"
)

// Characters of what strangers write, as pages have it; sources have it whole.
const (
	maxSubject = 200
	maxName    = 80
)

// numbered is a mark with a post number, as it comes back in replies: "[janog:00123] ", "【janog:00123】". With a space in it
// it may be anything, such as "[Errno 2]", unless the name is the list's own, or the number is written as fml does; and behind words, too.
var numbered = regexp.MustCompile(`(?:\[(\p{L}[\p{L}\p{N}._-]{0,39})([:, ] ?)(\d{1,9})\]|[［【][\w.-]{1,40}[:：][0-9０-９]{1,9}[］】])\s*`)

// subject is a Subject for a page, where everybody sees which list this is: without numbered marks and the list's name in brackets, and
// masked for strangers. Other marks in brackets, such as "[PATCH]", say something.
func (q *request) subject(s string) string {
	if plain := q.withoutMarks(s); plain != "" {
		s = plain
	}
	return message.Brief(q.show(s), maxSubject)
}

// withoutMarks leaves the marks of the list out.
func (q *request) withoutMarks(s string) string {
	own, _, _ := strings.Cut(q.list.Address, "@")
	at := strings.IndexByte(s, '[')
	if end := at + len(own) + 1; own != "" && at >= 0 && end < len(s) && s[end] == ']' && strings.EqualFold(s[at+1:end], own) {
		s = s[:at] + strings.TrimLeft(s[end+1:], " ")
	}
	if !mayBeNumbered(s) { // the expression is slow
		return s
	}
	plain, done := "", 0
	for _, at := range numbered.FindAllStringSubmatchIndex(s, -1) {
		if before := strings.TrimRight(s[:at[0]], " "); before != "" && !endsMark(before) {
			continue
		}
		if at[2] >= 0 {
			name, between, number := s[at[2]:at[3]], s[at[4]:at[5]], s[at[6]:at[7]]
			fml := len(number) == 5 && number[0] == '0' // as it counts
			if between == " " && !fml && !strings.EqualFold(name, own) {
				continue
			}
		}
		plain += s[done:at[0]]
		done = at[1]
	}
	return plain + s[done:]
}

// endsMark reports whether a subject ends as reply words and marks do: "Re:", "[x]".
func endsMark(s string) bool {
	last, _ := utf8.DecodeLastRuneInString(s)
	return strings.ContainsRune(":：])）］】", last)
}

// mayBeNumbered reports whether a subject has a number before a closing bracket, or brackets of Japanese.
func mayBeNumbered(s string) bool {
	if strings.Contains(s, "【") || strings.Contains(s, "［") {
		return true
	}
	for before, after, ok := strings.Cut(s, "]"); ok; before, after, ok = strings.Cut(after, "]") {
		name := strings.TrimRight(before, "0123456789")
		if name != before && name != "" && strings.IndexByte(":, ", name[len(name)-1]) >= 0 {
			return true
		}
	}
	return false
}

// renamed returns a subject where it is another one than that of the message above, "" where it only repeats that.
func (q *request) renamed(subject, above string) string {
	if subject == above {
		return ""
	}
	if rest, ok := message.CutReplyWord(subject); ok && strings.TrimSpace(rest) == above {
		return "" // as nearly all
	}
	own, _ := message.BaseSubject(subject)
	if base, _ := message.BaseSubject(above); own == base {
		return ""
	}
	return q.subject(subject)
}

// called is the name of an author as pages have it, "" for none that could be seen.
func (q *request) called(name string) string { return message.Brief(q.show(name), maxName) }
