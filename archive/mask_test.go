package archive

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"kairan/smtpd/message"
)

// mailAddress is what archive.NextAddress finds.
var mailAddress = regexp.MustCompile(`[\pL\pN!#$%&'*+/=?^_{|}~.-]{1,64}@(?:[\pL\pN-]{1,63}\.){1,8}[\pL][\pL\pN-]{1,62}`)

func FuzzMask(f *testing.F) {
	for _, s := range []string{
		"", "@", "ann@example.jp", "<ann@example.jp>, bob.x+y@lists.example.co.jp.", "a@b@c.dd@ee.ff", "あん@例え.jp", "a@b.c", "a@b.c1", "a@b.1c", "a@b..cc", "a@.cc",
		strings.Repeat("x", 70) + "@example.jp", "a@" + strings.Repeat("y", 64) + ".jp", "a@b." + strings.Repeat("z", 70), "a@" + strings.Repeat("b.", 9) + "cc",
		"a@b.cc.d", "a@b.cc.1", "\xff@b.cc", "a@b\xff.cc", "x@y.zz@q.rr", "٣@٣.ab", "a@bb.cc-", "a@-.--a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := mailAddress.ReplaceAllStringFunc(s, maskAddress)
		if got := MaskText(s, ""); got != want {
			t.Errorf("%q\n got %q\nwant %q", s, got, want)
		}
	})
}

func TestMask(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ann@example.jp":               "a…@example.jp",
		"a@b.example.jp":               "…@b.example.jp",
		"taro.yamada@example.co.jp.":   "ta…@example.co.jp.",
		"(<x+y@example.com>)":          "(<x…@example.com>)",
		"日本太郎@例え.jp":                   "日本…@例え.jp",
		"git@host:repo":                "git@host:repo",
		"@example.jp":                  "@example.jp",
		"a@b":                          "a@b",
		"no address, 5 @ 10":           "no address, 5 @ 10",
		"bob@example.com,eve@test.org": "b…@example.com,e…@test.org",
		"To: <list@lists.example.jp>":  "To: <list@lists.example.jp>",
		"list@lists.example.jp.test":   "li…@lists.example.jp.test",
	} {
		if got := MaskText(in, "List@lists.example.jp"); got != want {
			t.Errorf("%q = %q, want %q", in, got, want)
		}
	}
}

// TestMaskSource looks for addresses in sources where encodings and charsets hide them.
func TestMaskSource(t *testing.T) {
	t.Parallel()
	encoded := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	jis, _ := japanese.ISO2022JP.NewEncoder().String("連絡先は hidden.one@example.jp 冒険、蚊帳")
	sjis, _ := japanese.ShiftJIS.NewEncoder().String("ァア hidden.one@example.jp ァ")
	wide, _ := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String("write to hidden.one@example.jp")
	list := message.Uuencode("list.txt", []byte("Ann <hidden.one@example.jp>\n"))
	inner := "From: =?utf-8?B?" + encoded("hidden.one@example.jp") + "?=\nContent-Transfer-Encoding: base64\nMessage-ID: <inner@example.jp>\n\n" + encoded("to hidden.one@example.jp")
	for name, c := range map[string]struct{ raw, keeps string }{
		"a field":          {"From: Ann <hidden.one@example.jp>\nMessage-ID: <kept.id@example.jp>\n\n", "kept.id@example.jp"},
		"encoded words":    {"Subject: =?utf-8?q?to_hidden.one=40example.jp?= =?utf-8?b?" + encoded("東京") + "?=\n\n", ""},
		"plain":            {"a: b\n\nto hidden.one@example.jp or list@lists.example.jp\n", "list@lists.example.jp"},
		"base64":           {"Content-Transfer-Encoding: base64\n\n" + encoded("to hidden.one@example.jp"), ""},
		"quoted-printable": {"Content-Transfer-Encoding: quoted-printable\n\nto hidden.one=40exam=\nple.jp\n", ""},
		"behind base64":    {"Content-Transfer-Encoding: base64\n\n" + encoded("to hidden.one@example.jp") + "\n____\nto hidden.one@example.jp\n", "\n____\r\nto hi…@example.jp"},
		"ISO-2022-JP":      {"Content-Type: text/plain; charset=iso-2022-jp\n\n" + jis + "\n", "\x1b$B"},
		"Shift_JIS":        {"Content-Type: text/plain; charset=shift_jis\n\n" + sjis + "\n", "\x83\x40\x83\x41"},
		"UTF-16":           {"Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n" + encoded(wide), ""},
		"a message within": {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-ID: <kept.id@example.jp>\nContent-Type: message/rfc822\n\n" + inner + "\n--b--\n", "kept.id@example.jp"},
		"encoded within":   {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + encoded(inner), ""},
		"a table":          {"Content-Type: application/vnd.ms-excel; name=people.csv\nContent-Transfer-Encoding: base64\n\n" + encoded("Ann,hidden.one@example.jp\n"), ""},
		"a file of text":   {"Content-Type: application/octet-stream; name=people\nContent-Transfer-Encoding: base64\n\n" + encoded("Ann,hidden.one@example.jp\n"), ""},
		"uuencoded":        {"a: b\n\nsee\n" + list, "begin 644 list.txt"},
	} {
		raw := strings.ReplaceAll(c.raw, "\n", "\r\n")
		got := MaskSource([]byte(raw), "list@lists.example.jp")
		if readsAddress(got, "hidden.one@example.jp") {
			t.Errorf("%s: the address is in %q", name, got)
		}
		if !readsAddress(got, "hi…@example.jp") {
			t.Errorf("%s: the short form is not in %q", name, got)
		}
		if !readsAddress([]byte(raw), "hidden.one@example.jp") || !strings.Contains(string(got), c.keeps) {
			t.Errorf("%s: %q", name, got)
		}
	}
	for name, raw := range map[string]string{
		"a picture":       "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + encoded("\x89PNG hidden.one@example.jp"),
		"a binary file":   "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n" + encoded("\x00\x01hidden.one@example.jp"),
		"kanji like this": "Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$BF|K@K\\.ab\x1b(B\n",
		"a uuencoded one": "a: b\n\n" + message.Uuencode("x.bin", []byte(strings.Repeat("\x82\x38\x20\x04\x0e\x61\x00", 30))),
	} {
		raw = strings.ReplaceAll(raw, "\n", "\r\n")
		if got := string(MaskSource([]byte(raw), "")); got != raw {
			t.Errorf("%s was changed:\n%q\n%q", name, raw, got)
		}
	}
}

// readsAddress reports whether whoever decodes all that can be decoded reads an address in a source.
func readsAddress(raw []byte, address string) bool {
	msg := message.Parse(raw)
	for _, f := range msg.Header() {
		if strings.Contains(message.DecodeHeader(f.Value()), address) {
			return true
		}
	}
	for _, p := range msg.Parts() {
		text, _ := p.Text()
		for _, f := range message.FindUuencoded(text) {
			text += string(f.Data)
		}
		if strings.Contains(text, address) || p.IsMessage() && readsAddress(p.Decode(), address) {
			return true
		}
	}
	return strings.Contains(string(raw), address)
}
