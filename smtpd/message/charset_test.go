package message_test

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"

	"kairan/smtpd/message"
)

// as encodes a sample.
func as(enc encoding.Encoding, s string) []byte {
	b, err := enc.NewEncoder().Bytes([]byte(s))
	if err != nil {
		panic(err)
	}
	return b
}

func TestDecodeCharset(t *testing.T) {
	t.Parallel()
	const text = "東京でお会いしましょう。カタカナも①㈱髙﨑。\n"
	inJIS := as(japanese.ISO2022JP, text)
	inSJIS := as(japanese.ShiftJIS, text)
	inEUC := as(japanese.EUCJP, text)
	for _, c := range []struct {
		declared string
		b        []byte
		want     string
		used     string
	}{
		{"iso-2022-jp", inJIS, text, "ISO-2022-JP"},
		{"ISO-2022-JP-MS", inJIS, text, "ISO-2022-JP"},
		{"cp50220", inJIS, text, "ISO-2022-JP"},
		{"CP50221", inJIS, text, "ISO-2022-JP"},
		{"iso-2022-jp-3", inJIS, text, "ISO-2022-JP"},
		{"us-ascii", inJIS, text, "ISO-2022-JP"},
		{"utf-8", inJIS, text, "ISO-2022-JP"},
		{"shift_jis", inJIS, text, "ISO-2022-JP"},
		{"iso-8859-1", inJIS, text, "ISO-2022-JP"},
		{"", inJIS, text, "ISO-2022-JP"},
		{"no-such-charset", inJIS, text, "ISO-2022-JP"},
		{"shift_jis", inSJIS, text, "Shift_JIS"},
		{"cp932", inSJIS, text, "Shift_JIS"},
		{"x-sjis", inSJIS, text, "Shift_JIS"},
		{"macJapanese", inSJIS, text, "Shift_JIS"},
		{"x-mac-japanese", inSJIS, text, "Shift_JIS"},
		{"csWindows31J", inSJIS, text, "Shift_JIS"},
		{"windows-31j", inSJIS, text, "Shift_JIS"},
		{"MS932", inSJIS, text, "Shift_JIS"},
		{"utf-8", inSJIS, text, "Shift_JIS"},
		{"us-ascii", inSJIS, text, "Shift_JIS"},
		{"iso-2022-jp", inSJIS, text, "Shift_JIS"},
		{"euc-jp", inSJIS, text, "Shift_JIS"},
		{"unknown-8bit", inSJIS, text, "Shift_JIS"},
		{"euc-jp", inEUC, text, "EUC-JP"},
		{"eucJP-ms", inEUC, text, "EUC-JP"},
		{"cp51932", inEUC, text, "EUC-JP"},
		{"x-euc-jp", inEUC, text, "EUC-JP"},
		{"x-unknown", inEUC, text, "EUC-JP"},
		{"utf-8", inEUC, text, "EUC-JP"},
		{"utf-8", []byte(text), text, "UTF-8"},
		{"x-utf-8", []byte(text), text, "UTF-8"},
		{"\"UTF8\"", []byte(text), text, "UTF-8"},
		{"us-ascii", []byte(text), text, "UTF-8"},
		{"iso-2022-jp", []byte(text), text, "UTF-8"},
		{"shift_jis", []byte(text), text, "UTF-8"},
		{"euc-jp", []byte(text), text, "UTF-8"},
		{"iso-8859-1", []byte(text), text, "UTF-8"},
		{"", nil, "", "US-ASCII"},
		{"us-ascii", []byte("plain"), "plain", "US-ASCII"},
		{"UTF-8", []byte("plain"), "plain", "UTF-8"},
		{"iso-2022-jp", []byte("plain"), "plain", "ISO-2022-JP"},
		{"iso-8859-1", []byte("caf\xe9"), "café", "ISO-8859-1"},
		{"windows-1252", []byte("\x93caf\xe9\x94"), "“café”", "WINDOWS-1252"},
		{"gb2312", []byte("\xc4\xe3\xba\xc3"), "你好", "GB2312"},
		{"euc-kr", []byte("\xc7\xd1\xb1\xdb"), "한글", "EUC-KR"},
		{"iso-2022-kr", []byte("\x1b$)C\nabc \x0eGQ1[\x0f def\n"), "\nabc 한글 def\n", "ISO-2022-KR"},
		{"csISO2022KR", []byte("\x1b$)C\x0eGQ1[\nabc\n"), "한글\nabc\n", "ISO-2022-KR"},
		{"iso-2022-kr", inSJIS, text, "Shift_JIS"},
		{"unknown-8bit", inEUC, text, "EUC-JP"},
		{"utf-16", []byte("\xfe\xff\x00a\x30\x42"), "aあ", "UTF-16"},
		{"utf-16", []byte("\xff\xfea\x00\x42\x30"), "aあ", "UTF-16"},
		{"utf-16be", []byte("\x00a\x30\x42"), "aあ", "UTF-16BE"},
		// a sign that no table has, in Shift_JIS: the rest is what was declared
		{"shift_jis", []byte("\x91\xe8\x96\xbc\xf9\x7c"), "題名\ufffd", "Shift_JIS"},
		{"", []byte("\x91\xe8\x96\xbc"), "題名", "Shift_JIS"}, // with three octets that could be UTF-8
		// western languages where nothing or something wrong is declared
		{"", []byte("Die Hasen und die Fr\xf6sche"), "Die Hasen und die Frösche", "WINDOWS-1252"},
		{"us-ascii", []byte("\xa1Hola, se\xf1or!\n"), "¡Hola, señor!\n", "WINDOWS-1252"},
		{"iso-2022-jp", []byte("Montr\xe9al, Qu\xe9bec"), "Montréal, Québec", "WINDOWS-1252"},
		{"utf-8", []byte("it\x92s \x93here\x94"), "it’s “here”", "WINDOWS-1252"},
		{"windows-874", []byte("f\xfcr die Gr\xf6\xdfe"), "für die Größe", "WINDOWS-1252"}, // nothing in Thai
		{"", []byte("Gr\xf6\xdfe"), "Größe", "WINDOWS-1252"},
		{"", as(japanese.EUCJP, "A案の日"), "A案の日", "EUC-JP"},
		{"", as(japanese.EUCJP, "3日"), "3日", "EUC-JP"},
		{"", as(japanese.ShiftJIS, "ﾃｽﾄ mail"), "ﾃｽﾄ mail", "Shift_JIS"},
		{"", []byte("d\xc3\xa9j\xc3\xa0 v\xff"), "déjà v\ufffd", "UTF-8"},
		// what the standard forbids and mailers write
		{"iso-2022-jp", []byte("\x1b(I\x36\x5e\x1b(B"), "ｶﾞ", "ISO-2022-JP"},
		{"iso-2022-jp", []byte("a\x0e\x36\x5e\x0fb"), "aｶﾞb", "ISO-2022-JP"},
		{"iso-2022-jp", []byte("\x1b$(O\x24\x22\x1b(B"), "あ", "ISO-2022-JP"},
		{"iso-2022-jp-2", []byte("\x1b$A\x44\x63\x1b$(C\x47\x51\x1b(B"), "你한", "ISO-2022-JP"},
		{"iso-2022-jp-1", []byte("\x1b$(D\x22\x2f\x1b(Bx"), "˘x", "ISO-2022-JP"},
		{"iso-2022-jp", []byte("\x1b$B$\"\r\nnext"), "あ\r\nnext", "ISO-2022-JP"},
		{"iso-2022-jp", []byte("\x1b$B$\""), "あ", "ISO-2022-JP"},
		{"iso-2022-jp", []byte("\x1b$B$\"\x1b(J\\"), "あ\\", "ISO-2022-JP"},
		{"iso-2022-jp", []byte("\x1b[31mred"), "[31mred", "ISO-2022-JP"},
		{"iso-2022-jp", []byte("\x1b$B$\"$"), "あ\ufffd", "ISO-2022-JP"},
		{"shift_jis", []byte("\xb6\xde"), "ｶﾞ", "Shift_JIS"},
		// JIS X 0213: as three charsets write it
		{"iso-2022-jp-2004", []byte("\x1b$(Q\x4f\x54\x24\x6b\x2d\x21\x24\x77\x1b$(P\x21\x2b\x1b(B!"), "𠮟る①か\u309a𠂢!", "ISO-2022-JP"},
		{"euc-jis-2004", []byte("\xcf\xd4\xa4\xeb\xad\xa1\xa4\xf7\x8f\xa1\xab\x8e\xb6a\n"), "𠮟る①か\u309a𠂢ｶa\n", "EUC-JIS-2004"},
		{"Shift_JIS-2004", []byte("\x98\x73\x82\xe9\x87\x40\x82\xf5\xf0\x4a\xb6a\n"), "𠮟る①か\u309a𠂢ｶa\n", "Shift_JIS-2004"},
		{"shift_jis-2004", inJIS, text, "ISO-2022-JP"},
		{"iso-2022-jp-2004", []byte("\x1b$(P\x22\x21\x1b(B"), "\ufffd", "ISO-2022-JP"},
		{"utf-7", []byte("Hi Mom +Jjo--! +ZeVnLIqe, 1 +- 1 +2ELcYQ-\n"), "Hi Mom ☺-! 日本語, 1 + 1 \U00020861\n", "UTF-7"},
		{"unicode-1-1-utf-7", []byte("+ZeVnLIqe"), "日本語", "UTF-7"},
		{"utf-7", []byte("C++ and a+b"), "C++ and a+b", "US-ASCII"}, // it is not
		{"utf-7", []byte("日本"), "日本", "UTF-8"},
		{"utf-7", []byte("+2EI-x"), "+2EI-x", "US-ASCII"}, // half a character
		// escapes that were taken out
		{"iso-2022-jp", []byte("$BF|K\\8l$N%F%9%H$G$9!#(B\nab $B$H(J c\n"), "日本語のテストです。\nab と c\n", "ISO-2022-JP"},
		{"iso-2022-jp", []byte("$Bar(Baz); $B = $B + 1 (B)\n"), "$Bar(Baz); $B = $B + 1 (B)\n", "ISO-2022-JP"},
		{"us-ascii", []byte("$B$N(B"), "$B$N(B", "US-ASCII"},
		// a footer in another charset
		{"iso-2022-jp", append(append([]byte{}, inJIS...), "脚注です\n"...), text + "脚注です\n", ""},
		// damaged
		{"utf-8", []byte("東京\xe6\x9d"), "東京\ufffd\ufffd", "UTF-8"},
	} {
		got, used := message.DecodeCharset(c.declared, c.b)
		if got != c.want || c.used != "" && used != c.used {
			t.Errorf("DecodeCharset(%q, %q)\n got %q as %s\nwant %q as %s", c.declared, c.b, got, used, c.want, c.used)
		}
	}
}

func TestEncodeCharset(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		charset, text, back string // back is "" where the charset cannot hold the text
	}{
		{"ISO-2022-JP", "東京\nplain\n", "東京\nplain\n"},
		{"ISO-2022-JP", "ﾃｽﾄ ｶﾞｷﾞｸﾞ｡", "テスト ガギグ。"},
		{"ISO-2022-JP", "10〜20−5‖", "10～20－5∥"},
		{"ISO-2022-JP", "①㈱", "①㈱"},
		{"ISO-2022-JP", "€5", ""},
		{"ISO-2022-JP", "😀", ""},
		{"ISO-2022-JP", "café", ""},
		{"ISO-2022-JP", "\x1b$B", ""},
		{"cp932", "〜ﾃｽﾄ髙", "～ﾃｽﾄ髙"},
		{"Shift_JIS", "😀", ""},
		{"EUC-JP", "〜東京", "～東京"},
		{"UTF-8", "😀", "😀"},
		{"US-ASCII", "abc", "abc"},
		{"US-ASCII", "あ", ""},
		{"koi8-r", "a", ""},
		{"UTF-8", "\xff", ""},
	} {
		b, ok := message.EncodeCharset(c.charset, c.text)
		if ok != (c.back != "") {
			t.Errorf("EncodeCharset(%s, %q): ok %v", c.charset, c.text, ok)
		}
		if !ok {
			continue
		}
		if back, _ := message.DecodeCharset(c.charset, b); back != c.back {
			t.Errorf("EncodeCharset(%s, %q) reads %q, want %q", c.charset, c.text, back, c.back)
		}
	}
	b, _ := message.EncodeCharset("ISO-2022-JP", "東京\n大阪")
	for line := range strings.SplitSeq(string(b), "\n") {
		if !strings.HasSuffix(line, "\x1b(B") {
			t.Errorf("line %q does not return to ASCII", line)
		}
	}
	b, _ = message.EncodeCharset("ISO-2022-JP", "ﾃｽﾄ")
	if strings.Contains(string(b), "\x1b(I") {
		t.Errorf("half-width kana in %q", b)
	}
}
