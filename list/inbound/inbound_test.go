package inbound_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

const at = "@" + listtest.Domain

func send(t *testing.T, w *listtest.World, want int, m listtest.Mail) string {
	t.Helper()
	code, text := w.Send(m)
	if code != want {
		t.Errorf("%s to %v: %d %s, want %d", m.From, m.To, code, text, want)
	}
	return text
}

func mail(from, to, subject string) listtest.Mail {
	return listtest.Mail{From: from, To: []string{to}, Raw: "From: " + from + "\nTo: " + to + "\nSubject: " + subject + "\nDate: Sun, 01 Nov 2026 12:00:00 +0900\nMessage-ID: <" + storage.NewID(time.Now()) + "@client.test>\n\nHello.\n"}
}

// arrived waits for n messages in all and returns the last n recipients.
func arrived(t *testing.T, w *listtest.World, n int64) []smtptest.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.Sink.Wait(ctx, n); err != nil {
		t.Fatalf("%d messages arrived: %v", w.Sink.Counts().Messages, err)
	}
	return w.Sink.Messages()
}

func TestUnknownAndClosed(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("closed", nil)
	w.Update(func(tx *storage.Tx) error {
		return list.Remove(tx, l.ID, list.Edit{At: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)})
	})
	w.Run()
	for _, to := range []string{"nobody" + at, "nobody-owner" + at, "closed@elsewhere.test", "postmaster@elsewhere.test"} {
		send(t, w, 550, mail("ann@people.test", to, "Hello"))
	}
	if text := send(t, w, 550, mail("ann@people.test", "closed"+at, "Hello")); !strings.Contains(text, "closed on 2026-10-01") {
		t.Errorf("a closed list answers %q", text)
	}
}

func TestPeopleGetMailForPeople(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", nil)
	w.Join(l, list.RoleOwner, "olga@people.test", "otto@people.test")
	w.Run()
	for _, tt := range []struct {
		to   string
		want []string
	}{
		{"janog-owner" + at, []string{"olga@people.test", "otto@people.test"}},
		{"JANOG-Owner" + at, []string{"olga@people.test", "otto@people.test"}},
		{"postmaster" + at, []string{"postmaster" + at}},
		{"postmaster", []string{"postmaster" + at}},
		{"abuse" + at, []string{"postmaster" + at}},
	} {
		before := w.Sink.Counts().Messages
		send(t, w, 250, mail("zed@strangers.test", tt.to, "A question"))
		var got []string
		for _, m := range arrived(t, w, before+int64(len(tt.want)))[before:] {
			got = append(got, m.To...)
			if m.From != "" || !strings.Contains(string(m.Data), "From: zed@strangers.test\r\n") {
				t.Errorf("%s: MAIL FROM:<%s>\n%s", tt.to, m.From, m.Data)
			}
		}
		if slices.Sort(got); !slices.Equal(got, tt.want) {
			t.Errorf("%s went to %v, want %v", tt.to, got, tt.want)
		}
	}
	before := w.Sink.Counts().Messages
	report := mail("ann@people.test", "janog-owner"+at, "Undeliverable")
	report.From = ""
	send(t, w, 250, report)
	send(t, w, 250, mail("zed@strangers.test", "postmaster"+at, "After it"))
	if got := arrived(t, w, before+1); len(got) != int(before)+1 {
		t.Errorf("a report was forwarded")
	}
}

func TestARealListWinsOverARole(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	w.List("janog", nil)
	l := w.List("janog-owner", nil)
	w.Join(l, list.RoleMember, "ann@people.test")
	w.Run()
	send(t, w, 250, mail("ann@people.test", "janog-owner"+at, "To the owners' list"))
	if m := arrived(t, w, 1)[0]; !strings.HasPrefix(m.From, "janog-owner-bounces+") {
		t.Errorf("sent from %s", m.From)
	}
}

func token(t *testing.T, w *listtest.World, l *list.List, addr string) string {
	t.Helper()
	var s string
	w.Update(func(tx *storage.Tx) error {
		m, err := list.GetMember(tx, l.ID, list.RoleMember, address.Must(addr))
		if err == nil {
			s = m.Token
		}
		return err
	})
	return s
}

func isMember(t *testing.T, w *listtest.World, l *list.List, addr string) bool {
	t.Helper()
	err := w.DB.View(t.Context(), func(tx *storage.Tx) error {
		_, err := list.GetMember(tx, l.ID, list.RoleMember, address.Must(addr))
		return err
	})
	return err == nil
}

func TestLeaveByMail(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", nil)
	people := []string{"ann@people.test", "bob@people.test", "carl@people.test"}
	w.Join(l, list.RoleMember, people...)
	w.Run()
	to := "janog-leave" + at

	auto := mail("ann@people.test", to, "unsubscribe "+token(t, w, l, "ann@people.test"))
	auto.Raw = "Auto-Submitted: auto-replied\n" + auto.Raw
	send(t, w, 250, auto)
	forged := mail("ann@people.test", to, "unsubscribe")
	forged.IP = "192.0.2.66"
	send(t, w, 250, forged) // a confirmation goes to ann
	send(t, w, 250, mail("dora@people.test", to, "unsubscribe"))
	send(t, w, 550, mail("bob@people.test", to, "unsubscribe "+strings.Repeat("0", 32)))
	for _, p := range people {
		if !isMember(t, w, l, p) {
			t.Errorf("%s was taken off by mail that must not act", p)
		}
	}

	anywhere := mail("phone@strangers.test", to, "unsubscribe "+token(t, w, l, "ann@people.test"))
	send(t, w, 250, anywhere)
	send(t, w, 250, anywhere) // has left already: no error
	send(t, w, 250, mail("bob@people.test", "janog-unsubscribe"+at, "please"))
	for p, want := range map[string]bool{"ann@people.test": false, "bob@people.test": false, "carl@people.test": true} {
		if got := isMember(t, w, l, p); got != want {
			t.Errorf("%s is a member: %v, want %v", p, got, want)
		}
	}
}

func TestBounceIsNotedWithItsPost(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", nil)
	w.Join(l, list.RoleMember, "ann@people.test")
	w.Run()
	m := mail("ann@people.test", "janog"+at, "Hello")
	m.Raw = strings.Replace(m.Raw, "Message-ID: <", "Message-ID: <bounced-", 1)
	send(t, w, 250, m)
	verp := arrived(t, w, 1)[0].From
	_, rest, _ := strings.Cut(m.Raw, "Message-ID: <")
	id, _, _ := strings.Cut(rest, ">")
	p := w.Posts(id)[0]

	bounces := func() (texts []string) {
		err := w.DB.View(t.Context(), func(tx *storage.Tx) error {
			for e := range list.History(tx, p.ID) {
				if e.Stage == "bounce" {
					texts = append(texts, e.Text)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return texts
	}
	report := mail("MAILER-DAEMON@people.test", strings.ToUpper(verp), "Undelivered Mail")
	report.From = ""
	send(t, w, 250, report)
	if got := bounces(); len(got) != 1 || !strings.Contains(got[0], "ann@people.test") || !strings.Contains(got[0], "Undelivered Mail") {
		t.Errorf("bounces %q", got)
	}
	dsn := report
	dsn.Raw = "From: MAILER-DAEMON@people.test\nTo: " + verp + "\nSubject: Undelivered Mail\nMIME-Version: 1.0\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n" +
		"Reporting-MTA: dns; mx.people.test\n\nFinal-Recipient: rfc822; ann@people.test\nAction: failed\nStatus: 5.1.1\n" +
		"Remote-MTA: dns; mx.people.test\nDiagnostic-Code: smtp; 550 5.1.1 No such user here\n\n--b--\n"
	send(t, w, 250, dsn)
	if got := bounces(); len(got) != 2 || !strings.Contains(got[1], "ann@people.test: bounce, gone (") || !strings.Contains(got[1], "No such user here") {
		t.Errorf("bounces %q", got)
	}
	forged := report
	forged.To = []string{"janog-bounces+" + strings.Repeat("a", 24) + at}
	send(t, w, 250, forged)
	if got := bounces(); len(got) != 2 {
		t.Errorf("a forged token was believed: %q", got)
	}
}

// quietly lets everything come to rest in a bubble of time, and returns what has arrived.
func quietly(w *listtest.World, d time.Duration) []smtptest.Message {
	listtest.Rest(d)
	return w.Sink.Messages()
}

// Reports and loops are forwarded to nobody.
func TestForwardingEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := listtest.New(t, nil)
		l := w.List("janog", nil)
		w.Join(l, list.RoleOwner, "olga@people.test")
		w.Run()
		report, loop := mail("", "janog-owner"+at, "report"), mail("ann@people.test", "janog-owner"+at, "loop")
		loop.Raw = strings.Repeat("Received: from a.test by b.test; Sun, 01 Nov 2026 12:00:00 +0900\n", 26) + loop.Raw
		for _, m := range []listtest.Mail{report, loop, mail("ann@people.test", "janog-owner"+at, "question")} {
			send(t, w, 250, m)
		}
		if got := quietly(w, time.Second); len(got) != 1 || !strings.Contains(string(got[0].Data), "Subject: question") {
			t.Errorf("forwarded: %d mails, %+v", len(got), got)
		}
	})
}

// A report about a post of long ago says nothing any more.
func TestLateReport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := listtest.New(t, nil)
		l := w.List("janog", nil)
		w.Join(l, list.RoleMember, "ann@people.test")
		w.Run()
		m := mail("ann@people.test", "janog"+at, "Hello")
		m.Raw = strings.Replace(m.Raw, "\nMessage-ID: ", "\nMessage-ID: <late@people.test>\nX-Was: ", 1)
		send(t, w, 250, m)
		report := mail("", quietly(w, time.Second)[0].From, "Undelivered Mail")
		noted := func() (n int) {
			w.Update(func(tx *storage.Tx) error {
				n = 0
				for e := range list.History(tx, w.Posts("late@people.test")[0].ID) {
					if e.Stage == "bounce" {
						n++
					}
				}
				return nil
			})
			return n
		}
		time.Sleep(list.BounceLife - time.Hour)
		send(t, w, 250, report)
		if n := noted(); n != 1 {
			t.Errorf("%d reports are noted, want that of the last hour", n)
		}
		time.Sleep(2 * time.Hour)
		send(t, w, 250, report)
		if n := noted(); n != 1 {
			t.Errorf("%d reports are noted, want none of later", n)
		}
	})
}

// Who is refused by the only list hears that in the dialogue, and by no mail besides.
func TestRefusedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := listtest.New(t, nil)
		w.List("janog", func(s *list.Settings) { s.DefaultNonmemberAction = list.Reject })
		w.Run()
		send(t, w, 550, mail("ann@people.test", "janog"+at, "Hello"))
		if got := quietly(w, time.Second); len(got) != 0 {
			t.Errorf("told too: %+v", got)
		}
	})
}

// While DNS does not tell who wrote commands they come again; who wants to join is asked back instead.
func TestCommandsComeAgain(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	w.List("janog", nil)
	w.Run()
	m := mail("ann@broken.test", "janog-request"+at, "set myposts off")
	send(t, w, 451, m)
	send(t, w, 250, mail("ann@broken.test", "janog-join"+at, "please"))
	if got := arrived(t, w, 1); got[0].To[0] != "ann@broken.test" {
		t.Errorf("asked %v", got[0].To)
	}
}
