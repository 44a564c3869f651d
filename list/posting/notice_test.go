package posting

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// A list may have its mails in ISO-2022-JP; what that charset cannot hold goes out in UTF-8.
func TestNoticeCharset(t *testing.T) {
	t.Parallel()
	l := &list.List{Address: address.Must("janog@lists.test"), Settings: list.DefaultSettings("ja")}
	l.Settings.NoticeCharset = list.ISO2022JP
	for _, c := range []struct{ subject, body, charset, read string }{
		{"登録の確認", "登録を確認してください。\nRe: JANOG～会合－\n\nｶﾅ\n", "iso-2022-jp", "登録を確認してください。\nRe: JANOG～会合－\n\nカナ\n"},
		{"Welcome", "Only ASCII.\n", "iso-2022-jp", "Only ASCII.\n"},
		{"登録の確認", "絵文字 😀\n", "utf-8", ""},
		{"髙橋さん 😀", "登録\n", "utf-8", ""},
		{"長い行", strings.Repeat("漢字", 300) + "\n", "utf-8", ""},
	} {
		n := Notice{List: l, To: address.Must("ann@people.test"), Subject: c.subject, Body: c.body}
		raw := n.compose(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
		msg := message.Parse(raw)
		if got := msg.Header().Get("Content-Type"); got != "text/plain; charset="+c.charset {
			t.Errorf("%q: %s", c.body[:6], got)
		}
		want := c.read
		if want == "" {
			want = c.body
		}
		if got := strings.ReplaceAll(msg.Text(), "\r\n", "\n"); got != want {
			t.Errorf("reads %q, want %q", got, want)
		}
		if got := msg.Header().Text("Subject"); got != c.subject {
			t.Errorf("subject reads %q, want %q", got, c.subject)
		}
		if c.charset == "utf-8" {
			continue
		}
		if bytes.ContainsFunc(raw, func(r rune) bool { return r >= 0x80 }) {
			t.Errorf("%q: not 7bit", raw)
		}
		for line := range bytes.Lines(msg.Body()) {
			if i := bytes.LastIndex(line, []byte("\x1b")); i >= 0 && !bytes.HasPrefix(line[i:], []byte("\x1b(B")) {
				t.Errorf("%q does not end in ASCII", line)
			}
		}
		if c.subject != "Welcome" && !strings.Contains(string(raw), "Subject: =?ISO-2022-JP?B?") && !strings.Contains(string(raw), "Subject: =?iso-2022-jp?B?") {
			t.Errorf("subject is not in ISO-2022-JP:\n%s", raw)
		}
	}
}
