package rules

import (
	"strings"
	"testing"
	"unicode/utf8"

	"kairan/list"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

func TestGather(t *testing.T) {
	t.Parallel()
	raw := strings.ReplaceAll(`From: =?UTF-8?B?44GC44KT?= <ann@example.jp>
To: janog@lists.example.jp, "Bob" <bob@example.com>
Cc: carol@example.test
Subject: =?UTF-8?B?44GT44KT44Gr44Gh44Gv?=

First line
`, "\n", "\r\n")
	f := Gather(message.Parse([]byte(raw)), &smtpd.Envelope{From: ann})
	switch {
	case f.Froms != 1, f.Author != ann, f.Sender != ann, f.Size != len(raw), len(f.To) != 3:
		t.Errorf("got %+v", f)
	case f.Subject != "こんにちは" || f.Excerpt != "First line":
		t.Errorf("subject %q, excerpt %q", f.Subject, f.Excerpt)
	case !strings.HasPrefix(string(f.Header), "From: =?") || strings.Contains(string(f.Header), "First line"):
		t.Errorf("header %q", f.Header)
	}
}

func TestGatherAuthor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header string
		froms  int
	}{
		{"Subject: x", 0},
		{"From: ann@example.jp", 1},
		{"From: ann@example.jp\r\nFrom: ann@example.jp", 2},
		{"From: ann@example.jp, bob@example.com", 2},
		{"From: ann@example.jp, bob@@example.com", 2},
		{"From: undisclosed-recipients:;", 0},
	} {
		f := Gather(message.Parse([]byte(c.header+"\r\n\r\n")), &smtpd.Envelope{})
		if f.Froms != c.froms || f.Author.IsNull() != (c.froms != 1) {
			t.Errorf("%q: %d authors, %v", c.header, f.Froms, f.Author)
		}
	}
}

func TestGatherBounds(t *testing.T) {
	t.Parallel()
	raw := "From: ann@example.jp\r\nTo: " + strings.Repeat("a@example.jp,\r\n ", 3000) + "b@example.jp\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\n\r\n" + strings.Repeat("回覧", 10_000)
	f := Gather(message.Parse([]byte(raw)), &smtpd.Envelope{})
	if len(f.To) != maxTo {
		t.Errorf("%d recipients", len(f.To))
	}
	if len(f.Excerpt) > maxExcerpt || !utf8.ValidString(f.Excerpt) {
		t.Errorf("excerpt of %d bytes, valid %v", len(f.Excerpt), utf8.ValidString(f.Excerpt))
	}
}

func TestGatherHTML(t *testing.T) {
	t.Parallel()
	raw := "From: ann@example.jp\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
		"<html><head><style>p{color:red}</style></head><body><p>unsubscribe</p><br><div>Ann</div></body></html>"
	f := Gather(message.Parse([]byte(raw)), &smtpd.Envelope{})
	if lines := strings.Fields(f.Excerpt); len(lines) != 2 || lines[0] != "unsubscribe" {
		t.Errorf("excerpt %q", f.Excerpt)
	}
}

func TestReply(t *testing.T) {
	t.Parallel()
	site := &list.Site{URL: "https://lists.example.jp"}
	l := &list.List{Address: address.Must("janog@lists.example.jp"), Name: "janog"}
	for _, c := range []struct {
		v    list.Verdict
		code int
		want string
	}{
		{list.Verdict{Action: list.Accept}, 250, "janog@lists.example.jp: accepted"},
		{list.Verdict{Action: list.Hold, Reasons: []list.Reason{{Rule: "no-subject"}, {Rule: "nonmember"}}}, 250,
			"janog@lists.example.jp: held for the moderators: the message has no Subject. https://lists.example.jp/-/why/no-subject"},
		{list.Verdict{Action: list.Reject, Reasons: []list.Reason{{Rule: "too-large", Detail: "日本語\r\n"}}}, 550,
			"janog@lists.example.jp: refused: the message is larger than the list allows; send a link instead. https://lists.example.jp/-/why/too-large"},
		{list.Verdict{Action: list.Reject, By: "bob@example.jp", Reasons: []list.Reason{{Rule: "gone-rule"}}}, 550, "janog@lists.example.jp: refused"},
	} {
		r := Reply(site, l, c.v)
		if r.Code != c.code || r.Text != c.want {
			t.Errorf("%s:\n got %d %s\nwant %d %s", c.v, r.Code, r.Text, c.code, c.want)
		}
	}
}

// TestReplies checks every rule under every action: one ASCII line whose classes agree, with the page at its end.
func TestReplies(t *testing.T) {
	t.Parallel()
	site := &list.Site{URL: "https://lists.example.jp"}
	l := &list.List{Address: address.Must(strings.Repeat("j", 31) + "@lists.日本語.example"), Name: "j"}
	for _, name := range names() {
		for action, code := range map[list.Action]int{list.Hold: 250, list.Discard: 250, list.Reject: 550, list.Defer: 451} {
			r := Reply(site, l, list.Verdict{Action: action, Reasons: []list.Reason{{Rule: name}}})
			if r.Code != code || r.Enhanced[0] != code/100 || strings.ContainsFunc(r.Text, func(c rune) bool { return c < ' ' || c > '~' }) || len(r.Text) > 480 || !strings.HasSuffix(r.Text, "/-/why/"+name) {
				t.Errorf("%s %s: %+v", action, name, r)
			}
		}
	}
}

func TestAutomatic(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]bool{
		"":                               false,
		"Auto-Submitted: auto-replied":   true,
		"Auto-Submitted: auto-generated": true,
		"Precedence: junk":               true,
	} {
		f := Facts{Header: []byte(fields + "\r\n\r\n"), Sender: ann}
		if got := Automatic(&f); got != want {
			t.Errorf("%q: got %v, want %v", fields, got, want)
		}
	}
}

func FuzzDecide(f *testing.F) {
	f.Add("From: ann@example.jp\r\nList-Id: <\r\n", "unsubscribe", "退会")
	f.Fuzz(func(t *testing.T, header, excerpt, subject string) {
		x := newScene()
		x.f.Header, x.f.Excerpt, x.f.Subject, x.f.Auth = []byte(header), excerpt, subject, failed
		if v := Decide(x.l, x.s, x.f); v.Action == list.Accept || len(v.Reasons) == 0 {
			t.Errorf("got %s", v)
		}
	})
}
