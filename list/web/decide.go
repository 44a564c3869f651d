package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kairan/archive"
	archiveweb "kairan/archive/web"
	"kairan/list"
	"kairan/list/moderation"
	"kairan/storage"
	"kairan/templates"
)

// decideMessage is a button on the page of a message: its author withdraws it, or a moderator hides, redacts or shows it, splits it off its
// thread or lets it answer another.
func (s *site) decideMessage(w http.ResponseWriter, r *http.Request, who actor) error {
	do := r.PathValue("do")
	l, m, err := s.toDecide(r, &who)
	if err != nil {
		return err
	}
	edit := moderation.Edit{List: l, Message: m, Word: do, By: who.address.String(), Now: time.Now()}
	if do == "withdraw" {
		edit.By = who.as(m.FromAddr)
	}
	lang := templates.FrameOf(r.Context()).Lang
	back := messagePath(l, m)
	var was *archive.Message // what it answers
	err = s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		was = archive.Answered(tx, m)
		if do == "join" {
			edit.To, err = moderation.FindMessage(tx, l, strings.TrimSpace(r.FormValue("to")), 1)
		}
		return err
	})
	if errors.Is(err, storage.ErrNotFound) {
		return s.done(w, r, back, templates.Flash{Text: s.Templates.T(lang, "decided.no-such")})
	}
	if err == nil {
		err = edit.Do(r.Context(), s.Archive)
	}
	said := templates.Flash{Text: s.Templates.T(lang, "decided."+do)}
	switch {
	case errors.Is(err, moderation.ErrWord):
		return storage.ErrNotFound
	case errors.Is(err, archive.ErrNotAuthor):
		return archive.ErrForbidden
	case errors.Is(err, archive.ErrTooLate):
		said.Text = s.Templates.T(lang, "decided.too-late", "owner", l.Suffixed("owner"))
	case errors.Is(err, archive.ErrPurged):
		said.Text, back = s.Templates.T(lang, "decided.purged"), listPath(l)
	case errors.Is(err, archive.ErrThread):
		said.Text = s.Templates.T(lang, "decided.thread")
	case err != nil:
		return err
	}
	if back := takesBack(do, was); err == nil && back != "" {
		said.Action, said.Button = archiveweb.DecidePath(l.Name, m, back), s.Templates.T(lang, "decide.undo")
	}
	if do == "hide" {
		back = listPath(l)
	}
	return s.done(w, r, back, said)
}

// takesBack returns the word, with what belongs to it, that takes an edit back, or ""; was is what the message answered before.
func takesBack(do string, was *archive.Message) string {
	switch {
	case do == "hide" || do == "redact":
		return "unhide"
	case was != nil && (do == "split" || do == "join"):
		return "join?to=" + url.QueryEscape(was.ID)
	case do == "join":
		return "split"
	}
	return ""
}

// toDecide returns the message that a button is about, and its list, if it is for the reader to press, who is then known by the address
// that may.
func (s *site) toDecide(r *http.Request, who *actor) (l *list.List, m *archive.Message, err error) {
	nth, err := strconv.Atoi(r.PathValue("nth"))
	if err != nil || nth < 1 {
		return nil, nil, storage.ErrNotFound
	}
	err = s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		if l, err = list.ByName(tx, r.PathValue("list")); err != nil {
			return err
		}
		switch {
		case r.PathValue("do") != "withdraw" && !who.may(tx, l, list.RoleModerator):
			return denied{need: list.RoleModerator, list: l}
		case r.PathValue("do") != "withdraw":
			*who = who.in(tx, l, list.RoleModerator)
			m, err = archive.Find(tx, string(l.ID), r.PathValue("id"), nth) // hidden or not
		case !who.mayRead(tx, l):
			return archive.ErrForbidden
		default:
			m, err = archive.ByID(tx, string(l.ID), r.PathValue("id"), nth)
		}
		return err
	})
	return l, m, err
}
