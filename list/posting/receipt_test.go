package posting_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/message"
	"kairan/smtpd/queue"
	"kairan/smtpd/smtptest"
	"kairan/storage"
	"kairan/storage/storagetest"
	"kairan/templates"
)

// An author who wants to know is told when a post went out, and an hour later what became of the copies, once each, whatever crashes.
func TestAcknowledgementAndReceipt(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		synctest.Test(t, func(t *testing.T) { acknowledged(t, lang) })
	}
}

func acknowledged(t *testing.T, lang string) {
	w := listtest.New(t, func(m smtptest.Message) smtptest.Behaviour {
		if m.Stage == smtptest.AtRcpt {
			switch to := m.To[len(m.To)-1]; {
			case strings.HasSuffix(to, "@full.test"):
				return smtptest.Behaviour{Code: 452, Text: "4.2.2 Full"}
			case to == "gone@people.test":
				return smtptest.Behaviour{Code: 550, Text: "5.1.1 No such user"}
			}
		}
		return smtptest.Behaviour{}
	})
	l := w.List("janog", nil)
	w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test", "gone@people.test", "kim@full.test", "lee@gmail.com", "max@googlemail.com", "mori@docomo.ne.jp")
	w.SetMember(l, "ann@people.test", func(m *list.Member) {
		m.Language, m.AcknowledgePosts, m.DeliveryReceipt, m.NoOwnPosts = lang, true, true, true
	})
	w.Run()
	post(t, w, 250, fromAnn(l, "1@people.test"))
	told := func(n int) []smtptest.Message {
		t.Helper()
		synctest.Wait()
		got := w.Sink.Inbox("ann@people.test")
		if len(got) != n {
			t.Fatalf("ann got %d mails, want %d", len(got), n)
		}
		return got
	}
	time.Sleep(time.Minute)
	ack := message.Parse(told(1)[0].Data)
	if re := ack.Header().Get("In-Reply-To"); re != "<1@people.test>" {
		t.Errorf("it answers %s", re)
	}
	time.Sleep(50 * time.Minute)
	told(1)
	w.Crash()
	w.Run()
	time.Sleep(15 * time.Minute)
	receipt := message.Parse(told(2)[1].Data)
	var mails strings.Builder
	for _, m := range []*message.Message{ack, receipt} {
		fmt.Fprintf(&mails, "Subject: %s\n\n%s\n", m.Header().Text("Subject"), strings.ReplaceAll(m.Text(), "\r\n", "\n"))
	}
	storagetest.Golden(t, "receipt."+lang+".txt", []byte(mails.String()))
	time.Sleep(3 * time.Hour)
	told(2)
	w.Stop()
	counted(t, w, l)
}

// counted looks at the numbers of the day: one post, and attempts by provider.
func counted(t *testing.T, w *listtest.World, l *list.List) {
	t.Helper()
	var h *list.Health
	w.Update(func(tx *storage.Tx) (err error) {
		h, err = list.HealthOf(tx, l, time.Now().In(w.Site.Location))
		return err
	})
	got := map[string]list.Attempts{}
	for _, p := range h.Providers {
		got[p.Name] = p.Attempts
	}
	if again := got["full.test"].Deferred; again < 2 {
		t.Errorf("a full mailbox was tried %d times", again)
	}
	delete(got, "full.test")
	want := map[string]list.Attempts{"google": {Accepted: 2}, "docomo": {Accepted: 1}, "people.test": {Accepted: 1, Refused: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attempts: -want +got\n%s", diff)
	}
	if last := h.Weeks[list.HealthWeeks-1]; last.Accepted != 1 || last.Held+last.Refused != 0 {
		t.Errorf("posts of the week: %+v", last)
	}
	if h.Members != 7 || h.Months[list.HealthMonths-1].Joined != 7 {
		t.Errorf("members: %d, this month %+v", h.Members, h.Months[list.HealthMonths-1])
	}
}

// Receipts call each provider that is known by a name.
func TestProvidersHaveNames(t *testing.T) {
	t.Parallel()
	words, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range queue.Providers() {
		for _, lang := range []string{"en", "ja"} {
			if strings.Contains(p.Name, ".") || !words.Has(lang, "provider."+p.Name) {
				t.Errorf("%s has no name in %s", p.Name, lang)
			}
		}
	}
}
