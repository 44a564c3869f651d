package web

import (
	"kairan/list"
	"kairan/templates"
)

// noteQuota tells on the field of a quota how much is taken. Who does not administer the site reads the value that holds, and who sets it.
func (s *site) noteQuota(f *templates.SettingField, d draft, usage []list.Usage) {
	for _, u := range usage {
		if string(u.Quota) != f.Name {
			continue
		}
		f.Usage = s.usageWords(d.lang, u)
		if d.admin {
			return
		}
		if _, f.Fixed = u.Words(); f.Fixed == "" {
			f.Fixed = s.Templates.T(d.lang, "quota.none")
		}
		f.Default, f.Why = "", s.Templates.T(d.lang, "quota.admin-only", "admin", s.Site.Admin)
	}
}

// usageWords say how much of a quota is taken.
func (s *site) usageWords(lang string, u list.Usage) string {
	used, most := u.Words()
	if most == "" {
		return s.Templates.T(lang, "quota.no-limit", "used", used)
	}
	return s.Templates.T(lang, "quota.used", "used", used, "most", most)
}
