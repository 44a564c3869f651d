package list

import (
	"fmt"
	"testing"
	"time"

	"kairan/storage"
)

// How bans came, and who changed a setting last, is known without reading all changes; the migration finds it in those of before.
func TestRevisionIndex(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "janog@lists.test")
	at := func(day int) Edit {
		return Edit{By: fmt.Sprintf("owner%d@people.test", day), Why: fmt.Sprint("day ", day), At: noon.AddDate(0, 0, day)}
	}
	check := func(when string) {
		t.Helper()
		update(t, db, func(tx *storage.Tx) error {
			all, err := Bans(tx, l.ID)
			if err != nil {
				return err
			}
			got := ""
			for _, b := range all {
				got += fmt.Sprintf("%s by %s (%s) on %s\n", b.Entry, b.By, b.Why, b.At.Format(time.DateOnly))
			}
			want := "b@evil.test by owner2@people.test (day 2) on 2026-11-03\na@evil.test by owner4@people.test (day 4) on 2026-11-05\n"
			if got != want {
				t.Errorf("%s: the bans\n%s", when, got)
			}
			last := LastChanges(tx, l.ID)
			if c := last["ban_list"]; len(last) != 2 || c.Number != 5 || c.By != "owner4@people.test" || last["max_held"].By != "owner5@people.test" {
				t.Errorf("%s: the last changes: %+v", when, last)
			}
			return nil
		})
	}
	update(t, db, func(tx *storage.Tx) error {
		for day, entry := range []string{"a@evil.test", "", "b@evil.test", "-a@evil.test", "a@evil.test"} {
			var err error
			switch {
			case entry == "":
				_, err = setting(tx, l, at(day), func(s *Settings) { s.MaxHeld = 7 })
			case entry[0] == '-':
				_, err = Unban(tx, l.ID, entry[1:], at(day))
			default:
				_, err = Ban(tx, l.ID, entry, at(day))
			}
			if err != nil {
				return err
			}
		}
		now, err := Get(tx, l.ID)
		if err != nil {
			return err
		}
		now.Settings.MaxHeld = 8
		_, err = Change(tx, l.ID, now.Settings, at(5))
		return err
	})
	check("at once")
	update(t, db, func(tx *storage.Tx) error {
		for k := range banOrigins.Scan(tx, storage.Range[storage.Pair[ID, string]]{}) {
			if err := banOrigins.Delete(tx, k); err != nil {
				return err
			}
		}
		for k := range lastChanges.Scan(tx, storage.Range[storage.Pair[ID, string]]{}) {
			if err := lastChanges.Delete(tx, k); err != nil {
				return err
			}
		}
		return indexRevisions(tx)
	})
	check("after the migration")
}
