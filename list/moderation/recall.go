package moderation

import (
	"errors"
	"time"

	"kairan/list"
	"kairan/storage"
)

// TakeBack takes back a post of its author's (the caller sees to that): one that is held, or one that is accepted and has not left.
// Outcome.Late says that it was neither.
func (m *Moderation) TakeBack(tx *storage.Tx, id list.PostID, by string, now time.Time) (Outcome, error) {
	p, err := list.GetPost(tx, id)
	if err != nil {
		return Outcome{}, err
	}
	if !p.Recallable(now) {
		return m.Decide(tx, Decision{Post: id, Action: list.Discard, By: by}, now)
	}
	l, err := list.Get(tx, p.List)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{List: l}
	if out.Post, err = list.Recall(tx, id, by, now); err != nil {
		return Outcome{}, err
	}
	k := storage.P(l.ID, id)
	u, err := undoables.Get(tx, k)
	if errors.Is(err, storage.ErrNotFound) {
		return out, nil
	}
	return out, errors.Join(err, undoables.Delete(tx, k), putNews(tx, out, u.Waiting, Decision{By: by}))
}

// tellLeaving tells the author of a post that waits until it leaves how to take it back, if it wants to hear of its posts at all. It is
// what posting.Options.Waits calls.
func (m *Moderation) tellLeaving(tx *storage.Tx, l *list.List, p *list.Post) error {
	who, err := list.GetMember(tx, l.ID, list.RoleMember, p.Author)
	if errors.Is(err, list.ErrNotMember) || err == nil && (!who.AcknowledgePosts || !p.Auth.Author()) {
		return nil
	}
	if err != nil {
		return err
	}
	token, err := newToken(tx, forRecall+":"+string(p.ID), l, p.Author, askLife, p.Received, string(p.ID))
	if err != nil {
		return err
	}
	p.Foretold = true
	lang := l.LanguageOf(who)
	return m.queue(tx, letter{list: l, to: who.Address, lang: lang, name: "leaving", token: token, answers: p.MessageID, args: map[string]string{
		"subject": m.subject(lang, p),
		"when":    p.Leaves.In(m.Site.Location).Format("15:04:05"),
		"url":     m.url(token),
		"mailto":  mailto(l, token, "undo"),
		"archive": m.Site.MessageURL(l, p.MessageID),
		"request": l.Suffixed("request").String(),
	}})
}
