package list

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/address"
	"kairan/storage"
)

// What happens on a day is counted on that day of the site, and added up for the page of a list's health.
func TestHealth(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "janog@lists.test")
	tokyo := time.FixedZone("JST", 9*60*60)
	now := time.Date(2026, 3, 4, 8, 0, 0, 0, tokyo) // a Wednesday; in UTC it is still the day before
	ann, bob := address.Must("ann@people.test"), address.Must("bob@people.test")
	update(t, db, func(tx *storage.Tx) error {
		for i, m := range []Member{
			{Address: ann, Joined: now.AddDate(0, -1, 0)}, {Address: bob, Joined: now, DeliveryStatus: DeliveryByUser}, {Address: address.Must("cy@people.test"), Joined: now.AddDate(-2, 0, 0)},
			{Role: RoleOwner, Address: ann, Joined: now},
		} {
			m.List = l.ID
			if m.Role == "" {
				m.Role = RoleMember
			}
			if err := Join(tx, m); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		return nil
	})
	update(t, db, func(tx *storage.Tx) error { return Leave(tx, l.ID, RoleMember, ann, now) })
	update(t, db, func(tx *storage.Tx) error {
		m, err := GetMember(tx, l.ID, RoleMember, bob)
		if err != nil {
			return err
		}
		m.DeliveryStatus = DeliveryByBounces
		return SetMember(tx, *m)
	})
	update(t, db, func(tx *storage.Tx) error { return Readdress(tx, l.ID, bob, address.Must("robert@people.test"), now) })
	for _, days := range []int{0, 1, 41, 42} {
		update(t, db, func(tx *storage.Tx) error {
			return Count(tx, l.ID, now.AddDate(0, 0, -days), func(t *Tally) {
				t.Copies("google", Attempts{Accepted: 10, Deferred: 2})
				t.Copies("example.jp", Attempts{Refused: 1})
				t.Bounce("gone")
				t.Held++
				t.Approved++
			})
		})
	}
	var h *Health
	update(t, db, func(tx *storage.Tx) (err error) {
		h, err = HealthOf(tx, l, now)
		return err
	})
	if h.Members != 2 || len(h.Off) != 0 { // an address that bounced is another one now
		t.Errorf("%d members, off: %v", h.Members, h.Off)
	}
	if h.Since != "2024-03-04" || len(h.Months) != HealthMonths || len(h.Days) != HealthDays || len(h.Weeks) != HealthWeeks {
		t.Errorf("since %s, %d months, %d days, %d weeks", h.Since, len(h.Months), len(h.Days), len(h.Weeks))
	}
	want := []HealthMonth{{Month: "2026-01", Members: 1}, {Month: "2026-02", Joined: 1, Members: 2}, {Month: "2026-03", Joined: 1, Left: 1, Members: 2}}
	if diff := cmp.Diff(want, h.Months[HealthMonths-3:]); diff != "" {
		t.Errorf("months: -want +got\n%s", diff)
	}
	last := h.Days[HealthDays-1]
	if last.Day != "2026-03-04" || last.Accepted != 10 || last.Bounces != 1 || h.Days[0].Day != "2026-01-22" || h.Days[0].Deferred != 2 {
		t.Errorf("days: %+v … %+v", h.Days[0], last)
	}
	if diff := cmp.Diff([]HealthProvider{{"google", Attempts{30, 6, 0}}, {"example.jp", Attempts{0, 0, 3}}}, h.Providers); diff != "" {
		t.Errorf("providers: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]HealthBounce{{"gone", 3}}, h.Bounces); diff != "" {
		t.Errorf("bounces: -want +got\n%s", diff)
	}
	if w := h.Weeks[HealthWeeks-1]; w.From != "2026-03-02" || w.Held != 2 || w.Approved != 2 {
		t.Errorf("this week: %+v", w)
	}

	update(t, db, func(tx *storage.Tx) error { return ForgetTallies(tx, now) })
	update(t, db, func(tx *storage.Tx) error {
		for day := range Tallies(tx, l.ID, "") {
			if day < "2025-01-01" {
				t.Errorf("%s is still counted", day)
			}
		}
		return nil
	})
}

// A day names no more providers than it can, and loses no copy.
func TestTallyOfManyProviders(t *testing.T) {
	t.Parallel()
	var tally Tally
	for i := range 100 {
		tally.Copies(fmt.Sprintf("d%d.test", i), Attempts{Accepted: 1})
	}
	all := Attempts{}
	for _, a := range tally.Providers {
		all = all.Plus(a)
	}
	if len(tally.Providers) != maxTallied+1 || all.Accepted != 100 || tally.Providers[""].Accepted != 100-maxTallied {
		t.Errorf("%d providers with %+v", len(tally.Providers), all)
	}
}

// The members whose delivery is off are counted as they are switched, and anew for a store of before.
func TestCountOff(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "janog@lists.test")
	states := []DeliveryStatus{"", DeliveryByUser, DeliveryByUser, DeliveryByModerator, DeliveryByBounces, DeliveryEnabled}
	update(t, db, func(tx *storage.Tx) error {
		for i, s := range states {
			if err := Join(tx, Member{List: l.ID, Role: RoleMember, Address: address.Must(fmt.Sprintf("m%d@people.test", i)), DeliveryStatus: s}); err != nil {
				return err
			}
		}
		m, err := GetMember(tx, l.ID, RoleMember, address.Must("m1@people.test"))
		if err != nil {
			return err
		}
		m.DeliveryStatus = ""
		if err := SetMember(tx, *m); err != nil {
			return err
		}
		return Leave(tx, l.ID, RoleMember, address.Must("m4@people.test"), noon)
	})
	want := map[DeliveryStatus]int{DeliveryByUser: 1, DeliveryByModerator: 1}
	check := func(when string) {
		t.Helper()
		update(t, db, func(tx *storage.Tx) error {
			if diff := cmp.Diff(want, CountOff(tx, l.ID)); diff != "" {
				t.Errorf("%s: -want +got\n%s", when, diff)
			}
			return nil
		})
	}
	check("as they were switched")
	update(t, db, func(tx *storage.Tx) error {
		for s := range CountOff(tx, l.ID) {
			if err := offCounts.Delete(tx, storage.P(l.ID, s)); err != nil {
				return err
			}
		}
		return recountOff(tx)
	})
	check("counted anew")
}
