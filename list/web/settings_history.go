package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// noteChange tells on a field who changed the setting last.
func (s *site) noteChange(f *templates.SettingField, lang string, l *list.List, last list.LastChange) {
	f.History = adminPath(l, "settings/"+f.Name)
	f.Changed = s.Templates.T(lang, "history.by", "by", s.who(lang, last.By))
	f.At = templates.NewTime(lang, last.At.In(s.Site.Location))
}

// theSetting returns the setting that a request is about, or storage.ErrNotFound.
func theSetting(r *http.Request) (list.Setting, error) {
	all := list.AllSettings()
	i := slices.IndexFunc(all, func(a list.Setting) bool { return a.Name == r.PathValue("name") })
	if i < 0 {
		return list.Setting{}, storage.ErrNotFound
	}
	return all[i], nil
}

// settingHistory shows every change of one setting. "?p=2" is the page before the latest.
func (s *site) settingHistory(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	a, err := theSetting(r)
	if err != nil {
		return err
	}
	page, err := pageNumber(r, 1000)
	if err != nil {
		return err
	}
	values, err := l.Settings.Values()
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	path := adminPath(l, "settings/"+a.Name)
	view := templates.SettingHistory{
		Label: s.Templates.T(lang, "setting."+a.Name), Name: a.Name, Value: s.settingValue(lang, a, values[a.Name]), Action: path,
		Form: adminPath(l, "settings") + "?q=" + a.Name, Back: adminPath(l, "settings") + "#s-" + a.Name,
	}
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view.Rows, view.Older = nil, ""
		n := 0
		for rev, c := range list.Changes(tx, l.ID, a.Name) {
			if n++; n > page*revisionsShown {
				view.Older = path + "?p=" + strconv.Itoa(page+1)
				break
			}
			if n > (page-1)*revisionsShown {
				row := s.logRevision(lang, l, rev)
				row.Changes = s.settingDiffs(lang, []list.SettingChange{c})
				view.Rows = append(view.Rows, row)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.adminPage(w, r, l, "settings", templates.Reply{Page: "setting-history", Frame: templates.Frame{Title: view.Label}, View: view})
}

// rollBackSetting shows what it would mean to give one setting the value that it had before a revision. Nothing is changed yet.
func (s *site) rollBackSetting(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	a, err := theSetting(r)
	if err != nil {
		return err
	}
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(form.Get("revision"), 10, 64)
	if err != nil {
		return errNotUnderstood
	}
	d := draft{lang: templates.FrameOf(r.Context()).Lang, admin: actorOf(r.Context()).admin, wrong: map[string]string{}}
	patch := map[string]json.RawMessage{}
	var p prepared
	err = s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		d.revision = latestRevision(tx, l.ID)
		for rev, c := range list.Changes(tx, l.ID, a.Name) {
			if rev.Number == n {
				patch[a.Name] = c.Was
			}
		}
		if len(patch) == 0 {
			return storage.ErrNotFound
		}
		p, err = s.prepare(tx, l, &d, patch)
		return err
	})
	switch {
	case err != nil:
		return err
	case len(d.wrong) > 0:
		return s.backToForm(w, r, l, d, patch)
	}
	return s.reviewPage(w, r, l, d, p)
}
