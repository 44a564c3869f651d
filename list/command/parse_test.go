package command

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// words returns what a script does, such as ["join", "set show"].
func words(s Script) []string {
	var out []string
	for _, c := range s.Commands {
		out = append(out, strings.Join(append([]string{c.Name}, c.Args...), " "))
	}
	return out
}

func TestParse(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("0a", 16)
	for _, tt := range []struct {
		subject, text string
		want          []string
		unknown       string
	}{
		{"", "", nil, ""},
		{"help", "", []string{"help"}, ""},
		{"Re: [janog:00012] HELP", "", []string{"help"}, ""},
		{"返信：ヘルプ", "", []string{"help"}, ""},
		{"ｓｕｂｓｃｒｉｂｅ", "", []string{"join"}, ""},
		{"登録", "", []string{"join"}, ""},
		{"", "退会します。", []string{"leave"}, ""},
		{"", "登録をお願いします", []string{"join"}, ""},
		{"", "購読を希望します\n参加希望です\n入会したいです\n退会希望\n脱会手続きをお願いいたします", []string{"join", "leave"}, ""},
		{"", "ｓｅｔ　ｓｈｏｗ\n設定　配信　ｏｆｆ", []string{"set show", "set 配信 off"}, ""},
		{"", "subscribe Ann Example\nhelp", []string{"join Ann Example", "help"}, ""},
		{"join", "join\njoin\nwho", []string{"join", "who"}, ""}, // the Subject again
		{"退会", "退会します。\n", []string{"leave"}, ""},
		{"unsubscribe", "signoff", []string{"leave"}, ""},
		{"", "who\n-- \nleave\n", []string{"who"}, ""},
		{"", "who\n-----Original Message-----\nleave\n", []string{"who"}, ""},
		{"", "who\n________\nleave\n", []string{"who"}, ""},
		{"", "who\nend\nleave\n", []string{"who"}, ""},
		{"", "who\n終了\nleave\n", []string{"who"}, ""},
		{"", "> leave\nwho\n", []string{"who"}, ""},
		{"A question", "who\n", []string{"who"}, ""},
		{"subscirbe", "", nil, "subscirbe"},
		{"subscirbe", "\n\n-- \nAnn\n", nil, "subscirbe"},
		{"subscirbe", "I would like to be on your list, because it looks interesting.", nil, ""},
		{"", "subscirbe\nwho\n", nil, "subscirbe"},
		{"", "who\nplease me not\nleave\n", []string{"who"}, "please me not"},
		{"", "Dear list, who of you can help me with a router that forgets its routes?\nleave\n", nil, ""},
		{"", "on Monday\n", nil, "on Monday"},
		{"", "Who can help?\n", nil, "Who can help?"},
		{"", "get 100\nget 100-110\nget last:3\nget thread 5\nthread 5\nsend 7\nget x\n", []string{"get 100", "get 100-110", "get last:3", "get thread 5", "thread 5", "get 7"}, "get x"},
		{"", "confirm " + token, []string{"confirm " + token}, ""},
		{"", "confirm 123", nil, "confirm 123"},
		{"", "remove\nremove a@x.test", []string{"leave", "remove a@x.test"}, ""},
		{"", "unsubscribe janog\nunsubscribe a@x.test", []string{"leave janog", "remove a@x.test"}, ""},
		{"", "set delivery off\nset a@x.test delivery off", []string{"set delivery off", "setmember a@x.test delivery off"}, ""},
		{"", "chaddr a@x.test b@x.test\nchaddr a b", []string{"chaddr a@x.test b@x.test"}, "chaddr a b"},
		{"", strings.Repeat("\n", 200) + "who", nil, ""},
		{"", "echo " + strings.Repeat("x ", 400), nil, ""},
	} {
		got := Parse(tt.subject, tt.text)
		if !slices.Equal(words(got), tt.want) || got.Unknown != tt.unknown {
			t.Errorf("%q %.60q: %q unknown %q, want %q %q", tt.subject, tt.text, words(got), got.Unknown, tt.want, tt.unknown)
		}
	}
	if got := Parse("", "echo 1\necho 2\necho 3\necho 4\necho 5\necho 6\necho 7\necho 8\necho 9\necho 10\necho 11\n"); len(got.Commands) != maxCommands || !got.More {
		t.Errorf("eleven commands: %d, more %v", len(got.Commands), got.More)
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("0a", 16)
	for subject, want := range map[string]string{
		"Re: 入会の確認: janog (confirm " + token + ")":     token,
		"ＲＥ： (ｃｏｎｆｉｒｍ " + strings.ToUpper(token) + ")": token,
		"confirm " + token[1:]:   "",
		"confirm " + token + "0": "",
		"unconfirm " + token:     "",
		"hello " + token + " " + strings.Repeat("confirm ", 1000): "",
	} {
		if got := Token(subject); got != want {
			t.Errorf("%q: %q, want %q", subject, got, want)
		}
	}
}

// TestTable: each word finds its own command, and everything has words for its help.
func TestTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range table() {
		if seen[e.name] {
			t.Errorf("%s is there twice", e.name)
		}
		seen[e.name] = true
		if e.run == nil && e.name != "end" || e.args == nil || !strings.HasPrefix(e.usage, e.name) {
			t.Errorf("%s: incomplete", e.name)
		}
		for _, w := range append([]string{e.name}, e.aliases...) {
			if plain(fold(w)) != w {
				t.Errorf("%s: the word %q is not found", e.name, w)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Re: 登録", "subscribe Ann\nset name 山田　太郎\n-- \n")
	f.Add("=?utf-8?q?x?=", "get last:99999999999999999999\nget 5-1\nchaddr @ @\n")
	f.Add("(confirm 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a)", "> quoted\x00\xff\n")
	f.Fuzz(func(t *testing.T, subject, text string) {
		s := Parse(subject, text)
		if len(s.Commands) > maxCommands {
			t.Errorf("%d commands", len(s.Commands))
		}
		for _, c := range s.Commands {
			again, ok := parseLine(c.Line)
			if !ok || again.Name != c.Name || !slices.Equal(again.Args, c.Args) {
				t.Errorf("%q is %v, then %v", c.Line, c, again)
			}
			if strings.ContainsFunc(c.Line, func(r rune) bool { return r < ' ' || r == 0x7f }) || len(c.Line) > 20*maxLine {
				t.Errorf("the line %q", c.Line)
			}
		}
		if strings.ContainsAny(s.Unknown, "\r\n\x00") {
			t.Errorf("unknown %q", s.Unknown)
		}
		if tok := Token(subject); tok != "" && len(tok) != 32 {
			t.Errorf("token %q", tok)
		}
		if from, to, ok := span(strings.ToLower(subject), 1000); ok && (from == 0 || from > to) {
			t.Errorf("span %q: %d-%d", subject, from, to)
		}
	})
}

// TestDocs: docs/commands.md names every command with all its names.
func TestDocs(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range table() {
		row := ""
		for line := range strings.Lines(string(b)) {
			if strings.Count(line, "|") < 9 {
				continue // another table
			}
			if first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | "); slices.Contains(strings.FieldsFunc(first, func(r rune) bool { return strings.ContainsRune("`, ", r) }), e.name) {
				row = line
				break
			}
		}
		for _, name := range append([]string{e.name}, e.aliases...) {
			if !strings.Contains(row, name) {
				t.Errorf("docs/commands.md does not name %s of %s", name, e.name)
			}
		}
	}
}
