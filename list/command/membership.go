package command

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
)

// help shows one command, or all that are for the author.
func (s *session) help(c Command) error {
	if len(c.Args) == 1 {
		if e, ok := find(strings.ToLower(c.Args[0])); ok {
			s.describe(e)
			if len(e.aliases) > 0 {
				s.say("    = " + strings.Join(e.aliases, ", "))
			}
			return nil
		}
	}
	s.say(s.T(s.lang, "commands.intro", "request", s.List.Suffixed("request"), "n", maxCommands) + "\n")
	for _, e := range table() {
		if (e.may != owners || s.owner) && (e.may != moderators || s.mod) {
			s.describe(e)
		}
	}
	return nil
}

func (s *session) describe(e entry) {
	s.say(e.usage + e.japanese(s.lang) + "\n    " + s.T(s.lang, "command."+e.name))
}

func (s *session) info(Command) error {
	l := s.List
	s.say(l.Title() + " <" + l.Address.String() + ">")
	if text := l.Settings.Description.In(s.lang); text != "" {
		s.say(text)
	}
	s.say(s.Workflow.Site.ListURL(l))
	s.say(s.T(s.lang, "commands.policy."+string(l.Settings.SubscriptionPolicy)))
	s.say(s.T(s.lang, "commands.archive."+l.Settings.ArchivePolicy))
	s.say(s.T(s.lang, "commands.owner", "owner", l.Suffixed("owner")))
	return nil
}

// maxLists is how many lists an answer names.
const maxLists = 500

func (s *session) lists(Command) error {
	n := 0
	for l := range list.All(s.tx) {
		if !l.Settings.Advertised {
			continue
		}
		if n++; n > maxLists {
			s.say("…")
			return nil
		}
		s.say(strings.TrimSpace(l.Address.String() + "  " + l.Settings.Description.In(s.lang)))
	}
	return nil
}

func (s *session) which(Command) error {
	found := false
	for id, role := range list.Memberships(s.tx, s.Author) {
		l, err := list.Get(s.tx, id)
		if err != nil {
			return err
		}
		if role == list.RoleNonmember || !l.Removed.IsZero() {
			continue
		}
		found = true
		s.say(l.Address.String() + "  (" + s.T(s.lang, "commands.role."+string(role)) + ")")
	}
	if !found {
		s.say(s.T(s.lang, "commands.none"))
	}
	return nil
}

// joinMode reads what is said of digests behind "join": "digest", "nodigest", or in Mailman's way "digest=mime".
func joinMode(word string) (mode list.DeliveryMode, ok bool) {
	word = strings.ToLower(word)
	if word == "nodigest" {
		return list.DeliveryRegular, true
	}
	value, ok := strings.CutPrefix(word, "digest=")
	if !ok {
		return list.DeliveryPlaintextDigests, word == "digest"
	}
	mode, ok = digestWords[value]
	return mode, ok
}

// join takes words behind it as a name, but for what other programs want there: the list, options, a request to do so.
func (s *session) join(c Command) error {
	if s.Author.IsNull() {
		return nil
	}
	r := s.request()
	words := slices.DeleteFunc(slices.Clone(c.Args), func(w string) bool {
		if mode, ok := joinMode(w); ok {
			r.Mode = mode
			return true
		}
		return strings.Contains(w, "=") || strings.EqualFold(w, s.List.Address.Local()) || slices.Contains([]string{"me", "please"}, strings.ToLower(w))
	})
	r.Name = cmp.Or(strings.Join(words, " "), r.Name)
	if r.Mode != "" && r.Mode != list.DeliveryRegular && !s.List.Settings.DigestsEnabled {
		s.say(s.T(s.lang, "commands.no-digests"))
	}
	return s.outcome(s.Workflow.Join(s.tx, r))
}

// outcome is take for what the author asked for itself: it says why nothing was done.
func (s *session) outcome(res subscribe.Result, err error) error {
	switch res.State {
	case subscribe.Refused:
		s.say(s.T(s.lang, "commands.refused", "owner", s.List.Suffixed("owner")))
	case subscribe.NoRoom:
		s.say(s.T(s.lang, "commands.list-full", "list", s.List.Title(), "owner", s.List.Suffixed("owner")))
	case subscribe.Full:
		s.say(s.T(s.lang, "commands.full"))
	}
	return s.take(res, err)
}

func (s *session) leave(Command) error {
	if s.Author.IsNull() {
		return nil
	}
	return s.outcome(s.Workflow.Leave(s.tx, s.request()))
}

func (s *session) confirm(c Command) error {
	if s.Author.IsNull() {
		return nil
	}
	res, err := s.Workflow.Confirm(s.tx, subscribe.Confirmation{Token: strings.ToLower(c.Args[0]), From: s.Author, InReplyTo: s.ID, Now: s.Now})
	if errors.Is(err, list.ErrToken) {
		s.say(s.T(s.lang, "commands.bad-token"))
		return nil
	}
	return s.outcome(res, err)
}

// chaddr says the same whether the old address is a member or not.
func (s *session) chaddr(c Command) error {
	var addrs []address.Address
	for _, arg := range c.Args {
		a, err := address.Parse(strings.Trim(arg, "<>,"))
		if err != nil {
			s.say(s.T(s.lang, "commands.bad-address", "address", arg))
			return nil
		}
		addrs = append(addrs, a)
	}
	before, after := s.Author, addrs[len(addrs)-1]
	if len(addrs) == 2 {
		before = addrs[0]
	}
	var res subscribe.Result
	var err error
	switch s.Author.Key() {
	case before.Key():
		res, err = s.Workflow.Readdress(s.tx, s.request(), after)
	case after.Key():
		res, err = s.Workflow.ReaddressFrom(s.tx, s.request(), before)
	default:
		s.say(s.T(s.lang, "commands.chaddr-neither"))
		return nil
	}
	s.say(s.T(s.lang, "commands.chaddr-asked"))
	return s.take(res, err)
}

func (s *session) echo(c Command) error {
	s.say(strings.Join(c.Args, " "))
	return nil
}
