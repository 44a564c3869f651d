package list

import (
	"cmp"
	"strings"

	"kairan/smtpd/message"
)

// approvalNames are the fields in which moderators approve their own posts, in Mailman's words.
var approvalNames = []string{"approved", "approve", "x-approved", "x-approve"}

var approval = message.NewPseudo(approvalNames...)

// TakeApproval returns what a moderator wrote about its own post, in the header or as the first line of the text
// ("Approved: yes"), and the message without it: nobody is to see it, whoever wrote it, since other programs want a password there.
// word is "" where there is nothing.
func TakeApproval(msg *message.Message) (word string, without *message.Message) {
	for _, name := range approvalNames {
		word = cmp.Or(word, strings.TrimSpace(msg.Header().Get(name)))
	}
	h := msg.Header().Without(func(f message.Field) bool { return IsApproval(f.Name) })
	if len(h) < len(msg.Header()) {
		msg = message.Parse(message.Join(h, msg.Body()))
	}
	first, msg := approval.Take(msg)
	return cmp.Or(word, first), msg
}

// IsApproval reports whether a header field of that name approves.
func IsApproval(name string) bool {
	for _, n := range approvalNames {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
