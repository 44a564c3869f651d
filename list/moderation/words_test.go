package moderation

import (
	"slices"
	"testing"
	"unicode/utf8"
)

func TestParseAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, purpose string
		posts         int
		want          command
		ok            bool
	}{
		{"accept", forModerator, 1, command{word: "accept"}, true},
		{"\n\n  ACCEPT.  \n\nThanks!\n", forModerator, 1, command{word: "accept"}, true},
		{"ａｃｃｅｐｔ", forModerator, 1, command{word: "accept"}, true},
		{"承認。", forModerator, 1, command{word: "accept"}, true},
		{"> discard\naccept", forModerator, 1, command{word: "accept"}, true},
		{"On Sunday, mod wrote:\n> reject\n\ntrust", forModerator, 1, command{word: "trust"}, true},
		{"2026年11月1日 12:00 佐藤:\n\n> reject\n\n信頼", forModerator, 1, command{word: "trust"}, true},
		{"reject", forModerator, 1, command{word: "reject"}, true},
		{"reject 2 files are too many", forModerator, 1, command{word: "reject", reason: "2 files are too many"}, true},
		{"reject: no\nfiles\n\nBest regards", forModerator, 1, command{word: "reject", reason: "no\nfiles"}, true},
		{"却下　件名が\nありません\n> reject", forModerator, 1, command{word: "reject", reason: "件名が\nありません"}, true},
		{"reject 2, 3: no files", forModerator, 3, command{word: "reject", numbers: []int{2, 3}, reason: "no files"}, true},
		{"accept 1 3 1", forModerator, 3, command{word: "accept", numbers: []int{1, 3}}, true},
		{"discard ALL", forModerator, 3, command{word: "discard"}, true},
		{"accept 1", forModerator, 1, command{word: "accept", numbers: []int{1}}, true},
		{"破棄 全部", forRequests, 1, command{word: "discard"}, true},
		{"accept 2", forModerator, 1, command{}, false},
		{"はい", forAuthor, 1, command{word: "yes"}, true},
		{"No!", forAuthor, 1, command{word: "no"}, true},
		{"withdraw", forWithdrawal, 1, command{word: "withdraw"}, true},

		{"", forModerator, 1, command{}, false},
		{"> accept\n", forModerator, 1, command{}, false},
		{"accepted", forModerator, 1, command{}, false},
		{"accept it", forModerator, 1, command{}, false},
		{"not accept", forModerator, 1, command{}, false},
		{"承認しません", forModerator, 1, command{}, false},
		{"accept", forModerator, 2, command{}, false},
		{"accept 3", forModerator, 2, command{}, false},
		{"accept 1 please", forModerator, 2, command{}, false},
		{"accept all but 1", forModerator, 2, command{}, false},
		{"reject no files", forModerator, 2, command{}, false},
		{"yes", forModerator, 1, command{}, false},
		{"accept", forWithdrawal, 1, command{}, false},
		{"accept", forAuthor, 1, command{}, false},
		{"ban", forRequests, 1, command{}, false},
		{"yesterday", forAuthor, 1, command{}, false},
	} {
		got, ok := parseAnswer(tt.text, tt.purpose, tt.posts)
		if ok != tt.ok || ok && (got.word != tt.want.word || got.reason != tt.want.reason || !slices.Equal(got.numbers, tt.want.numbers)) {
			t.Errorf("%q to %s of %d: %+v, %v", tt.text, tt.purpose, tt.posts, got, ok)
		}
	}
}

// FuzzAnswer looks for an answer that names what is not there.
func FuzzAnswer(f *testing.F) {
	f.Add("accept 1 3\n> x", 3)
	f.Add("却下：2 理由\nだめです", 2)
	f.Add("On x:\n> y\ndiscard all", 5)
	f.Fuzz(func(t *testing.T, text string, posts int) {
		posts = max(1, posts%100)
		c, ok := parseAnswer(text, forModerator, posts)
		for _, n := range c.numbers {
			if ok && (n < 1 || n > posts) {
				t.Errorf("%q of %d: %+v", text, posts, c)
			}
		}
		if ok && !slices.Contains(buttons[forModerator], c.word) {
			t.Errorf("%q: %+v", text, c)
		}
		if utf8.ValidString(text) && !utf8.ValidString(c.reason) {
			t.Errorf("%q: %q", text, c.reason)
		}
	})
}
