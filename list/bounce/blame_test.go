package bounce_test

import (
	"fmt"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
)

func (w *world) change(fn func(*list.Settings)) {
	w.Update(func(tx *storage.Tx) error {
		l, err := list.Get(tx, w.l.ID)
		if err != nil {
			return err
		}
		fn(&l.Settings)
		_, err = list.Change(tx, w.l.ID, l.Settings, list.Edit{})
		return err
	})
}

// atBig joins so many members at one provider and returns their addresses.
func (w *world) atBig(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("u%03d@big.test", i))
	}
	w.Join(w.l, list.RoleMember, all...)
	return all
}

// A provider that takes most copies is not blamed for the mailboxes that are gone there.
func TestSomeAreGone(t *testing.T) {
	for _, members := range []int{40, 300} {
		t.Run(fmt.Sprint(members), func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				all := w.atBig(members)
				for i := 0; i < members; i += 4 {
					w.refuse(all[i], "5.1.1 User unknown")
				}
				w.post()
				for i, a := range all {
					b, _ := w.bounces(a)
					if gone := i%4 == 0; gone != (b.Score == 1) {
						t.Errorf("%s: score %g, gone %v", a, b.Score, gone)
					}
				}
				if n := len(w.inbox("postmaster@"+listtest.Domain, "big.test")); n != 0 {
					t.Errorf("the administrator got %d mails", n)
				}
			})
		})
	}
}

// Three hundred of three hundred: nobody is scored, one mail, and who was switched off without a probe gets mail again.
func TestAllAreRefused(t *testing.T) {
	for _, probes := range []bool{true, false} {
		t.Run(fmt.Sprint("probes ", probes), func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.change(func(s *list.Settings) { s.BounceSendProbes, s.BounceScoreThreshold = probes, 1 })
				all := w.atBig(300)
				w.refuse("big.test", "5.1.1 User unknown")
				w.post()
				for _, a := range all {
					if b, m := w.bounces(a); b != (list.Bounces{}) || !m.Receives(time.Now()) {
						t.Errorf("%s: %+v, %s", a, b, m.DeliveryStatus)
					}
				}
				w.sleep(time.Hour)
				if n := len(w.inbox("postmaster@"+listtest.Domain, "big.test")); n != 1 {
					t.Errorf("the administrator got %d mails", n)
				}
			})
		})
	}
}

// What was due waits while process_bounces is off, and goes on afterwards.
func TestOffMeansOff(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.change(func(s *list.Settings) { s.BounceSendProbes, s.BounceScoreThreshold = false, 1 })
		w.refuse("gone@people.test", "5.1.1 User unknown")
		w.post()
		w.change(func(s *list.Settings) { s.ProcessBounces = false })
		w.sleep(40 * day)
		if _, m := w.bounces("gone@people.test"); m == nil {
			t.Fatal("was taken off the list")
		}
		w.change(func(s *list.Settings) { s.ProcessBounces = true })
		w.sleep(40 * day)
		if _, m := w.bounces("gone@people.test"); m != nil {
			t.Error("stayed on the list")
		}
	})
}
