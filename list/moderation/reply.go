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

// Owns reports whether a Pending is one of ours, for Reply.
func Owns(p *list.Pending) bool { return strings.HasPrefix(p.Action, forModerator) }

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
	if facts.Author.Key() != p.Address.Key() || kind != forAuthor && !m.Path.Authenticated(ctx, env, msg) {
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
			lines, err = m.obey(tx, p, command, now)
		} else {
			lines = []string{m.Templates.T(lang, "held.not-understood"), m.Templates.T(lang, "held.help-"+kind)}
		}
		if err != nil {
			return err
		}
		t := letter{list: l, to: p.Address, lang: lang, name: "held-answer", answers: message.MessageID(msg.Header().Get("Message-ID"))}
		if kind == forModerator || !understood {
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

// obey does what an answer says and returns what became of each post.
func (m *Moderation) obey(tx *storage.Tx, p *list.Pending, c command, now time.Time) (lines []string, err error) {
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
		out, err := m.perform(tx, p, ids[n-1], c.word, c.reason, now)
		if err != nil {
			return nil, err
		}
		lines = append(lines, strconv.Itoa(n)+". "+m.Said(language(tx, out.List, p.Address), out))
	}
	return lines, nil
}

// undone says what a decision left out, in a sentence after a space, or "".
func (m *Moderation) undone(lang string, out Outcome) string {
	if out.Undone == "" {
		return ""
	}
	return " " + m.Templates.T(lang, "held.undone-"+out.Undone)
}

// errNoModerator says that a token's owner may not decide any more.
var errNoModerator = errors.New("is no moderator of the list any more")

// errWord says that a word does not go with a token.
var errWord = errors.New("the word is not one for this")

// perform does what a word means for one post of a token.
func (m *Moderation) perform(tx *storage.Tx, p *list.Pending, id list.PostID, word, reason string, now time.Time) (Outcome, error) {
	kind, ids, err := purpose(p)
	if err != nil {
		return Outcome{}, err
	}
	if !slices.Contains(ids, id) {
		return Outcome{}, list.ErrToken
	}
	l, err := list.Get(tx, p.List)
	if err != nil {
		return Outcome{}, err
	}
	if kind == forModerator && !m.moderates(tx, l, p.Address) {
		return Outcome{}, errNoModerator
	}
	d := Decision{Post: id, By: p.Address.String()}
	switch kind + " " + word {
	case forModerator + " accept", forAuthor + " yes":
		d.Action = list.Accept
	case forModerator + " trust":
		d.Action, d.Trust = list.Accept, true
	case forModerator + " reject":
		d.Action, d.Reason = list.Reject, reason
	case forModerator + " ban":
		d.Action, d.Ban = list.Discard, true
	case forModerator + " discard", forWithdrawal + " withdraw", forAuthor + " no":
		d.Action = list.Discard
	default:
		return Outcome{}, errWord
	}
	out, err := m.Decide(tx, d, now)
	out.insider = kind == forModerator
	if err == nil && kind == forAuthor { // the next question may be asked
		err = list.WithdrawPending(tx, p.Action, p.List, p.Address)
	}
	return out, err
}
