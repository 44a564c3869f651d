package digest_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
)

// TestDaily posts over days that end a month: each morning the posts of the day before come, and a new month begins a new volume.
func TestDaily(t *testing.T) {
	story(t, nil, func(w *world) {
		w.sleep(28*day + 12*time.Hour) // January 29, noon
		a, b := w.post(0), w.post(0)
		if n := len(w.got("mim@people.test").digests); n != 0 {
			t.Errorf("%d digests before the morning", n)
		}
		w.sleep(day)
		c := w.post(0)
		w.sleep(day) // and nothing on the 31st
		w.sleep(2 * day)
		d := w.post(0)
		w.sleep(day)
		for _, who := range []string{"mim@people.test", "tom@people.test"} {
			got := w.got(who)
			same(t, who, subjects(got.digests), []string{"janog Digest, Vol 1, Issue 1", "janog Digest, Vol 1, Issue 2", "janog Digest, Vol 2, Issue 1"})
			same(t, who+" singly", got.single, nil)
			for i, want := range [][]string{{a, b}, {c}, {d}} {
				same(t, who, got.digests[i].posts, want)
				if date, err := got.digests[i].header.Date(); err != nil || date.Hour() != 6 || date.Minute() > 1 {
					t.Errorf("%s: digest %d came on %s (%v)", who, i+1, date, err)
				}
			}
			if got.digests[0].mime != (who == "mim@people.test") {
				t.Errorf("%s got the other form", who)
			}
		}
		got := w.got("ann@people.test")
		same(t, "ann", got.single, []string{a, b, c, d})
		if len(got.digests) != 0 {
			t.Error("ann got a digest")
		}
	})
}

// TestSize sends a digest as soon as enough has come, and leaves what is less to the morning, or for ever where the list wants no daily ones.
func TestSize(t *testing.T) {
	story(t, func(s *list.Settings) { s.DigestSizeThreshold, s.DigestSendPeriodic = 10, false }, func(w *world) {
		a, b := w.post(4<<10), w.post(4<<10)
		if n := len(w.got("tom@people.test").digests); n != 0 {
			t.Errorf("%d digests of 8 KB", n)
		}
		c := w.post(4 << 10)
		d := w.post(0)
		w.sleep(3 * day)
		got := w.got("tom@people.test")
		if len(got.digests) != 1 {
			t.Fatalf("%d digests", len(got.digests))
		}
		same(t, "tom", got.digests[0].posts, []string{a, b, c})
		issue, err := w.Digests.Send(w.t.Context(), w.l, "operator")
		if err != nil || issue == nil || issue.Digest.Issue != 2 {
			t.Fatalf("sent by hand: %+v, %v", issue, err)
		}
		w.sleep(time.Second)
		got = w.got("tom@people.test")
		same(t, "by hand", got.digests[1].posts, []string{d})
		if issue, err := w.Digests.Send(w.t.Context(), w.l, "operator"); issue != nil || err != nil {
			t.Errorf("a digest of nothing: %+v, %v", issue, err)
		}
		if n := len(w.got("mim@people.test").digests); n != 2 {
			t.Errorf("mim got %d digests", n)
		}
	})
}

// TestSwitch switches back and forth between posts: everybody gets each post once, in the form that was wanted when it came.
func TestSwitch(t *testing.T) {
	story(t, nil, func(w *world) {
		a := w.post(0)
		w.mode("mim@people.test", list.DeliveryRegular)          // a in a digest, b singly
		w.mode("ann@people.test", list.DeliveryMIMEDigests)      // a singly, b in a digest
		w.mode("tom@people.test", list.DeliveryMIMEDigests)      // both in one digest, of the new form
		b := w.post(0)                                           //
		w.mode("mim@people.test", list.DeliveryMIMEDigests)      //
		w.mode("mim@people.test", list.DeliveryRegular)          // changed the mind before a post came
		c := w.post(0)                                           //
		w.mode("ann@people.test", list.DeliveryRegular)          // the morning's digest still has b and c
		w.mode("mim@people.test", list.DeliveryPlaintextDigests) // the morning's digest has a and d, in the new form
		d := w.post(0)
		w.sleep(day)
		e := w.post(0)
		w.sleep(day)
		for who, want := range map[string]copies{
			"ann@people.test": {single: []string{a, d, e}, digests: []received{{mime: true, posts: []string{b, c}}}},
			"mim@people.test": {single: []string{b, c}, digests: []received{{posts: []string{a, d}}, {posts: []string{e}}}},
			"tom@people.test": {digests: []received{{mime: true, posts: []string{a, b, c, d}}, {mime: true, posts: []string{e}}}},
		} {
			got := w.got(who)
			same(t, who, got.single, want.single)
			if len(got.digests) != len(want.digests) {
				t.Fatalf("%s: %d digests", who, len(got.digests))
			}
			for i, d := range got.digests {
				same(t, who, d.posts, want.digests[i].posts)
				if d.mime != want.digests[i].mime {
					t.Errorf("%s: digest %d has the other form", who, i+1)
				}
			}
		}
	})
}

// TestSwitchesAtRandom lets many members switch, leave and come back at any moment, posts in flight or not. Nobody gets a post twice, and who
// is there throughout misses none. A crash now and then changes nothing.
func TestSwitchesAtRandom(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			story(t, func(s *list.Settings) { s.DigestSizeThreshold = 3 }, func(w *world) {
				r := rand.New(rand.NewPCG(seed, 1))
				who := []string{"ann@people.test", "mim@people.test", "tom@people.test"}
				for i := range 20 {
					who = append(who, fmt.Sprintf("m%02d@people.test", i))
					w.Join(w.l, list.RoleMember, who[len(who)-1])
				}
				modes := list.DeliveryModes()
				var sent []string
				for range 40 {
					switch n := r.IntN(12); {
					case n < 4:
						sent = append(sent, w.send("Hello.\n"))
					case n == 4:
						w.sleep(time.Duration(r.IntN(20)) * time.Hour)
					case n == 5:
						w.Crash()
						w.Run()
					case n == 6:
						w.Update(func(tx *storage.Tx) error {
							s := w.l.Settings
							s.DigestsEnabled = r.IntN(3) > 0
							_, err := list.Change(tx, w.l.ID, s, list.Edit{At: time.Now(), By: "operator"})
							return err
						})
					default:
						w.mode(who[r.IntN(len(who))], modes[r.IntN(len(modes))])
					}
				}
				w.sleep(2 * day)
				slices.Sort(sent)
				for _, who := range who {
					same(t, who, w.got(who).all(), sent)
				}
			})
		})
	}
}

// TestOff sends no digest to who wants no mail, and gives who leaves none of what waits. Who takes the leaving back gets it.
func TestOff(t *testing.T) {
	story(t, nil, func(w *world) {
		w.Join(w.l, list.RoleMember, "off@people.test", "left@people.test", "back@people.test")
		for _, who := range []string{"off@people.test", "left@people.test", "back@people.test"} {
			w.mode(who, list.DeliveryMIMEDigests)
		}
		id := w.post(0)
		w.SetMember(w.l, "off@people.test", func(m *list.Member) { m.DeliveryStatus = list.DeliveryByUser })
		w.Update(func(tx *storage.Tx) error {
			if err := list.Leave(tx, w.l.ID, list.RoleMember, address.Must("left@people.test"), time.Now()); err != nil {
				return err
			}
			m, err := list.GetMember(tx, w.l.ID, list.RoleMember, address.Must("back@people.test"))
			if err != nil {
				return err
			}
			if _, _, err := list.LeaveByToken(tx, m.Token, time.Now()); err != nil {
				return err
			}
			return list.Undo(tx, list.UndoToken(m.Token), time.Now())
		})
		w.sleep(day)
		same(t, "back", w.got("back@people.test").all(), []string{id})
		for _, who := range []string{"off@people.test", "left@people.test"} {
			same(t, who, w.got(who).all(), nil)
		}
	})
}

// TestNobody makes no issue, and burns no number, while nobody gets digests.
func TestNobody(t *testing.T) {
	story(t, nil, func(w *world) {
		a := w.post(0)
		w.Update(func(tx *storage.Tx) error {
			for _, who := range []string{"mim@people.test", "tom@people.test"} {
				if err := list.Leave(tx, w.l.ID, list.RoleMember, address.Must(who), time.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		b := w.post(0)
		w.sleep(day)
		for _, id := range []string{a, b} {
			if p := w.Posts(id)[0]; p.InDigest || p.Issue != "" {
				t.Errorf("post %s: %+v", id, p)
			}
		}
		w.Join(w.l, list.RoleMember, "tom@people.test")
		w.mode("tom@people.test", list.DeliveryMIMEDigests)
		c := w.post(0)
		w.sleep(day)
		got := w.got("tom@people.test")
		same(t, "tom", got.all(), []string{c})
		same(t, "tom", subjects(got.digests), []string{"janog Digest, Vol 1, Issue 1"})
	})
}

// TestBackToSingle forgets that a member had digests when all posts of that time are distributed: no issue is made for nobody.
func TestBackToSingle(t *testing.T) {
	story(t, nil, func(w *world) {
		a := w.post(0)
		for _, who := range []string{"mim@people.test", "tom@people.test"} {
			w.mode(who, list.DeliveryRegular)
		}
		b := w.post(0)
		if p := w.Posts(b)[0]; p.InDigest {
			t.Error("a post is for digests although nobody wants any from now on")
		}
		w.sleep(day)
		got := w.got("mim@people.test")
		same(t, "mim singly", got.single, []string{b})
		same(t, "mim", got.all(), []string{a, b})
		w.Update(func(tx *storage.Tx) error {
			for key, m := range list.DigestMembers(tx, w.l.ID, "") {
				t.Errorf("%s is still known for digests: %+v", key, m.Earlier)
			}
			return nil
		})
		w.mode("tom@people.test", list.DeliveryMIMEDigests)
		w.post(0)
		w.SetMember(w.l, "tom@people.test", func(m *list.Member) { m.DeliveryStatus = list.DeliveryByUser })
		w.sleep(day)
		w.Update(func(tx *storage.Tx) error {
			s, err := list.GetDigestState(tx, w.l.ID)
			if s.Issue != 1 || s.Posts != 0 {
				t.Errorf("an issue for who wants no mail: %+v", s)
			}
			return err
		})
	})
}

// TestCopies looks at what makes a digest legitimate mail: sender, signature, one click to leave, and what became of it in the trace.
func TestCopies(t *testing.T) {
	story(t, func(s *list.Settings) { s.SubjectPrefix = "[janog:%05d] " }, func(w *world) {
		id := w.post(0)
		w.sleep(day)
		tokens := map[string]bool{}
		for _, who := range []string{"mim@people.test", "tom@people.test"} {
			d := w.got(who).digests[0]
			token := regexp.MustCompile(`<https://lists\.kairan\.test/-/u/([0-9a-f]{32})>`).FindStringSubmatch(d.header.Get("List-Unsubscribe"))
			if token == nil || tokens[token[1]] || d.header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
				t.Errorf("%s: List-Unsubscribe %q", who, d.header.Get("List-Unsubscribe"))
			} else {
				tokens[token[1]] = true
			}
			if s := d.header.Get("Dkim-Signature"); !strings.Contains(s, "d=lists.kairan.test") {
				t.Errorf("%s: DKIM-Signature %q", who, s)
			}
			if !strings.Contains(d.text, "   1. [janog:00001] Subject 1 (Ann)\n") {
				t.Errorf("%s: no table of contents in\n%s", who, d.text)
			}
			for name, want := range map[string]string{
				"From": "janog <janog-request@lists.kairan.test>", "To": "janog <janog@lists.kairan.test>", "Reply-To": "janog <janog@lists.kairan.test>",
				"List-Id": "janog <janog.lists.kairan.test>", "Precedence": "list", "Auto-Submitted": "auto-generated", "X-No-Archive": "",
			} {
				if got := d.header.Get(name); got != want {
					t.Errorf("%s: %s %q, want %q", who, name, got, want)
				}
			}
			if id := strings.Trim(d.header.Get("Message-Id"), "<>"); len(w.Posts(id)) != 1 {
				t.Errorf("the Message-ID %s leads to no post", id)
			}
		}
		p := w.Posts(id)[0]
		issue := w.Posts(strings.Trim(w.got("mim@people.test").digests[0].header.Get("Message-Id"), "<>"))[0]
		if p.Issue != issue.ID || issue.Subject != "janog Digest, Vol 1, Issue 1" || issue.Published.IsZero() {
			t.Errorf("post %+v\nissue %+v", p, issue)
		}
		if got, want := w.history(p.ID, "digest"), "waits for the next issue of the digest\nvolume 1, issue 1 of the digest, <"+issue.MessageID+">\n"; got != want {
			t.Errorf("history of the post: %q, want %q", got, want)
		}
		if got, want := w.history(issue.ID, "digest"), "volume 1, issue 1 of the digest: posts 1; daily\n"; got != want {
			t.Errorf("history of the issue: %q, want %q", got, want)
		}
		if got, want := w.history(issue.ID, "enqueue"), "2 recipients, 2 renditions\n"; got != want {
			t.Errorf("history of the issue: %q, want %q", got, want)
		}
		w.Update(func(tx *storage.Tx) error {
			n, err := list.DeliveryCounts(tx, issue.ID)
			if n["delivered"] != 2 {
				t.Errorf("outcomes of the issue: %v", n)
			}
			return err
		})
		for _, m := range w.Sink.Messages() {
			if m.To[0] == "mim@people.test" && !strings.HasPrefix(m.From, "janog-bounces+") {
				t.Errorf("MAIL FROM %s", m.From)
			}
		}
	})
}

// TestBounce takes a report about a digest for one about its receiver.
func TestBounce(t *testing.T) {
	story(t, nil, func(w *world) {
		w.post(0)
		w.sleep(day)
		var sender string
		for _, m := range w.Sink.Messages() {
			if m.To[0] == "mim@people.test" {
				sender = m.From
			}
		}
		report := "From: MAILER-DAEMON@people.test\nTo: " + sender + "\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n" +
			"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nno such user\n\n--b\nContent-Type: message/delivery-status\n\n" +
			"Reporting-MTA: dns; mx.people.test\n\nFinal-Recipient: rfc822; mim@people.test\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b--\n"
		w.bounce(sender, report)
		issue := w.Posts(strings.Trim(w.got("mim@people.test").digests[0].header.Get("Message-Id"), "<>"))[0]
		if got := w.history(issue.ID, "bounce"); !strings.Contains(got, "mim@people.test") {
			t.Errorf("history of the issue: %q", got)
		}
		w.sleep(time.Hour) // until it is weighed
		w.Update(func(tx *storage.Tx) error {
			b, err := list.GetBounces(tx, w.l.ID, "mim@people.test")
			if b.Score != 1 || b.Post != issue.ID {
				t.Errorf("bounces of mim: %+v", b)
			}
			return err
		})
	})
}

// TestSwitchedOff sends a last issue when a list gives up its digests, and single posts from then on; and back.
func TestSwitchedOff(t *testing.T) {
	story(t, nil, func(w *world) {
		enable := func(on bool) {
			w.Update(func(tx *storage.Tx) error {
				s := w.l.Settings
				s.DigestsEnabled = on
				_, err := list.Change(tx, w.l.ID, s, list.Edit{At: time.Now(), By: "operator"})
				return err
			})
		}
		a := w.post(0)
		enable(false)
		b := w.post(0)
		w.sleep(2 * time.Minute)
		got := w.got("mim@people.test")
		same(t, "mim singly", got.single, []string{b})
		same(t, "mim", got.all(), []string{a, b})
		enable(true)
		c := w.post(0)
		w.sleep(day)
		got = w.got("mim@people.test")
		same(t, "mim singly", got.single, []string{b})
		same(t, "mim", got.all(), []string{a, b, c})
	})
}

// TestReply holds an answer to a whole digest, in whatever language it came, and lets one pass that names its subject.
func TestReply(t *testing.T) {
	story(t, func(s *list.Settings) { s.SubjectPrefix = "[janog:%05d] " }, func(w *world) {
		w.SetMember(w.l, "tom@people.test", func(m *list.Member) { m.Language = "ja" })
		w.post(0)
		w.sleep(day)
		id := w.got("mim@people.test").digests[0].header.Get("Message-Id")
		for i, tt := range []struct {
			subject, to string
			held        bool
		}{
			{"Re: janog Digest, Vol 1, Issue 1", id, true},
			{"RE: Re: janog まとめ送り 第1巻 第1号", id, true},
			{"Re: Subject 1", id, false},
			{"janog Digest, Vol 1, Issue 1", id, false},
			{"Re: janog Digest, Vol 1, Issue 1", "<1@people.test>", false},
		} {
			name := fmt.Sprintf("reply%d@people.test", i)
			raw := "In-Reply-To: " + tt.to + "\n" + listtest.Post("Ann <ann@people.test>", w.l, name, "SUBJECT", "I agree.\n")
			w.mail(strings.Replace(raw, "Subject: SUBJECT\n", strings.ReplaceAll(string(message.TextField("Subject", tt.subject, "UTF-8").Raw), "\r\n", "\n"), 1))
			w.sleep(time.Second)
			if p := w.Posts(name)[0]; p.Held() != tt.held || tt.held && p.Verdict.Reasons[0].Rule != "digest-reply" {
				t.Errorf("%q to %s: %s", tt.subject, tt.to, p.Verdict)
			}
		}
	})
}
