package list

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kairan/storage"
)

// setting changes one setting of l.
func setting(tx *storage.Tx, l *List, e Edit, change func(*Settings)) (*Revision, error) {
	now, err := Get(tx, l.ID)
	if err != nil {
		return nil, err
	}
	change(&now.Settings)
	return Change(tx, l.ID, now.Settings, e)
}

func settingsNow(t *testing.T, db *storage.DB, l *List) (s Settings, pending int) {
	t.Helper()
	err := db.View(t.Context(), func(tx *storage.Tx) error {
		now, err := Get(tx, l.ID)
		if err != nil {
			return err
		}
		s = now.Settings
		for range Unconfirmed(tx, l.ID) {
			pending++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, pending
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "janog@lists.test")
	at := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	ann := Edit{By: "ann@people.test", Why: "a flood", At: at}
	update(t, db, func(tx *storage.Tx) error {
		r, err := setting(tx, l, ann, func(s *Settings) { s.Emergency = true; s.BanList = []string{"mallory@bad.test"} })
		if err != nil {
			return err
		}
		if r.Number != 1 || r.String() != "revision 1: ban_list, emergency" {
			t.Errorf("first: %d, %s", r.Number, r)
		}
		if c := r.Changes[0]; string(c.Was) != "null" || string(c.Is) != `["mallory@bad.test"]` {
			t.Errorf("ban_list: %s -> %s", c.Was, c.Is)
		}
		if r, err := setting(tx, l, ann, func(*Settings) {}); r != nil || err != nil {
			t.Errorf("nothing changed: %v, %v", r, err)
		}
		r, err = setting(tx, l, ann, func(s *Settings) { s.MaxMessageSize = 99 })
		if err != nil || r.Number != 2 {
			t.Errorf("second: %v, %v", r, err)
		}
		if _, err := setting(tx, l, ann, func(s *Settings) { s.ArchivePolicy = "secret" }); err == nil {
			t.Error("settings that cannot be are taken")
		}
		return nil
	})

	update(t, db, func(tx *storage.Tx) error {
		r, err := TakeBack(tx, l.ID, 1, Edit{By: "bob@people.test", At: at})
		if err != nil || r.Number != 3 || r.Of != 1 || r.By != "bob@people.test" {
			t.Errorf("taken back: %+v, %v", r, err)
		}
		return err
	})
	if s, _ := settingsNow(t, db, l); s.Emergency || s.BanList != nil || s.MaxMessageSize != 99 {
		t.Errorf("after taking back: emergency %v, ban_list %v, max_message_size %d", s.Emergency, s.BanList, s.MaxMessageSize)
	}
	update(t, db, func(tx *storage.Tx) error {
		if _, err := setting(tx, l, ann, func(s *Settings) { s.MaxMessageSize = 50 }); err != nil {
			return err
		}
		if _, err := TakeBack(tx, l.ID, 2, ann); !errors.Is(err, ErrChangedSince) {
			t.Errorf("a setting that has changed since: %v", err)
		}
		if _, err := TakeBack(tx, l.ID, 9, ann); !errors.Is(err, ErrNoRevision) {
			t.Errorf("revision 9: %v", err)
		}
		var numbers []uint64
		for r := range Revisions(tx, l.ID) {
			numbers = append(numbers, r.Number)
		}
		if len(numbers) != 4 || numbers[0] != 4 {
			t.Errorf("revisions %v", numbers)
		}
		var log []Event
		for e := range LogOf(tx, l.ID) {
			log = append(log, e)
		}
		if len(log) != 4 || log[0].Text != "revision 4: max_message_size" || log[3].By != "ann@people.test" {
			t.Errorf("log: %+v", log)
		}
		return nil
	})
	if s, _ := settingsNow(t, db, l); s.MaxMessageSize != 50 {
		t.Errorf("max_message_size %d after a refused taking back", s.MaxMessageSize)
	}
}

// What nobody confirms falls back; what was confirmed, or changed again by somebody else, stays.
func TestFallBack(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "janog@lists.test")
	at := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	soon := Edit{By: "ann@people.test", At: at, FallsBack: at.Add(10 * time.Minute)}
	update(t, db, func(tx *storage.Tx) error {
		for _, change := range []func(*Settings){
			func(s *Settings) { s.Emergency = true },
			func(s *Settings) { s.MaxMessageSize = 99 },
			func(s *Settings) { s.MaxNumRecipients = 7 },
			func(s *Settings) { s.ReplyGoesToList, s.ReplyToAddress = "explicit", "x@lists.test" },
			func(s *Settings) { s.ReplyToAddress = "y@lists.test" }, // valid only while the one before holds
		} {
			if _, err := setting(tx, l, soon, change); err != nil {
				return err
			}
		}
		if err := Confirm(tx, l.ID, 2, "bob@people.test", at); err != nil {
			return err
		}
		if err := Confirm(tx, l.ID, 2, "bob@people.test", at); !errors.Is(err, ErrNoRevision) {
			t.Errorf("confirmed twice: %v", err)
		}
		_, err := setting(tx, l, Edit{By: "bob@people.test", At: at}, func(s *Settings) { s.MaxNumRecipients = 8 })
		return err
	})
	if _, pending := settingsNow(t, db, l); pending != 4 {
		t.Errorf("%d wait for a confirmation", pending)
	}
	early := at.Add(10*time.Minute - time.Second)
	update(t, db, func(tx *storage.Tx) error {
		if FallsBackBy(tx, early) != nil {
			t.Error("something is due too early")
		}
		return FallBack(tx, l.ID, early)
	})
	if s, _ := settingsNow(t, db, l); !s.Emergency {
		t.Error("it fell back too early")
	}
	update(t, db, func(tx *storage.Tx) error {
		if got := FallsBackBy(tx, soon.FallsBack); !slices.Equal(got, []ID{l.ID}) {
			t.Errorf("due: %v", got)
		}
		return FallBack(tx, l.ID, soon.FallsBack)
	})
	s, pending := settingsNow(t, db, l)
	if s.Emergency || s.MaxMessageSize != 99 || s.MaxNumRecipients != 8 || s.ReplyGoesToList != "none" || s.ReplyToAddress != "" || pending != 0 {
		t.Errorf("after falling back: emergency %v, max_message_size %d, max_num_recipients %d, reply %s %q, %d wait",
			s.Emergency, s.MaxMessageSize, s.MaxNumRecipients, s.ReplyGoesToList, s.ReplyToAddress, pending)
	}
}

// The log of a list is bounded.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	db := open(t)
	update(t, db, func(tx *storage.Tx) error {
		for range maxLog + 50 {
			if err := Log(tx, "l1", Event{Stage: "list"}); err != nil {
				return err
			}
		}
		n := 0
		for range LogOf(tx, "l1") {
			n++
		}
		if n != maxLog {
			t.Errorf("%d entries", n)
		}
		return nil
	})
}
