package digest_test

import (
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

// archived returns what the archive has of a post.
func (w *world) archived(id string) (m *archive.Message) {
	w.t.Helper()
	w.Update(func(tx *storage.Tx) (err error) {
		m, err = archive.Find(tx, string(w.l.ID), id, 1)
		return err
	})
	return m
}

// bytesOf is all that an address got.
func (w *world) bytesOf(who string) string {
	var b strings.Builder
	for _, m := range w.Sink.Inbox(who) {
		b.Write(m.Data)
	}
	for _, d := range w.got(who).digests {
		b.WriteString(d.text)
	}
	return b.String()
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestLedger leaves out of a digest what was hidden, redacted or purged before it was made, and names nobody who is to be named nowhere.
func TestLedger(t *testing.T) {
	story(t, nil, func(w *world) {
		ctx, o := w.t.Context(), archive.Order{By: "olga@people.test"}
		var ids []string
		for _, words := range []string{"one", "two-hidden", "three-redacted", "four-purged", "five, says Ann <ann@people.test>"} {
			ids = append(ids, w.send("This is "+words+".\n"))
			w.sleep(time.Second)
		}
		ids = append(ids, "quiet@people.test")
		w.mail("X-No-Archive: yes\n" + listtest.Post("Ann <ann@people.test>", w.l, "quiet@people.test", "Quiet", "Ann ann@people.test wants no archive.\n"))
		w.sleep(time.Second)
		w.must(w.Archive.Hide(ctx, w.archived(ids[1]), o))
		w.must(w.Archive.Redact(ctx, w.archived(ids[2]), o))
		w.must(w.Archive.Purge(ctx, w.archived(ids[3]), o))
		_, err := w.Archive.RedactPerson(ctx, archive.Person{Address: "ann@people.test", Names: []string{"Ann"}}, o, func(int) {})
		w.must(err)
		w.sleep(day)
		for _, who := range []string{"mim@people.test", "tom@people.test"} {
			same(t, who, w.got(who).all(), []string{ids[0], ids[4], ids[5]})
			all := w.bytesOf(who)
			for _, gone := range []string{"two-hidden", "three-redacted", "four-purged", "Subject 2", "Subject 3", "Subject 4", "Ann", "ann@people.test"} {
				if strings.Contains(all, gone) {
					t.Errorf("%s still reads %q", who, gone)
				}
			}
			if d := w.got(who).digests[0]; d.header.Get("X-No-Archive") != "yes" {
				t.Errorf("%s: the digest may be archived: %q", who, d.header.Get("X-No-Archive"))
			}
		}
		issue := w.Posts(ids[0])[0].Issue
		if got, want := w.history(issue, "enqueue"), "2 recipients, 2 renditions, without 3 posts that readers do not see any more\n"; got != want {
			t.Errorf("history: %q, want %q", got, want)
		}
	})
}

// TestNothingLeft sends nothing if all posts of an issue are gone.
func TestNothingLeft(t *testing.T) {
	story(t, nil, func(w *world) {
		w.must(w.Archive.Hide(w.t.Context(), w.archived(w.post(0)), archive.Order{By: "olga@people.test"}))
		w.sleep(day)
		for _, who := range []string{"mim@people.test", "tom@people.test"} {
			if n := len(w.Sink.Inbox(who)); n != 0 {
				t.Errorf("%s got %d mails", who, n)
			}
		}
		w.Update(func(tx *storage.Tx) error {
			for range list.DigestsDue(tx) {
				t.Error("the issue is still due")
			}
			return nil
		})
	})
}

// TestPurge takes a purged message out of copies that wait in the queue; a copy with nothing else in it is dropped.
func TestPurge(t *testing.T) {
	story(t, nil, func(w *world) {
		refuse := true
		w.behave = func(m smtptest.Message) smtptest.Behaviour {
			if refuse && m.Stage == smtptest.AtRcpt {
				return smtptest.Behaviour{Code: 450, Text: "4.2.1 Not now"}
			}
			return smtptest.Behaviour{}
		}
		bad := w.send("This is bad.\n")
		w.sleep(time.Second)
		w.mode("tom@people.test", list.DeliveryRegular) // its digest has the first post only
		good := w.send("This is good.\n")
		w.sleep(time.Second)
		issue, err := w.Digests.Send(w.t.Context(), w.l, "")
		w.must(err)
		w.sleep(time.Second)
		w.must(w.Archive.Purge(w.t.Context(), w.archived(bad), archive.Order{By: "olga@people.test"}))
		dropped, err := w.Digests.Purge(w.t.Context(), issue.ID)
		if err != nil || dropped != 1 {
			t.Errorf("%d copies dropped, %v", dropped, err)
		}
		refuse = false
		w.sleep(day)
		same(t, "mim", w.got("mim@people.test").all(), []string{good})
		same(t, "tom", w.got("tom@people.test").all(), []string{good})
		if all := w.bytesOf("mim@people.test"); strings.Contains(all, "This is bad") || !strings.Contains(all, "This is good") {
			t.Errorf("mim reads\n%s", all)
		}
	})
}

// TestAnonymous names no author in the digest of an anonymous list, nor in the table of contents.
func TestAnonymous(t *testing.T) {
	story(t, func(s *list.Settings) { s.AnonymousList = true }, func(w *world) {
		id := w.post(0)
		w.sleep(day)
		for _, who := range []string{"mim@people.test", "tom@people.test"} {
			same(t, who, w.got(who).all(), []string{id})
			if all := w.bytesOf(who); strings.Contains(all, "Ann") || strings.Contains(all, "ann@") || !strings.Contains(all, "   1. Subject 1 (janog)\n") {
				t.Errorf("%s reads\n%s", who, all)
			}
		}
	})
}

// TestNoArchive sends the posts of a list that has no archive, however long they have waited, and links to none.
func TestNoArchive(t *testing.T) {
	story(t, func(s *list.Settings) { s.ArchivePolicy, s.DigestSendPeriodic = "never", false }, func(w *world) {
		id := w.send("Approved: yes\nHello.\n")
		w.sleep(60 * day)
		w.must(w.Path.Expire(w.t.Context(), time.Now()))
		_, err := w.Digests.Send(w.t.Context(), w.l, "")
		w.must(err)
		w.sleep(time.Second)
		for _, who := range []string{"mim@people.test", "tom@people.test"} {
			same(t, who, w.got(who).all(), []string{id})
			if all := w.bytesOf(who); strings.Contains(all, "Archived-At") || strings.Contains(all, "List-Archive") || !strings.Contains(all, "Hello.") {
				t.Errorf("%s reads\n%s", who, all)
			}
		}
		w.must(w.Path.Expire(w.t.Context(), time.Now()))
		w.Update(func(tx *storage.Tx) error {
			if list.HasReceipt(tx, w.Posts(id)[0].ID) {
				t.Error("the message is kept although it is in a digest that was sent")
			}
			return nil
		})
	})
}
