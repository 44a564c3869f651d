package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kairan/list"
	"kairan/templates"
)

// Lines of the areas for values of several lines.
const (
	fewLines  = 3
	mostLines = 15
)

// settingField is a setting as the form shows it: what was posted and cannot be taken as it was posted, all else as it is.
func (s *site) settingField(d draft, a list.Setting, initial json.RawMessage) templates.SettingField {
	f := templates.SettingField{
		Name: a.Name, Kind: string(a.Kind), Example: a.Example, Wrong: d.wrong[a.Name],
		Label: s.Templates.T(d.lang, "setting."+a.Name),
		// These stand in help texts for themselves.
		Help: s.Templates.T(d.lang, "setting."+a.Name+".help", "list", "{list}", "address", "{address}", "url", "{url}", "number", "{number}"),
	}
	v := d.values[a.Name]
	if shown := s.settingValue(d.lang, a, initial); !same(&list.List{}, a.Name, v, initial) {
		f.Default = s.Templates.T(d.lang, "settings.default", "value", shown)
	}
	s.fillField(&f, d, a, v)
	if posted, ok := d.raw[a.Name]; ok && len(posted) > 0 {
		f.Value = strings.ReplaceAll(posted[0], "\r\n", "\n")
	}
	f.Lines = min(mostLines, max(fewLines, strings.Count(f.Value, "\n")+2))
	return f
}

// fillField puts the value, or where a form was posted what it says, into the part of the field that its kind has.
func (s *site) fillField(f *templates.SettingField, d draft, a list.Setting, v json.RawMessage) {
	posted := slices.Contains(d.raw["has"], a.Name) && d.raw[a.Name] != nil
	switch a.Kind {
	case list.KindSwitch:
		f.On = string(v) == "true"
		if slices.Contains(d.raw["has"], a.Name) && d.raw.Has("revision") {
			f.On = posted
		}
	case list.KindWord, list.KindWords:
		chosen := words(v)
		if posted {
			chosen = d.raw[a.Name]
		}
		for _, o := range a.Options {
			f.Options = append(f.Options, templates.SettingOption{Value: o, Label: s.Templates.T(d.lang, "setting.value."+o), Chosen: slices.Contains(chosen, o)})
		}
	case list.KindTexts:
		var t list.Text
		json.Unmarshal(v, &t)
		f.Texts = s.settingTexts(d, a.Name, t)
		f.Value = strings.Join(slices.Collect(maps.Values(t)), "\n") // to be found
	case list.KindSaved:
		var saved map[string]list.Text
		json.Unmarshal(v, &saved)
		for i, name := range append(slices.Sorted(maps.Keys(saved)), "") {
			field := fmt.Sprintf("%s.%d", a.Name, i)
			row := templates.SettingSaved{Field: field + ".name", Name: name, Texts: s.settingTexts(d, field, saved[name])}
			if v, ok := d.raw[row.Field]; ok {
				row.Name = v[0]
			}
			f.Saved = append(f.Saved, row)
		}
	default:
		f.Value = plain(a, v)
	}
}

func (s *site) settingTexts(d draft, field string, t list.Text) (rows []templates.SettingText) {
	for _, lang := range templates.Languages() {
		row := templates.SettingText{Field: field + "." + lang, Lang: lang, Label: s.Templates.T(d.lang, "settings.in-"+lang), Value: t[lang]}
		if v, ok := d.raw[row.Field]; ok {
			row.Value = v[0]
		}
		rows = append(rows, row)
	}
	return rows
}

// words are the words of a value that is one or several.
func words(v json.RawMessage) (all []string) {
	var one string
	if json.Unmarshal(v, &one) == nil && one != "" {
		return []string{one}
	}
	json.Unmarshal(v, &all)
	return all
}

// plain is a value as it is typed.
func plain(a list.Setting, v json.RawMessage) string {
	switch a.Kind {
	case list.KindLines:
		return strings.Join(words(v), "\n")
	case list.KindHeaders:
		var rows []list.HeaderMatch
		json.Unmarshal(v, &rows)
		var text []string
		for _, r := range rows {
			text = append(text, r.String())
		}
		return strings.Join(text, "\n")
	case list.KindNumber, list.KindDecimal:
		return string(v)
	}
	var text string
	json.Unmarshal(v, &text)
	return text
}

// settingValue is a value in words.
func (s *site) settingValue(lang string, a list.Setting, v json.RawMessage) string {
	text := ""
	switch a.Kind {
	case list.KindSwitch:
		if string(v) == "true" {
			return s.Templates.T(lang, "settings.on")
		}
		return s.Templates.T(lang, "settings.off")
	case list.KindWord, list.KindWords:
		var all []string
		for _, w := range words(v) {
			all = append(all, s.Templates.T(lang, "setting.value."+w))
		}
		text = strings.Join(all, ", ")
	case list.KindTexts, list.KindSaved:
		text = s.settingTree(lang, v)
	default:
		text = plain(a, v)
	}
	if text == "" {
		return s.Templates.T(lang, "settings.empty")
	}
	return text
}

// settingTree is texts by language, or by name and language, one under the other.
func (s *site) settingTree(lang string, v json.RawMessage) string {
	var texts list.Text
	if json.Unmarshal(v, &texts) == nil {
		var all []string
		for _, l := range slices.Sorted(maps.Keys(texts)) {
			all = append(all, s.Templates.T(lang, "settings.in-"+l)+": "+texts[l])
		}
		return strings.Join(all, "\n")
	}
	var saved map[string]json.RawMessage
	json.Unmarshal(v, &saved)
	var all []string
	for _, name := range slices.Sorted(maps.Keys(saved)) {
		all = append(all, name+"\n"+s.settingTree(lang, saved[name]))
	}
	return strings.Join(all, "\n")
}

// settingDiffs are changes in words.
func (s *site) settingDiffs(lang string, changes []list.SettingChange) (rows []templates.SettingDiff) {
	all := list.AllSettings()
	for _, c := range changes {
		i := slices.IndexFunc(all, func(a list.Setting) bool { return a.Name == c.Name })
		if i < 0 { // a setting that there is no longer
			rows = append(rows, templates.SettingDiff{Label: c.Name, Was: string(c.Was), Is: string(c.Is)})
			continue
		}
		row := templates.SettingDiff{Label: s.Templates.T(lang, "setting."+c.Name)}
		long := false
		if all[i].Kind == list.KindLines {
			row.Was, row.Is, long = s.linesDiff(lang, words(c.Was), words(c.Is))
		}
		if !long {
			row.Was, row.Is = s.settingValue(lang, all[i], c.Was), s.settingValue(lang, all[i], c.Is)
		}
		rows = append(rows, row)
	}
	return rows
}

// linesShown is up to how many lines a change of a setting of lines is shown whole.
const linesShown = 10

// linesDiff are the lines that only the one or the other value has, and how many both have, where the whole would be long.
func (s *site) linesDiff(lang string, was, is []string) (before, after string, long bool) {
	if len(was)+len(is) <= linesShown {
		return "", "", false
	}
	gone, come := list.Without(was, is), list.Without(is, was)
	if len(gone)+len(come) == 0 { // their order
		return "", "", false
	}
	stay := s.Templates.T(lang, "settings.lines-stay", "n", len(is)-len(come))
	show := func(lines []string) string { return strings.Join(append(slices.Clone(lines), stay), "\n") }
	return show(gone), show(come), true
}
