package bounce_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/bounce"
	"kairan/list/listtest"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/storage/storagetest"
)

// feedback is a feedback report (RFC 5965): its type, further fields of it, and fields of the message that is returned.
func feedback(kind, fields, original string) string {
	return "From: fbl@big.test\nTo: x\nSubject: complaint\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n" +
		"--b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: " + kind + "\nUser-Agent: x/1\nVersion: 1\n" + fields +
		"\n--b\nContent-Type: text/rfc822-headers\n\nSubject: Hello\n" + original + "\n--b--\n"
}

func TestComplaints(t *testing.T) {
	bounces := func(w *world) string { return w.verp("bob@people.test") }
	at := func(to string) func(*world) string { return func(*world) string { return to } }
	for name, c := range map[string]struct {
		to        func(*world) string
		kind      string
		evidence  string // "sender", "link", "address" or none
		leaves    bool
		forwarded int
	}{
		"bounces":  {bounces, "abuse", "", true, 0},
		"not spam": {bounces, "not-spam", "", false, 0},
		"virus":    {bounces, "virus", "", false, 0},
		"abuse":    {at("abuse@" + listtest.Domain), "abuse", "sender", true, 0},
		"owner":    {at("janog-owner@" + listtest.Domain), "abuse", "link", true, 0},
		"address":  {at("abuse@" + listtest.Domain), "abuse", "address", false, 1},
		"forged":   {at("janog-bounces+aaaaaaaaaaaaaaaaaaaaaaaa@" + listtest.Domain), "abuse", "", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.post()
				_, m := w.bounces("bob@people.test")
				fields, original := "", ""
				switch c.evidence {
				case "sender":
					fields = "Original-Mail-From: <" + w.verp("bob@people.test") + ">\n"
				case "link":
					original = "List-Unsubscribe: <" + w.Site.URL + "/-/u/" + m.Token + ">\n"
				case "address":
					fields = "Original-Rcpt-To: bob@people.test\n"
				}
				w.report(c.to(w), feedback(c.kind, fields, original))
				w.sleep(time.Minute)
				if _, now := w.bounces("bob@people.test"); (now == nil) != c.leaves {
					t.Errorf("left: %v", now == nil)
				}
				if n := len(w.inbox("postmaster@"+listtest.Domain, "complaint")); n != c.forwarded {
					t.Errorf("the administrator got %d", n)
				}
				if noted := slices.Contains(w.log(), "bob@people.test was removed, because the provider reports a complaint"); noted != c.leaves {
					t.Errorf("in the list's log: %v", noted)
				}
				w.Update(func(tx *storage.Tx) error {
					n, err := bounce.Complaints(tx, w.l.ID)
					if (n == 1) != c.leaves {
						t.Errorf("%d complaints", n)
					}
					if _, gone := list.GetDeparture(tx, list.UndoToken(m.Token), time.Now()); (gone == nil) != c.leaves {
						t.Errorf("taking it back: %v", gone)
					}
					return err
				})
			})
		})
	}
}

// Who was switched off and comes with a new address, or takes back that it left, gets mail.
func TestNewAddress(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.Update(func(tx *storage.Tx) error {
			for _, a := range []string{"bob@people.test", "gone@people.test"} {
				m, err := list.GetMember(tx, w.l.ID, list.RoleMember, address.Must(a))
				if err != nil {
					return err
				}
				m.DeliveryStatus = list.DeliveryByBounces
				if err := list.SetMember(tx, *m); err != nil {
					return err
				}
				if a == "bob@people.test" {
					err = list.Readdress(tx, w.l.ID, m.Address, address.Must("robert@people.test"), time.Now())
				} else if _, _, err = list.LeaveByToken(tx, m.Token, time.Now()); err == nil {
					err = list.Undo(tx, list.UndoToken(m.Token), time.Now())
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		for _, a := range []string{"robert@people.test", "gone@people.test"} {
			if _, m := w.bounces(a); m == nil || !m.Receives(time.Now()) {
				t.Errorf("%s: %+v", a, m)
			}
		}
	})
}

// TestGoldenMails shows every mail about bounces in both languages.
func TestGoldenMails(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", func(s *list.Settings) { s.DisplayName = "JANOG" })
	var b strings.Builder
	w.Update(func(tx *storage.Tx) error {
		b.Reset()
		for _, lang := range []string{"en", "ja"} {
			for _, name := range []string{"bounce-probe", "bounce-disabled", "bounce-news", "bounce-blame"} {
				n, err := w.Workflow.Letter(tx, subscribe.Letter{List: l, To: address.Must("ann@people.test"), Name: name, Lang: lang, Args: map[string]string{
					"said": "550 5.1.1 User unknown", "confirm": "https://x.test/-/confirm/TOKEN", "mark": "", "removal": "2026-01-22", "n": "2",
					"entries": "  bob@people.test\n  gone@people.test\n", "provider": "big.test", "subject": "Hello", "id": "1@people.test", "remedy": "The remedy.", "domains": "big.test", "host": "mx.big.test",
				}})
				if err != nil {
					return err
				}
				fmt.Fprintf(&b, "==== %s.%s\nSubject: %s\n\n%s\n", name, lang, n.Subject, n.Body)
			}
		}
		return nil
	})
	storagetest.Golden(t, "mails.txt", []byte(b.String()))
}
