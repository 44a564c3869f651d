package bounce

import (
	"fmt"
	"time"

	"kairan/list"
	"kairan/storage"
)

// Words says in a language what the copies of a member that came back have led to, and what comes next; "" if none did.
func (b *Bouncer) Words(tx *storage.Tx, lang string, l *list.List, m *list.Member) (string, error) {
	x, err := list.GetBounces(tx, l.ID, m.Address.Key())
	if err != nil || x == (list.Bounces{}) {
		return "", err
	}
	say := func(key string, args ...any) string { return b.Templates.T(lang, "bounces."+key, args...) }
	when := func(t time.Time) string { return t.In(b.Site.Location).Format("2006-01-02 15:04") }
	warnings := l.Settings.BounceYouAreDisabledWarnings
	next := say("stale", "due", when(x.Due))
	switch {
	case !x.Disabled.IsZero() && x.Warned < warnings:
		next = say("warning", "since", when(x.Disabled), "warning", x.Warned+1, "of", warnings, "due", when(x.Due))
	case !x.Disabled.IsZero():
		next = say("removal", "since", when(x.Disabled), "due", when(x.Due))
	case x.Arrived:
		next = say("arrived", "since", when(x.Probe), "due", when(x.Due))
	case !x.Probe.IsZero():
		next = say("probe", "since", when(x.Probe), "due", when(x.Due))
	}
	score, last := fmt.Sprintf("%g", x.Score), ""
	if x.Score > 0 {
		last = say("last", "last", when(x.Last), "text", x.Text)
	}
	return say("score", "score", score, "most", fmt.Sprintf("%g", l.Settings.BounceScoreThreshold), "last", last, "next", next), nil
}
