package message_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/message"
)

// crlf writes lines as they stand on the wire.
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestParseKeepsBytes(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"A: 1\nB: 2\n\nbody\n",
		"A: 1\n folded\n\tmore\nB:2\n\n\nbody",
		"A: 1\nno colon here\nB: \x1b$B$\"\x1b(B \xff\n\n\x00",
		" starts folded\nA: 1\n\nx",
		"A : space before colon\n \nB: 2\n\nx",
		"\nonly a body",
		": no name\nA: 1\n\n",
		"A:1\nA:2\na:3\n\n",
	} {
		for _, text := range [][]byte{crlf(raw), []byte(raw)} {
			m := message.Parse(text)
			if bytes.HasPrefix(text, []byte("\n")) {
				continue // no field tells which line end it is
			}
			if got := message.Join(m.Header(), m.Body()); !bytes.Equal(got, text) {
				t.Errorf("Join(Parse(%q)) = %q", text, got)
			}
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	m := message.Parse(crlf("From mars\nReceived: a\n\tb\nSUBJECT : x  y \nX-Long: a\nmiddle\n b\nSubject: z\n\nbody: no\n"))
	var got []string
	for _, f := range m.Header() {
		got = append(got, f.Name+"="+f.Value())
	}
	want := []string{"=From mars", "Received=a\tb", "SUBJECT=x  y", "X-Long=a middle b", "Subject=z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields -want +got\n%s", diff)
	}
	if got := string(m.Body()); got != "body: no\r\n" {
		t.Errorf("body %q", got)
	}
	if got := m.Header().Get("subject"); got != "x  y" {
		t.Errorf("Get: %q", got)
	}
	if got := m.Header().Get("absent"); got != "" {
		t.Errorf("Get of an absent field: %q", got)
	}
	if got := len(m.Header().All("subject")); got != 2 {
		t.Errorf("All: %d fields", got)
	}
	for _, raw := range []string{"", "A: 1", "A: 1\r\n", "junk"} {
		if body := message.Parse([]byte(raw)).Body(); len(body) != 0 {
			t.Errorf("body of %q is %q", raw, body)
		}
	}
}

// TestRawHeader reads fields with raw bytes in the charset of the text, where it can be that.
func TestRawHeader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, raw, want string }{
		{"big5", "\xb4\xfa\xb8\xd5", "測試"},
		{"gb2312", "\xb2\xe2\xca\xd4", "测试"},
		{"koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
		{"euc-kr", "\xc7\xd1\xb1\xdb", "한글"},
		{"gb2312", "回覧", "回覧"},
		{"us-ascii", "\x89\xf1\x97\x97", "回覧"},
		{"iso-8859-1", "\x89\xf1\x97\x97", "回覧"},
		{"iso-8859-1", "Fr\xf6sche", "Frösche"},
	} {
		h := message.Parse([]byte("Subject: " + c.raw + "\r\nContent-Type: text/plain; charset=" + c.charset + "\r\n\r\n")).Header()
		if got := h.Text("Subject"); got != c.want {
			t.Errorf("%s %x: %q, want %q", c.charset, c.raw, got, c.want)
		}
	}
}

func TestHeaderEditing(t *testing.T) {
	t.Parallel()
	m := message.Parse(crlf("A: 1\nB:  =?x?= \n  two\nA: 3\nC: 4\n\nbody"))
	before := string(message.Join(m.Header(), m.Body()))
	h := m.Header()
	for _, c := range []struct {
		name, want string
		got        message.Header
	}{
		{"Set in place", "A: new\nB:  =?x?= \n  two\nC: 4\n\n", h.Set(message.NewField("a", "new"))},
		{"Set at the end", "A: 1\nB:  =?x?= \n  two\nA: 3\nC: 4\nD: 5\n\n", h.Set(message.NewField("D", "5"))},
		{"Prepend", "X: 1\nY: 2\nA: 1\nB:  =?x?= \n  two\nA: 3\nC: 4\n\n", h.Prepend(message.NewField("X", "1"), message.NewField("Y", "2"))},
		{"Without", "B:  =?x?= \n  two\nC: 4\n\n", h.Without(func(f message.Field) bool { return f.Name == "A" })},
	} {
		want := strings.Replace(string(crlf(c.want)), "A: new", "a: new", 1)
		if got := string(c.got.Bytes()); got != want {
			t.Errorf("%s: got %q, want %q", c.name, got, want)
		}
	}
	if after := string(message.Join(m.Header(), m.Body())); after != before {
		t.Errorf("editing changed the original: %q", after)
	}
	unended := message.Parse([]byte("A: 1\r\nB: 2"))
	if got, want := string(unended.Header().Set(message.NewField("C", "3")).Bytes()), "A: 1\r\nB: 2\r\nC: 3\r\n\r\n"; got != want {
		t.Errorf("header without a last line end: got %q, want %q", got, want)
	}
}

func TestNewField(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 40)
	for _, c := range []struct{ name, value, want string }{
		{"Subject", " x ", "Subject: x\r\n"},
		{"Subject", "", "Subject:\r\n"},
		{"Sub ject:\r\n", "a\r\nBcc: b\x00", "Subject: aBcc: b\r\n"},
		{"X", strings.Repeat("y", 200), "X: " + strings.Repeat("y", 200) + "\r\n"},
		{"X", strings.Repeat("y", 70) + "   zzzzzzzz", "X: " + strings.Repeat("y", 70) + "\r\n   zzzzzzzz\r\n"},
	} {
		if got := string(message.NewField(c.name, c.value).Raw); got != c.want {
			t.Errorf("NewField(%q, %q) = %q, want %q", c.name, c.value, got, c.want)
		}
	}
	f := message.NewField("Subject", long)
	if got := f.Value(); got != strings.TrimSpace(long) {
		t.Errorf("unfolded: %q", got)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(f.Raw), "\r\n"), "\r\n") {
		if len(line) > 78 || strings.TrimSpace(line) == "" {
			t.Errorf("line %q", line)
		}
	}
}

func TestSubjectPrefixKeepsEncodedWords(t *testing.T) {
	t.Parallel()
	raw := "=?ISO-2022-JP?B?GyRCO29ENBsoQiAbJEIbKEI=?=\r\n  =?ISO-2022-JP?B?GyRCO29ENBsoQg==?= tail"
	m := message.Parse([]byte("Subject: " + raw + "\r\n\r\n"))
	value := m.Header().Get("Subject")
	f := message.NewField("Subject", "[janog:00123] "+value)
	if got := f.Value(); got != "[janog:00123] "+value {
		t.Errorf("got %q, want prefix and %q", got, value)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	nested := func(depth int) []byte {
		var b bytes.Buffer
		for i := range depth {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return append(b.Bytes(), "\r\nx"...)
	}
	wide := func(parts int) []byte {
		return []byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", parts) + "--b--\r\n")
	}
	for _, c := range []struct {
		name string
		raw  []byte
		want []string // in the sentence
	}{
		{"plain", []byte("A: 1\r\n\r\nbody"), nil},
		{"header bytes", []byte("A: " + strings.Repeat("x", 200<<10) + "\r\n\r\n"), []string{"204807 bytes", "131072"}},
		{"fields", []byte(strings.Repeat("A: 1\r\n", 501) + "\r\n"), []string{"501 fields", "500"}},
		{"header bomb", []byte(strings.Repeat("a:\n", 10<<20)), []string{"bytes"}},
		{"hops", []byte(strings.Repeat("Received: x\r\n", 101) + "\r\n"), []string{"101", "100"}},
		{"depth within", nested(20), nil},
		{"depth", nested(21), []string{"21", "20"}},
		{"depth 2000", nested(2000), []string{"21", "20"}},
		{"parts within", wide(199), nil},
		{"parts", wide(200), []string{"201", "200"}},
		{"10,000 parts", wide(10_000), []string{"201", "200"}},
	} {
		start := time.Now()
		m := message.Parse(c.raw)
		got := m.Check(message.DefaultLimits)
		m.Parts()
		_ = m.Text()
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", c.name, took)
		}
		if (got == "") != (c.want == nil) {
			t.Errorf("%s: got %q", c.name, got)
		}
		for _, part := range c.want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %q does not say %q", c.name, got, part)
			}
		}
		if n := len(m.Parts()); n > message.DefaultLimits.Parts+1 {
			t.Errorf("%s: %d parts", c.name, n)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"<a@b>":                                 {"a@b"},
		"<a@b> <c@d>\r\n <e@f>":                 {"a@b", "c@d", "e@f"},
		"<a@b><c@d>":                            {"a@b", "c@d"},
		"Your mail of <a@b> (x)":                {"a@b"},
		"<a\r\n @b>":                            {"a@b"},
		"<a@b <c@d>":                            {"c@d"},
		"a@b, c@d":                              {"a@b", "c@d"},
		"<>":                                    nil,
		"nothing":                               nil,
		"<a@b\x00\x1b>":                         {"a@b"},
		"<" + strings.Repeat("x", 2000) + "@y>": nil,
	} {
		if diff := cmp.Diff(want, message.MessageIDs(in)); diff != "" {
			t.Errorf("MessageIDs(%.40q) -want +got\n%s", in, diff)
		}
	}
	if got := message.MessageID("x <a@b> <c@d>"); got != "a@b" {
		t.Errorf("MessageID = %q", got)
	}
	if got := len(message.MessageIDs(strings.Repeat("<a@b>", 5000))); got != 1000 {
		t.Errorf("%d identifiers", got)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a, b := message.NewID("lists.example.jp", now), message.NewID("lists.example.jp", now)
	if a == b || message.MessageID("<"+a+">") != a || !strings.HasPrefix(a, "20260102030405.") || !strings.HasSuffix(a, "@lists.example.jp") {
		t.Errorf("NewID: %q, %q", a, b)
	}
}
