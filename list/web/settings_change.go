package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// posted is a form of settings: what it changes of the list, or what cannot be taken.
func (s *site) posted(r *http.Request, l *list.List) (d draft, patch map[string]json.RawMessage, err error) {
	d = draft{lang: templates.FrameOf(r.Context()).Lang, admin: actorOf(r.Context()).admin, raw: r.PostForm, wrong: map[string]string{}}
	if d.revision, err = strconv.ParseUint(r.PostForm.Get("revision"), 10, 64); err != nil {
		return d, nil, errNotUnderstood
	}
	if d.values, err = l.Settings.Values(); err != nil {
		return d, nil, err
	}
	patch = map[string]json.RawMessage{}
	for _, a := range list.AllSettings() {
		if !slices.Contains(d.raw["has"], a.Name) {
			continue
		}
		v, err := a.Parse(func(field string) []string { return d.raw[field] })
		if err != nil {
			s.note(&d, err)
			continue
		}
		patch[a.Name] = v
	}
	return d, patch, nil
}

// note keeps why values cannot be taken, for their fields.
func (s *site) note(d *draft, err error) {
	for _, f := range templates.Faults(err) {
		why := s.Templates.T(d.lang, "settings.wrong-value", "why", s.Templates.Fault(d.lang, f))
		d.wrong[f.Field] = strings.TrimLeft(d.wrong[f.Field]+"\n"+why, "\n")
	}
}

// prepared is a change of settings that may be made.
type prepared struct {
	settings list.Settings
	changes  []list.SettingChange
}

// prepare applies a patch to the list as it is now. What cannot be taken is noted in the draft. Of what somebody else has changed since the
// form was made, values that the form only repeats are left alone.
func (s *site) prepare(tx *storage.Tx, l *list.List, d *draft, patch map[string]json.RawMessage) (p prepared, err error) {
	for name, c := range changedSince(tx, l.ID, d.revision) {
		v, mine := patch[name]
		switch {
		case !mine || same(l, name, v, c.is):
			delete(patch, name)
		case same(l, name, v, c.was):
			delete(patch, name)
		default:
			d.wrong[name] = s.Templates.T(d.lang, "settings.meanwhile", "by", s.who(d.lang, c.by))
		}
	}
	if p.settings, err = l.Settings.With(patch); err != nil {
		return p, errNotUnderstood
	}
	if p.changes, err = list.Diff(&l.Settings, &p.settings); err != nil {
		return p, err
	}
	s.note(d, p.settings.Check())
	if !d.admin {
		s.note(d, list.AdminOnly(p.changes))
	}
	return p, nil
}

// meanwhile is what others have made of a setting.
type meanwhile struct {
	was, is json.RawMessage
	by      string
}

// changedSince returns the settings that have changed after a revision.
func changedSince(tx *storage.Tx, id list.ID, revision uint64) map[string]meanwhile {
	changed := map[string]meanwhile{}
	for r := range list.Revisions(tx, id) {
		if r.Number <= revision {
			break
		}
		for _, c := range r.Changes {
			m, seen := changed[c.Name]
			if !seen {
				m.is, m.by = c.Is, r.By
			}
			m.was = c.Was
			changed[c.Name] = m
		}
	}
	return changed
}

// same reports whether a setting of the list would be the same with either value.
func same(l *list.List, name string, a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, errX := l.Settings.With(map[string]json.RawMessage{name: a})
	y, errY := l.Settings.With(map[string]json.RawMessage{name: b})
	changes, err := list.Diff(&x, &y)
	return errors.Join(errX, errY, err) == nil && len(changes) == 0
}

// who is a person, or a part of the program, in words.
func (s *site) who(lang, by string) string {
	switch by {
	case list.ByOperator:
		return s.Templates.T(lang, "log.operator")
	case list.ByTimer:
		return s.Templates.T(lang, "log.timer")
	case list.ByTime:
		return s.Templates.T(lang, "log.time")
	}
	return by
}
