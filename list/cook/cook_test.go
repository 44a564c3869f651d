package cook

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"kairan/list"
	"kairan/smtpd/message"
)

func TestPersonal(t *testing.T) {
	t.Parallel()
	in := input(list.DefaultSettings("en"), message.Parse(nil))
	for token, want := range map[string]string{
		"abc": "List-Unsubscribe: <https://lists.example.jp/-/u/abc>,\r\n <mailto:janog-leave@lists.example.jp?subject=unsubscribe%20abc>\r\n" +
			"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
		"": "List-Unsubscribe: <https://lists.example.jp/-/leave/janog>,\r\n <mailto:janog-leave@lists.example.jp?subject=unsubscribe>\r\n",
	} {
		if got := string(Personal(in.Site, in.List, token)); got != want {
			t.Errorf("token %q:\n got %q\nwant %q", token, got, want)
		}
	}
}

func TestLineEnds(t *testing.T) {
	t.Parallel()
	msg := message.Parse([]byte("From: ann@lists.example.jp\nSubject: x\n\nunix\nmac\rdos\r\nend"))
	got := contentOf(input(list.DefaultSettings("en"), msg), msg)
	if want := "unix\r\nmac\r\ndos\r\nend"; string(got.Body()) != want {
		t.Errorf("got %q, want %q", got.Body(), want)
	}
}

// TestUnterminated checks that a footer begins on a line of its own, in ASCII.
func TestUnterminated(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"Hello.":             "Hello.\r\nfooter\r\n",
		"\x1b$B$\"":          "\x1b$B$\"\x1b(B\r\nfooter\r\n",
		"\x1b$B$\"\x1b(B":    "\x1b$B$\"\x1b(B\r\nfooter\r\n",
		"":                   "footer\r\n",
		"a\r\n\x1b$B$\"\r\n": "a\r\n\x1b$B$\"\r\n\x1b(B\r\nfooter\r\n",
	} {
		s := list.DefaultSettings("en")
		s.MsgFooter = "footer\n\n"
		msg := message.Parse([]byte("From: ann@lists.example.jp\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + body))
		in := input(s, msg)
		if got := string(message.Parse(Dress(in, contentOf(in, msg), nil).Message).Body()); got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
}

// TestWrappedBytes checks that what is wrapped keeps every byte, so that a signature in it still verifies.
func TestWrappedBytes(t *testing.T) {
	t.Parallel()
	inner := "Content-Type: multipart/signed;\r\n  boundary=b1; protocol=\"application/pgp-signature\"\r\n"
	body := "--b1\r\nContent-Type:  text/plain\r\n\r\n trailing  \r\n\r\n--b1\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b1--"
	s := list.DefaultSettings("en")
	s.MsgHeader, s.MsgFooter = "above", "below"
	msg := message.Parse([]byte("From: ann@lists.example.jp\r\nMIME-Version: 1.0\r\n" + inner + "\r\n" + body))
	in := input(s, msg)
	out := message.Parse(Dress(in, contentOf(in, msg), nil).Message)
	if !bytes.Contains(out.Body(), []byte(inner+"\r\n"+body+"\r\n--")) {
		t.Errorf("the signed part changed:\n%s", out.Body())
	}
	var types []string
	for _, p := range out.Parts() {
		types = append(types, p.ContentType)
	}
	want := "multipart/mixed text/plain multipart/signed text/plain application/pgp-signature text/plain"
	if got := strings.Join(types, " "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestBoundary checks that a body cannot hold the boundary that is put round it.
func TestBoundary(t *testing.T) {
	t.Parallel()
	in := input(list.DefaultSettings("en"), message.Parse(nil))
	d := &draft{Input: in}
	first := d.boundary()
	d.body = []byte("--" + first + "--\r\n")
	if second := d.boundary(); second == first {
		t.Errorf("boundary %s stands in the body", second)
	}
}

func FuzzCook(f *testing.F) {
	f.Add([]byte(post), uint8(0))
	f.Add([]byte("From: =?iso-2022-jp?B?GyRC?= <a@b.test>\r\nSubject: Re: =?utf-8?Q?[x_1]?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"), uint8(0xff))
	f.Add([]byte("From: ann@lists.example.jp\nContent-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\nAAAA"), uint8(0x0f))
	f.Fuzz(func(t *testing.T, raw []byte, flags uint8) {
		on := func(bit int) bool { return flags>>bit&1 == 1 }
		s := list.DefaultSettings("ja")
		s.AnonymousList, s.IncludeMLHeaders = on(0), on(1)
		if on(2) {
			s.SubjectPrefix = "[x %d] "
		}
		if on(3) {
			s.MsgFooter = "回覧 {url}"
		}
		if on(4) {
			s.MsgHeader = "above"
		}
		if on(5) {
			s.ReplyGoesToList = "list"
		}
		msg := message.Parse(raw)
		in := input(s, msg)
		archived := contentOf(in, msg)
		r := Dress(in, archived, nil)
		checkWire(t, r.Message)
		if again := Dress(in, archived, nil); !bytes.Equal(again.Message, r.Message) {
			t.Error("dressing twice gives two results")
		}
		from := message.Parse(r.Message).Header().Get("From")
		if (r.Rewritten != "" || s.AnonymousList) && !strings.HasSuffix(from, "<janog@lists.example.jp>") {
			t.Errorf("From: %s although %q", from, r.Rewritten)
		}
	})
}

// TestSubjectKept checks that a Subject with the list's prefix keeps even its folding, for signatures over simple canonical form.
func TestSubjectKept(t *testing.T) {
	t.Parallel()
	s := list.DefaultSettings("en")
	s.SubjectPrefix = "[janog] "
	const field = "subject:[janog] Re:\r\n  Meeting\r\n"
	msg := message.Parse([]byte("From: ann@lists.example.jp\r\n" + field + "\r\nHello.\r\n"))
	in := input(s, msg)
	if got := Dress(in, contentOf(in, msg), nil).Message; !bytes.Contains(got, []byte("\r\n"+field)) {
		t.Errorf("the Subject changed:\n%s", got)
	}
}

func TestFoldBody(t *testing.T) {
	t.Parallel()
	long := "x" + strings.Repeat("回", 1000)
	got := foldBody([]byte("short\r\n" + long + "\r\n"))
	if longest(got) > maxLine {
		t.Errorf("a line of %d octets", longest(got))
	}
	for line := range bytes.Lines(got) {
		if !utf8.Valid(line) {
			t.Errorf("cut inside a character: %q", line)
		}
	}
	if plain := strings.ReplaceAll(string(got), "\r\n", ""); plain != "short"+long {
		t.Error("characters were lost")
	}
}

// contentOf is Content without the notes.
func contentOf(in Input, msg *message.Message) *message.Message {
	content, _ := Content(in, msg)
	return content
}

// TestApproval: what approves is for nobody to read, whoever wrote it and whether it was believed.
func TestApproval(t *testing.T) {
	t.Parallel()
	plain := "From: ann@example.jp\r\nSubject: x\r\n\r\n"
	for raw, want := range map[string]string{
		plain + "Approved: yes\r\n\r\nHello.\r\n":      plain + "Hello.\r\n",
		plain + "approve:hunter2\r\nHello.\r\n":        plain + "Hello.\r\n",
		plain + "Hello.\r\nApproved: yes\r\n":          plain + "Hello.\r\nApproved: yes\r\n",
		"X-Approved: hunter2\r\nApproved:\r\n" + plain: plain,
	} {
		msg := message.Parse([]byte(raw))
		out := contentOf(input(list.DefaultSettings("en"), msg), msg)
		got := string(message.Join(out.Header().Without(func(f message.Field) bool {
			return f.Name != "From" && f.Name != "Subject"
		}), out.Body()))
		if got != want || strings.Contains(string(out.Raw()), "hunter2") {
			t.Errorf("%q: %q, want %q", raw, out.Raw(), want)
		}
	}
}
