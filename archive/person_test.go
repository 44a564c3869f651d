package archive_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"kairan/archive"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/storage/storagetest"
)

// taro is who is to be named nowhere.
var taro = archive.Person{Address: "Taro@example.jp", Names: []string{"山田 太郎", "Taro Yamada"}}

// naming makes messages that name him, each in another way.
func naming(t *testing.T) map[string]string {
	jis, ok := message.EncodeCharset("ISO-2022-JP", "先日、山田太郎さん（taro@example.jp）が言ったことです。\r\n")
	if !ok {
		t.Fatal("ISO-2022-JP")
	}
	sjis, _ := message.EncodeCharset("Shift_JIS", "山田　太郎です。\r\n")
	const plain = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset="
	return map[string]string{
		"author":       "From: =?ISO-2022-JP?B?" + base64.StdEncoding.EncodeToString(jis) + "?= <taro@example.jp>\r\nDKIM-Signature: v=1\r\n\r\nx\r\n",
		"another name": "From: T. <TARO@example.jp>\r\n\r\nx\r\n",
		"recipient":    "From: ann@example.jp\r\nTo: \"Yamada, Taro\" <taro@example.jp>, bob@example.jp\r\n\r\nx\r\n",
		"subject":      "From: ann@example.jp\r\nSubject: =?UTF-8?B?" + base64.StdEncoding.EncodeToString([]byte("山田太郎さんへ")) + "?=\r\n\r\nx\r\n",
		"other field":  "From: ann@example.jp\r\nX-Original-From: Taro Yamada\r\n\r\nx\r\n",
		"7bit JIS":     "From: ann@example.jp\r\n" + plain + "iso-2022-jp\r\n\r\n" + string(jis),
		"base64 SJIS":  "From: ann@example.jp\r\n" + plain + "shift_jis\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(sjis) + "\r\n",
		"qp":           "From: ann@example.jp\r\n" + plain + "utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nTaro=\r\n Yamada wrote to t=61ro@example.jp:\r\n",
		"folded":       "From: ann@example.jp\r\n" + plain + "utf-8\r\n\r\nas taro\r\nyamada says\r\n",
		"html": "From: ann@example.jp\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n" +
			"Content-Type: text/plain; charset=utf-8\r\n\r\n山田 太郎\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Taro Yamada</p>\r\n--b--\r\n",
		"forwarded": "From: ann@example.jp\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" +
			"Content-Type: message/rfc822\r\n\r\nFrom: Taro Yamada <taro@example.jp>\r\n\r\nx\r\n--b--\r\n",
	}
}

// text is all that a reader could see of a message, decoded.
func seenText(raw []byte) string {
	msg := message.Parse(raw)
	var b strings.Builder
	for _, f := range msg.Header() {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, message.DecodeHeader(f.Value()))
	}
	for _, p := range msg.Parts() {
		if text, _ := p.Text(); !p.IsMultipart() {
			b.WriteString(text)
		}
	}
	return b.String()
}

// named reports whether a text names him.
func named(text string) bool {
	text = strings.ToLower(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" 　\r\n", r) }), ""))
	for _, name := range []string{"taro@example.jp", "山田太郎", "taroyamada", "yamada,taro"} {
		if strings.Contains(text, name) {
			return true
		}
	}
	return false
}

func TestRedactPerson(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	n := 0
	for name, text := range naming(t) {
		if !named(seenText([]byte(text))) {
			t.Errorf("%s does not name him at first", name)
		}
		n++
		e := post(n)
		e.Raw = []byte("X-Case: " + name + "\r\nMessage-ID: <" + e.ID + ">\r\n" + text)
		s.add(e)
	}
	other := post(n + 1)
	other.Raw = []byte("From: Kentaro <kentaro@example.jp>\r\nSubject: Kentaro Yamada, taro@example.jp.test and x.taro@example.jp\r\n\r\nTaro Yamadamoto\r\n")
	s.add(other)
	f := follow(s)
	f.catchUp()
	if got, err := s.Mentions(t.Context(), taro, nil); err != nil || got != n {
		t.Errorf("%d of %d messages name him: %v", got, n, err)
	}
	for range 2 { // giving the order again ends what was interrupted
		got, err := s.RedactPerson(t.Context(), taro, operator, nil)
		if err != nil || got != n {
			t.Errorf("%d of %d messages were redacted: %v", got, n, err)
		}
		if got := f.catchUp(); got != n {
			t.Errorf("%d changes", got)
		}
	}
	s.unnamed(n)
	s.check()
	s.ok(s.Reindex(t.Context(), "list1", nil))
	s.unnamed(n)
	s.fromFiles(dir).unnamed(n)
	s.view(func(tx *storage.Tx) {
		m, err := archive.ByID(tx, "list1", other.ID, 1)
		if err != nil {
			t.Fatal(err)
		}
		if raw, err := s.Raw(m); err != nil || string(raw) != string(other.Raw) {
			t.Errorf("another's message is not as it was: %s %v", raw, err)
		}
	})
	if held := holders(t, dir+"/files/archive/list1", "Taro Yamada"); len(held) == 0 {
		t.Error("the mboxes are the truth, and stay")
	}
}

// unnamed fails the test if one of the first n messages names him.
func (s *shelf) unnamed(n int) {
	s.t.Helper()
	s.view(func(tx *storage.Tx) {
		for seq := range uint64(n) {
			m, err := archive.BySeq(tx, "list1", seq+1)
			if err != nil {
				s.t.Fatal(err)
			}
			raw, err := s.Raw(m)
			if err != nil {
				s.t.Fatal(err)
			}
			if text := seenText(raw); named(text) || !strings.Contains(text, "redacted-1") && !strings.Contains(text, "other field") {
				s.t.Errorf("%s", text)
			}
			if named(m.FromName+m.FromAddr+m.Subject) || m.FromName == "T." {
				s.t.Errorf("%+v", m)
			}
		}
		for t := range archive.Recent(tx, "list1") {
			if named(t.FromName+t.Subject) && t.FromName != "Kentaro" {
				s.t.Errorf("%+v", t)
			}
		}
	})
}

// TestNameBesideAddress: without being told a name, the archive takes the one that stands beside the address: out of mails from the address,
// and where it stands before it. It may be somebody else's too.
func TestNameBesideAddress(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	const his = "Message-ID: <%s>\r\nFrom: Taro Yamada <taro@example.jp>\r\nSubject: Taro\tYamada was here\r\n\r\nHello,\r\n-- \r\nTaro Yamada, NOC\r\n"
	const answer = "Message-ID: <%s>\r\nFrom: Taro Yamada <other@example.com>\r\nSubject: hi\r\n\r\nOn Monday, Taro Yamada <taro@example.jp> wrote:\r\n> Hello,\r\n\r\nSo do I.\r\nTaro Yamada\r\n"
	mails := []string{his, strings.Replace(his, "From: Taro Yamada", "From: T. Y.", 1), answer}
	for i, text := range mails {
		e := post(i + 1)
		e.Raw = fmt.Appendf(nil, text, e.ID)
		s.add(e)
	}
	if n, err := s.RedactPerson(t.Context(), archive.Person{Address: "taro@example.jp"}, operator, nil); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	look := func(s *shelf) {
		t.Helper()
		s.view(func(tx *storage.Tx) {
			for seq := range uint64(3) {
				m, err := archive.BySeq(tx, "list1", seq+1)
				if err != nil {
					t.Fatal(err)
				}
				raw, err := s.Raw(m)
				if err != nil {
					t.Fatal(err)
				}
				text, want := seenText(raw), 0
				if seq == 2 { // whose author has the same name
					want = 2
					if !strings.Contains(text, "On Monday, redacted-1 <redacted-1@redacted.invalid> wrote:") {
						t.Errorf("an answer:\n%s", text)
					}
				}
				if n := strings.Count(text, "Yamada"); n != want || strings.Contains(text, "taro@") || strings.Contains(text, "T. Y.") {
					t.Errorf("message %d names him %d times:\n%s", seq+1, n, text)
				}
				if seq < 2 && m.FromName+m.Subject != "redacted-1redacted-1 was here" {
					t.Errorf("%+v", m)
				}
			}
			for th := range archive.Recent(tx, "list1") {
				if his := th.Seq < 3; his != (th.FromName == "redacted-1") || his && strings.Contains(th.Subject, "Yamada") {
					t.Errorf("%+v", th)
				}
			}
		})
	}
	look(s)
	s.ok(s.Reindex(t.Context(), "list1", nil))
	look(s)
	look(s.fromFiles(dir))
}

func TestPersonRefused(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for _, p := range []archive.Person{
		{Address: "nobody"}, {Address: "a@example.jp", Names: []string{"x"}}, {Address: "a@example.jp", Names: []string{" "}},
		{Address: "a@example.jp", Names: []string{strings.Repeat("x", 300)}}, {Address: "a@example.jp", Names: make([]string, 50)},
	} {
		if _, err := s.RedactPerson(t.Context(), p, operator, nil); err == nil {
			t.Errorf("%+v", p)
		}
	}
}

func TestOldNames(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	e := post(1)
	e.Old = archive.OldPipermail(12345)
	s.add(e)
	for range 2 {
		s.view(func(tx *storage.Tx) {
			if m, err := archive.ByPipermail(tx, "list1", 12345); err != nil || m.Seq != 1 {
				t.Errorf("%+v, %v", m, err)
			}
			if _, err := archive.ByPipermail(tx, "list1", 12346); err == nil {
				t.Error("another number")
			}
			// python3 -c 'import base64,hashlib; print(base64.b32encode(hashlib.sha1(b"m1@example.jp").digest()))'
			if m, err := archive.ByHash(tx, "list1", "BJ3U7MH2UJJDEMEDEI4IODW7TJDJS73V"); err != nil || m.Seq != 1 {
				t.Errorf("%s: %+v, %v", archive.HashID("m1@example.jp"), m, err)
			}
			if _, err := archive.ByHash(tx, "list1", strings.Repeat("x", 5000)); err == nil {
				t.Error("a long hash")
			}
		})
		s.ok(s.Reindex(t.Context(), "list1", nil))
	}
}
