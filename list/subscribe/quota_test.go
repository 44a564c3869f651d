package subscribe_test

import (
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

// step carries out a step of the workflow.
func step(t *testing.T, w *listtest.World, act func(tx *storage.Tx) (subscribe.Result, error)) subscribe.State {
	t.Helper()
	res, err := w.Workflow.Do(t.Context(), act)
	if err != nil {
		t.Fatal(err)
	}
	return res.State
}

// Whichever way somebody comes, a list that is full takes nobody in, says so, and takes them when there is room again.
func TestFullList(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.MaxMembers = 2 })
		w.Join(l, list.RoleOwner, "olga@people.test")
		w.Join(l, list.RoleMember, "bob@people.test")
		send(t, w, 250, mail("ann@people.test", "janog-join"+at, "", ""))
		confirm := token(t, w, "ann@people.test")
		invited := step(t, w, func(tx *storage.Tx) (subscribe.Result, error) {
			return w.Workflow.Invite(tx, subscribe.Request{List: l, Address: address.Must("ivy@people.test"), By: "olga@people.test", Now: time.Now()})
		})
		invitation := token(t, w, "ivy@people.test")
		w.Join(l, list.RoleMember, "carl@people.test") // the last place is taken

		if invited != subscribe.Asked {
			t.Errorf("an invitation while there is room: %s", invited)
		}
		for name, act := range map[string]func(tx *storage.Tx) (subscribe.Result, error){
			"a confirmation": func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Confirm(tx, subscribe.Confirmation{Token: confirm, Now: time.Now()})
			},
			"an invitation": func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Confirm(tx, subscribe.Confirmation{Token: invitation, Now: time.Now()})
			},
			"an owner's word": func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Add(tx, subscribe.Request{List: l, Address: address.Must("dora@people.test"), By: "olga@people.test", Now: time.Now()})
			},
			"another invitation": func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Invite(tx, subscribe.Request{List: l, Address: address.Must("dora@people.test"), By: "olga@people.test", Now: time.Now()})
			},
			"who is signed in": func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Join(tx, subscribe.Request{List: l, Address: address.Must("dora@people.test"), Verified: true, Proven: true, Now: time.Now()})
			},
			"a stranger": func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Join(tx, subscribe.Request{List: l, Address: address.Must("dora@people.test"), Now: time.Now()})
			},
			"a stranger in the name of a member": func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Join(tx, subscribe.Request{List: l, Address: address.Must("bob@people.test"), Now: time.Now()})
			},
		} {
			if got := step(t, w, act); got != subscribe.NoRoom {
				t.Errorf("%s: %s", name, got)
			}
		}
		send(t, w, 250, mail("eve@people.test", "janog-join"+at, "", ""))
		got := inbox(w, "eve@people.test")
		if len(got) != 1 || !strings.Contains(text(got[0]), "会員数が上限に達しているため") || !strings.Contains(text(got[0]), "nobody can join now") || !strings.Contains(text(got[0]), "janog-owner"+at) {
			t.Errorf("%d mails to who asked: %s", len(got), text(got[0]))
		}
		// A change of address needs no further place.
		w.Update(func(tx *storage.Tx) error {
			return list.Readdress(tx, l.ID, address.Must("bob@people.test"), address.Must("bobby@people.test"), time.Now())
		})
		if !isMember(t, w, l, "bobby@people.test") {
			t.Error("the address was not changed")
		}
		w.Update(func(tx *storage.Tx) error {
			return list.Leave(tx, l.ID, list.RoleMember, address.Must("carl@people.test"), time.Now())
		})
		send(t, w, 250, mail("ann@people.test", "janog-confirm+"+confirm+at, "", ""))
		if !isMember(t, w, l, "ann@people.test") {
			t.Error("the confirmation is used up although there is room now")
		}
	})
}

// Many at once: as many as fit, and the plan says so before.
func TestFullListImport(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		w.Site.Quotas.Members = 3
		l := w.List("janog", nil)
		w.Join(l, list.RoleMember, "bob@people.test")
		roster := func() *list.Roster {
			r, wrong := list.ParseRoster(strings.NewReader("a@people.test\nbob@people.test\nc@people.test\nd@people.test\ne@people.test\n"))
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			return r
		}
		for _, do := range []subscribe.Do{subscribe.DoAdd, subscribe.DoInvite} {
			var plan map[subscribe.State][]address.Address
			w.Update(func(tx *storage.Tx) (err error) {
				plan, err = w.Workflow.Plan(tx, subscribe.Bulk{List: l, Roster: roster(), Do: do})
				return err
			})
			if do == subscribe.DoAdd && (len(plan[subscribe.Joined]) != 2 || len(plan[subscribe.NoRoom]) != 2) || do == subscribe.DoInvite && len(plan[subscribe.Asked]) != 4 {
				t.Errorf("%s: %v", do, plan)
			}
		}
		out, err := w.Workflow.Carry(t.Context(), subscribe.Bulk{List: l, Roster: roster(), Do: subscribe.DoAdd, By: "olga@people.test", Now: time.Now()}, func(int, int) {})
		if err != nil || out.Count[subscribe.Joined] != 2 || out.Count[subscribe.NoRoom] != 2 || out.Count[subscribe.Already] != 1 || len(out.Named[subscribe.NoRoom]) != 2 {
			t.Errorf("%+v, %v", out, err)
		}
		var n int
		w.Update(func(tx *storage.Tx) (err error) {
			n, err = list.CountMembers(tx, l.ID, list.RoleMember)
			return err
		})
		if n != 3 {
			t.Errorf("%d members", n)
		}
	})
}

// The owners and the administrator are warned once, and the owners hear of who was turned away once a day.
func TestTellQuotas(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		w.Site.Quotas.Members = 10
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleOwner, "olga@people.test")
		join := func(names string) {
			for _, c := range names {
				w.Join(l, list.RoleMember, string(c)+"@people.test")
			}
		}
		tell := func(after time.Duration, owner, admin int) {
			t.Helper()
			time.Sleep(after)
			if err := w.Workflow.TellQuotas(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
			o, a := inbox(w, "olga@people.test"), inbox(w, w.Site.Admin.String())
			if len(o) != owner || len(a) != admin {
				t.Errorf("%d mails to the owner and %d to the administrator, not %d and %d", len(o), len(a), owner, admin)
			}
		}
		ask := func() {
			step(t, w, func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Join(tx, subscribe.Request{List: l, Address: address.Must("zoe@people.test"), Now: time.Now()})
			})
		}
		join("abcdefgh")
		tell(0, 0, 0)
		join("i")
		tell(time.Hour, 1, 1)
		if said := text(inbox(w, "olga@people.test")[0]); !strings.Contains(said, "9 of the 10 members") || !strings.Contains(said, w.Site.Admin.String()) {
			t.Errorf("the warning:\n%s", said)
		}
		tell(time.Hour, 1, 1)
		join("j")
		tell(time.Hour, 1, 1) // known to be nearly full
		ask()
		ask()
		tell(time.Hour, 2, 1)
		if said := text(inbox(w, "olga@people.test")[1]); !strings.Contains(said, "2 requests or addresses could not be taken") {
			t.Errorf("what the owner reads:\n%s", said)
		}
		ask()
		tell(time.Hour, 2, 1)
		tell(24*time.Hour, 3, 1)
		tell(24*time.Hour, 3, 1)
	})
}

// A list that cannot be read keeps the owners of no other from hearing of theirs, and is named.
func TestTellQuotasOfBrokenList(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		w.Site.Quotas.Members = 1
		broken := w.List("broken", nil)
		l := w.List("janog", nil)
		w.Join(l, list.RoleOwner, "olga@people.test")
		w.Join(l, list.RoleMember, "ann@people.test")
		w.Break("lists", string(broken.ID))
		err := w.Workflow.TellQuotas(t.Context(), time.Now())
		if err == nil || !strings.Contains(err.Error(), string(broken.ID)) {
			t.Errorf("what is said of the broken list: %v", err)
		}
		time.Sleep(time.Minute)
		if got := inbox(w, "olga@people.test"); len(got) != 1 {
			t.Errorf("%d mails to the owner", len(got))
		}
	})
}
