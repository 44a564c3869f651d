package moderation_test

import (
	"testing"

	"kairan/list"
	"kairan/list/listtest"
)

// A list that cannot be read keeps the moderators of no other from hearing who wants to join.
func TestBrokenList(t *testing.T) {
	moderate := func(s *list.Settings) { s.SubscriptionPolicy = list.PolicyModerate }
	story(t, moderate, func(t *testing.T, w *world) {
		broken := w.List("broken", moderate)
		ask := func(from string, l *list.List) {
			t.Helper()
			to := l.Suffixed("join").String()
			raw := "From: " + from + "\nTo: " + to + "\nSubject: please\nMessage-ID: <" + from + ">\n\n\n"
			if code := w.deliver(listtest.Mail{From: from, To: []string{to}, Raw: raw}); code != 250 {
				t.Fatal(code)
			}
		}
		ask("dora@people.test", broken)
		w.at(0)
		w.mails(2) // to dora and, as nobody moderates it, to the administrator
		w.Break("lists", string(broken.ID))
		ask("cora@people.test", w.l)
		w.at(0)
		one(t, w.mails(3), "mod@people.test")
	})
}
