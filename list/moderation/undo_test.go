package moderation_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/moderation"
	"kairan/smtpd/address"
	"kairan/storage"
)

// press decides as a page does, and returns what is said.
func (w *world) press(by, word, id string) (said string) {
	w.t.Helper()
	w.Update(func(tx *storage.Tx) (err error) {
		said, err = w.Moderation.Command(tx, w.l, moderation.Order{ID: id, Word: word, Reason: "Not here.", By: address.Must(by), Lang: "en", Now: time.Now(), Undo: true})
		return err
	})
	w.Moderation.Wake()
	return said
}

// undo takes a decision back as a page does.
func (w *world) undo(by, id string) (err error) {
	w.Update(func(tx *storage.Tx) error {
		err = w.Moderation.Undo(tx, w.l, id, by, time.Now())
		if errors.Is(err, moderation.ErrTooLate) {
			return nil
		}
		return err
	})
	return err
}

// What is decided on a page is so for everybody at once, and what follows from it comes after a minute, unless it is taken back.
func TestDecisionCanBeTakenBack(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		p := w.post("zed@strangers.test", "1@s.test", "Hello", "Good morning.\n", true)
		w.at(0)
		notice := one(t, w.mails(3), "mio@people.test")
		for _, word := range []string{"reject", "discard", "accept", "ban", "trust"} {
			if said := w.press("mod@people.test", word, string(p.ID)); !strings.Contains(said, "by mod@people.test") {
				t.Errorf("%s: %s", word, said)
			}
			time.Sleep(50 * time.Second)
			w.mails(0)
			if w.get("1@s.test").Held() {
				t.Fatalf("%s is not in effect", word)
			}
			w.answer(notice, answer{from: "mio@people.test", text: "accept"})
			if a := one(t, w.mails(1), "mio@people.test"); !strings.Contains(a.text, "mod@people.test") {
				t.Errorf("%s: who comes later reads\n%s", word, a.text)
			}
			if err := w.undo("mio@people.test", string(p.ID)); err != nil {
				t.Fatalf("%s: %v", word, err)
			}
			w.verdict("1@s.test", "hold")
		}
		if err := w.undo("mod@people.test", string(p.ID)); !errors.Is(err, moderation.ErrTooLate) {
			t.Errorf("taken back twice: %v", err)
		}
		time.Sleep(5 * time.Minute)
		w.mails(0)
		if len(w.settings().BanList) != 0 || w.action("zed@strangers.test") != "" {
			t.Errorf("something followed: %q, %q", w.settings().BanList, w.action("zed@strangers.test"))
		}

		w.press("mod@people.test", "trust", string(p.ID))
		time.Sleep(57 * time.Second)
		w.mails(0)
		time.Sleep(20 * time.Second)
		got := w.mails(4) // to ann and bob, to zed, and mio is told
		if a := one(t, got, "zed@strangers.test"); !strings.Contains(a.subject, "承認されました") {
			t.Errorf("the author reads %s", a.subject)
		}
		if w.action("zed@strangers.test") != list.Accept {
			t.Error("the author is not trusted")
		}
		if err := w.undo("mod@people.test", string(p.ID)); !errors.Is(err, moderation.ErrTooLate) {
			t.Errorf("taken back after it left: %v", err)
		}
		h := strings.Join(w.history(p), "\n")
		for _, want := range []string{"decide reject (nonmember) mod@people.test", "decide reject of mod@people.test taken back: hold mio@people.test", "trusted zed@strangers.test"} {
			if !strings.Contains(h, want) {
				t.Errorf("no %q in the trace:\n%s", want, h)
			}
		}
	})
}

// Who wants to join is let in after the minute.
func TestRequestDecisionCanBeTakenBack(t *testing.T) {
	story(t, func(s *list.Settings) { s.SubscriptionPolicy = list.PolicyModerate }, func(t *testing.T, w *world) {
		ask := func(id string) {
			t.Helper()
			to := "janog-join@" + listtest.Domain
			w.deliver(listtest.Mail{From: "cora@people.test", To: []string{to}, Raw: "From: cora@people.test\nTo: " + to + "\nSubject: join\nMessage-ID: <" + id + ">\n\n\n"})
		}
		ask("1@p.test")
		w.at(0)
		w.mails(3)
		for _, word := range []string{"reject", "accept"} {
			w.press("mod@people.test", word, "cora@people.test")
			ask(word + "@p.test") // is no second request
			time.Sleep(30 * time.Second)
			w.mails(1) // what cora is answered
			if err := w.undo("mio@people.test", "cora@people.test"); err != nil {
				t.Fatalf("%s: %v", word, err)
			}
			if r := w.Requests(w.l); len(r) != 1 || w.member("cora@people.test") {
				t.Fatalf("%s taken back: %q wait", word, r)
			}
		}
		w.press("mod@people.test", "accept", "cora@people.test")
		time.Sleep(90 * time.Second)
		if !w.member("cora@people.test") {
			t.Error("cora was not let in")
		}
		if err := w.undo("mod@people.test", "cora@people.test"); !errors.Is(err, moderation.ErrTooLate) {
			t.Errorf("taken back too late: %v", err)
		}
	})
}

// A decision and its minute are on disk; the author's own word comes before the moderator's.
func TestDecisionAndCrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		kept := w.post("zed@strangers.test", "1@s.test", "Kept", "Good morning.\n", true)
		gone := w.post("zed@strangers.test", "2@s.test", "Withdrawn", "Good evening.\n", true)
		w.press("mod@people.test", "accept", string(kept.ID))
		w.press("mod@people.test", "accept", string(gone.ID))
		w.Update(func(tx *storage.Tx) error {
			out, err := w.Moderation.TakeBack(tx, gone.ID, "zed@strangers.test", time.Now())
			if err == nil && out.Late {
				t.Error("the author's word comes too late")
			}
			return err
		})
		w.Crash()
		w.Run()
		if err := w.Moderation.Round(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		w.mails(0)
		w.Crash()
		time.Sleep(10 * time.Minute)
		w.Run()
		if err := w.Moderation.Round(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		w.mails(2) // to ann and bob; zed was never told that it waits, so nothing to zed
		w.verdict("1@s.test", "accept by mod@people.test")
		w.verdict("2@s.test", "discard by zed@strangers.test")
	})
}

// On the page of a notice what was accepted a moment ago is decided, and can be taken back.
func TestNoticePageOfAccepted(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		p := w.post("zed@strangers.test", "1@s.test", "Hello", "Good morning.\n", true)
		w.at(0)
		token := one(t, w.mails(3), "mio@people.test").token(t)
		w.press("mod@people.test", "accept", string(p.ID))
		page, err := w.Moderation.Open(t.Context(), token, "en", time.Now())
		if err != nil || len(page.Posts) != 1 || !page.Posts[0].Undo || !strings.Contains(page.Posts[0].Decided, "accepted by mod@people.test") {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

// After its minute a decision stands, also while what follows from it is still to be done.
func TestUndoTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil) // nobody concludes anything
		p := w.post("zed@strangers.test", "1@s.test", "Hello", "Good morning.\n", true)
		w.press("mod@people.test", "reject", string(p.ID))
		time.Sleep(61 * time.Second)
		if err := w.undo("mod@people.test", string(p.ID)); !errors.Is(err, moderation.ErrTooLate) {
			t.Errorf("after a minute: %v", err)
		}
		w.verdict("1@s.test", "reject by mod@people.test")
	})
}

// The author who withdraws within the minute is not told afterwards that the post was accepted; the moderators hear of it.
func TestAuthorWithdrawsWithinTheMinute(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		p := w.post("zed@strangers.test", "1@s.test", "Hello", "Good morning.\n", true)
		w.at(0)
		told := one(t, w.mails(3), "zed@strangers.test")
		w.press("mod@people.test", "accept", string(p.ID))
		w.answer(told, answer{from: "zed@strangers.test", ip: "192.0.2.66", text: "withdraw"})
		w.at(20 * time.Minute)
		got := w.mails(3)
		if a := one(t, got, "zed@strangers.test"); !strings.Contains(a.text, "zed@strangers.test") {
			t.Errorf("the author reads\n%s", a.text)
		}
		one(t, got, "mod@people.test")
		one(t, got, "mio@people.test")
		w.verdict("1@s.test", "discard by zed@strangers.test")
	})
}
