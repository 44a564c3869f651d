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

// What an address has not answered is mailed once more with a token of its own, within the limits of the first mail, or withdrawn; who did it is in
// the list's log.
func TestResendAndWithdraw(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", nil)
		ann := address.Must("ann@people.test")
		order := func() subscribe.Request {
			return subscribe.Request{List: l, Address: ann, By: "olga@people.test", Now: time.Now()}
		}
		resend := func(action string) subscribe.State {
			return do(t, w, func(tx *storage.Tx) (subscribe.Result, error) { return w.Workflow.Resend(tx, order(), action) }).State
		}
		if got := resend("invite"); got != subscribe.Settled {
			t.Errorf("nobody is asked, and it is mailed again: %s", got)
		}
		do(t, w, func(tx *storage.Tx) (subscribe.Result, error) { return w.Workflow.Invite(tx, order()) })
		began := time.Now()
		first := token(t, w, ann.String())
		if got := resend("invite"); got != subscribe.TooOften {
			t.Errorf("mailed twice in a moment: %s", got)
		}
		time.Sleep(time.Hour)
		if got := resend("invite"); got != subscribe.Asked {
			t.Fatalf("mailed again: %s", got)
		}
		second := token(t, w, ann.String())
		w.Update(func(tx *storage.Tx) error {
			p, err := list.PendingOf(tx, "invite", l.ID, ann, time.Now())
			if err != nil || p.By != "olga@people.test" || !p.Created.Equal(began) || time.Until(p.Expires) < list.PendingLife-time.Minute {
				t.Errorf("what waits: %+v, %v", p, err)
			}
			return nil
		})
		send(t, w, 550, mail(ann.String(), "janog-confirm+"+first+at, "", ""))
		if isMember(t, w, l, ann.String()) {
			t.Error("the former token still works")
		}
		time.Sleep(time.Hour)
		resend("invite")
		time.Sleep(time.Hour)
		if got := resend("invite"); got != subscribe.TooOften {
			t.Errorf("a fourth mail in a day: %s", got)
		}
		send(t, w, 550, mail(ann.String(), "janog-confirm+"+second+at, "", ""))
		third := token(t, w, ann.String())
		step := func(tx *storage.Tx) (subscribe.Result, error) { return w.Workflow.Withdraw(tx, order(), "invite") }
		if got := do(t, w, step).State; got != subscribe.Withdrawn {
			t.Errorf("withdrawn: %s", got)
		}
		if got := do(t, w, step).State; got != subscribe.Settled {
			t.Errorf("withdrawn twice: %s", got)
		}
		send(t, w, 550, mail(ann.String(), "janog-confirm+"+third+at, "", ""))
		if isMember(t, w, l, ann.String()) {
			t.Error("an invitation that was withdrawn works")
		}
		var log []string
		w.Update(func(tx *storage.Tx) error {
			log = nil
			for e := range list.LogOf(tx, l.ID) {
				log = append(log, e.Text+" by "+e.By)
			}
			return nil
		})
		want := "The invitation of ann@people.test was withdrawn by olga@people.test\nann@people.test was invited once more by olga@people.test\n" +
			"ann@people.test was invited once more by olga@people.test\nann@people.test was invited by olga@people.test"
		if got := strings.Join(log, "\n"); !strings.HasPrefix(got, want) {
			t.Errorf("the log:\n%s", got)
		}
	})
}

// Of a request of a stranger the owner's mail is one of the three that the address may get; who wants none gets none.
func TestResendHarassesNobody(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", nil)
		send(t, w, 250, forged(mail("victim@people.test", "janog-join"+at, "", "")))
		victim := address.Must("victim@people.test")
		resend := func() subscribe.State {
			return do(t, w, func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Resend(tx, subscribe.Request{List: l, Address: victim, By: "olga@people.test", Now: time.Now()}, "join")
			}).State
		}
		for range 10 {
			time.Sleep(20 * time.Minute)
			resend()
		}
		if n := len(inbox(w, "victim@people.test")); n != 3 {
			t.Errorf("%d mails", n)
		}
		w.Update(func(tx *storage.Tx) error { return subscribe.SetBlocked(tx, victim, true, time.Now()) })
		time.Sleep(25 * time.Hour)
		if got := resend(); got != subscribe.Unwanted {
			t.Errorf("who wants no mail: %s", got)
		}
		w.Update(func(tx *storage.Tx) error {
			_, err := list.Change(tx, l.ID, func() list.Settings { s := l.Settings; s.BanList = []string{"victim@people.test"}; return s }(), list.Edit{By: "olga@people.test", At: time.Now()})
			if err == nil {
				l, err = list.Get(tx, l.ID)
			}
			return err
		})
		if got := resend(); got != subscribe.Refused {
			t.Errorf("who is banned: %s", got)
		}
	})
}
