package moderation_test

import (
	"strings"
	"testing"
	"time"

	"kairan/list/moderation"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Two moderators answer at once, both on pages, or one by mail: there is one decision, and who is second reads whose.
func TestOneDecision(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		both := w.post("zed@strangers.test", "both@s.test", "Both on pages", "Text.\n", true)
		first := w.press("mod@people.test", "accept", string(both.ID))
		if second := w.press("mio@people.test", "discard", string(both.ID)); !strings.Contains(second, "accepted by mod@people.test") {
			t.Errorf("first: %s\nsecond: %s", first, second)
		}
		w.verdict("both@s.test", "accept by mod@people.test")
		w.at(5 * time.Minute)
		w.mails(2)
		mailed := w.post("zed@strangers.test", "mailed@s.test", "On a page and by mail", "Text.\n", true)
		w.at(10 * time.Minute)
		notice := one(t, w.mails(3), "mio@people.test")
		w.press("mod@people.test", "claim", string(mailed.ID))
		w.press("mod@people.test", "discard", string(mailed.ID))
		if code := w.answer(notice, answer{from: "mio@people.test", text: "accept\n"}); code != 250 {
			t.Fatalf("answer: %d", code)
		}
		said := one(t, w.mails(1), "mio@people.test").text
		if !strings.Contains(said, "mod@people.test") || !strings.Contains(said, "破棄") {
			t.Errorf("who answered later reads\n%s", said)
		}
		w.verdict("mailed@s.test", "discard by mod@people.test")
	})
}

// Who decides by mail or about a request is told that another is looking at it.
func TestClaimIsTold(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		cora := address.Must("cora@people.test")
		if err := w.Moderation.HeldSubscription(t.Context(), subscribe.Held{List: w.l, Action: "join", Address: cora}); err != nil {
			t.Fatal(err)
		}
		w.press("mio@people.test", "claim", cora.String())
		w.Update(func(tx *storage.Tx) error {
			waits := w.Moderation.Waiting(tx, w.l, "en", 10)
			if len(waits) != 1 || !strings.Contains(waits[0].Words, "mio@people.test has been looking at it") {
				t.Errorf("what waits: %+v", waits)
			}
			lines, err := w.Moderation.Obey(tx, w.l, moderation.Order{ID: cora.String(), Word: "accept", By: address.Must("mod@people.test"), Lang: "en", Now: time.Now()})
			if len(lines) != 1 || !strings.Contains(lines[0], "accepted by mod@people.test") || !strings.Contains(lines[0], "mio@people.test has been looking at it") {
				t.Errorf("decided: %q", lines)
			}
			return err
		})
		if !w.member(cora.String()) {
			t.Error("a claim keeps somebody from deciding")
		}
	})
}
