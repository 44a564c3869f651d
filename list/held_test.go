package list

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/storage"
	"kairan/storage/storagetest"
)

func TestWaiting(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t, Migrations()...)
	ann, bob := address.Must("Ann@example.jp"), address.Must("bob@example.jp")
	proof := mailauth.Results{DMARC: mailauth.DMARC{Result: mailauth.Pass}}
	held := func(id PostID, l ID, who address.Address, auth mailauth.Results) *Post {
		return &Post{ID: id, List: l, MessageID: string(id), Author: who, Auth: auth, Verdict: Verdict{Action: Hold}}
	}
	posts := []*Post{held("1", "a", ann, proof), held("2", "a", ann, mailauth.Results{}), held("3", "a", bob, proof), held("4", "b", ann, proof)}
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		for _, p := range posts {
			if err := Record(tx, p, nil, nil); err != nil {
				return err
			}
		}
		w, err := GetWaiting(tx, posts[0])
		if err != nil || w.Author != ann.Key() || !w.Proven || w.Seen {
			t.Errorf("waiting: %+v, %v", w, err)
		}
		w.Notices = 2
		if err := SetWaiting(tx, posts[0], w); err != nil {
			return err
		}
		if w, err := GetWaiting(tx, posts[0]); err != nil || w.Notices != 2 {
			t.Errorf("waiting after it was set: %+v, %v", w, err)
		}
		for _, c := range []struct {
			l         ID
			who       address.Address
			proven    bool
			all, same int
		}{{"a", ann, true, 3, 1}, {"a", ann, false, 3, 1}, {"a", bob, false, 3, 0}, {"b", ann, true, 1, 1}, {"c", ann, true, 0, 0}} {
			if all, same := CountHeld(tx, c.l, c.who, c.proven); all != c.all || same != c.same {
				t.Errorf("%s of %s, proven %v: %d and %d, want %d and %d", c.who, c.l, c.proven, all, same, c.all, c.same)
			}
		}
		if _, err := Decide(tx, "1", Verdict{Action: Discard, By: "bob"}, time.Now()); err != nil {
			return err
		}
		if _, err := GetWaiting(tx, posts[0]); err == nil {
			t.Error("a decided post waits")
		}
		if all, _ := CountHeld(tx, "a", ann, true); all != 2 {
			t.Errorf("%d wait after one was decided", all)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Rows of the first releases hold no more than that there is one.
func TestWaitingOfOldRows(t *testing.T) {
	t.Parallel()
	w := Waiting{Notices: 1}
	if err := json.Unmarshal([]byte("true"), &w); err != nil || w != (Waiting{}) {
		t.Errorf("%+v, %v", w, err)
	}
	if err := json.Unmarshal([]byte("false"), &w); err == nil {
		t.Error("false was read")
	}
}

func TestModerationSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*Settings)
		names  string // in the error; "" for none
	}{
		{func(s *Settings) { s.MaxDaysToHold, s.MaxHeld, s.MaxHeldPerSender = 0, 0, 0 }, ""},
		{func(s *Settings) { s.RejectTexts = map[string]Text{"topic": {"ja": "話題", "en": "Topic\nline"}} }, ""},
		{func(s *Settings) { s.MaxDaysToHold = -1 }, "max_days_to_hold"},
		{func(s *Settings) { s.MaxHeld = -1 }, "max_held:"},
		{func(s *Settings) { s.MaxHeldPerSender = -1 }, "max_held_per_sender"},
		{func(s *Settings) { s.RejectTexts = map[string]Text{"two words": {}} }, "reject_texts"},
		{func(s *Settings) { s.RejectTexts = map[string]Text{"Upper": {}} }, "reject_texts"},
		{func(s *Settings) { s.RejectTexts = map[string]Text{"a": {"en": "\x1b[2J"}} }, "reject_texts"},
		{func(s *Settings) { s.RejectTexts = map[string]Text{"a": {"en": strings.Repeat("x", 5000)}} }, "reject_texts"},
	} {
		s := DefaultSettings("ja")
		c.change(&s)
		err := s.Check()
		if (c.names == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.names) {
			t.Errorf("%q: %v", c.names, err)
		}
	}
	s := Settings{RejectTexts: map[string]Text{"topic": {"ja": "話題"}}}
	if text, ok := s.RejectText("Topic", "en"); !ok || text != "話題" {
		t.Errorf("%q, %v", text, ok)
	}
	if _, ok := s.RejectText("other", "en"); ok {
		t.Error("a text that nobody saved")
	}
}
