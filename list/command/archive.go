package command

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kairan/archive"
	"kairan/list"
	"kairan/storage"
)

const (
	maxMessages = 20
	maxSending  = 1 << 20 // bytes
	maxIndex    = 300
	maxWho      = 1000
)

// belongs reports whether the author is somebody in the list.
func (s *session) belongs() bool {
	return s.member != nil || s.owner || list.Has(s.tx, s.List.ID, s.Author, list.RoleModerator)
}

// mayRead reports whether the author may read the archive, and says so if not.
func (s *session) mayRead() bool {
	if list.MayRead(s.tx, s.List, s.Author) {
		return true
	}
	s.say(s.T(s.lang, "commands.archive."+s.List.Settings.ArchivePolicy))
	return false
}

// who lists the members, but for those who hide, to those who may see them.
func (s *session) who(Command) error {
	all := s.owner || list.Has(s.tx, s.List.ID, s.Author, list.RoleModerator)
	visible := s.List.Settings.MemberRosterVisibility
	if !all && visible != list.RosterPublic && !(visible == list.RosterMembers && s.member != nil) {
		s.say(s.T(s.lang, "commands.roster-closed"))
		return nil
	}
	n := 0
	for _, m := range list.Members(s.tx, s.List.ID, list.RoleMember, "") {
		if m.Hide && !all {
			continue
		}
		if n++; n > maxWho {
			s.say("…")
			break
		}
		s.say(strings.TrimSpace(m.Address.String() + "  " + m.DisplayName))
	}
	if n == 0 {
		s.say(s.T(s.lang, "commands.none"))
	}
	return nil
}

// get sends messages by number, the last few, or a thread.
func (s *session) get(c Command) error {
	args := c.Args
	if strings.EqualFold(args[0], "thread") {
		return s.thread(Command{Args: args[1:]})
	}
	if !s.mayRead() {
		return nil
	}
	last, err := list.LastNumber(s.tx, s.List.ID)
	if err != nil {
		return err
	}
	for arg := range strings.SplitSeq(strings.ToLower(args[0]), ",") {
		from, to, ok := span(arg, last)
		if !ok {
			e, _ := find("get")
			s.say(s.T(s.lang, "commands.usage", "usage", e.usage))
			return nil
		}
		if more, err := s.attachAll(from, to); err != nil || !more {
			return err
		}
	}
	return nil
}

// attachAll attaches the messages of those numbers, and reports whether there is room for more.
func (s *session) attachAll(from, to uint64) (more bool, err error) {
	for n := from; n <= to && n-from < 10*maxMessages; n++ {
		m, err := archive.ByNumber(s.tx, string(s.List.ID), n)
		if errors.Is(err, storage.ErrNotFound) {
			if from == to {
				s.say(s.T(s.lang, "commands.no-message", "n", n))
			}
			continue
		}
		if err != nil {
			return false, err
		}
		if !s.attach(m) {
			return false, nil
		}
	}
	return true, nil
}

// span reads "5", "5-9" and "last:5"; last is the newest number there is.
func span(arg string, last uint64) (from, to uint64, ok bool) {
	if rest, isLast := strings.CutPrefix(arg, "last:"); isLast {
		n, err := strconv.ParseUint(rest, 10, 32)
		if err != nil || n == 0 {
			return 0, 0, false
		}
		return last - min(n, last) + 1, last, true
	}
	a, b, isRange := strings.Cut(arg, "-")
	from, err := strconv.ParseUint(a, 10, 32)
	if err != nil || from == 0 {
		return 0, 0, false
	}
	if !isRange {
		return from, from, true
	}
	to, err = strconv.ParseUint(b, 10, 32)
	return from, to, err == nil && from <= to
}

// thread sends the thread of the message with that number.
func (s *session) thread(c Command) error {
	if !s.mayRead() {
		return nil
	}
	n, err := strconv.ParseUint(c.Args[len(c.Args)-1], 10, 32)
	if err != nil {
		e, _ := find("thread")
		s.say(s.T(s.lang, "commands.usage", "usage", e.usage))
		return nil
	}
	m, err := archive.ByNumber(s.tx, string(s.List.ID), n)
	if errors.Is(err, storage.ErrNotFound) {
		s.say(s.T(s.lang, "commands.no-message", "n", n))
		return nil
	}
	if err != nil {
		return err
	}
	for m := range archive.InThread(s.tx, string(s.List.ID), m.Thread) {
		if !s.attach(m) {
			break
		}
	}
	return nil
}

// attach lets a message come along with the answer, and says so. Who does not belong to the list gets its address in the web
// instead, where people's addresses are shortened. It returns false when there is no more room.
func (s *session) attach(m *archive.Message) bool {
	if !s.belongs() {
		s.say(s.Workflow.Site.MessageURL(s.List, m.ID))
		return strings.Count(s.out.String(), "\n") < maxIndex
	}
	if slices.ContainsFunc(s.sending, func(old *archive.Message) bool { return old.Seq == m.Seq }) {
		return true
	}
	if len(s.sending) == maxMessages || s.size+m.Length > maxSending {
		s.say(s.T(s.lang, "commands.no-room", "n", maxMessages, "number", m.Number))
		return false
	}
	s.sending = append(s.sending, m)
	s.size += m.Length
	s.say(s.line(m))
	return true
}

// line is a message in an index. It shows no address.
func (s *session) line(m *archive.Message) string {
	number := "-"
	if m.Number != 0 {
		number = strconv.FormatUint(m.Number, 10)
	}
	return fmt.Sprintf("%6s  %s  %s  %s", number, m.Date.In(s.Workflow.Site.Location).Format("2006-01-02"), m.FromName, m.Subject)
}

// index lists the messages of a month, the newest one unless it is named.
func (s *session) index(c Command) error {
	if !s.mayRead() {
		return nil
	}
	month := ""
	if len(c.Args) == 1 {
		month = c.Args[0]
	} else {
		for m := range archive.Months(s.tx, string(s.List.ID)) {
			month = m.Month
			break
		}
	}
	n := 0
	for m := range archive.InMonth(s.tx, string(s.List.ID), month) {
		if n++; n > maxIndex {
			s.say("…")
			break
		}
		s.say(s.line(m))
	}
	if n == 0 {
		s.say(s.T(s.lang, "commands.none"))
	}
	return nil
}
