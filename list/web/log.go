package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// Rows of one page of the log.
const (
	revisionsShown = 20
	eventsShown    = 100
)

// log shows what was decided about a list. "?p=2" is the page before the latest.
func (s *site) log(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	lang := templates.FrameOf(r.Context()).Lang
	page, err := pageNumber(r, 1000)
	if err != nil {
		return err
	}
	view := templates.Log{List: l.Title()}
	more := false
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		n := 0
		for rev := range list.Revisions(tx, l.ID) {
			if n++; n > page*revisionsShown {
				more = true
				break
			}
			if n > (page-1)*revisionsShown {
				view.Revisions = append(view.Revisions, s.logRevision(lang, l, rev))
			}
		}
		n = 0
		for e := range list.LogOf(tx, l.ID) {
			if n++; n > page*eventsShown {
				more = true
				break
			}
			if n > (page-1)*eventsShown {
				view.Events = append(view.Events, s.logEvent(lang, e))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if more {
		view.Older = adminPath(l, "log") + "?p=" + strconv.Itoa(page+1)
	}
	return s.adminPage(w, r, l, "log", templates.Reply{Page: "log", View: view})
}

func (s *site) logEvent(lang string, e list.Event) templates.LogEvent {
	return templates.LogEvent{
		When: templates.NewTime(lang, e.At.In(s.Site.Location)), Stage: s.Templates.T(lang, "log.stage."+e.Stage), Text: s.entry(lang, e), By: s.who(lang, e.By),
	}
}

// entry is a line of a log or a history in words. Those of before have English text only.
func (s *site) entry(lang string, e list.Event) string {
	if e.Word == "" {
		return e.Text
	}
	args := maps.Clone(e.Args)
	if why := args["why"]; why != "" {
		args["why"] = s.reason(lang, why)
	}
	return s.Templates.Entry(lang, e.Word, args)
}

// reason is why something was done, as people wrote it, or in the reader's language where nobody did.
func (s *site) reason(lang, why string) string {
	var n uint64
	if _, err := fmt.Sscanf(why, list.WhyUnconfirmed, &n); err == nil && why == fmt.Sprintf(list.WhyUnconfirmed, n) {
		return s.Templates.T(lang, "log.why-unconfirmed", "n", n)
	}
	switch why {
	case list.WhyDiscarded:
		return s.Templates.T(lang, "log.why-discarded")
	case list.WhyErased:
		return s.Templates.T(lang, "log.why-erased")
	case list.WhyGivenUp:
		return s.Templates.T(lang, "log.why-given-up")
	}
	return why
}

func (s *site) logRevision(lang string, l *list.List, r *list.Revision) templates.LogRevision {
	row := templates.LogRevision{
		Number: r.Number, When: templates.NewTime(lang, r.At.In(s.Site.Location)), By: s.who(lang, r.By), Why: s.reason(lang, r.Why), Of: r.Of,
		Changes: s.settingDiffs(lang, r.Changes), Action: adminPath(l, "log"),
	}
	if !r.FallsBack.IsZero() {
		row.FallsBack = s.clock(r.FallsBack)
	}
	return row
}

// takeBack takes a change of settings back.
func (s *site) takeBack(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(form.Get("revision"), 10, 64)
	if err != nil {
		return errNotUnderstood
	}
	var made *list.Revision
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		made, err = list.TakeBack(tx, l.ID, n, list.Edit{By: a.address.String(), Admin: a.admin, At: time.Now()})
		return err
	})
	lang := templates.FrameOf(r.Context()).Lang
	said := s.Templates.T(lang, "log.taken-back", "n", n)
	switch {
	case errors.Is(err, list.ErrNoRevision):
		return storage.ErrNotFound
	case errors.Is(err, list.ErrChangedSince):
		names := strings.TrimSuffix(err.Error(), ": "+list.ErrChangedSince.Error())
		said = s.Templates.T(lang, "log.changed-since", "n", n, "names", names)
	case errors.Is(err, list.ErrAdminOnly):
		return denied{}
	case err != nil:
		return err
	case made == nil:
		said = s.Templates.T(lang, "log.nothing-to-take-back", "n", n)
	}
	return s.done(w, r, adminPath(l, "log"), templates.Flash{Text: said})
}
