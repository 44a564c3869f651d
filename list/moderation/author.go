package moderation

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
)

// greet does once for a post what is for its author: an authenticated one is told that it waits and how to withdraw it; the member
// whose address a post bears without proof is asked, where the list wants that.
func (m *Moderation) greet(ctx context.Context, id list.PostID, now time.Time) error {
	items, err := m.read(ctx, []list.PostID{id})
	if err != nil {
		return err
	}
	return m.DB.Update(ctx, func(tx *storage.Tx) error {
		p, err := list.GetPost(tx, id)
		if err != nil {
			return err
		}
		w, err := list.GetWaiting(tx, p)
		if errors.Is(err, storage.ErrNotFound) || w.Seen {
			return nil // decided meanwhile
		}
		if err != nil {
			return err
		}
		l, err := list.Get(tx, p.List)
		if err != nil {
			return err
		}
		w.Seen = true
		switch answerable := len(items) == 1 && !items[0].automatic; {
		case !answerable:
		case p.Auth.Author() && l.Settings.RespondToPostRequests:
			w.Told, err = true, m.tellHeld(tx, l, p, now)
		case !p.Auth.Author() && l.Settings.AskAuthor && isOnly(p, "unauthenticated"):
			err = m.ask(tx, l, p, now)
		}
		if err != nil {
			return err
		}
		return list.SetWaiting(tx, p, w)
	})
}

// tellHeld tells the author of a post that it waits.
func (m *Moderation) tellHeld(tx *storage.Tx, l *list.List, p *list.Post, now time.Time) error {
	token, err := newToken(tx, forWithdrawal+":"+string(p.ID), l, p.Author, tokenLife, now, string(p.ID))
	if err != nil {
		return err
	}
	lang := language(tx, l, p.Author)
	return m.queue(tx, letter{list: l, to: p.Author, lang: lang, name: "held-author", token: token, answers: p.MessageID, args: map[string]string{
		"subject": m.subject(lang, p),
		"reasons": bullets(m.reasons(lang, p)),
		"url":     m.url(token),
		"mailto":  mailto(l, token, "withdraw"),
	}})
}

// ask asks a member whether a post is its own. One question waits at a time, so that nobody can have a member asked again and again.
func (m *Moderation) ask(tx *storage.Tx, l *list.List, p *list.Post, now time.Time) error {
	if _, err := list.GetMember(tx, l.ID, list.RoleMember, p.Author); err != nil {
		if errors.Is(err, list.ErrNotMember) {
			return nil
		}
		return err
	}
	token, err := newToken(tx, forAuthor, l, p.Author, askLife, now, string(p.ID))
	if errors.Is(err, list.ErrPending) {
		return nil
	}
	if err != nil {
		return err
	}
	lang := language(tx, l, p.Author)
	return m.queue(tx, letter{list: l, to: p.Author, lang: lang, name: "held-ask", token: token, args: map[string]string{
		"subject":  m.subject(lang, p),
		"received": p.Received.In(m.Site.Location).Format("2006-01-02 15:04 MST"),
		"url":      m.url(token),
		"yes":      mailto(l, token, "yes"),
		"no":       mailto(l, token, "no"),
	}})
}

// tellOutcome tells the author what was decided. Who does not know that the post was held, or is not authenticated, hears
// nothing, but for a rejection, which is for the author. What is discarded, is so in silence.
func (m *Moderation) tellOutcome(tx *storage.Tx, out Outcome, w list.Waiting, d Decision) error {
	l, p := out.List, out.Post
	if !p.Auth.Author() || p.Author.String() == d.By {
		return nil
	}
	lang := language(tx, l, p.Author)
	t := letter{list: l, to: p.Author, lang: lang, answers: p.MessageID, args: map[string]string{"subject": m.subject(lang, p)}}
	switch {
	case d.Action == list.Reject:
		t.name = "held-rejected"
		t.args["reason"] = m.rejection(l, d.Reason, lang)
	case d.Action == list.Accept && w.Told:
		t.name = "held-accepted"
	case d.By == list.ByTime && w.Told:
		t.name = "held-expired"
		t.args["days"] = strconv.Itoa(l.Settings.MaxDaysToHold)
	default:
		return nil
	}
	return m.queue(tx, t)
}

// rejection is what the author of a rejected post reads.
func (m *Moderation) rejection(l *list.List, words, lang string) string {
	if text := reason(l, words, lang); text != "" {
		return text
	}
	return m.Templates.T(lang, "held.no-reason")
}

// bullets are lines of a mail.
func bullets(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("- " + line + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
