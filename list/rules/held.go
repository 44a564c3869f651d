package rules

import (
	"fmt"

	"kairan/list"
)

// approved is the word of a moderator on the moderator's own post, "Approved: yes" in its header or as its first line. It takes
// no password: that the moderator wrote it is shown by authentication, and by nothing less.
func approved(q *question) (list.Action, string) {
	if !q.f.Approve || !q.f.Owner || !q.authenticated && !q.f.Trusted {
		return "", ""
	}
	return list.Accept, q.f.Author.String()
}

// tooManyHeld refuses in the SMTP dialogue what moderators could not read in time. A quarter of the room is kept for authors
// who are authenticated, so that a flood of forgeries does not shut them out.
func tooManyHeld(q *question) (list.Action, string) {
	s := &q.l.Settings
	room := s.MaxHeld
	if !q.authenticated {
		room -= room / 4
	}
	switch {
	case s.MaxHeldPerSender > 0 && q.f.HeldSame >= s.MaxHeldPerSender:
		return list.Reject, fmt.Sprintf("%d of this author", q.f.HeldSame)
	case s.MaxHeld > 0 && q.f.Held >= room:
		return list.Reject, fmt.Sprintf("%d of the list", q.f.Held)
	}
	return "", ""
}
