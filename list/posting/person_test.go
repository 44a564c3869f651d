package posting_test

import (
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/storage"
)

// samePerson makes the second address another of the first one's.
func samePerson(w *listtest.World, first, second string) {
	w.Update(func(tx *storage.Tx) error {
		return list.PersonOf(tx, address.Must(first)).AddAddress(tx, address.Must(second), time.Now())
	})
}

// TestOtherAddressesOfAMemberMayPost: what proves an author is still asked of the address that wrote.
func TestOtherAddressesOfAMemberMayPost(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", nil)
	w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
	w.SetMember(l, "ann@people.test", func(m *list.Member) { m.NoOwnPosts, m.AcknowledgePosts, m.Unauthenticated = true, true, true })
	samePerson(w, "ann@people.test", "ann@strangers.test")
	samePerson(w, "ann@people.test", "told@strangers.test")
	w.Join(l, list.RoleNonmember, "told@strangers.test")
	w.Update(func(tx *storage.Tx) error {
		m, err := list.GetMember(tx, l.ID, list.RoleNonmember, address.Must("told@strangers.test"))
		if err != nil {
			return err
		}
		m.ModerationAction = list.Hold
		return list.SetMember(tx, *m)
	})
	w.Run()
	mail := func(from, ip, id string) listtest.Mail {
		return listtest.Mail{IP: ip, From: from, To: []string{l.Address.String()}, Raw: listtest.Post(from, l, id, "日程", "次回の日程です。\n")}
	}
	decided := func(id string) (list.Verdict, string) {
		t.Helper()
		p := w.Posts(id)
		if len(p) != 1 {
			t.Fatalf("%d posts %s", len(p), id)
		}
		story := ""
		w.Update(func(tx *storage.Tx) error {
			story = ""
			for e := range list.History(tx, p[0].ID) {
				story += e.Text + "\n"
			}
			return nil
		})
		return p[0].Verdict, story
	}

	post(t, w, 250, mail("ann@strangers.test", "192.0.2.66", "1@strangers.test"))
	wait(t, w, 2)
	if v, story := decided("1@strangers.test"); v.Action != list.Accept || !strings.Contains(story, "a member as ann@people.test") {
		t.Errorf("%s\n%s", v, story)
	}
	for _, m := range w.Sink.Messages() {
		if to := m.To[0]; to != "bob@people.test" && !(to == "ann@people.test" && strings.Contains(string(m.Data), "auto-")) {
			t.Errorf("a copy of her own post went to %s:\n%s", to, m.Data)
		}
	}
	// A forger of the other address: that ann@people.test needs no proof is of no use to him.
	post(t, w, 250, mail("ann@strangers.test", "192.0.2.1", "2@strangers.test"))
	if v, _ := decided("2@strangers.test"); v.Action != list.Hold || v.Reasons[0].Rule != "unauthenticated" {
		t.Errorf("forged: %s", v)
	}
	// What the owner said about an address holds for it.
	post(t, w, 250, mail("told@strangers.test", "192.0.2.66", "3@strangers.test"))
	if v, _ := decided("3@strangers.test"); v.Action != list.Hold {
		t.Errorf("a nonmember with an action: %s", v)
	}
}
