package command_test

import (
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/moderation"
	"kairan/smtpd/address"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

// TestDigestWords sets the delivery mode in everybody's words.
func TestDigestWords(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		const regular, mime, plain = list.DeliveryRegular, list.DeliveryMIMEDigests, list.DeliveryPlaintextDigests
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		w.Join(l, list.RoleOwner, "olga@people.test")
		for _, tt := range []struct {
			words string
			want  list.DeliveryMode
			shown string
		}{
			{"set digest mime", mime, "digest      mime"},
			{"set digest off", regular, "digest      off"},
			{"set digest plain", plain, "digest      plain"},
			{"set digest MIME", mime, "digest      mime"},
			{"set digest weekly", mime, "used like this"},
			{"set summary", mime, "used like this"},
			{"set digestplain", plain, "digest      plain"},
			{"set mail", regular, "delivery    on"},
			{"digest", plain, "digest      plain"},
			{"matome mime", mime, "digest      mime"},
			{"matome 0", regular, "digest      off"},
			{"まとめ送り", plain, "digest      plain"},
			{"まとめ送りを解除", plain, ""},
			{"ダイジェスト　ＭＩＭＥ", mime, "digest      mime"},
			{"設定 まとめ送り やめる", regular, "digest      off"},
			{"set digest text\nset show", plain, "digest      plain"},
		} {
			got := ask(t, w, "ann@people.test", tt.words)
			if !strings.Contains(got, tt.shown) {
				t.Errorf("%q: no %q in\n%s", tt.words, tt.shown, got)
			}
			if m := member(t, w, l, "ann@people.test"); m.Mode() != tt.want {
				t.Errorf("%q: %s, want %s", tt.words, m.Mode(), tt.want)
			}
		}
		w.Update(func(tx *storage.Tx) error {
			s := l.Settings
			s.DigestsEnabled = false
			_, err := list.Change(tx, l.ID, s, list.Edit{At: time.Now(), By: "operator"})
			return err
		})
		has(t, ask(t, w, "bob@people.test", "set digest mime"), "This list has no digests")
		if m := member(t, w, l, "bob@people.test"); m.Mode() != regular {
			t.Errorf("a list without digests: %s", m.Mode())
		}
		has(t, ask(t, w, "ann@people.test", "set digest off"), "digest      off")
	})
}

// TestDigestStays keeps the mode when the address changes, and lets an owner set it.
func TestDigestStays(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleMember, "ann@people.test")
		w.Join(l, list.RoleOwner, "olga@people.test")
		yes := func(q smtptest.Message, from string) listtest.Mail {
			m := mail(from, "", "yes")
			m.To = []string{header(q, "Reply-To")}
			return m
		}
		q := answer(t, w, mail("olga@people.test", "", "setmember ann@people.test digest mime"))
		has(t, text(answer(t, w, yes(q, "olga@people.test"))), "digest      mime")
		if m := member(t, w, l, "ann@people.test"); m.Mode() != list.DeliveryMIMEDigests {
			t.Fatalf("set by an owner: %s", m.Mode())
		}
		send(t, w, mail("ann@people.test", "", "chaddr zoe@people.test"))
		for _, who := range []string{"ann@people.test", "zoe@people.test"} {
			for _, m := range inbox(w, who) {
				if strings.Contains(header(m, "Reply-To"), "-confirm+") {
					send(t, w, yes(m, who))
				}
			}
		}
		inbox(w, "zoe@people.test")
		if m := member(t, w, l, "zoe@people.test"); m == nil || m.Mode() != list.DeliveryMIMEDigests {
			t.Errorf("after the change of address: %+v", m)
		}
	})
}

// TestJoinWithDigests takes the wish for digests along through the confirmation.
func TestJoinWithDigests(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		const mime, plain = list.DeliveryMIMEDigests, list.DeliveryPlaintextDigests
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage, s.SubscriptionPolicy = "en", list.PolicyOpen })
		asks := func(who, words, name string, want list.DeliveryMode) {
			t.Helper()
			send(t, w, mail(who, "", words))
			for _, m := range inbox(w, who) {
				if to := header(m, "Reply-To"); strings.Contains(to, "-confirm+") {
					yes := mail(who, "", "yes")
					yes.To = []string{to}
					send(t, w, yes)
				}
			}
			inbox(w, who)
			if m := member(t, w, l, who); m == nil || m.Mode() != want || m.DisplayName != name {
				t.Errorf("%s: %+v, want %q with %s", words, m, name, want)
			}
		}
		asks("a@people.test", "join Ann Example digest=mime", "Ann Example", mime)
		asks("b@people.test", "subscribe digest", "Xyzzy", plain)
		asks("c@people.test", "subscribe nodigest", "Xyzzy", list.DeliveryRegular)
		w.Update(func(tx *storage.Tx) error {
			s := l.Settings
			s.SubscriptionPolicy = list.PolicyConfirm
			_, err := list.Change(tx, l.ID, s, list.Edit{At: time.Now(), By: "operator"})
			return err
		})
		asks("d@people.test", "join digest=plain", "Xyzzy", plain)
		w.Update(func(tx *storage.Tx) error {
			s := l.Settings
			s.SubscriptionPolicy = list.PolicyModerate
			_, err := list.Change(tx, l.ID, s, list.Edit{At: time.Now(), By: "operator"})
			return err
		})
		send(t, w, mail("f@people.test", "", "join digest=mime"))
		inbox(w, "f@people.test")
		w.Update(func(tx *storage.Tx) error {
			lines, err := w.Moderation.Obey(tx, l, moderation.Order{ID: "f@people.test", Word: "accept", By: address.Must("olga@people.test"), Lang: "en", Now: time.Now()})
			if len(lines) != 1 {
				t.Errorf("accepted: %q", lines)
			}
			return err
		})
		if m := member(t, w, l, "f@people.test"); m == nil || m.Mode() != mime {
			t.Errorf("through the moderators: %+v", m)
		}
		w.Update(func(tx *storage.Tx) error {
			s := l.Settings
			s.DigestsEnabled = false
			_, err := list.Change(tx, l.ID, s, list.Edit{At: time.Now(), By: "operator"})
			return err
		})
		asks("e@people.test", "join digest=mime", "Xyzzy", list.DeliveryRegular)
	})
}
