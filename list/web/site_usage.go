package web

import (
	"fmt"
	"strconv"
	"time"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// usage is what a list takes of the site, beside its quotas.
func (s *site) usage(tx *storage.Tx, lang string, l *list.List) (facts []templates.Fact, err error) {
	now := time.Now().In(s.Site.Location)
	quotas, err := s.Site.UsageOf(tx, l, now)
	if err != nil {
		return nil, err
	}
	for _, u := range quotas {
		used, most := u.Words()
		value := used
		if most != "" {
			value = s.Templates.T(lang, "quota.of", "used", used, "most", most)
		}
		if state := s.quotaState(lang, u); state != "" {
			value += " (" + state + ")"
		}
		facts = append(facts, templates.Fact{Name: s.Templates.T(lang, "quota."+string(u.Quota)), Value: value})
	}
	month := 0
	for _, t := range list.Tallies(tx, l.ID, now.AddDate(0, 0, -29).Format(time.DateOnly)) {
		month += t.Accepted + t.Approved
	}
	last, err := list.LastNumber(tx, l.ID)
	return append(facts,
		templates.Fact{Name: s.Templates.T(lang, "site-list.usage.month"), Value: strconv.Itoa(month)},
		templates.Fact{Name: s.Templates.T(lang, "site-list.usage.posts"), Value: fmt.Sprint(last)},
	), err
}

// quotaState is a word for a quota that is used up, or nearly; "" for one that is not.
func (s *site) quotaState(lang string, u list.Usage) string {
	switch {
	case u.Full():
		return s.Templates.T(lang, "quota.full")
	case u.Near():
		return s.Templates.T(lang, "quota.near")
	}
	return ""
}
