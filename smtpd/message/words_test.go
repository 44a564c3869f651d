package message_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"

	"kairan/smtpd/message"
)

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func TestDecodeHeader(t *testing.T) {
	t.Parallel()
	jis := as(japanese.ISO2022JP, "会議のお知らせ")
	sjis := as(japanese.ShiftJIS, "表示の件")
	for in, want := range map[string]string{
		"":                                        "",
		"plain":                                   "plain",
		"=?ISO-2022-JP?B?" + b64(jis) + "?=":      "会議のお知らせ",
		"=?cp932?b?" + b64(sjis) + "?=":           "表示の件",
		"=?utf-8?B?" + b64(sjis) + "?=":           "表示の件", // wrong label
		"=?utf-8?Q?=E6=9D=B1_=e4=ba=ac?=":         "東 京",
		"=?utf-8*ja?q?a=41?=":                     "aA",
		"=?utf-8?B?5p2x?= =?utf-8?B?5Lqs?=":       "東京",
		"=?utf-8?B?5p2x?=\t\r\n =?utf-8?B?5Lqs?=": "東京",
		"=?utf-8?B?5p2x?==?utf-8?B?5Lqs?=":        "東京",
		"=?utf-8?B?5p0=?= =?UTF-8?B?seS6rA==?=":   "東京", // cut in a character
		"=?utf-8?B?5p2x5?= =?utf-8?B?Lqs?=":       "東京", // cut in a group of base64
		"=?utf-8?Q?=E6=9D?= =?utf-8?Q?=B1?=":      "東",
		"=?utf-8?B?YQ?=":                          "a", // no padding
		"=?utf-8?B?YQ?= =?utf-8?B?Yg?=":           "ab",
		"x =?utf-8?q?a?= y =?utf-8?q?b?=":         "x a y b",
		"\"=?utf-8?q?a?=\" <b@c>":                 "\"a\" <b@c>",
		"pre=?utf-8?q?a?=post":                    "preapost",
		"=?utf-8?q?two words?=":                   "two words",
		"=??Q?Bras=C3=ADlia?=":                    "Brasília",
		"=?no-such?B?" + b64(jis) + "?=":          "会議のお知らせ",
		"=?utf-8?x?a?= =? ?= =?=?":                "=?utf-8?x?a?= =? ?= =?=?",
		"=?utf-8?q?open":                          "=?utf-8?q?open",
		"=?utf-8?b?eA0KQmNjOiB6?=":                "xBcc: z",
		"=?utf-8?q?a=00=0D=0A=1B=7Fb?=":           "ab",
		"a\x00\r\n\tb":                            "a b",
		"=?utf-8?q?a=E2=80=AEb?=":                 "ab",
		string(jis):                               "会議のお知らせ",
		string(sjis):                              "表示の件",
		"東京 =?utf-8?q?x?=":                        "東京 x",
		"=?utf-8?q?a?= \x1b$B=?=?\x1b(B":          "a 戎戎",
		"\xff\xff":                                "\ufffd\ufffd",
	} {
		if got := message.DecodeHeader(in); got != want {
			t.Errorf("DecodeHeader(%q) = %q, want %q", in, got, want)
		}
	}
	for _, unit := range []string{"=?", "=?utf-8?q?", "?=", "=?a?q?=?=", "=?utf-8?b?YQ?= "} {
		message.DecodeHeader(strings.Repeat(unit, 1<<17/len(unit)))
		message.DecodeHeader(strings.Repeat(unit, 1<<17/len(unit)) + "?=")
	}
}

func TestTextField(t *testing.T) {
	t.Parallel()
	for _, charset := range []string{"ISO-2022-JP", "UTF-8", "iso-2022-jp", ""} {
		for _, text := range []string{
			"", "plain", strings.TrimSpace(strings.Repeat("plain words ", 20)),
			"[janog:00123] 会議のお知らせ", "Re: 会議 and more", "会議",
			strings.Repeat("とても長い題名です。", 30), strings.Repeat("長い 題名 ", 30) + "x",
			strings.Repeat("long ", 30) + "会議", "two  spaces", "=?utf-8?q?x?=", "😀 emoji ①", "café",
			strings.Repeat("x", 300), "a" + strings.Repeat("あb", 60), "会議 " + strings.Repeat("plain ", 30) + "x",
		} {
			f := message.TextField("Subject", text, charset)
			raw := string(f.Raw)
			if got := message.DecodeHeader(f.Value()); got != text {
				t.Errorf("%s: TextField(%q) reads %q", charset, text, got)
			}
			for line := range strings.SplitSeq(strings.TrimSuffix(raw, "\r\n"), "\r\n") {
				if len(line) > 76 && strings.Contains(raw, "=?") || strings.TrimSpace(line) == "" {
					t.Errorf("%s: %q: line of %d octets: %q", charset, text, len(line), line)
				}
			}
			for word := range strings.FieldsSeq(f.Value()) {
				checkWord(t, word)
			}
		}
	}
	for text, want := range map[string]string{
		"plain [x:1] text":   "Subject: plain [x:1] text\r\n",
		"[janog:1] 会議 x":     "Subject: [janog:1] =?ISO-2022-JP?B?GyRCMnE1RBsoQg==?= x\r\n",
		"a\r\nBcc: b@c.test": "Subject: a Bcc: b@c.test\r\n",
		"ﾃｽﾄ":                "Subject: =?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=\r\n",
	} {
		if got := string(message.TextField("Subject", text, "ISO-2022-JP").Raw); got != want {
			t.Errorf("TextField(%q) = %q, want %q", text, got, want)
		}
	}
}

// checkWord checks an encoded word: short enough, a whole number of
// characters, back in ASCII at its end.
func checkWord(t *testing.T, word string) {
	rest, ok := strings.CutPrefix(word, "=?")
	if !ok {
		return
	}
	f := strings.Split(rest, "?")
	b, err := base64.StdEncoding.DecodeString(f[2])
	if len(word) > 75 || err != nil || strings.Contains(message.DecodeHeader(word), "\ufffd") {
		t.Errorf("word %q: %d characters, %v", word, len(word), err)
	}
	if jis := string(b); f[0] == "ISO-2022-JP" && strings.LastIndex(jis, "\x1b(B") < strings.LastIndex(jis, "\x1b$B") {
		t.Errorf("word %q does not return to ASCII", word)
	}
}

func FuzzDecodeHeader(f *testing.F) {
	f.Add("=?utf-8?B?5p0=?= =?UTF-8?B?seS6rA==?= x", "ISO-2022-JP")
	f.Add("a =?iso-2022-jp?Q?=1B$B?= \x1b$B$\"\x1b(B \xff", "UTF-8")
	f.Fuzz(func(t *testing.T, value, charset string) {
		text := message.DecodeHeader(value)
		if strings.ContainsAny(text, "\r\n\x00\x1b") {
			t.Errorf("DecodeHeader(%q) = %q", value, text)
		}
		field := message.TextField("Subject", text, "UTF-8")
		if strings.ContainsAny(strings.ReplaceAll(string(field.Raw), "\r\n", ""), "\r\n") || strings.Count(string(field.Raw), "\r\n") < 1 {
			t.Errorf("TextField(%q) = %q", text, field.Raw)
		}
		if got, want := message.DecodeHeader(field.Value()), strings.Trim(text, " "); got != want {
			t.Errorf("TextField(%q) reads %q", want, got)
		}
		message.DecodeCharset(charset, []byte(value))
	})
}
