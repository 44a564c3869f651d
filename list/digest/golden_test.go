package digest_test

import (
	"bytes"
	"encoding/base64"
	"mime/quotedprintable"
	"regexp"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/smtpd/message"
	"kairan/storage/storagetest"
)

// mixedPosts are what a Japanese list gets in a day.
func mixedPosts(t *testing.T, l *list.List) []string {
	t.Helper()
	encode := func(charset, text string) string {
		b, ok := message.EncodeCharset(charset, text)
		if !ok {
			t.Fatalf("%q is not in %s", text, charset)
		}
		return string(b)
	}
	jis := func(text string) string {
		var b strings.Builder
		for line := range strings.Lines(text) {
			b.WriteString(encode("iso-2022-jp", strings.TrimSuffix(line, "\n")) + "\n")
		}
		return b.String()
	}
	head := func(from, id string) string {
		return "From: " + from + "\nTo: " + l.Address.String() + "\nDate: Sun, 01 Nov 2026 12:00:00 +0900\nMessage-ID: <" + id + "@people.test>\nMIME-Version: 1.0\n"
	}
	subject := func(text, charset string) string { return string(message.TextField("Subject", text, charset).Raw) }
	var qp bytes.Buffer
	w := quotedprintable.NewWriter(&qp)
	w.Write([]byte(encode("shift_jis", "<html><head><title>x</title></head><body><p>会場は<b>大阪</b>です。</p><ul><li>受付 9:00</li></ul></body></html>\n")))
	w.Close()
	return []string{
		head("=?iso-2022-jp?B?GyRCOzNFREJATzobKEI=?= <ann@people.test>", "jis") + subject("次回の日程について", "ISO-2022-JP") +
			"Content-Type: text/plain; charset=ISO-2022-JP\n\n" + jis("山田です。\n次回は①月の第２週です。ﾃｽﾄ\n"+strings.Repeat("-", 30)+"\n山田太郎\n"),
		head("Ann <ann@people.test>", "utf8") + "In-Reply-To: <jis@people.test>\n" + subject("Re: 次回の日程について 🎉", "UTF-8") +
			"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" +
			base64.StdEncoding.EncodeToString([]byte("了解しました。\n\n> 次回は1月の第2週です。\n\n地図を付けます。\n")) +
			"\n--b\nContent-Type: image/png\nContent-Disposition: attachment; filename*=utf-8''%E5%9C%B0%E5%9B%B3.png\nContent-Transfer-Encoding: base64\n\n" +
			base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0x89, 'P', 'N', 'G'}, 30)) + "\n--b--\n",
		head("ann@people.test", "html") + subject("会場", "UTF-8") +
			"Content-Type: text/html; charset=Shift_JIS\nContent-Transfer-Encoding: quoted-printable\n\n" + strings.ReplaceAll(qp.String(), "\r\n", "\n"),
		head("Ann <ann@people.test>", "eight") + "Subject: Raw 8 bit and no archive\nX-No-Archive: yes\nContent-Type: text/plain; charset=utf-8; format=flowed\nContent-Transfer-Encoding: 8bit\n\nこれは \n一行です。\n\n-- \nAnn\n",
	}
}

// volatile is what differs from run to run: identifiers, times of the bubble's clock in identifiers, boundaries, the signature.
var volatile = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(?s)^DKIM-Signature: .*?\n([A-Z])`), "$1"},
	{regexp.MustCompile(`[0-9]{14}\.[a-z0-9]{26}@`), "ISSUE@"},
	{regexp.MustCompile(`(/-/u/|%20)[0-9a-f]{32}`), "${1}TOKEN"},
	{regexp.MustCompile(`=_kairan_[0-9a-f]{24}`), "BOUNDARY"},
	{regexp.MustCompile(`kairan[0-9a-f]{8}`), "SENDER"},
}

// readable shows a digest with the list's own texts decoded and the messages in it as they are, but for the bytes of JIS.
func readable(data []byte) string {
	msg := message.Parse(data)
	text := string(message.Join(msg.Header(), nil))
	parts := msg.Parts()
	for _, p := range parts {
		if p.IsMultipart() {
			continue
		}
		if p.Path != "" {
			text += "==== " + p.Path + " " + p.ContentType + "\n" + string(message.Join(p.Header, nil))
		}
		if p.ContentType == "text/plain" {
			decoded, _ := p.Text()
			text += decoded
		} else {
			text += strings.ReplaceAll(string(p.Raw), "\x1b", "<ESC>")
		}
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for _, v := range volatile {
		text = v.what.ReplaceAllString(text, v.with)
	}
	return text
}

// TestGolden shows both forms of a digest in both languages.
func TestGolden(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		t.Run(lang, func(t *testing.T) {
			story(t, func(s *list.Settings) {
				s.PreferredLanguage, s.DisplayName, s.SubjectPrefix, s.ReplyGoesToList = lang, "JANOG 本会", "[janog:%05d] ", "list"
			}, func(w *world) {
				for _, raw := range mixedPosts(t, w.l) {
					w.mail(raw)
					w.sleep(time.Second)
				}
				w.sleep(day)
				for who, form := range map[string]string{"mim@people.test": "mime", "tom@people.test": "text"} {
					in := w.Sink.Inbox(who)
					if len(in) != 1 {
						t.Fatalf("%s got %d mails", who, len(in))
					}
					storagetest.Golden(t, form+"."+lang+".txt", []byte(readable(in[0].Data)))
					for line := range bytes.Lines(in[0].Data) {
						if len(line) > 1000 {
							t.Errorf("%s: a line of %d bytes", who, len(line))
						}
					}
					same(t, who, w.got(who).all(), []string{"eight@people.test", "html@people.test", "jis@people.test", "utf8@people.test"})
				}
			})
		})
	}
}

// TestLanguages writes each member in its own language.
func TestLanguages(t *testing.T) {
	story(t, nil, func(w *world) {
		w.SetMember(w.l, "mim@people.test", func(m *list.Member) { m.Language = "ja" })
		w.post(0)
		time.Sleep(day)
		w.sleep(time.Second)
		same(t, "mim", subjects(w.got("mim@people.test").digests), []string{"janog まとめ送り 第1巻 第1号"})
		same(t, "tom", subjects(w.got("tom@people.test").digests), []string{"janog Digest, Vol 1, Issue 1"})
	})
}
