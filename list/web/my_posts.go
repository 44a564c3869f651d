package web

import (
	"errors"
	"net/http"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/moderation"
	"kairan/list/posting"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

const (
	postsSince    = 30 * 24 * time.Hour // how far My posts goes back
	postsShown    = 100
	postsLookedAt = 1000 // that bear the address, for forgers may write in anybody's name
	maxSubject    = 200  // characters of one on a page
)

// myPosts shows what somebody has posted lately and what became of it.
func (s *site) myPosts(w http.ResponseWriter, r *http.Request, a actor) error {
	f := templates.FrameOf(r.Context())
	var view templates.MyPosts
	now := time.Now()
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view.Posts = nil
		for _, p := range a.person.Posts(tx, now.Add(-postsSince), postsLookedAt) {
			if len(view.Posts) == postsShown {
				break
			}
			if !wrote(a, p) {
				continue
			}
			row, err := s.myPost(tx, p, f.Lang, now)
			if err != nil {
				return err
			}
			view.Posts = append(view.Posts, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.Private, f.Title = true, s.Templates.T(f.Lang, "posts.title")
	return s.Templates.Serve(w, r, templates.Reply{Page: "my-posts", Frame: f, View: view})
}

// wrote reports whether a post is the actor's: it bears the address, and proof that it is no forgery.
func wrote(a actor, p *list.Post) bool {
	return a.signedIn() && a.person.Has(p.Author) && p.Auth.Author()
}

// myPost is a row of the page: where a post went, what became of it, and what its author can still do.
func (s *site) myPost(tx *storage.Tx, p *list.Post, lang string, now time.Time) (row templates.MyPost, err error) {
	l, err := list.Get(tx, p.List)
	if err != nil {
		return row, err
	}
	row = templates.MyPost{
		ID: string(p.ID), Subject: message.Brief(p.Subject, maxSubject), List: l.Title(), ListHref: listPath(l),
		Received: templates.NewTime(lang, p.Received.In(s.Site.Location)), Fate: s.fate(p, lang, now),
	}
	if p.Held() || p.Verdict.Action == list.Reject && p.Verdict.By == "" {
		for _, reason := range p.Verdict.Reasons {
			row.Reasons = append(row.Reasons, templates.Link{
				Href: "/-/why/" + reason.Rule, Text: s.Templates.T(lang, "reason."+reason.Rule+".title"),
			})
		}
	}
	row.Withdraw, row.Undo = p.Held() && s.Moderation != nil, p.Recallable(now) && s.Moderation != nil
	if p.Number == 0 {
		return row, nil
	}
	copies := posting.FatesOf(tx, p.ID)
	if copies.All() > 0 {
		row.Copies = s.Templates.T(lang, "posts.copies", "accepted", copies.Accepted, "deferred", copies.Deferred, "refused", copies.Refused)
	}
	m, err := archive.FindNumber(tx, string(l.ID), p.Number)
	if errors.Is(err, storage.ErrNotFound) || err == nil && m.Hidden {
		return row, nil
	}
	if err != nil {
		return row, err
	}
	row.Href = listPath(l) + "m/" + archive.EscapeSegment(m.ID) + "/"
	if m.Redacted {
		row.Copies = s.Templates.T(lang, "posts.withdrawn")
		return row, nil
	}
	row.Redact = now.Sub(m.Received) <= l.Settings.WithdrawWindow()
	return row, nil
}

// fate says in a line what became of a post. Authors do not get to know which moderator decided.
func (s *site) fate(p *list.Post, lang string, now time.Time) string {
	switch {
	case p.Recallable(now):
		return s.Templates.T(lang, "posts.waits", "when", s.clock(p.Leaves))
	case p.Held():
		return s.Templates.T(lang, "posts.held")
	case p.Verdict.Action == list.Accept && p.Published.IsZero():
		return s.Templates.T(lang, "posts.leaving")
	case p.Verdict.Action == list.Accept:
		return s.Templates.T(lang, "posts.sent")
	case p.Verdict.By == p.Author.String():
		return s.Templates.T(lang, "posts.taken-back")
	case p.Verdict.Action == list.Reject:
		return s.Templates.T(lang, "posts.rejected")
	}
	return s.Templates.T(lang, "posts.not-sent")
}

// changePost is a button of that page: "withdraw" takes back what is held, "redact" takes a post's words out of the archive.
func (s *site) changePost(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	id := list.PostID(form.Get("post"))
	lang := templates.FrameOf(r.Context()).Lang
	var said string
	switch {
	case form.Get("do") == "withdraw" && s.Moderation != nil:
		said, err = s.withdraw(r, a, id, lang)
	case form.Get("do") == "redact":
		said, err = s.redact(r, a, id, lang)
	default:
		return errNotUnderstood
	}
	if err != nil {
		return err
	}
	return s.done(w, r, "/-/my/posts", templates.Flash{Text: said})
}

func (s *site) withdraw(r *http.Request, a actor, id list.PostID, lang string) (said string, err error) {
	var out moderation.Outcome
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		p, err := list.GetPost(tx, id)
		if err == nil && !wrote(a, p) {
			err = storage.ErrNotFound
		}
		if err != nil {
			return err
		}
		out, err = s.Moderation.TakeBack(tx, id, p.Author.String(), time.Now())
		return err
	})
	if err != nil {
		return "", err
	}
	s.Moderation.Wake()
	if out.Late {
		return s.Templates.T(lang, "posts.late"), nil
	}
	return s.Templates.T(lang, "posts.taken-back"), nil
}

func (s *site) redact(r *http.Request, a actor, id list.PostID, lang string) (said string, err error) {
	var m *archive.Message
	var l *list.List
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		p, err := list.GetPost(tx, id)
		if err == nil && (!wrote(a, p) || p.Number == 0) {
			err = storage.ErrNotFound
		}
		if err == nil {
			l, err = list.Get(tx, p.List)
		}
		if err == nil {
			m, err = archive.FindNumber(tx, string(p.List), p.Number)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	err = moderation.Edit{List: l, Message: m, Word: "withdraw", By: a.as(m.FromAddr), Now: time.Now()}.Do(r.Context(), s.Archive)
	if errors.Is(err, archive.ErrTooLate) {
		return s.Templates.T(lang, "posts.late"), nil
	}
	return s.Templates.T(lang, "posts.withdrawn"), err
}
