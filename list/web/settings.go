package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// maxSettingsForm is how many bytes of a form of settings are read: pattern lists and texts may be long.
const maxSettingsForm = 2 << 20

// settings are the pages on which owners change a list.
func (s *site) settings(mux *routes) {
	mux.HandleFunc("GET /-/admin/{list}/settings", s.admins("settings", s.settingsForm))
	mux.HandleFunc("POST /-/admin/{list}/settings", s.admins("settings", s.reviewSettings))
	mux.HandleFunc("POST /-/admin/{list}/settings/save", s.admins("settings", s.saveSettings))
	mux.HandleFunc("POST /-/admin/{list}/settings/keep", s.admins("settings", s.keepSettings))
	mux.HandleFunc("GET /-/admin/{list}/settings/{name}", s.admins("settings", s.settingHistory))
	mux.HandleFunc("POST /-/admin/{list}/settings/{name}", s.admins("settings", s.rollBackSetting))
	mux.HandleFunc("GET /-/admin/{list}/health", s.admins("health", s.health))
	mux.HandleFunc("GET /-/admin/{list}/log", s.admins("log", s.log))
	mux.HandleFunc("POST /-/admin/{list}/log", s.admins("log", s.takeBack))
}

// draft is settings as a form has them.
type draft struct {
	lang     string
	admin    bool   // who fills it in is the site's administrator
	revision uint64 // that the form was made of
	values   map[string]json.RawMessage
	wrong    map[string]string // why a value could not be taken, by setting
	raw      url.Values        // what was posted, for what could not be taken
}

func (s *site) settingsForm(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	values, err := l.Settings.Values()
	if err != nil {
		return err
	}
	d := draft{lang: templates.FrameOf(r.Context()).Lang, admin: a.admin, values: values}
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		d.revision = latestRevision(tx, l.ID)
		return nil
	})
	if err != nil {
		return err
	}
	return s.settingsPage(w, r, l, d)
}

func latestRevision(tx *storage.Tx, id list.ID) uint64 {
	for r := range list.Revisions(tx, id) {
		return r.Number
	}
	return 0
}

// settingsPage shows the form, or of a posted one what is wrong with it.
func (s *site) settingsPage(w http.ResponseWriter, r *http.Request, l *list.List, d draft) error {
	query := strings.TrimSpace(r.FormValue("q"))
	view := templates.Settings{
		List: l.Title(), Path: adminPath(l, "settings"),
		Query: query, Wrong: len(d.wrong) > 0, Revision: d.revision,
	}
	defaults := list.DefaultSettings(s.Site.Language)
	initial, err := defaults.Values()
	if err != nil {
		return err
	}
	var last map[string]list.LastChange
	var usage []list.Usage
	err = s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		view.Waits, last = s.settingWaits(tx, l, d.lang), list.LastChanges(tx, l.ID)
		usage, err = s.Site.UsageOf(tx, l, time.Now())
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range list.AllSettings() {
		field := s.settingField(d, a, initial[a.Name])
		if changed, ok := last[a.Name]; ok {
			s.noteChange(&field, d.lang, l, changed)
		}
		s.noteQuota(&field, d, usage)
		posted := d.raw["has"]
		shown := posted == nil && matches(query, field) || slices.Contains(posted, a.Name) || field.Wrong != ""
		if !shown {
			continue
		}
		if n := len(view.Groups); n == 0 || view.Groups[n-1].ID != a.Group {
			view.Groups = append(view.Groups, templates.SettingGroup{ID: a.Group, Title: s.Templates.T(d.lang, "settings.group."+a.Group)})
		}
		g := &view.Groups[len(view.Groups)-1]
		g.Fields = append(g.Fields, field)
		view.Count++
	}
	status := http.StatusOK
	if view.Wrong {
		status = http.StatusUnprocessableEntity
	}
	return s.adminPage(w, r, l, "settings", templates.Reply{Status: status, Page: "settings", View: view})
}

// matches reports whether a setting is about what was looked for: each of its words stands in the name, the label, the help or the value.
func matches(query string, f templates.SettingField) bool {
	text := strings.ToLower(strings.Join([]string{f.Name, strings.ReplaceAll(f.Name, "_", " "), f.Label, f.Help, f.Value}, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// settingWaits are the changes that fall back unless they are confirmed.
func (s *site) settingWaits(tx *storage.Tx, l *list.List, lang string) (waits []templates.SettingWait) {
	for r := range list.Unconfirmed(tx, l.ID) {
		var what []string
		for _, c := range r.Changes {
			what = append(what, s.Templates.T(lang, "setting."+c.Name))
		}
		waits = append(waits, templates.SettingWait{
			Number: r.Number, Action: adminPath(l, "settings/keep"),
			Text: s.Templates.T(lang, "settings.waits", "n", r.Number, "what", strings.Join(what, ", "), "at", s.clock(r.FallsBack)),
		})
	}
	return waits
}

// clock is a time of these minutes.
func (s *site) clock(t time.Time) string { return t.In(s.Site.Location).Format("15:04:05") }

// reviewSettings shows what a form would change, before it does.
func (s *site) reviewSettings(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	if _, err := s.formUpTo(w, r, maxSettingsForm); err != nil {
		return err
	}
	d, patch, err := s.posted(r, l)
	if err != nil {
		return err
	}
	var p prepared
	err = s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		p, err = s.prepare(tx, l, &d, patch)
		return err
	})
	if err != nil {
		return err
	}
	if len(d.wrong) > 0 {
		return s.settingsPage(w, r, l, d)
	}
	return s.reviewPage(w, r, l, d, p)
}

// reviewPage shows a change that may be made, with the button that makes it.
func (s *site) reviewPage(w http.ResponseWriter, r *http.Request, l *list.List, d draft, p prepared) error {
	if len(p.changes) == 0 {
		return s.done(w, r, adminPath(l, "settings"), templates.Flash{Text: s.Templates.T(d.lang, "settings.nothing")})
	}
	changed := map[string]json.RawMessage{}
	for _, c := range p.changes {
		changed[c.Name] = c.Is
	}
	b, err := json.Marshal(changed)
	if err != nil {
		return err
	}
	view := templates.SettingsReview{
		List: l.Title(), Action: adminPath(l, "settings/save"), Back: adminPath(l, "settings"),
		Changes: s.settingDiffs(d.lang, p.changes), Patch: string(b), Revision: d.revision,
	}
	if view.Replay, err = s.replay(r, l, p.settings); err != nil {
		return err
	}
	title := templates.Frame{Title: s.Templates.T(d.lang, "settings.review-title")}
	return s.adminPage(w, r, l, "settings", templates.Reply{Page: "settings-review", Frame: title, View: view})
}

const (
	replayDays   = 30 // posts are remembered for as long
	replayRows   = 50 // shown
	confirmUntil = 10 * time.Minute
)

// replay says what settings would have meant for the posts of the last days.
func (s *site) replay(r *http.Request, l *list.List, settings list.Settings) (*templates.SettingsReplay, error) {
	if s.Path == nil {
		return nil, nil
	}
	past, err := s.Path.Replay(r.Context(), l, settings, time.Now().AddDate(0, 0, -replayDays))
	if err != nil {
		return nil, err
	}
	lang := templates.FrameOf(r.Context()).Lang
	view := &templates.SettingsReplay{Days: replayDays, Posts: past.Posts, Different: past.Different, Forgotten: past.Forgotten}
	for _, d := range slices.Backward(past.Differences) {
		if len(view.Rows) == replayRows {
			break
		}
		row := templates.ReplayRow{
			When: templates.NewTime(lang, d.Post.Received.In(s.Site.Location)), Author: d.Post.Author.String(), Subject: message.Brief(d.Post.Subject, maxSubject),
			Was: s.verdict(lang, d.Was), Is: s.verdict(lang, d.Is),
		}
		if row.Subject == "" {
			row.Subject = s.Templates.T(lang, "message.no-subject")
		}
		if d.Post.Number > 0 {
			row.Href = listPath(l) + strconv.FormatUint(d.Post.Number, 10)
		}
		view.Rows = append(view.Rows, row)
	}
	view.More = past.Different - len(view.Rows)
	return view, nil
}

// verdict is a decision of the rules in words, with the first reason.
func (s *site) verdict(lang string, v list.Verdict) string {
	text := s.Templates.T(lang, "setting.value."+string(v.Action))
	if len(v.Reasons) > 0 && v.Action != list.Accept {
		text = fmt.Sprintf("%s: %s", text, s.Templates.T(lang, "reason."+v.Reasons[0].Rule+".title"))
	}
	return text
}

// saveSettings makes the change that was reviewed.
func (s *site) saveSettings(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.formUpTo(w, r, maxSettingsForm)
	if err != nil {
		return err
	}
	d := draft{lang: templates.FrameOf(r.Context()).Lang, admin: a.admin, wrong: map[string]string{}, raw: form}
	var patch map[string]json.RawMessage
	d.revision, err = strconv.ParseUint(form.Get("revision"), 10, 64)
	if err != nil || json.Unmarshal([]byte(form.Get("patch")), &patch) != nil || len(form.Get("why")) > 2000 {
		return errNotUnderstood
	}
	e := list.Edit{By: a.address.String(), Admin: a.admin, Why: strings.TrimSpace(form.Get("why")), At: time.Now()}
	if form.Get("for") == "now" {
		e.FallsBack = e.At.Add(confirmUntil)
	}
	var made *list.Revision
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		clear(d.wrong)
		now, err := list.Get(tx, l.ID)
		if err != nil {
			return err
		}
		p, err := s.prepare(tx, now, &d, patch)
		if err != nil || len(d.wrong) > 0 {
			return err
		}
		made, err = list.Change(tx, l.ID, p.settings, e)
		return err
	})
	switch {
	case err != nil:
		return err
	case len(d.wrong) > 0:
		return s.backToForm(w, r, l, d, patch)
	case made == nil:
		return s.done(w, r, adminPath(l, "settings"), templates.Flash{Text: s.Templates.T(d.lang, "settings.nothing")})
	}
	said := s.Templates.T(d.lang, "settings.saved", "n", made.Number)
	if !made.FallsBack.IsZero() {
		said = s.Templates.T(d.lang, "settings.saved-for-now", "n", made.Number, "at", s.clock(made.FallsBack))
	}
	return s.done(w, r, adminPath(l, "settings"), templates.Flash{Text: said})
}

// backToForm shows the settings of a patch that cannot be taken any more, with the values that hold now.
func (s *site) backToForm(w http.ResponseWriter, r *http.Request, l *list.List, d draft, patch map[string]json.RawMessage) error {
	values, err := l.Settings.Values()
	if err != nil {
		return err
	}
	d.values, d.raw = values, url.Values{}
	for name := range patch {
		d.raw.Add("has", name)
	}
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		d.revision = latestRevision(tx, l.ID)
		return nil
	})
	if err != nil {
		return err
	}
	return s.settingsPage(w, r, l, d)
}

// keepSettings confirms a change that would fall back.
func (s *site) keepSettings(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(form.Get("revision"), 10, 64)
	if err != nil {
		return errNotUnderstood
	}
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		return list.Confirm(tx, l.ID, n, a.address.String(), time.Now())
	})
	lang := templates.FrameOf(r.Context()).Lang
	said := s.Templates.T(lang, "settings.kept", "n", n)
	if errors.Is(err, list.ErrNoRevision) {
		said, err = s.Templates.T(lang, "settings.kept-late", "n", n), nil
	}
	if err != nil {
		return err
	}
	return s.done(w, r, adminPath(l, "settings"), templates.Flash{Text: said})
}
