package moderation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/rules"
	"kairan/smtpd"
	"kairan/smtpd/message"
	"kairan/storage"
)

// Owns reports whether a Pending is one of ours.
func Owns(p *list.Pending) bool { return strings.HasPrefix(p.Action, forModerator) }

// Answer takes mail to the address of a token. ok is false for a token that is not one of ours.
func (m *Moderation) Answer(ctx context.Context, env *smtpd.Envelope, token string, msg *message.Message) (r smtpd.Reply, ok bool, err error) {
	var p *list.Pending
	err = m.DB.View(ctx, func(tx *storage.Tx) (err error) {
		p, err = list.GetPending(tx, token, env.At)
		return err
	})
	if errors.Is(err, list.ErrToken) || err == nil && !Owns(p) {
		return r, false, nil
	}
	if err == nil {
		r, err = m.Reply(ctx, env, p, token, msg)
	}
	return r, true, err
}

// Reply takes mail to the address of one of our tokens. Who wrote it must be whom the token was made for; a moderator, and an author
// who withdraws, authenticated. What the answer did, or why it did nothing, is answered by mail. Automatic mail is taken and left at that.
func (m *Moderation) Reply(ctx context.Context, env *smtpd.Envelope, p *list.Pending, token string, msg *message.Message) (smtpd.Reply, error) {
	facts := rules.Gather(msg, env)
	if rules.Automatic(&facts) {
		m.Log.Info("moderate", "action", p.Action, "ignored", "automatic mail")
		return smtpd.Reply{}, nil
	}
	kind, ids, err := purpose(p)
	if err != nil {
		return smtpd.Reply{}, fmt.Errorf("token: %w", err)
	}
	proven := kind == forAuthor
	if facts.Author.Key() == p.Address.Key() && !proven {
		if proven, err = m.Path.Authenticated(ctx, env, msg); err != nil {
			return smtpd.Reply{}, fmt.Errorf("moderate: %w", err)
		}
	}
	if facts.Author.Key() != p.Address.Key() || !proven {
		m.Log.Info("moderate", "action", p.Action, "refused", facts.Author.String())
		return smtpd.Reply{Code: 550, Enhanced: [3]int{5, 7, 1}, Text: "this address takes mail only of the person that it was made for, authenticated (SPF, DKIM, DMARC); the page that the notice names works as well"}, nil
	}
	command, understood := parseAnswer(msg.Text(), kind, len(ids))
	now := env.At
	err = m.DB.Update(ctx, func(tx *storage.Tx) error {
		if _, err := list.GetPending(tx, token, now); err != nil {
			return err
		}
		l, err := list.Get(tx, p.List)
		if err != nil {
			return err
		}
		lang := language(tx, l, p.Address)
		var lines []string
		if understood {
			lines, err = m.obey(tx, p, lang, command, now)
		} else {
			lines = []string{m.Templates.T(lang, "held.not-understood"), m.Templates.T(lang, "held.help-"+kind)}
		}
		if err != nil {
			return err
		}
		t := letter{list: l, to: p.Address, lang: lang, name: "held-answer", answers: message.MessageID(msg.Header().Get("Message-ID"))}
		if kind == forModerator || kind == forRequests || !understood {
			t.token = token
		}
		t.args = map[string]string{"lines": strings.Join(lines, "\n")}
		return m.queue(tx, t)
	})
	if errors.Is(err, list.ErrToken) || errors.Is(err, errNoModerator) {
		return smtpd.Reply{Code: 550, Enhanced: [3]int{5, 7, 1}, Text: "this address is too old, or you are not a moderator of the list any more"}, nil
	}
	if err != nil {
		return smtpd.Reply{}, fmt.Errorf("moderate: %w", err)
	}
	m.Log.Info("moderate", "action", p.Action, "word", command.word, "by", p.Address.String())
	m.Wake()
	return smtpd.Reply{}, nil
}

// obey does what an answer says and returns what became of each thing.
func (m *Moderation) obey(tx *storage.Tx, p *list.Pending, lang string, c command, now time.Time) (lines []string, err error) {
	_, ids, err := purpose(p)
	if err != nil {
		return nil, err
	}
	if c.numbers == nil {
		for i := range ids {
			c.numbers = append(c.numbers, i+1)
		}
	}
	for _, n := range c.numbers {
		said, err := m.perform(tx, p, Order{ID: ids[n-1], Word: c.word, Reason: c.reason, By: p.Address, Lang: lang, Now: now})
		if err != nil {
			return nil, err
		}
		lines = append(lines, strconv.Itoa(n)+". "+said)
	}
	return lines, nil
}

// errNoModerator says that a token's owner may not decide any more.
var errNoModerator = errors.New("is no moderator of the list any more")

// errWord says that a word does not go with a token.
var errWord = errors.New("the word is not one for this")

// perform does what a word means for one thing of a token, and says what became of it.
func (m *Moderation) perform(tx *storage.Tx, p *list.Pending, o Order) (said string, err error) {
	kind, ids, err := purpose(p)
	if err != nil {
		return "", err
	}
	if !slices.Contains(ids, o.ID) {
		return "", list.ErrToken
	}
	l, err := list.Get(tx, p.List)
	if err != nil {
		return "", err
	}
	deciding := kind == forModerator || kind == forRequests
	if deciding && !m.Moderates(tx, l, p.Address) {
		return "", errNoModerator
	}
	if deciding && o.Word == "take-back" {
		if kind == forRequests {
			_, o.ID, _ = strings.Cut(o.ID, " ")
		}
		return m.takeBack(tx, l, o)
	}
	if o.Undo = o.Undo && deciding; !slices.Contains(buttons[kind], o.Word) {
		return "", errWord
	}
	if kind == forRequests {
		r, err := requests.Get(tx, storage.P(l.ID, o.ID))
		if errors.Is(err, storage.ErrNotFound) {
			return "", list.ErrToken // it is forgotten
		}
		if err != nil {
			return "", err
		}
		return m.obeyRequest(tx, l, &r, o)
	}
	said, err = m.obeyPost(tx, o, deciding)
	if err == nil && kind == forAuthor { // the next question may be asked
		err = list.WithdrawPending(tx, p.Action, p.List, p.Address)
	}
	return said, err
}
