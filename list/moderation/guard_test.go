package moderation_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/rules"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
)

// The words of spam reach a moderator, and nothing else of it.
func TestNoticeIsTextOnly(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		raw := "From: zed@strangers.test\nTo: " + w.l.Address.String() + "\nSubject: =?UTF-8?B?44GU5b2T6YG4?=\nMessage-ID: <1@s.test>\nMIME-Version: 1.0\n" +
			"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html; charset=utf-8\n\n" +
			`<html><body onload="x()"><p>You have won</p><a href="https://evil.test/prize">https://evil.test/prize</a><script>steal()</script></body></html>` +
			"\n--b\nContent-Type: application/x-msdownload; name=prize.exe\nContent-Disposition: attachment; filename=prize.exe\nContent-Transfer-Encoding: base64\n\nTVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAA==\n--b--\n"
		if code, text := w.Send(listtest.Mail{From: "zed@strangers.test", IP: "192.0.2.66", To: []string{w.l.Address.String()}, Raw: raw}); code != 250 {
			t.Fatal(code, text)
		}
		w.at(0)
		got := w.mails(3)
		for _, m := range []string{"mod@people.test", "mio@people.test"} {
			notice := one(t, got, m)
			if ct := notice.header.Get("Content-Type"); ct != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type %s", ct)
			}
			for _, bad := range []string{"<html", "<script", "onload", "steal()", "https://evil.test", "TVqQ"} {
				if strings.Contains(notice.text, bad) || strings.Contains(notice.raw, bad) {
					t.Errorf("%s gets %q", m, bad)
				}
			}
			for _, good := range []string{"ご当選", "You have won", "hxxps://evil.test/prize", "prize.exe"} {
				if !strings.Contains(notice.text, good) {
					t.Errorf("%s does not read %q in\n%s", m, good, notice.text)
				}
			}
			if notice.header.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("Auto-Submitted: %s", notice.header.Get("Auto-Submitted"))
			}
		}
	})
}

// Only the moderator whom a token was made for acts with it, authenticated, and no machine does.
func TestWhoMayAnswer(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", true)
		w.at(0)
		notice := one(t, w.mails(3), "mod@people.test")
		for _, tt := range []struct {
			name string
			a    answer
			want int
		}{
			{"another moderator", answer{from: "mio@people.test", text: "accept"}, 550},
			{"a forged moderator", answer{from: "mod@people.test", ip: "192.0.2.77", text: "accept"}, 550},
			{"the author", answer{from: "zed@strangers.test", ip: "192.0.2.66", text: "accept"}, 550},
			{"an out-of-office answer", answer{from: "mod@people.test", fields: "Auto-Submitted: auto-replied (vacation)\n", text: "accept"}, 250},
			{"an old out-of-office program", answer{from: "mod@people.test", fields: "X-Autoreply: yes\n", text: "accept"}, 250},
			{"mail of a list", answer{from: "mod@people.test", fields: "Precedence: bulk\n", text: "accept"}, 250},
			{"two authors", answer{from: "mod@people.test, mio@people.test", text: "accept"}, 550},
		} {
			a := tt.a
			if got := w.answer(notice, a); got != tt.want {
				t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
			}
			w.verdict("1@s.test", "hold")
		}
		// Nor does it when nobody has looked at the mail before.
		env := w.Envelope("mod@people.test")
		vacation := message.Parse(listtest.CRLF("From: mod@people.test\nAuto-Submitted: auto-replied\nSubject: away\n\naccept\n"))
		if r, ok, err := w.Moderation.Answer(t.Context(), env, notice.token(t), vacation); err != nil || !ok || !r.OK() {
			t.Errorf("a machine: %+v, %v, %v", r, ok, err)
		}
		w.verdict("1@s.test", "hold")
		w.mails(0)
		for _, text := range []string{"", "> accept", "I accept", "accept?", "承認しません", "accept if nobody minds", "-- \naccept"} {
			if got := w.answer(notice, answer{from: "mod@people.test", text: text}); got != 250 {
				t.Errorf("%q: %d", text, got)
			}
			w.verdict("1@s.test", "hold")
			if m := one(t, w.mails(1), "mod@people.test"); !strings.Contains(m.text, "Nothing was done") {
				t.Errorf("%q is answered\n%s", text, m.text)
			}
		}
	})
}

// While the DNS does not tell who wrote, the answer comes again, and nothing is decided.
func TestAnswersComeAgain(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		w.Join(w.l, list.RoleModerator, "max@broken.test")
		w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", true)
		w.at(0)
		notice := one(t, w.mails(4), "max@broken.test")
		if code := w.answer(notice, answer{from: "max@broken.test", text: "accept"}); code != 451 {
			t.Errorf("%d, want 451", code)
		}
		w.verdict("1@s.test", "hold")
		w.mails(0)
	})
}

func TestTwoModeratorsAtOnce(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		p := w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", false)
		w.at(0)
		got := w.mails(2)
		mod, mio := one(t, got, "mod@people.test"), one(t, got, "mio@people.test")
		var wg sync.WaitGroup
		wg.Go(func() { w.answer(mod, answer{from: "mod@people.test", text: "discard"}) })
		wg.Go(func() { w.answer(mio, answer{from: "mio@people.test", text: "却下"}) })
		wg.Wait()
		got = w.mails(3) // two answers, and who was too late is told besides
		first := w.get("1@s.test").Verdict.By
		if first != "mod@people.test" && first != "mio@people.test" {
			t.Fatalf("decided by %q", first)
		}
		for _, to := range []string{"mod@people.test", "mio@people.test"} {
			for _, m := range got[to] {
				if !strings.Contains(m.text, first) {
					t.Errorf("%s reads\n%s", to, m.text)
				}
			}
		}
		decisions := 0
		for _, line := range w.history(p) {
			if strings.Contains(line, "@people.test") && strings.HasPrefix(line, "decide ") {
				decisions++
			}
		}
		if decisions != 1 {
			t.Errorf("%d decisions in\n%s", decisions, strings.Join(w.history(p), "\n"))
		}
	})
}

// Who is not authenticated hears nothing, whatever is decided.
func TestForgedAuthorHearsNothing(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"accept", "reject No.", "discard", "ban", "trust"} {
		t.Run(word, func(t *testing.T) {
			story(t, nil, func(t *testing.T, w *world) {
				w.post("ann@people.test", "1@s.test", "Buy", "Buy.\n", false)
				w.at(0)
				notice := one(t, w.mails(2), "mod@people.test")
				if !strings.Contains(notice.text, "not authenticated") {
					t.Errorf("the notice says\n%s", notice.text)
				}
				w.answer(notice, answer{from: "mod@people.test", text: word})
				n := 2 // the answer, and mio is told
				if word == "accept" || word == "trust" {
					n += 2 // the copies of the post
				}
				a := one(t, w.mails(n), "mod@people.test")
				if word == "ban" && (len(w.settings().BanList) > 0 || !strings.Contains(a.text, "was not banned")) {
					t.Errorf("banned %v; mod reads\n%s", w.settings().BanList, a.text)
				}
			})
		})
	}
}

// A machine's post gets no answer, authenticated or not.
func TestAutomaticAuthorHearsNothing(t *testing.T) {
	story(t, func(s *list.Settings) { s.Emergency = true }, func(t *testing.T, w *world) {
		m := listtest.Mail{From: "ann@people.test", To: []string{w.l.Address.String()}, Raw: "Precedence: bulk\n" + listtest.Post("ann@people.test", w.l, "1@p.test", "Report", "All is well.\n")}
		if code, text := w.Send(m); code != 250 || !w.get("1@p.test").Held() {
			t.Fatal(code, text)
		}
		w.at(0)
		w.mails(2)
	})
}

// One question waits at a time, and only the member's word counts.
func TestWasItYou(t *testing.T) {
	story(t, func(s *list.Settings) { s.AskAuthor = true }, func(t *testing.T, w *world) {
		w.post("ann@people.test", "1@p.test", "One", "One.\n", false)
		w.post("ann@people.test", "2@p.test", "Two", "Two.\n", false)
		w.post("zed@strangers.test", "3@s.test", "Three", "Three.\n", false)
		w.at(0)
		got := w.mails(3) // a question, and a notice to each moderator
		ask := one(t, got, "ann@people.test")
		if strings.Contains(ask.text, "One.") || !strings.Contains(ask.text, "件名: One") {
			t.Errorf("the question is\n%s", ask.text)
		}
		if code := w.answer(ask, answer{from: "bob@people.test", text: "yes"}); code != 550 {
			t.Errorf("bob answers for ann: %d", code)
		}
		if code := w.answer(ask, answer{from: "ann@people.test", fields: "Auto-Submitted: auto-replied\n", text: "yes"}); code != 250 {
			t.Errorf("a machine: %d", code)
		}
		w.verdict("1@p.test", "hold")
		// The member's mail is not authenticated now either: that it knows the token shows that it reads the member's mail.
		if code := w.answer(ask, answer{from: "ann@people.test", ip: "192.0.2.66", text: "はい"}); code != 250 {
			t.Errorf("yes: %d", code)
		}
		w.verdict("1@p.test", "accept by ann@people.test")
		w.verdict("2@p.test", "hold")
		w.mails(5) // ann and bob get the post, ann an answer, and the moderators hear who decided
		w.post("ann@people.test", "4@p.test", "Four", "Four.\n", false)
		w.at(time.Minute)
		got = w.mails(1) // the next question
		ask = one(t, got, "ann@people.test")
		if code := w.answer(ask, answer{from: "ann@people.test", text: "no"}); code != 250 {
			t.Errorf("no: %d", code)
		}
		w.verdict("4@p.test", "discard by ann@people.test")
		if code := w.answer(ask, answer{from: "ann@people.test", text: "yes"}); code != 550 {
			t.Errorf("the question is used up: %d", code)
		}
	})
}

func TestWithdraw(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", true)
		w.at(0)
		told := one(t, w.mails(3), "zed@strangers.test")
		if code := w.answer(told, answer{from: "zed@strangers.test", ip: "192.0.2.1", text: "withdraw"}); code != 550 {
			t.Errorf("somebody else withdraws: %d", code)
		}
		if code := w.answer(told, answer{from: "zed@strangers.test", ip: "192.0.2.66", text: "accept"}); code != 250 {
			t.Errorf("the author accepts: %d", code)
		}
		w.verdict("1@s.test", "hold")
		if code := w.answer(told, answer{from: "zed@strangers.test", ip: "192.0.2.66", text: "取り消し"}); code != 250 {
			t.Errorf("the author withdraws: %d", code)
		}
		w.verdict("1@s.test", "discard by zed@strangers.test")
		got := w.mails(4) // two answers, and the moderators are told
		if m := one(t, got, "mod@people.test"); !strings.Contains(m.text, "discarded by the author, zed@strangers.test") {
			t.Errorf("mod reads\n%s", m.text)
		}
	})
}

func TestFloodIsRefusedInTheDialogue(t *testing.T) {
	story(t, func(s *list.Settings) { s.MaxHeldPerSender, s.MaxHeld = 2, 4 }, func(t *testing.T, w *world) {
		w.post("zed@strangers.test", "1@s.test", "One", "One.\n", true)
		w.post("zed@strangers.test", "2@s.test", "Two", "Two.\n", true)
		send := func(from, ip, id string) (int, string) {
			return w.Send(listtest.Mail{From: from, IP: ip, To: []string{w.l.Address.String()}, Raw: listtest.Post(from, w.l, id, "Next", id+"\n")})
		}
		if code, text := send("zed@strangers.test", "192.0.2.66", "3@s.test"); code != 550 || !strings.Contains(text, "too-many-held") {
			t.Errorf("the third of one author: %d %s", code, text)
		}
		if code, text := send("zed@strangers.test", "192.0.2.1", "4@s.test"); code != 250 {
			t.Errorf("who forges the author counts apart: %d %s", code, text)
		}
		if code, text := send("yan@strangers.test", "192.0.2.1", "5@s.test"); code != 550 {
			t.Errorf("three quarters are full for forgeries: %d %s", code, text)
		}
		if code, text := send("yan@strangers.test", "192.0.2.66", "6@s.test"); code != 250 {
			t.Errorf("there is room for who is authenticated: %d %s", code, text)
		}
		if code, text := send("xia@strangers.test", "192.0.2.66", "7@s.test"); code != 550 {
			t.Errorf("all is full: %d %s", code, text)
		}
		if code, text := send("ann@people.test", "192.0.2.1", "8@p.test"); code != 250 {
			t.Errorf("a member posts: %d %s", code, text)
		}
	})
}

// What a moderator approves itself is posted, and the word is nowhere. A forger's is held, and a moderator who looks at it does not
// read the word either.
func TestApprovedPost(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	const plain, html = "Content-Type: text/plain; charset=utf-8\n", "Content-Type: text/html; charset=utf-8\n"
	forms := map[string]string{
		"header":      "Approved: yes\n\nNews.\n",
		"first-line":  "\nApproved: yes\n\nNews.\n",
		"base64":      plain + "Content-Transfer-Encoding: base64\n\n" + b64("Approved: yes\r\n\r\nNews.\r\n") + "\n",
		"qp":          plain + "Content-Transfer-Encoding: quoted-printable\n\n=41pproved:=20yes\n\nNews.\n",
		"html":        html + "\n<html><head><style>p {}</style></head><body><p>Approved: <b>yes</b></p><p>News.</p></body></html>\n",
		"alternative": "Content-Type: multipart/alternative; boundary=b\n\n--b\n" + plain + "\nApproved: yes\n\nNews.\n--b\n" + html + "Content-Transfer-Encoding: base64\n\n" + b64("<p>Approved: yes<p>News.") + "\n--b--\n",
	}
	word := regexp.MustCompile(`(^|[\s:>])yes([\s<.]|$)`) // a signature may have these letters in it
	for form, rest := range forms {
		t.Run(form, func(t *testing.T) {
			story(t, func(s *list.Settings) { s.Emergency = true }, func(t *testing.T, w *world) {
				post := func(id, ip string) *list.Post {
					raw := "From: mod@people.test\nTo: " + w.l.Address.String() + "\nSubject: News\nMessage-ID: <" + id + ">\nMIME-Version: 1.0\n" + rest
					if code, text := w.Send(listtest.Mail{From: "mod@people.test", IP: ip, To: []string{w.l.Address.String()}, Raw: raw}); code != 250 {
						t.Fatal(code, text)
					}
					return w.get(id)
				}
				forged, own := post("2@p.test", "192.0.2.66"), post("1@p.test", "")
				w.verdict("2@p.test", "hold")
				w.verdict("1@p.test", "accept")
				w.at(0)
				w.mails(4) // two copies, and a notice of the forgery to each moderator
				seen := ""
				for _, m := range w.Sink.Messages() {
					for _, p := range message.Parse(m.Data).Parts() {
						seen += string(p.Header.Bytes()) + string(p.Decode())
					}
					if !strings.Contains(seen, "News.") {
						t.Errorf("no text in\n%s", m.Data)
					}
				}
				w.Update(func(tx *storage.Tx) error {
					m, err := archive.ByNumber(tx, string(w.l.ID), 1)
					if err != nil {
						return err
					}
					raw, err := w.Archive.Raw(m)
					for _, p := range message.Parse(raw).Parts() {
						seen += string(p.Header.Bytes()) + string(p.Decode())
					}
					for _, p := range []*list.Post{own, forged} {
						var f rules.Facts
						if err := list.PostFacts(tx, p.ID, &f); err != nil {
							return err
						}
						seen += f.Excerpt + string(f.Header)
					}
					return err
				})
				seen += strings.Join(append(w.history(own), w.history(forged)...), "\n")
				if strings.Contains(seen, "Approved:") || word.MatchString(seen) {
					t.Errorf("the word is in\n%s", seen)
				}
			})
		})
	}
}

// After a crash everybody is told once.
func TestCrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", true)
		w.Crash()
		if err := w.Moderation.Round(t.Context(), time.Now()); err != nil { // the mails are committed, and nobody sends them
			t.Fatal(err)
		}
		w.Crash()
		w.Run()
		w.moderate()
		w.at(time.Minute)
		w.mails(3)
		w.at(20 * time.Minute)
		w.mails(0)
	})
}

// Without moderators and owners the site's administrator decides.
func TestNobodyModerates(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		w.dismiss("mod@people.test")
		w.dismiss("mio@people.test")
		w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", false)
		w.at(0)
		one(t, w.mails(1), w.Site.Admin.String())
	})
}

func TestTrustedAuthorStaysTrusted(t *testing.T) {
	story(t, func(s *list.Settings) { s.DefaultMemberAction = list.Hold }, func(t *testing.T, w *world) {
		w.post("ann@people.test", "1@p.test", "Hello", "Hello.\n", true)
		w.at(0)
		w.answer(one(t, w.mails(3), "mod@people.test"), answer{from: "mod@people.test", text: "trust"})
		w.mails(5)
		w.Update(func(tx *storage.Tx) error {
			m, err := list.GetMember(tx, w.l.ID, list.RoleMember, address.Must("ann@people.test"))
			if err == nil && m.ModerationAction != list.Accept {
				t.Errorf("moderation_action %q", m.ModerationAction)
			}
			return err
		})
		m := listtest.Mail{From: "ann@people.test", To: []string{w.l.Address.String()}, Raw: listtest.Post("ann@people.test", w.l, "2@p.test", "Again", "Again.\n")}
		w.Send(m)
		w.verdict("2@p.test", "accept")
		w.post("ann@people.test", "3@p.test", "Forged", "Forged.\n", false)
	})
}

// A held post whose message is lost is told to nobody, and does not keep others from being told.
func TestNoticeOfLostMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		lost := w.post("zed@strangers.test", "lost@s.test", "Lost", strings.Repeat("A long story.\n", 20_000), true)
		w.post("yan@strangers.test", "here@s.test", "Here", "A short one.\n", true)
		if err := w.DB.Blobs.Delete(lost.ID.RawBlob()); err != nil {
			t.Fatal(err)
		}
		w.moderate()
		w.at(0)
		for to, m := range w.mails(3) {
			for _, notice := range m {
				if strings.Contains(notice.text, "Lost") {
					t.Errorf("%s reads of the lost message:\n%s", to, notice.text)
				}
			}
		}
	})
}
