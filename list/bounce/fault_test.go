package bounce_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

// dsnOf is a report that a copy could not be delivered.
func dsnOf(to, said string) string {
	return "From: MAILER-DAEMON@mx.test\nTo: x\nSubject: Undelivered\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nno\n" +
		"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; " + to + "\nAction: failed\nStatus: " + said[:5] + "\nDiagnostic-Code: smtp; 550 " + said + "\n\n--b--\n"
}

// Many mailboxes are gone at a provider that greylists the others: it takes them later, and is not blamed meanwhile.
func TestBlameWaits(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		begin := time.Now()
		w.slow = func(to string) smtptest.Behaviour {
			if strings.HasPrefix(to, "slow") && time.Since(begin) < 2*time.Hour {
				return smtptest.Behaviour{Code: 450, Text: "4.7.1 Greylisted"}
			}
			return smtptest.Behaviour{}
		}
		for n := range 40 {
			w.Join(w.l, list.RoleMember, fmt.Sprintf("slow%d@big.test", n))
		}
		for n := range 12 {
			w.Join(w.l, list.RoleMember, fmt.Sprintf("gone%d@big.test", n))
			w.refuse(fmt.Sprintf("gone%d@big.test", n), "5.1.1 User unknown")
		}
		w.post()
		w.sleep(12 * time.Hour)
		if n := len(w.inbox("postmaster@"+listtest.Domain, "big.test")); n != 0 {
			t.Errorf("the administrator got %d mails", n)
		}
		if b, _ := w.bounces("gone7@big.test"); b.Score != 1 {
			t.Errorf("gone7 has %g points", b.Score)
		}
	})
}

// A provider that takes all copies and returns most of them is blamed like one that refuses them, also for what came back before; points are taken back.
func TestBlameOfReports(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		all := w.atBig(12)
		w.post()
		for i, a := range all[:10] {
			w.report(w.verp(a), dsnOf(a, "5.1.1 User unknown"))
			if b, _ := w.bounces(a); i < 9 && b.Score != 1 {
				t.Errorf("after report %d: %+v", i, b)
			}
		}
		w.sleep(time.Hour)
		for _, a := range all {
			if b, _ := w.bounces(a); b != (list.Bounces{}) {
				t.Errorf("%s: %+v", a, b)
			}
		}
		if n := len(w.inbox("postmaster@"+listtest.Domain, "big.test")); n != 1 {
			t.Errorf("the administrator got %d mails", n)
		}
		if h := w.history(all[0]); !strings.Contains(h, "a point is taken back") {
			t.Errorf("history:\n%s", h)
		}
	})
}

// What fails after days because our smarthost does not let us in is held against nobody.
func TestOurTrouble(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		var shut atomic.Bool
		w.connect = func() smtptest.Behaviour {
			if shut.Load() {
				return smtptest.Behaviour{Code: 554, Text: "5.7.1 you have not paid"}
			}
			return smtptest.Behaviour{}
		}
		shut.Store(true)
		w.post()
		w.sleep(6 * day)
		shut.Store(false)
		w.sleep(12 * time.Hour)
		for _, a := range []string{"ann@people.test", "bob@people.test"} {
			if b, _ := w.bounces(a); b != (list.Bounces{}) {
				t.Errorf("%s: %+v", a, b)
			}
		}
		if n := len(w.inbox("postmaster@"+listtest.Domain, "")); n != 0 {
			t.Errorf("the administrator got %d mails", n)
		}
		failed := 0
		w.Update(func(tx *storage.Tx) error {
			failed = 0
			for d := range list.Deliveries(tx, w.Posts("1@people.test")[0].ID) {
				if d.Status == "failed" {
					failed += len(d.To)
				}
			}
			return nil
		})
		if failed != 3 {
			t.Errorf("%d copies failed, want all 3", failed)
		}
	})
}

// When our line is down for five days nobody is scored; when it is one destination's, its members are.
func TestLineDown(t *testing.T) {
	for name, test := range map[string]struct {
		down func(of string) bool
		want float64
	}{
		"ours":   {func(string) bool { return true }, 0},
		"theirs": {func(of string) bool { return of == "far.test" }, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			directStory(t, func(t *testing.T, w *world) {
				w.Join(w.l, list.RoleMember, "fay@far.test")
				var down atomic.Bool
				w.Line = func(addr string) error {
					of := "people.test"
					if strings.HasPrefix(addr, "192.0.2.10:") {
						of = "far.test"
					}
					if down.Load() && test.down(of) {
						return errors.New("no route to host")
					}
					return nil
				}
				down.Store(true)
				w.post()
				w.sleep(6 * day)
				down.Store(false)
				w.sleep(12 * time.Hour)
				if b, _ := w.bounces("fay@far.test"); b.Score != test.want {
					t.Errorf("fay: %+v\n%s", b, w.history("fay@far.test"))
				}
				if b, _ := w.bounces("bob@people.test"); b != (list.Bounces{}) {
					t.Errorf("bob: %+v", b)
				}
			})
		})
	}
}

// The numbers of posts, digests and probes in envelope senders are told apart.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for what, n := range map[string]uint64{
		"a post":   (&list.Post{Number: 1<<30 - 1}).EnvelopeNumber(),
		"a digest": (&list.Post{Digest: &list.Digest{Serial: 1<<30 - 1}}).EnvelopeNumber(),
	} {
		if list.IsProbe(n) {
			t.Errorf("%s is taken for a probe", what)
		}
	}
	for _, at := range []time.Time{time.Unix(60, 0), time.Now(), time.Now().AddDate(500, 0, 0)} {
		if n := (list.Bounces{Probe: at}).ProbeNumber(); !list.IsProbe(n) || n >= 1<<32 {
			t.Errorf("a probe of %v has the number %x", at, n)
		}
	}
}

// What comes back of an older probe says nothing about the one that is out.
func TestOldProbe(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.change(func(s *list.Settings) { s.BounceScoreThreshold = 1 })
		const who = "gone@people.test"
		var probes []string
		for range 2 {
			w.refuse(who, "5.1.1 User unknown")
			w.send()
			w.refuse(who, "")
			w.sleep(12 * time.Minute)
			probes = append(probes, w.verp(who))
			if len(probes) == 1 {
				w.sleep(8 * day) // it arrived: all is forgotten
			}
		}
		w.report(probes[0], dsnOf(who, "5.1.1 User unknown"))
		if _, m := w.bounces(who); !m.Receives(time.Now()) {
			t.Errorf("an old probe switched delivery off:\n%s", w.history(who))
		}
		w.report(probes[1], dsnOf(who, "5.1.1 User unknown"))
		if _, m := w.bounces(who); m.Receives(time.Now()) {
			t.Errorf("the last probe did not:\n%s", w.history(who))
		}
	})
}

// A row that cannot be read holds nobody else up: neither those whose steps are due, nor those whose copies came back.
func TestOneFails(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.change(func(s *list.Settings) { s.BounceSendProbes, s.BounceScoreThreshold = false, 1 })
		broken := storage.NewTable[storage.Pair[list.ID, string], string]("bounces", storage.Pairs(storage.Strings[list.ID](), storage.Strings[string]()))
		w.refuse("bob@people.test", "5.1.1 User unknown")
		w.refuse("gone@people.test", "5.1.1 User unknown")
		w.post()
		breakRow := func() {
			w.Update(func(tx *storage.Tx) error {
				return broken.Put(tx, storage.P(w.l.ID, address.Must("bob@people.test").Key()), "not a row of bounces")
			})
		}
		breakRow()
		w.post()
		w.sleep(40 * day)
		w.Update(func(tx *storage.Tx) error {
			if _, err := list.GetMember(tx, w.l.ID, list.RoleMember, address.Must("gone@people.test")); err == nil {
				t.Errorf("gone waits for bob:\n%s", w.history("gone@people.test"))
			}
			return nil
		})
	})
}

// countdown is a context that ends after so many questions whether it has.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// A crash between any two transactions of a round repeats nothing and loses nothing: the next round brings everybody to the same end.
func TestCrashBetweenSteps(t *testing.T) {
	var want string
	for crashAt := int64(-1); ; crashAt += 3 { // a transaction asks more than once
		over := false
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.change(func(s *list.Settings) { s.BounceSendProbes, s.BounceScoreThreshold = false, 1 })
			for n := range 105 {
				w.Join(w.l, list.RoleMember, fmt.Sprintf("g%d@d%d.test", n, n%15))
				w.refuse(fmt.Sprintf("g%d@d%d.test", n, n%15), "5.1.1 User unknown")
			}
			w.atBig(12)
			w.refuse("big.test", "5.7.1 spam")
			w.send()
			w.Stop()
			now := time.Now().Add(15 * time.Minute)
			if crashAt >= 0 {
				ctx := &countdown{Context: context.Background()}
				ctx.left.Store(crashAt)
				over = w.Bounces.Round(ctx, now) == nil
				w.Crash()
			}
			if err := w.Bounces.Round(context.Background(), now); err != nil {
				t.Fatal(err)
			}
			got := w.state()
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("after a crash at transaction %d:\n%s\nwant:\n%s", crashAt, got, want)
			}
		})
		if t.Failed() || over {
			break
		}
	}
	if !strings.Contains(want, "105 off") || !strings.Contains(want, "12 without a point") {
		t.Errorf("the story is not as it should be: %s", want)
	}
}

// state sums up what is known of the members, and what is to be mailed.
func (w *world) state() string {
	off, free, events, mails := 0, 0, map[string]int{}, 0
	notices := storage.NewTable[string, any]("notices", storage.Strings[string]())
	w.Update(func(tx *storage.Tx) error {
		off, free, mails = 0, 0, 0
		clear(events)
		for m := range w.members(tx) {
			b, err := list.GetBounces(tx, w.l.ID, m.Address.Key())
			if err != nil {
				return err
			}
			switch {
			case m.DeliveryStatus == list.DeliveryByBounces && b.Score == 1 && b.Warned == 1:
				off++
			case b == list.Bounces{}:
				free++
			}
			for e := range list.MemberHistory(tx, w.l.ID, m.Address) {
				events[e.Text[:min(20, len(e.Text))]]++
			}
		}
		for range notices.Scan(tx, storage.Range[string]{}) {
			mails++
		}
		return nil
	})
	return fmt.Sprintf("%d off, %d without a point, %d mails, %v", off, free-3, mails, events)
}

func (w *world) members(tx *storage.Tx) iter.Seq[*list.Member] {
	return func(yield func(*list.Member) bool) {
		for _, m := range list.Members(tx, w.l.ID, list.RoleMember, "") {
			if !yield(m) {
				return
			}
		}
	}
}
