package command

import (
	"errors"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
)

// maxPending is how much of what waits an answer names, of each kind.
const maxPending = 100

// each runs a step for each address that an owner names, and says what became of it.
func (s *session) each(c Command, step func(a address.Address) (subscribe.Result, error)) error {
	for _, arg := range c.Args {
		a, err := address.Parse(strings.Trim(arg, "<>,"))
		if err != nil || a.Domain() == "" || strings.HasPrefix(a.Domain(), "[") {
			s.say(s.T(s.lang, "commands.bad-address", "address", arg))
			continue
		}
		res, err := step(a)
		if err := s.take(res, err); err != nil {
			return err
		}
		s.say(a.String() + ": " + s.T(s.lang, "commands.state."+string(res.State)))
	}
	return nil
}

// order is what an owner wants done with an address.
func (s *session) order(a address.Address) subscribe.Request {
	return subscribe.Request{List: s.List, Address: a, By: s.Author.String(), Now: s.Now}
}

// add makes members, but not of those who want nothing that others ask for.
func (s *session) add(c Command) error {
	return s.each(c, func(a address.Address) (subscribe.Result, error) {
		return s.Workflow.Add(s.tx, s.order(a))
	})
}

func (s *session) remove(c Command) error {
	return s.each(c, func(a address.Address) (subscribe.Result, error) {
		return s.Workflow.Release(s.tx, s.order(a))
	})
}

func (s *session) invite(c Command) error {
	return s.each(c, func(a address.Address) (subscribe.Result, error) {
		return s.Workflow.Invite(s.tx, s.order(a))
	})
}

// setMember sets an option of a member.
func (s *session) setMember(c Command) error {
	a, err := address.Parse(strings.Trim(c.Args[0], "<>,"))
	if err != nil {
		s.say(s.T(s.lang, "commands.bad-address", "address", c.Args[0]))
		return nil
	}
	m, err := list.GetMember(s.tx, s.List.ID, list.RoleMember, a)
	if errors.Is(err, list.ErrNotMember) {
		s.say(a.String() + ": " + s.T(s.lang, "commands.state.not-member"))
		return nil
	}
	if err != nil {
		return err
	}
	s.change(m, c.Args[1:], list.DeliveryByModerator)
	return s.keep(m)
}

// keep stores what the author changed of a member.
func (s *session) keep(m *list.Member) error {
	return list.ChangeMember(s.tx, *m, s.Author.String(), s.Now)
}

// pending lists the held posts and who waits for a moderator to join or leave, each with the word that accepts it, and the requests
// that wait for a confirmation, oldest first.
func (s *session) pending(Command) error {
	when := func(t time.Time) string { return t.In(s.Workflow.Site.Location).Format("2006-01-02 15:04") + "  " }
	held := s.Moderation.Waiting(s.tx, s.List, s.lang, maxPending)
	for _, w := range held {
		s.say(when(w.Since) + w.Words + "\n    accept " + w.ID)
	}
	if len(held) > 0 {
		s.say("\n" + s.T(s.lang, "commands.decide") + "\n")
	}
	var lines []string
	for _, action := range append(subscribe.Unanswered(), subscribe.ActionEnable) {
		for p := range list.PendingIn(s.tx, action, s.List.ID, s.Now) {
			if len(lines) == maxPending {
				break
			}
			lines = append(lines, when(p.Created)+p.Address.String()+"  "+p.Action+": "+s.T(s.lang, "commands.unconfirmed"))
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		s.say(line)
	}
	if len(held)+len(lines) == 0 {
		s.say(s.T(s.lang, "commands.none"))
	}
	return nil
}

// decide carries out a word about what waits.
func (s *session) decide(c Command) error {
	ids, reason := c.Args, ""
	if c.Name == "reject" {
		ids, reason = c.Args[:1], strings.Join(c.Args[1:], " ")
	}
	for _, id := range ids {
		order := moderation.Order{ID: id, Word: c.Name, Reason: reason, By: s.Author, Lang: s.lang, Now: s.Now}
		lines, err := s.Moderation.Obey(s.tx, s.List, order)
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			s.say(s.T(s.lang, "commands.nothing-waits", "id", id))
		}
		for _, line := range lines {
			s.say(line)
		}
	}
	return nil
}
