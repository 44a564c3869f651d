package moderation_test

import (
	"strings"
	"testing"
	"time"

	"kairan/list"
)

func TestAcceptByReply(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.post("zed@strangers.test", "1@strangers.test", "Hello", "Good morning.\n", true)
	w.round(0)
	got := w.mails(3)
	notice := one(t, got, "mod@people.test")
	if w.answer(notice, answer{from: "mod@people.test", text: "accept"}) != 250 {
		t.Fatal("the answer was refused")
	}
	got = w.mails(4) // to ann and bob, to zed, and the answer to mod
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
	w.round(time.Minute)
	other := one(t, w.mails(1), "mio@people.test")
	if !strings.Contains(other.text, "mod@people.test") || !strings.Contains(other.text, "Hello") {
		t.Errorf("the other moderator reads\n%s", other.text)
	}
	w.round(time.Hour)
	w.mails(0)
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
			t.Parallel()
			w := newWorld(t, func(s *list.Settings) {
				s.RejectTexts = map[string]list.Text{"topic": {"ja": "このリストの話題ではありません。", "en": "Not a topic of this list."}}
			})
			w.post("zed@strangers.test", "1@strangers.test", "Hello", "Good morning.\n", true)
			w.round(0)
			notice := one(t, w.mails(3), "mod@people.test")
			if w.answer(notice, answer{from: "mod@people.test", text: tt.word}) != 250 {
				t.Fatal("the answer was refused")
			}
			w.verdict("1@strangers.test", tt.want+" by mod@people.test")
			n := 1
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
	}
}
