package bounce_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/bounce"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

const day = 24 * time.Hour

// world is a list whose receivers' providers refuse what the test says.
type world struct {
	*listtest.World
	t *testing.T
	l *list.List
	n int

	// Set before anything is sent; nil for what accepts.
	connect func() smtptest.Behaviour
	slow    func(to string) smtptest.Behaviour

	mu      sync.Mutex
	refuses map[string]string // by address or domain: the reply
}

func story(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		fn(t, w)
		w.Stop()
	})
}

// directStory is a story without a smarthost.
func directStory(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, listtest.NewDirect)
		if err := w.DNS.Add("people.test. MX 10 mx.people.test.\nmx.people.test. A 192.0.2.9\nfar.test. MX 10 mx.far.test.\nmx.far.test. A 192.0.2.10"); err != nil {
			t.Fatal(err)
		}
		fn(t, w)
		w.Stop()
	})
}

// newWorld returns a world with the list, that runs.
func newWorld(t *testing.T) *world { return newWorldOf(t, listtest.New) }

func newWorldOf(t *testing.T, of func(testing.TB, func(smtptest.Message) smtptest.Behaviour) *listtest.World) *world {
	w := &world{t: t, refuses: map[string]string{}}
	w.World = of(t, w.behave)
	w.l = w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
	w.Join(w.l, list.RoleOwner, "olga@people.test")
	w.Join(w.l, list.RoleMember, "ann@people.test", "bob@people.test", "gone@people.test")
	w.Run()
	return w
}

func (w *world) behave(m smtptest.Message) smtptest.Behaviour {
	if m.Stage == smtptest.AtConnect && w.connect != nil {
		return w.connect()
	}
	if m.Stage != smtptest.AtRcpt {
		return smtptest.Behaviour{}
	}
	if w.slow != nil {
		if b := w.slow(m.To[len(m.To)-1]); b.Code != 0 {
			return b
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	to := m.To[len(m.To)-1]
	_, domain, _ := strings.Cut(to, "@")
	for _, who := range []string{to, domain} {
		if said, ok := w.refuses[who]; ok {
			return smtptest.Behaviour{Code: 550, Text: said}
		}
	}
	return smtptest.Behaviour{}
}

func (w *world) refuse(who, said string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuses[who] = said; said == "" {
		delete(w.refuses, who)
	}
}

// post sends a post and waits until all copies are dealt with, and what they led to.
func (w *world) post() {
	w.t.Helper()
	w.send()
	w.sleep(12 * time.Minute)
}

// send sends a post and waits until all copies are dealt with.
func (w *world) send() {
	w.t.Helper()
	w.n++
	m := listtest.Mail{From: "ann@people.test", To: []string{w.l.Address.String()}, Raw: listtest.Post("Ann <ann@people.test>", w.l, fmt.Sprintf("%d@people.test", w.n), "Hello", "Hello.\n")}
	if code, text := w.Send(m); code != 250 {
		w.t.Fatal(code, text)
	}
	w.sleep(time.Second)
}

func (w *world) sleep(d time.Duration) {
	listtest.Rest(d)
}

// bounces returns what is remembered about a member, and its row; nil for none.
func (w *world) bounces(addr string) (b list.Bounces, m *list.Member) {
	w.Update(func(tx *storage.Tx) (err error) {
		m, _ = list.GetMember(tx, w.l.ID, list.RoleMember, address.Must(addr))
		b, err = list.GetBounces(tx, w.l.ID, address.Must(addr).Key())
		return err
	})
	return b, m
}

func (w *world) history(addr string) string {
	var b strings.Builder
	w.Update(func(tx *storage.Tx) error {
		b.Reset()
		for e := range list.MemberHistory(tx, w.l.ID, address.Must(addr)) {
			b.WriteString(e.Stage + " " + e.Text + "\n")
		}
		return nil
	})
	return b.String()
}

// inbox returns the mails to an address whose Subject has those words.
func (w *world) inbox(addr, subject string) (found []*message.Message) {
	for _, m := range w.Sink.Inbox(addr) {
		msg := message.Parse(m.Data)
		if strings.Contains(msg.Header().Text("Subject"), subject) {
			found = append(found, msg)
		}
	}
	return found
}

// log are the lines of the list's log.
func (w *world) log() (lines []string) {
	w.Update(func(tx *storage.Tx) error {
		lines = nil
		for e := range list.LogOf(tx, w.l.ID) {
			lines = append(lines, e.Text)
		}
		return nil
	})
	return lines
}

// A mailbox that is gone gets a point a day, a probe, warnings, and is taken off the list; each step is in its history.
func TestGoneIsRemoved(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		unknown := "5.1.1 <gone@people.test>: User unknown"
		for range 4 {
			for _, said := range []string{unknown, unknown, "5.2.2 Mailbox full"} { // the same day: no further point, and none is taken
				w.refuse("gone@people.test", said)
				w.post()
			}
			w.sleep(day)
		}
		w.refuse("gone@people.test", unknown)
		if b, _ := w.bounces("gone@people.test"); b.Score != 4 || !b.Probe.IsZero() {
			t.Errorf("after four days: %+v", b)
		}
		w.post()
		w.sleep(time.Hour)
		b, m := w.bounces("gone@people.test")
		if b.Disabled.IsZero() || m.DeliveryStatus != list.DeliveryByBounces {
			t.Fatalf("after the probe came back: %+v, %s\n%s", b, m.DeliveryStatus, w.history("gone@people.test"))
		}
		w.refuse("gone@people.test", "") // somebody is there to read the further warnings
		w.sleep(7*day + time.Hour)
		w.sleep(7 * day)
		warnings := w.inbox("gone@people.test", "delivery to you is switched off")
		if len(warnings) != 2 || !strings.Contains(warnings[0].Text(), "User unknown") || !strings.Contains(warnings[0].Text(), "/-/confirm/") {
			t.Errorf("%d warnings arrived; the first:\n%s", len(warnings), warnings[0].Text())
		}
		w.sleep(7 * day)
		if _, m := w.bounces("gone@people.test"); m != nil {
			t.Errorf("is still a member:\n%s", w.history("gone@people.test"))
		}
		h := w.history("gone@people.test")
		for _, step := range []string{"Score 1 of 5: the mailbox is not there", "Score 5 of 5", "A probe was sent", "Delivery off: ", "Warning 1 of 3", "Warning 3 of 3", "Taken off the list after 3 warnings"} {
			if !strings.Contains(h, step) {
				t.Errorf("no %q in the history:\n%s", step, h)
			}
		}
		if log := w.log(); !slices.Contains(log, "gone@people.test was removed, because mail came back") {
			t.Errorf("the list's log: %q", log)
		}
		w.sleep(day)
		news := w.inbox("olga@people.test", "bounces")
		if len(news) != 2 || !strings.Contains(news[0].Text(), "gone@people.test: delivery switched off") || !strings.Contains(news[1].Text(), "gone@people.test was taken off the list") {
			t.Errorf("the owner got %d mails", len(news))
		}
	})
}

// A probe that a mail host takes clears the score at once; if it comes back later delivery is switched off all the same.
func TestProbeArrives(t *testing.T) {
	for name, test := range map[string]struct {
		returned bool
	}{"and stays": {}, "and comes back": {true}} {
		t.Run(name, func(t *testing.T) {
			directStory(t, func(t *testing.T, w *world) {
				for range 5 {
					w.refuse("gone@people.test", "5.1.1 User unknown")
					w.send()
					w.refuse("gone@people.test", "") // before the probe comes
					w.sleep(day)
				}
				b, _ := w.bounces("gone@people.test")
				if len(w.inbox("gone@people.test", "does this mail reach you")) != 1 || b.Score != 0 || !b.Arrived || !strings.Contains(w.history("gone@people.test"), "The probe was taken by mx.people.test: score 0") {
					t.Fatalf("after the probe arrived: %+v\n%s", b, w.history("gone@people.test"))
				}
				if test.returned {
					w.report(w.verp("gone@people.test"), dsnOf("gone@people.test", "5.1.1 User unknown"))
					if b, m := w.bounces("gone@people.test"); m.Receives(time.Now()) || b.Disabled.IsZero() {
						t.Errorf("after it came back: %+v\n%s", b, w.history("gone@people.test"))
					}
					return
				}
				w.refuse("gone@people.test", "5.1.1 User unknown")
				w.post()
				if b, _ := w.bounces("gone@people.test"); b.Score != 1 {
					t.Errorf("the next bounce: %+v", b)
				}
				w.refuse("gone@people.test", "")
				w.sleep(9 * day)
				if b, m := w.bounces("gone@people.test"); b != (list.Bounces{}) || !m.Receives(time.Now()) {
					t.Errorf("a week later: %+v", b)
				}
			})
		})
	}
}

// A probe that does not come back clears the score; so does a week without bounces.
func TestScoreIsCleared(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		for range 5 {
			w.refuse("gone@people.test", "5.1.1 User unknown")
			w.send()
			w.refuse("gone@people.test", "") // before the probe comes
			w.sleep(day)
		}
		if b, _ := w.bounces("gone@people.test"); b.Probe.IsZero() || len(w.inbox("gone@people.test", "does this mail reach you")) != 1 {
			t.Fatalf("no probe arrived: %+v\n%s", b, w.history("gone@people.test"))
		}
		w.sleep(7 * day)
		if b, m := w.bounces("gone@people.test"); b != (list.Bounces{}) || !m.Receives(time.Now()) {
			t.Errorf("after a probe that arrived: %+v", b)
		}
		w.refuse("gone@people.test", "5.2.2 Mailbox full")
		w.post()
		if b, _ := w.bounces("gone@people.test"); b.Score != 0.5 {
			t.Errorf("a full mailbox: %+v", b)
		}
		w.sleep(8 * day)
		if b, _ := w.bounces("gone@people.test"); b != (list.Bounces{}) {
			t.Errorf("a week later: %+v", b)
		}
	})
}

// An answer to the warning switches delivery on again, and all is forgotten.
func TestEnable(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.Update(func(tx *storage.Tx) error {
			s := w.l.Settings
			s.BounceSendProbes, s.BounceScoreThreshold = false, 1
			_, err := list.Change(tx, w.l.ID, s, list.Edit{})
			return err
		})
		w.refuse("gone@people.test", "5.1.1 User unknown")
		w.send()
		w.refuse("gone@people.test", "")
		w.sleep(time.Hour)
		if _, m := w.bounces("gone@people.test"); m.DeliveryStatus != list.DeliveryByBounces {
			t.Fatalf("delivery is %q", m.DeliveryStatus)
		}
		warning := w.inbox("gone@people.test", "switched off")
		if len(warning) != 1 {
			t.Fatalf("%d warnings", len(warning))
		}
		to := strings.Trim(warning[0].Header().Get("Reply-To"), "<>")
		answer := "From: gone@people.test\nTo: " + to + "\nSubject: Re: off\nMessage-ID: <a@people.test>\n\nyes\n"
		if code, text := w.Send(listtest.Mail{From: "gone@people.test", To: []string{to}, Raw: answer}); code != 250 {
			t.Fatal(code, text)
		}
		if b, m := w.bounces("gone@people.test"); b != (list.Bounces{}) || !m.Receives(time.Now()) {
			t.Errorf("after the answer: %+v, %s", b, m.DeliveryStatus)
		}
	})
}

// When a provider refuses a post to many, nobody is scored, and the administrator is told.
func TestBlame(t *testing.T) {
	// A smarthost speaks for itself when it speaks of the message, and for the domain when it speaks of mailboxes.
	for name, said := range map[string]string{"outside.test": "5.7.1 Message rejected as spam", "big.test": "5.1.1 User unknown"} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				for n := range 12 {
					w.Join(w.l, list.RoleMember, fmt.Sprintf("u%d@big.test", n))
				}
				w.refuse("big.test", said)
				w.post()
				for n := range 12 {
					if b, _ := w.bounces(fmt.Sprintf("u%d@big.test", n)); b != (list.Bounces{}) {
						t.Errorf("u%d: %+v", n, b)
					}
				}
				w.sleep(time.Hour)
				told := w.inbox("postmaster@"+listtest.Domain, name)
				if len(told) != 1 {
					t.Fatalf("the administrator got %d mails", len(told))
				}
				for _, want := range []string{said[6:], "1@people.test", "（big.test）", "outside.test の応答"} {
					if !strings.Contains(told[0].Text(), want) {
						t.Errorf("no %q in:\n%s", want, told[0].Text())
					}
				}
			})
		})
	}
}

// verp is the envelope sender of the member's last copy.
func (w *world) verp(addr string) string {
	all := w.Sink.Inbox(addr)
	return all[len(all)-1].From
}

func (w *world) report(to, raw string) {
	w.t.Helper()
	if code, text := w.Send(listtest.Mail{From: "", To: []string{to}, Raw: raw}); code != 250 {
		w.t.Fatal(code, text)
	}
	w.sleep(12 * time.Minute)
}

// Reports that come later count like refusals; vacation answers and delays do not; a complaint ends the membership.
func TestReports(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.post()
		w.report(w.verp("bob@people.test"), "From: MAILER-DAEMON@mx.people.test\nTo: x\nSubject: Undelivered\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nno\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.people.test\n\nFinal-Recipient: rfc822; bob@people.test\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n\n--b--\n")
		if b, _ := w.bounces("bob@people.test"); b.Score != 1 || !strings.Contains(b.Text, "User unknown") {
			t.Errorf("after a report: %+v", b)
		}
		w.report(w.verp("ann@people.test"), "From: ann@people.test\nTo: x\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nI am away.\n")
		if b, _ := w.bounces("ann@people.test"); b != (list.Bounces{}) {
			t.Errorf("after a vacation answer: %+v", b)
		}
		w.report(w.verp("gone@people.test"), "From: fbl@big.test\nTo: x\nSubject: complaint\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: text/plain\n\nabuse\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n\n--b--\n")
		if _, m := w.bounces("gone@people.test"); m != nil {
			t.Error("who complained is still a member")
		}
		w.Update(func(tx *storage.Tx) error {
			if n, err := bounce.Complaints(tx, w.l.ID); n != 1 || err != nil {
				t.Errorf("%d complaints, %v", n, err)
			}
			return nil
		})
	})
}
