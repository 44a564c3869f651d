package rules

import (
	"fmt"
	"strings"

	"kairan/list"
)

// approved is the word of a moderator on the moderator's own post, "Approved: yes" in its header or as its first line. It takes
// no password: that the moderator wrote it is shown by authentication.
func approved(q *question) (list.Action, string) {
	if !q.f.Owner || !q.authenticated && !q.believed() {
		return "", ""
	}
	first, _, _ := strings.Cut(q.f.Excerpt, "\n")
	name, inBody, _ := strings.Cut(first, ":")
	if !strings.EqualFold(strings.TrimSpace(name), "Approved") {
		inBody = ""
	}
	for _, word := range []string{q.header.Get("Approved"), inBody} {
		if strings.EqualFold(strings.TrimSpace(word), "yes") {
			return list.Accept, q.f.Author.String()
		}
	}
	return "", ""
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
