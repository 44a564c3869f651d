package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"kairan/archive"
	"kairan/list"
	"kairan/list/moderation"
	"kairan/list/posting"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// Processor answers command mail. All parts are needed. Its Confirmed belongs into the Workflow's Actions under subscribe.ActionCommands.
type Processor struct {
	Archive  *archive.Archive
	Workflow *subscribe.Workflow
	// Moderation decides about what is held.
	Moderation *moderation.Moderation
	Templates  *templates.Set
	Log        *slog.Logger
}

// Question is a command mail. It is not automatic: the caller sees to that.
type Question struct {
	List     *list.List
	Author   address.Address // null when there is no single one
	Name     string          // of the author
	Sender   address.Address // of the envelope
	Verified bool            // the mail is authenticated as the author's
	Subject  string
	Text     string
	Lang     string // that its header names, or ""
	ID       string // Message-ID, without "<>"
	Now      time.Time
}

// session is a question while it is answered, within a transaction.
type session struct {
	*Processor
	Question
	tx     *storage.Tx
	lang   string
	member *list.Member // the author, if verified
	owner  bool         // likewise
	mod    bool         // likewise: decides about what is held
	obeyed bool         // an owner's commands are carried out now, not asked back

	out     strings.Builder // the answer
	orders  []string        // lines of an owner or a moderator, to be confirmed
	result  subscribe.Result
	sending []*archive.Message // come along with the answer
	size    int64              // of them
}

// maxAnswer bounds the text of an answer in bytes.
const maxAnswer = 200 << 10

// Serve carries out the commands of a mail and answers it. When it returns no error everything is on disk.
func (p *Processor) Serve(ctx context.Context, q Question) error {
	script := Parse(q.Subject, q.Text)
	if len(script.Commands) == 0 && (script.Unknown == "" || !q.Verified) {
		p.Log.Info("command", "list", q.List.Address.String(), "ignored", "no command")
		return nil
	}
	var s *session
	_, err := p.Workflow.Do(ctx, func(tx *storage.Tx) (subscribe.Result, error) {
		var err error
		if s, err = p.open(tx, q); err != nil {
			return subscribe.Result{}, err
		}
		if err := s.carryOut(script); err != nil {
			return subscribe.Result{}, err
		}
		return s.result, s.reply()
	})
	if err != nil {
		return fmt.Errorf("commands: %w", err)
	}
	p.Moderation.Wake() // for what was taken back
	p.Log.Info("command", "list", q.List.Address.String(), "verified", q.Verified, "commands", len(script.Commands))
	return s.send(ctx)
}

func (p *Processor) open(tx *storage.Tx, q Question) (*session, error) {
	s := &session{Processor: p, Question: q, tx: tx, lang: cmp.Or(q.Lang, q.List.Settings.PreferredLanguage)}
	s.result.List = q.List
	if strings.ContainsFunc(q.Subject+q.Text, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }) {
		s.lang = "ja"
	}
	if !q.Verified {
		return s, nil
	}
	m, err := list.GetMember(tx, q.List.ID, list.RoleMember, q.Author)
	switch {
	case err == nil:
		s.member = m
		if m.Language != "" {
			s.lang = m.Language
		}
	case !errors.Is(err, list.ErrNotMember):
		return nil, err
	}
	s.owner = list.Has(tx, q.List.ID, q.Author, list.RoleOwner)
	s.mod = p.Moderation.Moderates(tx, q.List, q.Author)
	return s, nil
}

// T returns the words of a key in the author's language.
func (s *session) T(lang, key string, args ...any) string { return s.Templates.T(lang, key, args...) }

// carryOut runs the commands in their order.
func (s *session) carryOut(script Script) error {
	for _, c := range script.Commands {
		before := s.out.Len()
		if err := s.one(c); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if answer := s.out.String()[before:]; answer != "" {
			rest := s.out.String()[:before]
			s.out.Reset()
			s.out.WriteString(rest + "> " + s.question(c) + "\n" + answer + "\n")
		}
	}
	switch {
	case script.More:
		s.say(s.T(s.lang, "commands.more", "n", maxCommands))
	case script.Unknown != "" && s.Verified:
		s.say(s.T(s.lang, "commands.unknown", "line", script.Unknown) + "\n")
		return s.help(Command{})
	}
	return nil
}

// question is a command as the answer repeats it: in the words of the question only to who wrote it.
func (s *session) question(c Command) string {
	if s.Verified {
		return c.Line
	}
	return c.Name
}

func (s *session) one(c Command) error {
	e, _ := find(c.Name)
	switch {
	case e.may != anybody && !s.Verified:
		s.say(s.T(s.lang, "commands.unverified"))
		return nil
	case e.may == members && s.member == nil:
		s.say(s.T(s.lang, "commands.members-only"))
		return nil
	case e.may == owners && !s.owner:
		s.say(s.T(s.lang, "commands.owners-only"))
		return nil
	case e.may == moderators && !s.mod:
		s.say(s.T(s.lang, "commands.moderators-only"))
		return nil
	case (e.may == owners || e.may == moderators) && !s.obeyed:
		s.orders = append(s.orders, c.Line)
		return nil
	}
	return e.run(s, c)
}

// say adds a line to the answer.
func (s *session) say(text string) {
	if s.out.Len()+len(text) < maxAnswer {
		s.out.WriteString(text + "\n")
	}
}

// take keeps what a step of the workflow has to tell.
func (s *session) take(res subscribe.Result, err error) error {
	s.result.Mails = append(s.result.Mails, res.Mails...)
	s.result.Held = append(s.result.Held, res.Held...)
	return err
}

// request is what the author asks the workflow for.
func (s *session) request() subscribe.Request {
	return subscribe.Request{List: s.List, Address: s.Author, Name: s.Name, Verified: s.Verified, InReplyTo: s.ID, Now: s.Now}
}

// reply adds the answer to what the transaction sends, within the budget of who gets it.
func (s *session) reply() error {
	if len(s.orders) > 0 {
		if err := s.askBack(); err != nil {
			return err
		}
	}
	if s.out.Len() == 0 {
		return nil
	}
	ok, err := s.mayAnswer()
	if err != nil || !ok {
		s.sending = nil
		return err
	}
	n, err := s.answer()
	if err == nil && len(s.sending) == 0 {
		s.result.Mails = append(s.result.Mails, n)
	}
	return err
}

func (s *session) mayAnswer() (bool, error) {
	if s.to().IsNull() {
		return false, nil
	}
	return subscribe.MayAnswer(s.tx, s.request(), s.to())
}

func (s *session) to() address.Address {
	if s.Verified {
		return s.Author
	}
	return s.Sender
}

func (s *session) answer() (posting.Notice, error) {
	return s.Workflow.Letter(s.tx, subscribe.Letter{
		List: s.List, To: s.to(), Name: "commands", Lang: s.lang, InReplyTo: s.ID, ReplyTo: s.List.Suffixed("request"),
		Args: map[string]string{"results": strings.TrimRight(s.out.String(), "\n") + "\n"},
	})
}

// askBack mails an owner or a moderator a token for the orders.
func (s *session) askBack() error {
	ok, err := s.mayAnswer()
	if err != nil || !ok {
		return err
	}
	data, err := json.Marshal(s.orders)
	if err != nil {
		return err
	}
	text := "    " + strings.Join(s.orders, "\n    ") + "\n"
	return s.take(s.Workflow.Ask(s.tx, s.request(), list.Pending{Action: subscribe.ActionCommands + ":" + storage.NewID(s.Now), Data: data}, "confirm-commands", map[string]string{"commands": text}))
}

// Confirmed carries out orders after their confirmation: it is a [subscribe.Action].
func (p *Processor) Confirmed(tx *storage.Tx, l *list.List, pending *list.Pending, c subscribe.Confirmation) (subscribe.Result, error) {
	var lines []string
	if err := json.Unmarshal(pending.Data, &lines); err != nil {
		return subscribe.Result{}, err
	}
	s, err := p.open(tx, Question{List: l, Author: pending.Address, Verified: true, ID: c.InReplyTo, Now: c.Now})
	if err != nil {
		return subscribe.Result{}, err
	}
	s.obeyed = true
	var script Script
	for _, line := range lines {
		if c, ok := parseLine(line); ok {
			script.Commands = append(script.Commands, c)
		}
	}
	if err := s.carryOut(script); err != nil {
		return subscribe.Result{}, err
	}
	n, err := s.answer()
	s.result.Mails = append(s.result.Mails, n)
	s.result.State = subscribe.Done
	return s.result, err
}

// send mails an answer with messages of the archive, which are too large for a transaction.
func (s *session) send(ctx context.Context) error {
	if len(s.sending) == 0 {
		return nil
	}
	var n posting.Notice
	err := s.Workflow.DB.View(ctx, func(tx *storage.Tx) (err error) {
		s.tx = tx
		n, err = s.answer()
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range s.sending {
		raw, err := s.Archive.Raw(m)
		if err != nil {
			return err
		}
		n.Attached = append(n.Attached, archive.Public(raw))
	}
	return s.Workflow.Path.Notify(ctx, n)
}
