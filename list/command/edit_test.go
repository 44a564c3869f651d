package command_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
)

// archived posts something and returns when it is in the archive.
func archived(t *testing.T, w *listtest.World, l *list.List, from, id string) {
	t.Helper()
	send(t, w, listtest.Mail{From: from, To: []string{l.Address.String()}, Raw: listtest.Post(from, l, id, "About "+id, "Words of "+id+".")})
	listtest.Rest(time.Second)
}

// sight is what readers see of a message once all that was ordered is done.
func sight(t *testing.T, w *listtest.World, l *list.List, id string) (s archive.Sight) {
	t.Helper()
	if err := w.Moderation.Round(context.Background(), time.Now()); err != nil {
		t.Fatal(err)
	}
	w.Update(func(tx *storage.Tx) error {
		m, err := archive.Find(tx, string(l.ID), id, 1)
		if err == nil {
			s = m.Sight()
		}
		return err
	})
	return s
}

func TestWithdraw(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", nil)
		w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		w.SetMember(l, "ann@people.test", func(m *list.Member) { m.Language = "en" })
		w.SetMember(l, "bob@people.test", func(m *list.Member) { m.Language = "en" })
		for i := range 4 {
			archived(t, w, l, "ann@people.test", fmt.Sprintf("%d@p.test", i+1))
		}
		const gone = "Your message was withdrawn."
		for id, name := range map[string]string{"1@p.test": "<1@p.test>", "2@p.test": "2", "3@p.test": w.Site.MessageURL(l, "3@p.test")} {
			notYours := "There is no message " + name + " of yours"
			has(t, ask(t, w, "bob@people.test", "withdraw "+name), notYours)
			has(t, ask(t, w, "zed@people.test", "withdraw "+name), name)
			if got := sight(t, w, l, id); got != archive.Whole {
				t.Fatalf("%s was withdrawn by others: %v", id, got)
			}
			has(t, ask(t, w, "ann@people.test", "withdraw "+name), gone)
			if got := sight(t, w, l, id); got != archive.Redacted {
				t.Errorf("withdraw %s: readers see %v", name, got)
			}
			has(t, ask(t, w, "ann@people.test", "withdraw "+name), notYours) // once is enough
		}
		// A forged mail does nothing, and hears nothing of its words.
		forged := mail("ann@people.test", "", "withdraw 4@p.test")
		send(t, w, listtest.Mail{IP: forge, From: "mallory@strangers.test", To: forged.To, Raw: forged.Raw})
		for _, name := range []string{"nothing@p.test", "99", "https://elsewhere.test/other/m/4@p.test/", "https://x.test/janog/m/%zz/"} {
			has(t, ask(t, w, "ann@people.test", "withdraw "+name), "There is no message")
		}
		if got := sight(t, w, l, "4@p.test"); got != archive.Whole {
			t.Errorf("4@p.test: %v", got)
		}
		time.Sleep(73 * time.Hour)
		has(t, ask(t, w, "ann@people.test", "withdraw 4@p.test"), "is over")
		if got := sight(t, w, l, "4@p.test"); got != archive.Whole {
			t.Errorf("withdrawn too late: %v", got)
		}
		var log []string
		w.Update(func(tx *storage.Tx) error {
			log = nil
			for e := range list.LogOf(tx, l.ID) {
				log = append(log, e.Stage+" "+e.Text+" "+e.By)
			}
			return nil
		})
		if all := strings.Join(log, "\n"); strings.Count(all, "> was withdrawn by its author") != 3 || !strings.Contains(all, "archive <1@p.test> was withdrawn by its author ann@people.test") {
			t.Errorf("the list's log:\n%s", all)
		}
	})
}

// What has not left the list is taken back as a whole.
func TestWithdrawBeforeItLeaves(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.UndoSeconds, s.PreferredLanguage = 300, "en" })
		w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		archived(t, w, l, "ann@people.test", "1@p.test")
		has(t, ask(t, w, "bob@people.test", "withdraw 1@p.test"), "There is no message")
		has(t, ask(t, w, "ann@people.test", "取消 1@p.test"), "You have taken it back.")
		if p := w.Posts("1@p.test")[0]; p.Verdict.Action != list.Discard || p.Verdict.By != "ann@people.test" {
			t.Errorf("taken back: %+v", p.Verdict)
		}
		archived(t, w, l, "zed@people.test", "2@p.test")
		if !w.Posts("2@p.test")[0].Held() {
			t.Fatal("a stranger's post is not held")
		}
		has(t, ask(t, w, "zed@people.test", "withdraw 2@p.test"), "You have taken it back.")
		if w.Posts("2@p.test")[0].Held() {
			t.Error("still held")
		}
	})
}

// Moderators hide and show, after their own confirmation; nobody else does.
func TestHideByMail(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		w.Join(l, list.RoleModerator, "mori@people.test")
		archived(t, w, l, "ann@people.test", "1@p.test")
		has(t, ask(t, w, "ann@people.test", "hide 1@p.test"), "for those who moderate")
		order := func(words string) string {
			t.Helper()
			m := answer(t, w, mail("mori@people.test", "", words))
			if got := sight(t, w, l, "1@p.test"); words[0] == 'h' && got != archive.Whole {
				t.Fatalf("done before it was confirmed: %v", got)
			}
			reply := mail("mori@people.test", "", "")
			reply.To = []string{header(m, "Reply-To")}
			return text(answer(t, w, reply))
		}
		has(t, order("hide <1@p.test> a phone number"), "The message was hidden.")
		if got := sight(t, w, l, "1@p.test"); got != archive.None {
			t.Errorf("hidden: %v", got)
		}
		hasNot(t, ask(t, w, "ann@people.test", "get 1"), "About 1@p.test")
		has(t, ask(t, w, "ann@people.test", "withdraw 1@p.test"), "There is no message")
		has(t, order("非表示 nothing@p.test"), "nothing@p.test")
		has(t, order("unhide 1"), "The message is shown again.")
		if got := sight(t, w, l, "1@p.test"); got != archive.Whole {
			t.Errorf("shown again: %v", got)
		}
		for act, err := range w.Archive.Ledger(t.Context(), string(l.ID)) {
			if err != nil || act.By != "mori@people.test" || act.Do == archive.Hide && act.Reason != "a phone number" {
				t.Errorf("the ledger: %+v, %v", act, err)
			}
		}
	})
}

// Moderators split threads and join them.
func TestThreadsByMail(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		w.Join(l, list.RoleModerator, "mori@people.test")
		for i := range 2 {
			archived(t, w, l, "ann@people.test", fmt.Sprintf("%d@p.test", i+1))
		}
		has(t, ask(t, w, "ann@people.test", "merge 2 1"), "for those who moderate")
		order := func(words string) string {
			t.Helper()
			reply := mail("mori@people.test", "", "")
			reply.To = []string{header(answer(t, w, mail("mori@people.test", "", words)), "Reply-To")}
			return text(answer(t, w, reply))
		}
		together := func() (is bool) {
			t.Helper()
			sight(t, w, l, "1@p.test")
			w.Update(func(tx *storage.Tx) error {
				a, err := archive.Find(tx, string(l.ID), "1@p.test", 1)
				if err != nil {
					return err
				}
				b, err := archive.Find(tx, string(l.ID), "2@p.test", 1)
				is = err == nil && a.Thread == b.Thread
				return err
			})
			return is
		}
		has(t, order("merge 2 <9@p.test>"), "There is no message <9@p.test>")
		has(t, order("split 2"), "This cannot be")
		has(t, order("merge 2 "+w.Site.MessageURL(l, "1@p.test")+" it belongs here"), "is an answer to the other one")
		if !together() {
			t.Error("not merged")
		}
		has(t, order("分離 2@p.test"), "begins a thread of its own")
		if together() {
			t.Error("not split")
		}
		for act, err := range w.Archive.Ledger(t.Context(), string(l.ID)) {
			if err != nil || act.By != "mori@people.test" || act.Do == archive.Join && act.Reason != "it belongs here" {
				t.Errorf("the ledger: %+v, %v", act, err)
			}
		}
	})
}

// An order is on disk with its answer: a crash before the archive knows loses nothing.
func TestOrderSurvivesCrash(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", nil)
		w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		archived(t, w, l, "ann@people.test", "1@p.test")
		ask(t, w, "ann@people.test", "withdraw 1@p.test")
		w.Crash()
		w.Run()
		if got := sight(t, w, l, "1@p.test"); got != archive.Redacted {
			t.Errorf("after a crash readers see %v", got)
		}
		if got := sight(t, w, l, "1@p.test"); got != archive.Redacted {
			t.Errorf("done twice: %v", got)
		}
	})
}
