package subscribe_test

import (
	"fmt"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
)

// TestStorm has 100 requests for one victim, and then many victims of one domain.
func TestStorm(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		lists := []*list.List{w.List("one", nil), w.List("two", nil), w.List("three", nil)}
		for i := range 100 {
			send(t, w, 250, forged(mail("victim@people.test", lists[i%3].Suffixed("join").String(), "", "")))
			time.Sleep(10 * time.Minute)
		}
		// 100 requests in 16 hours and 40 minutes
		if got := inbox(w, "victim@people.test"); len(got) != 3 {
			t.Errorf("%d mails for one victim in a day, want 3", len(got))
		}
		before := w.Sink.Counts().Messages
		for i := range 100 {
			send(t, w, 250, forged(mail(fmt.Sprintf("victim%d@people.test", i), lists[i%3].Suffixed("join").String(), "", "")))
		}
		inbox(w, "victim@people.test")
		if got := w.Sink.Counts().Messages - before; got != 60 {
			t.Errorf("%d mails for one domain in an hour, want 60", got)
		}
		send(t, w, 250, mail("ann@people.test", "one-join"+at, "", "")) // who is authenticated is not held up by that
		if got := inbox(w, "ann@people.test"); len(got) != 1 {
			t.Errorf("%d mails for who asks herself", len(got))
		}
	})
}

// TestStormOfAList: whoever names many victims, of whatever domains, is stopped by what a list and the site send in an hour.
func TestStormOfAList(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		lists := []*list.List{w.List("one", nil), w.List("two", nil), w.List("three", nil)}
		sent := func() int64 {
			inbox(w, "")
			return w.Sink.Counts().Messages
		}
		storm := func(l *list.List, n int) int64 {
			before := sent()
			for i := range n {
				send(t, w, 250, forged(mail(fmt.Sprintf("victim@d%d-%s.test", i, l.Name), l.Suffixed("join").String(), "", "")))
			}
			return sent() - before
		}
		for i, want := range []int64{200, 200, 100} {
			if got := storm(lists[i], 250); got != want {
				t.Errorf("list %d sends %d mails, want %d", i, got, want)
			}
		}
		time.Sleep(time.Hour)
		if got := storm(lists[2], 10); got != 10 {
			t.Errorf("%d mails in the next hour, want 10", got)
		}
	})
}

func TestGap(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", nil)
		ask := mail("ann@people.test", "janog-join"+at, "", "")
		send(t, w, 250, ask)
		first := token(t, w, "ann@people.test")
		time.Sleep(14 * time.Minute)
		send(t, w, 250, ask)
		if got := inbox(w, "ann@people.test"); len(got) != 1 {
			t.Fatalf("%d mails within 15 minutes", len(got))
		}
		time.Sleep(time.Minute)
		send(t, w, 250, ask)
		second := token(t, w, "ann@people.test")
		if first == second {
			t.Fatal("no new token")
		}
		send(t, w, 550, mail("ann@people.test", "janog-confirm+"+first+at, "", "")) // replaced
		send(t, w, 250, mail("ann@people.test", "janog-confirm+"+second+at, "", ""))
		if !isMember(t, w, l, "ann@people.test") {
			t.Error("the newer token does not work")
		}
	})
}

// TestCircle: who joins and leaves again and again is mailed a hundred times a day at most, and so are the owners (200).
func TestCircle(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.SubscriptionPolicy = list.PolicyOpen; s.AdminNotifyMchanges = true })
		w.Join(l, list.RoleOwner, "olga@people.test")
		for range 150 {
			send(t, w, 250, mail("ann@people.test", "janog-join"+at, "", ""))
			send(t, w, 250, mail("ann@people.test", "janog-leave"+at, "", ""))
		}
		if a, o := len(inbox(w, "ann@people.test")), len(inbox(w, "olga@people.test")); a != 100 || o != 200 {
			t.Errorf("%d mails to her and %d to the owner, want 100 and 200", a, o)
		}
	})
}
