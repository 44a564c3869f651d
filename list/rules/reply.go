package rules

import (
	"slices"

	"kairan/list"
	"kairan/smtpd"
)

// Reply returns what the client is told about a verdict: why, and where a page says it in both languages.
// A verdict without a reason is answered without either.
func Reply(site *list.Site, l *list.List, v list.Verdict) smtpd.Reply {
	r := smtpd.Reply{Code: 250, Enhanced: [3]int{2, 0, 0}}
	to := l.Address.Wire()
	switch v.Action {
	case list.Hold:
		r.Text = to + ": held for the moderators"
	case list.Discard:
		r.Text = to + ": received, but not distributed"
	case list.Reject:
		r.Code, r.Enhanced, r.Text = 550, denied, to+": refused"
	case list.Defer:
		r.Code, r.Enhanced, r.Text = 451, [3]int{4, 7, 0}, to+": not now"
	default:
		r.Text = to + ": accepted"
		return r
	}
	if len(v.Reasons) == 0 {
		return r
	}
	name := v.Reasons[0].Rule
	i := slices.IndexFunc(table, func(row rule) bool { return row.name == name })
	if i < 0 {
		return r // a moderator's word, or a rule of a release that is gone
	}
	if row := table[i]; !r.OK() && row.status[0] == r.Code/100 {
		r.Enhanced = row.status
	}
	r.Text += ": " + table[i].says + ". " + site.URL + "/-/why/" + name
	return r
}
