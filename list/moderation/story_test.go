package moderation_test

import (
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/moderation"
	"kairan/smtpd/address"
	"kairan/storage"
)

func TestAcceptByReply(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		p := w.post("zed@strangers.test", "1@strangers.test", "Hello", "Good morning.\n", true)
		w.at(0)
		got := w.mails(3)
		notice := one(t, got, "mod@people.test")
		if w.answer(notice, answer{from: "mod@people.test", text: "accept"}) != 250 {
			t.Fatal("the answer was refused")
		}
		got = w.mails(5) // to ann and bob, to zed, the answer to mod, and mio is told
		if a := one(t, got, "mod@people.test"); !strings.Contains(a.text, "1. Hello: accepted by mod@people.test") {
			t.Errorf("answered\n%s", a.text)
		}
		if a := one(t, got, "zed@strangers.test"); !strings.Contains(a.subject, "承認されました: Hello") || a.header.Get("In-Reply-To") != "<1@strangers.test>" {
			t.Errorf("the author reads %s\n%s", a.subject, a.text)
		}
		w.verdict("1@strangers.test", "accept by mod@people.test")
		if h := strings.Join(w.history(p), "\n"); !strings.Contains(h, "decide accept (nonmember) mod@people.test") {
			t.Errorf("trace:\n%s", h)
		}
		other := one(t, got, "mio@people.test")
		if !strings.Contains(other.text, "mod@people.test") || !strings.Contains(other.text, "Hello") {
			t.Errorf("the other moderator reads\n%s", other.text)
		}
		w.at(time.Hour)
		w.mails(0)
	})
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		word, want string
		check      func(w *world) bool
		outcome    string // in the mail to the author, "" for none
	}{
		{"承認", "accept", nil, "承認されました"},
		{"Accept.", "accept", nil, "承認されました"},
		{"reject Please write in plain text,\nwithout files.", "reject", nil, "Please write in plain text,\nwithout files."},
		{"却下：件名を付けてください", "reject", nil, "件名を付けてください"},
		{"reject topic", "reject", nil, "このリストの話題ではありません。"},
		{"破棄", "discard", nil, ""},
		{"discard", "discard", nil, ""},
		{"信頼", "accept", func(w *world) bool { return w.action("zed@strangers.test") == list.Accept }, "承認されました"},
		{"ban", "discard", func(w *world) bool { return strings.Join(w.settings().BanList, " ") == "zed@strangers.test" }, ""},
	} {
		t.Run(tt.word, func(t *testing.T) {
			story(t, func(s *list.Settings) {
				s.RejectTexts = map[string]list.Text{"topic": {"ja": "このリストの話題ではありません。", "en": "Not a topic of this list."}}
			}, func(t *testing.T, w *world) {
				w.post("zed@strangers.test", "1@strangers.test", "Hello", "Good morning.\n", true)
				w.at(0)
				notice := one(t, w.mails(3), "mod@people.test")
				if w.answer(notice, answer{from: "mod@people.test", text: tt.word}) != 250 {
					t.Fatal("the answer was refused")
				}
				w.verdict("1@strangers.test", tt.want+" by mod@people.test")
				n := 2 // the answer, and mio is told
				if tt.outcome != "" {
					n++
				}
				if tt.want == "accept" {
					n += 2
				}
				got := w.mails(n)
				if tt.outcome != "" {
					if a := one(t, got, "zed@strangers.test"); !strings.Contains(a.subject+a.text, tt.outcome) {
						t.Errorf("the author reads %s\n%s", a.subject, a.text)
					}
				}
				if tt.check != nil && !tt.check(w) {
					t.Error("nothing follows for the author")
				}
			})
		})
	}
}

// The first post is noticed at once; those that come soon after it come together, and are answered by number.
func TestBatch(t *testing.T) {
	story(t, func(s *list.Settings) { s.RespondToPostRequests = false }, func(t *testing.T, w *world) {
		w.post("a@strangers.test", "1@s.test", "One", "One.\n", true)
		w.at(0)
		w.mails(2)
		for _, id := range []string{"2", "3", "4"} {
			w.post(id+"@strangers.test", id+"@s.test", "Number "+id, "Text "+id+".\n", true)
		}
		w.at(5 * time.Minute)
		w.mails(0)
		w.at(10 * time.Minute)
		notice := one(t, w.mails(2), "mod@people.test")
		if notice.subject != "[janog] 3 posts wait for your decision" || !strings.Contains(notice.text, "3. Number 4\n") || !strings.Contains(notice.text, "body=accept%202") {
			t.Fatalf("%s\n%s", notice.subject, notice.text)
		}
		for _, bad := range []string{"accept", "accept 4", "accept 0", "accept two", "discard 1 and 2"} {
			w.answer(notice, answer{from: "mod@people.test", text: bad})
			if m := one(t, w.mails(1), "mod@people.test"); !strings.Contains(m.text, "Nothing was done") {
				t.Errorf("%q is answered\n%s", bad, m.text)
			}
		}
		w.answer(notice, answer{from: "mod@people.test", text: "accept 1, 3"})
		w.mails(6) // two posts to two members, the answer, and mio is told
		w.verdict("2@s.test", "accept by mod@people.test")
		w.verdict("3@s.test", "hold")
		w.verdict("4@s.test", "accept by mod@people.test")
		w.answer(notice, answer{from: "mod@people.test", text: "破棄 全部"})
		if m := one(t, w.mails(1), "mod@people.test"); strings.Count(m.text, "accepted by mod@people.test") != 2 || !strings.Contains(m.text, "2. Number 3: discarded") {
			t.Errorf("answered\n%s", m.text)
		}
		w.verdict("2@s.test", "accept by mod@people.test")
		w.verdict("1@s.test", "hold")
		w.answer(notice, answer{from: "mod@people.test", text: "accept 2"}) // too late, and no news
		w.mails(1)
		w.at(25 * time.Minute) // what comes soon after the first news comes together
		if m := one(t, w.mails(1), "mio@people.test"); !strings.Contains(m.subject, "1件") || strings.Count(m.text, "mod@people.test") != 1 {
			t.Errorf("mio reads %s\n%s", m.subject, m.text)
		}
	})
}

// What nobody decides about is reminded of daily, and dropped in the end.
func TestRemindAndExpire(t *testing.T) {
	const day = 24 * time.Hour
	story(t, func(s *list.Settings) { s.MaxDaysToHold = 3 }, func(t *testing.T, w *world) {
		w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", true)
		w.post("ann@people.test", "2@p.test", "Forged", "Forged.\n", false)
		w.at(0)
		w.mails(3)
		w.at(23 * time.Hour)
		w.mails(0)
		w.at(day)
		reminder := one(t, w.mails(2), "mod@people.test")
		if !strings.Contains(reminder.subject, "Reminder: 2 waiting") || !strings.Contains(reminder.text, "2. Forged\n") {
			t.Errorf("%s\n%s", reminder.subject, reminder.text)
		}
		w.at(day + 12*time.Hour)
		w.mails(0)
		w.at(2 * day)
		w.mails(2)
		w.at(3*day + time.Minute)
		if m := one(t, w.mails(1), "zed@strangers.test"); !strings.Contains(m.text, "3日間") {
			t.Errorf("the author reads\n%s", m.text)
		}
		w.verdict("1@s.test", "discard by time")
		w.verdict("2@p.test", "discard by time")
		w.answer(reminder, answer{from: "mod@people.test", text: "accept all"})
		if m := one(t, w.mails(1), "mod@people.test"); !strings.Contains(m.text, "discarded by nobody, in time") {
			t.Errorf("answered\n%s", m.text)
		}
		w.at(4 * day)
		w.mails(0)
	})
}

// Who wants no notice at once gets the daily one.
func TestDailyOnly(t *testing.T) {
	story(t, func(s *list.Settings) { s.AdminImmedNotify, s.MaxDaysToHold = false, 0 }, func(t *testing.T, w *world) {
		w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", false)
		w.at(0)
		w.mails(2)
		w.post("zed@strangers.test", "2@s.test", "Again", "Again.\n", false)
		w.at(23 * time.Hour)
		w.mails(0)
		w.at(24 * time.Hour)
		if m := one(t, w.mails(2), "mod@people.test"); !strings.Contains(m.text, "2. Again") {
			t.Errorf("reminded of\n%s", m.text)
		}
		w.answer(w.last["mod@people.test"][0], answer{from: "mod@people.test", text: "discard all"})
		w.mails(1)
		w.at(49 * time.Hour) // and mio is not told each time
		w.mails(0)
	})
}

// The command line decides through the same function; a second decision says who was first.
func TestDecide(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		p := w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", true)
		decide := func(d moderation.Decision) (out moderation.Outcome) {
			w.Update(func(tx *storage.Tx) (err error) {
				out, err = w.Moderation.Decide(tx, d, time.Now())
				return err
			})
			w.Moderation.Wake()
			return out
		}
		if out := decide(moderation.Decision{Post: p.ID, Action: list.Reject, Reason: "Not here.", By: "command line"}); out.Late || out.Post.Verdict.By != "command line" {
			t.Errorf("first: %+v", out)
		}
		if m := one(t, w.mails(1), "zed@strangers.test"); !strings.Contains(m.text, "Not here.") {
			t.Errorf("the author reads\n%s", m.text)
		}
		if out := decide(moderation.Decision{Post: p.ID, Action: list.Accept, By: "command line"}); !out.Late || out.Post.Verdict.Action != list.Reject {
			t.Errorf("second: %+v", out)
		}
		p = w.post("zed@strangers.test", "2@s.test", "Again", "Again.\n", true)
		err := w.DB.Update(t.Context(), func(tx *storage.Tx) error {
			_, err := w.Moderation.Decide(tx, moderation.Decision{Post: p.ID, Action: list.Hold}, time.Now())
			return err
		})
		if err == nil {
			t.Error("holding is no decision")
		}
	})
}

// People who want to join or leave wait for the same moderators.
func TestRequests(t *testing.T) {
	story(t, func(s *list.Settings) {
		s.SubscriptionPolicy, s.UnsubscriptionPolicy = list.PolicyModerate, list.PolicyModerate
	}, func(t *testing.T, w *world) {
		ask := func(from, to string) {
			t.Helper()
			raw := "From: Cora C. <" + from + ">" + "\nTo: " + to + "\nSubject: please\nMessage-ID: <" + storage.NewID(time.Now()) + "@p.test>\n\n\n"
			if code := w.deliver(listtest.Mail{From: from, To: []string{to}, Raw: raw}); code != 250 {
				t.Fatal(code)
			}
		}
		ask("cora@people.test", "janog-join@"+listtest.Domain)
		w.at(0)
		got := w.mails(3) // to cora, and to each moderator
		first := one(t, got, "mod@people.test")
		if !strings.Contains(first.text, "1. cora@people.test wants to join") {
			t.Errorf("the notice is\n%s", first.text)
		}
		w.Update(func(tx *storage.Tx) error {
			var waiting []string
			for r := range moderation.Requests(tx, w.l.ID) {
				waiting = append(waiting, r.Action+" "+r.Address.String()+" "+r.Name)
			}
			if len(waiting) != 1 || waiting[0] != "join cora@people.test Cora C." {
				t.Errorf("waiting: %q", waiting)
			}
			return nil
		})
		ask("dan@people.test", "janog-join@"+listtest.Domain)
		ask("bob@people.test", "janog-leave@"+listtest.Domain)
		w.at(10 * time.Minute)
		second := one(t, w.mails(4), "mio@people.test")
		for _, bad := range []answer{{from: "mio@people.test", ip: "192.0.2.66", text: "accept 1"}, {from: "mod@people.test", text: "accept 1"}} {
			if code := w.answer(second, bad); code != 550 {
				t.Errorf("%+v: %d", bad, code)
			}
		}
		w.answer(first, answer{from: "mod@people.test", text: "accept"})
		got = w.mails(3)
		one(t, got, "cora@people.test") // is welcomed
		if m := one(t, got, "mio@people.test"); !strings.Contains(m.text, "cora@people.test が参加を希望しています\n  承認（mod@people.test") {
			t.Errorf("the other moderator reads\n%s", m.text)
		}
		if m := one(t, got, "mod@people.test"); !strings.Contains(m.text, "cora@people.test wants to join: accepted by mod@people.test") {
			t.Errorf("answered\n%s", m.text)
		}
		if !w.member("cora@people.test") || w.member("dan@people.test") || !w.member("bob@people.test") {
			t.Error("the wrong people are members")
		}
		w.Update(func(tx *storage.Tx) error {
			m, err := list.GetMember(tx, w.l.ID, list.RoleMember, address.Must("cora@people.test"))
			if err == nil && m.DisplayName != "Cora C." {
				t.Errorf("the new member's name is %q", m.DisplayName)
			}
			return err
		})
		rows := strings.Split(second.text, "\n")
		number := func(who string) string {
			for _, row := range rows {
				if n, rest, ok := strings.Cut(row, ". "); ok && strings.HasPrefix(rest, who) {
					return n
				}
			}
			t.Fatalf("no %s in\n%s", who, second.text)
			return ""
		}
		w.answer(second, answer{from: "mio@people.test", text: "却下 " + number("dan") + " 満員です"})
		if m := one(t, w.mails(2), "dan@people.test"); !strings.Contains(m.text, "満員です") {
			t.Errorf("dan reads\n%s", m.text)
		}
		w.answer(second, answer{from: "mio@people.test", text: "承認 全部"})
		got = w.mails(2) // bob says goodbye
		if m := one(t, got, "mio@people.test"); !strings.Contains(m.text, "mod@people.test") || !strings.Contains(m.text, "却下（mio@people.test") {
			t.Errorf("answered\n%s", m.text)
		}
		if w.member("dan@people.test") || w.member("bob@people.test") {
			t.Error("the wrong people are members")
		}
		w.at(100 * time.Hour)
		if m := one(t, w.mails(1), "mod@people.test"); !strings.Contains(m.text, "bob@people.test wants to leave\n  accepted by mio@people.test") || strings.Contains(m.text, "cora") {
			t.Errorf("mod reads\n%s", m.text)
		}
	})
}

// A request that nobody decides about is reminded of daily, and ends; its person hears it. Only so many wait.
func TestRequestsEnd(t *testing.T) {
	const day = 24 * time.Hour
	change := func(s *list.Settings) {
		s.SubscriptionPolicy, s.MaxDaysToHold, s.MaxHeld = list.PolicyModerate, 2, 1
	}
	story(t, change, func(t *testing.T, w *world) {
		ask := func(from string) int {
			to := "janog-join@" + listtest.Domain
			return w.deliver(listtest.Mail{From: from, To: []string{to}, Raw: "From: " + from + "\nTo: " + to + "\nMessage-ID: <" + storage.NewID(time.Now()) + "@p.test>\n\n\n"})
		}
		if code := ask("cora@people.test"); code != 250 {
			t.Fatal(code)
		}
		if code := ask("dan@people.test"); code != 451 {
			t.Errorf("the second request: %d", code)
		}
		w.at(0)
		w.mails(3)
		w.at(day)
		w.mails(2)
		w.at(2 * day)
		if m := one(t, w.mails(3), "cora@people.test"); !strings.Contains(m.text, "2日以内") {
			t.Errorf("cora reads\n%s", m.text)
		}
		if code := ask("dan@people.test"); code != 250 {
			t.Errorf("there is room again: %d", code)
		}
		if code := ask("cora@people.test"); code != 451 {
			t.Errorf("and no more: %d", code)
		}
	})
}

// Where the list's name leaves no room for a token in an address, answers go to -request.
func TestLongName(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		w.l = w.List(strings.Repeat("a", 31), nil)
		w.Join(w.l, list.RoleModerator, "mod@people.test")
		w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", false)
		w.at(0)
		notice := one(t, w.mails(1), "mod@people.test")
		if to := notice.header.Get("Reply-To"); to != strings.Repeat("a", 31)+"-request@"+listtest.Domain {
			t.Errorf("Reply-To: %s", to)
		}
		if code := w.answer(notice, answer{from: "mod@people.test", text: "discard"}); code != 250 {
			t.Errorf("%d", code)
		}
		w.verdict("1@s.test", "discard by mod@people.test")
	})
}

// Who wants to hear of its posts gets one mail while a post can be taken back, which takes it back, and none when it leaves.
func TestTakeBackBeforeItLeaves(t *testing.T) {
	story(t, func(s *list.Settings) { s.UndoSeconds = 300 }, func(t *testing.T, w *world) {
		w.SetMember(w.l, "ann@people.test", func(m *list.Member) { m.AcknowledgePosts = true })
		send := func(id string) {
			t.Helper()
			if w.deliver(listtest.Mail{From: "ann@people.test", To: []string{w.l.Address.String()}, Raw: listtest.Post("ann@people.test", w.l, id, "Hello <b>", "Too early.\n")}) != 250 {
				t.Fatal("refused")
			}
		}
		send("1@p.test")
		told := one(t, w.mails(1), "ann@people.test")
		if !strings.Contains(told.text, "取り消せます") || !strings.Contains(told.text, "undo") {
			t.Fatalf("ann reads %s\n%s", told.subject, told.text)
		}
		page, err := w.Moderation.Open(t.Context(), told.token(t), "en", time.Now())
		if err != nil || len(page.Posts) != 1 || page.Posts[0].Decided != "" || strings.Join(page.Words, "") != "undo" {
			t.Fatalf("page: %+v, %v", page, err)
		}
		if code := w.answer(told, answer{from: "zed@strangers.test", ip: "192.0.2.66", text: "undo"}); code != 550 {
			t.Errorf("another's answer: %d", code)
		}
		w.answer(told, answer{from: "ann@people.test", text: "取消"})
		if a := one(t, w.mails(1), "ann@people.test"); !strings.Contains(a.text, "ann@people.test") {
			t.Errorf("answered\n%s", a.text)
		}
		w.verdict("1@p.test", "discard by ann@people.test")
		send("2@p.test")
		told = one(t, w.mails(1), "ann@people.test")
		w.at(10 * time.Minute)
		w.mails(2) // the copies, and no further word to ann
		w.answer(told, answer{from: "ann@people.test", text: "undo"})
		if a := one(t, w.mails(1), "ann@people.test"); !strings.Contains(a.text, "配信されました") {
			t.Errorf("too late:\n%s", a.text)
		}
		w.verdict("2@p.test", "accept")
	})
}
