package command

import (
	"errors"
	"strings"

	"kairan/archive"
	"kairan/list"
	"kairan/list/moderation"
	"kairan/storage"
)

// withdraw takes back a post of the author's: one that is held or has not left yet, or the words of one in the archive within withdraw_hours.
// Whether there is a message that is not the author's is not told.
func (s *session) withdraw(c Command) error {
	said, err := s.takeBack(c.Args[0])
	if err != nil || said != "" {
		s.say(said)
		return err
	}
	m, err := moderation.FindMessage(s.tx, s.List, c.Args[0], 1)
	if errors.Is(err, storage.ErrNotFound) || err == nil && m.Sight() != archive.Whole {
		s.say(s.T(s.lang, "commands.not-yours", "message", c.Args[0]))
		return nil
	}
	if err != nil {
		return err
	}
	return s.orderEdit(c, moderation.Edit{Message: m, Word: "withdraw"})
}

// takeBack is withdraw for what has not left; said is "" where there is no such post.
func (s *session) takeBack(name string) (said string, err error) {
	id, _ := moderation.MessageID(s.List, name, 1)
	for l, p := range list.PostsByMessageID(s.tx, id) {
		mine := l == s.List.ID && p.Author.Key() == s.Author.Key() && p.Auth.Author()
		if !mine || !p.Held() && !p.Recallable(s.Now) {
			continue
		}
		if _, err := s.Moderation.TakeBack(s.tx, p.ID, p.Author.String(), s.Now); err != nil {
			return "", err
		}
		return s.T(s.lang, "posts.taken-back"), nil
	}
	return "", nil
}

// edit hides a message of the archive or shows it again, splits it off its thread, or makes it an answer to another.
func (s *session) edit(c Command) error {
	m, err := s.named(c.Args[0])
	if m == nil {
		return err
	}
	e, words := moderation.Edit{Message: m, Word: c.Name}, c.Args[1:]
	if c.Name == "merge" { // "join" is what people say who come on the list
		if e.To, err = s.named(words[0]); e.To == nil {
			return err
		}
		e.Word, words = "join", words[1:]
	}
	e.Reason = strings.Join(words, " ")
	return s.orderEdit(c, e)
}

// named returns the message of that name, hidden or not; without one it says so and returns nil.
func (s *session) named(name string) (*archive.Message, error) {
	m, err := moderation.FindMessage(s.tx, s.List, name, 1)
	if errors.Is(err, storage.ErrNotFound) {
		s.say(s.T(s.lang, "commands.no-such-message", "message", name))
		return nil, nil
	}
	return m, err
}

// orderEdit lets an edit be carried out, and says that it is, or why it cannot be.
func (s *session) orderEdit(c Command, e moderation.Edit) error {
	e.List, e.By, e.Now = s.List, s.Author.String(), s.Now
	err := s.Moderation.OrderEdit(s.tx, e)
	switch {
	case errors.Is(err, archive.ErrNotAuthor):
		s.say(s.T(s.lang, "commands.not-yours", "message", c.Args[0]))
	case errors.Is(err, archive.ErrTooLate):
		s.say(s.T(s.lang, "decided.too-late", "owner", s.List.Suffixed("owner")))
	case errors.Is(err, archive.ErrPurged):
		s.say(s.T(s.lang, "decided.purged"))
	case errors.Is(err, archive.ErrThread):
		s.say(s.T(s.lang, "decided.thread"))
	case err != nil:
		return err
	default:
		s.say(s.T(s.lang, "decided."+e.Word))
	}
	return nil
}
