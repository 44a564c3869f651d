package moderation_test

import (
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Who asked before the list was full waits until there is room: a moderator's yes is not lost, and says why nothing came of it.
func TestRequestToAFullList(t *testing.T) {
	story(t, func(s *list.Settings) { s.SubscriptionPolicy = list.PolicyModerate }, func(t *testing.T, w *world) {
		to := "janog-join@" + listtest.Domain
		w.deliver(listtest.Mail{From: "cora@people.test", To: []string{to}, Raw: "From: cora@people.test\nTo: " + to + "\nSubject: join\nMessage-ID: <1@p.test>\n\n\n"})
		w.at(0)
		notice := one(t, w.mails(3), "mod@people.test")
		limit := func(spare int) {
			w.Update(func(tx *storage.Tx) error {
				n, err := list.CountMembers(tx, w.l.ID, list.RoleMember)
				w.Site.Quotas.Members = n + spare
				return err
			})
		}
		limit(0)
		w.answer(notice, answer{from: "mod@people.test", text: "accept"})
		if m := one(t, w.mails(1), "mod@people.test"); !strings.Contains(m.text, "as many members as it may have") {
			t.Errorf("the moderator reads\n%s", m.text)
		}
		if r := w.Requests(w.l); len(r) != 1 || w.member("cora@people.test") {
			t.Fatalf("%q wait", r)
		}
		// There is room when the moderator decides, and somebody else takes it in the minute that it can be taken back.
		limit(1)
		w.press("mod@people.test", "accept", "cora@people.test")
		w.Join(w.l, list.RoleMember, "dan@people.test")
		time.Sleep(90 * time.Second)
		if r := w.Requests(w.l); len(r) != 1 || w.member("cora@people.test") {
			t.Fatalf("%q wait after the minute", r)
		}
		w.Update(func(tx *storage.Tx) error {
			return list.Leave(tx, w.l.ID, list.RoleMember, address.Must("dan@people.test"), time.Now())
		})
		w.press("mod@people.test", "accept", "cora@people.test")
		time.Sleep(90 * time.Second)
		if !w.member("cora@people.test") {
			t.Error("cora was not let in when there was room")
		}
	})
}
