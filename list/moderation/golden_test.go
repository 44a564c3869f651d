package moderation_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
	"kairan/storage/storagetest"
)

var (
	secrets = regexp.MustCompile(`[0-9a-f]{32}`)
	times   = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d( UTC)?|\b\d\d:\d\d:\d\d\b`)
)

// TestMails tells a story in which every mail of ours is sent, in each language, and compares them all.
func TestMails(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ja"} {
		t.Run(lang, func(t *testing.T) {
			change := func(s *list.Settings) {
				s.PreferredLanguage, s.AskAuthor, s.SubscriptionPolicy, s.MaxDaysToHold = lang, true, list.PolicyModerate, 2
			}
			story(t, change, func(t *testing.T, w *world) {
				mails := strings.Join(everyMail(t, w), "\n"+strings.Repeat("=", 72)+"\n")
				storagetest.Golden(t, "mails."+lang+".txt", []byte(mails))
			})
		})
	}
}

// everyMail returns the mails of the story, those of one moment in the order of their receivers.
func everyMail(t *testing.T, w *world) (out []string) {
	const day = 24 * time.Hour
	w.dismiss("mod@people.test") // mio reads what the list speaks
	keep := func(n int) map[string][]mail {
		t.Helper()
		mails := w.mails(n)
		var moment []string
		for to, ms := range mails {
			for _, m := range ms {
				if m.header.Get("Auto-Submitted") == "" {
					continue // a post's copy
				}
				text := "To: " + to + "\nReply-To: " + m.header.Get("Reply-To") + "\nSubject: " + m.subject + "\nAuto-Submitted: " + m.header.Get("Auto-Submitted") + "\n\n" + m.text
				moment = append(moment, times.ReplaceAllString(secrets.ReplaceAllString(text, "TOKEN"), "TIME"))
			}
		}
		slices.Sort(moment)
		out = append(out, moment...)
		return mails
	}
	fromMio := func(text string) answer { return answer{from: "mio@people.test", text: text} }

	w.post("zed@strangers.test", "1@s.test", "Hello", "Good morning.\nSee http://strangers.test/\n", true)
	w.post("ann@people.test", "2@p.test", "In Ann's name", "Good evening.\n", false)
	w.at(0)
	notices := one(t, keep(3), "mio@people.test")
	w.answer(notices, fromMio("accept 1"))
	keep(4)
	w.answer(notices, fromMio("?"))
	keep(1)
	w.post("zed@strangers.test", "3@s.test", "Another", "Once more.\n", true)
	w.at(time.Hour)
	w.answer(one(t, keep(2), "mio@people.test"), fromMio("reject Please join first."))
	keep(2)
	w.post("zed@strangers.test", "4@s.test", "The third", "And again.\n", true)
	w.at(2 * time.Hour)
	w.answer(one(t, keep(2), "zed@strangers.test"), answer{from: "zed@strangers.test", ip: "192.0.2.66", text: "withdraw"})
	keep(2)
	w.post("zed@strangers.test", "5@s.test", "The last", "Nobody looks.\n", true)
	w.at(day)
	keep(3)
	w.at(2*day + 3*time.Hour)
	keep(2)
	raw := "From: cora@people.test\nTo: janog-join@" + listtest.Domain + "\nSubject: join\nMessage-ID: <6@p.test>\n\n\n"
	w.deliver(listtest.Mail{From: "cora@people.test", To: []string{"janog-join@" + listtest.Domain}, Raw: raw})
	w.answer(one(t, keep(2), "mio@people.test"), fromMio("却下"))
	keep(2)
	w.deliver(listtest.Mail{From: "cora@people.test", To: []string{"janog-join@" + listtest.Domain}, Raw: strings.Replace(raw, "6@", "7@", 1)})
	keep(1)
	w.at(4*day + 5*time.Hour)
	keep(3)
	w.Update(func(tx *storage.Tx) error {
		l, err := list.Get(tx, w.l.ID)
		if err != nil {
			return err
		}
		l.Settings.UndoSeconds = 60
		_, err = list.Change(tx, l.ID, l.Settings, list.Edit{By: "test", At: time.Now()})
		return err
	})
	w.SetMember(w.l, "bob@people.test", func(m *list.Member) { m.AcknowledgePosts = true })
	w.deliver(listtest.Mail{From: "bob@people.test", To: []string{w.l.Address.String()}, Raw: listtest.Post("bob@people.test", w.l, "8@p.test", "Too early", "Oh.\n")})
	w.answer(one(t, keep(1), "bob@people.test"), answer{from: "bob@people.test", text: "undo"})
	keep(1)
	return out
}
