package web

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/moderation"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// hiddenShown is how many messages a page of the hidden ones has.
const hiddenShown = 50

// hidden are the pages of what readers of a list's archive do not see.
func (s *site) hidden(mux *routes) {
	mux.HandleFunc("GET /-/admin/{list}/hidden", s.admins("hidden", s.hiddenPage))
	mux.HandleFunc("POST /-/admin/{list}/hidden", s.admins("hidden", s.unhide))
}

// hiddenPage shows what is hidden or redacted, who decided that and when.
func (s *site) hiddenPage(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	lang := templates.FrameOf(r.Context()).Lang
	page, err := pageNumber(r, 10_000)
	if err != nil {
		return err
	}
	all, err := s.Archive.Withheld(r.Context(), string(l.ID))
	if err != nil {
		return err
	}
	view := templates.Hidden{Action: adminPath(l, "hidden"), Total: len(all)}
	for _, h := range all[min((page-1)*hiddenShown, len(all)):min(page*hiddenShown, len(all))] {
		view.Messages = append(view.Messages, s.hiddenRow(lang, l, h))
	}
	view.Pages = parts(len(all), hiddenShown, page, view.Action)
	return s.adminPage(w, r, l, "hidden", templates.Reply{Page: "hidden", View: view})
}

func (s *site) hiddenRow(lang string, l *list.List, h archive.Withheld) templates.HiddenMessage {
	m := h.Message
	row := templates.HiddenMessage{
		Post: m.Post, Subject: message.Brief(m.Subject, maxSubject), From: m.FromAddr, Sent: templates.NewTime(lang, m.Date.In(s.Site.Location)),
		What: s.Templates.T(lang, "hidden.is-"+string(h.Act.Do)), By: s.who(lang, h.Act.By), When: templates.NewTime(lang, h.Act.At.In(s.Site.Location)), Reason: h.Act.Reason,
	}
	switch {
	case m.Hidden:
		row.What = s.Templates.T(lang, "hidden.is-hide")
		return row // has no page
	case h.Act.By == m.FromAddr:
		row.What, row.Reason = s.Templates.T(lang, "hidden.is-withdrawn"), ""
	}
	row.Href = messagePath(l, m)
	return row
}

// messagePath is the page of a message.
func messagePath(l *list.List, m *archive.Message) string {
	path := listPath(l) + "m/" + archive.EscapeSegment(m.ID) + "/"
	if m.Nth > 1 {
		path += strconv.Itoa(m.Nth) + "/"
	}
	return path
}

// unhide is the button of such a message.
func (s *site) unhide(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	var m *archive.Message
	err = s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		m, err = archive.FindPost(tx, string(l.ID), form.Get("post"))
		return err
	})
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	said := s.Templates.T(lang, "decided.unhide")
	err = moderation.Edit{List: l, Message: m, Word: "unhide", By: a.address.String(), Now: time.Now()}.Do(r.Context(), s.Archive)
	if errors.Is(err, archive.ErrPurged) {
		said, err = s.Templates.T(lang, "decided.purged"), nil
	}
	if err != nil {
		return err
	}
	return s.done(w, r, adminPath(l, "hidden"), templates.Flash{Text: said})
}
