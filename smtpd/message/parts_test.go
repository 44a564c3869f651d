package message_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/japanese"

	"kairan/smtpd/message"
)

// outline writes the tree as lines of path, type and body.
func outline(m *message.Message) []string {
	var lines []string
	for _, p := range m.Parts() {
		body := "(" + p.Filename + ")"
		if !p.IsMultipart() {
			body += string(p.Decode())
		}
		lines = append(lines, p.Path+" "+p.ContentType+" "+body)
	}
	return lines
}

func TestParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, raw string
		want      []string
	}{
		{"plain", "A: 1\n\nhello\n", []string{" text/plain ()hello\r\n"}},
		{"unreadable type", "Content-Type: nonsense\n\nx", []string{" text/plain ()x"}},
		{"type without subtype", "Content-Type: text\n\nx", []string{" text/plain ()x"}},
		{"mixed", `Content-Type: Multipart/Mixed; boundary="=_b 1"

preamble
--=_b 1

one
--=_b 1
Content-Type: text/html
Content-Transfer-Encoding: quoted-printable

<p>=41=
B</p>
--=_b 1--
epilogue
`, []string{" multipart/mixed ()", "1 text/plain ()one", "2 text/html ()<p>AB</p>"}},
		{"nested, same start of boundary", `Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=bb

--bb

one
--bb
Content-Type: text/html

two
--bb--

--b
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/mixed; boundary=b3

--b3

x
--b3--
--b--
`, []string{" multipart/mixed ()", "1 multipart/alternative ()", "1.1 text/plain ()one", "1.2 text/html ()two",
			"2 message/rfc822 ()Subject: inner\r\nContent-Type: multipart/mixed; boundary=b3\r\n\r\n--b3\r\n\r\nx\r\n--b3--"}},
		{"no last boundary", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo",
			[]string{" multipart/mixed ()", "1 text/plain ()one", "2 text/plain ()two"}},
		{"inner one not closed", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--a\n\ntwo\n--b\nx\n--a--",
			[]string{" multipart/mixed ()", "1 multipart/mixed ()", "1.1 text/plain ()one", "2 text/plain ()two\r\n--b\r\nx"}},
		{"inner one with the same boundary", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n\n--b\n\ntwo\n--b--",
			[]string{" multipart/mixed ()", "1 multipart/mixed ()", "1.1 text/plain ()one", "2 text/plain ()two"}},
		{"header cut by a boundary", "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: 1\n--b\n\ntwo\n--b--",
			[]string{" multipart/mixed ()", "1 text/plain ()", "2 text/plain ()two"}},
		{"nothing between boundaries", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b\n--b--",
			[]string{" multipart/mixed ()", "1 text/plain ()", "2 text/plain ()"}},
		{"no boundary", "Content-Type: multipart/mixed\n\n--x\n\none\n--x--\n", []string{" multipart/mixed ()--x\r\n\r\none\r\n--x--\r\n"}},
		{"empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\none\n", []string{" multipart/mixed ()--\r\n\r\none\r\n"}},
		{"boundary never comes", "Content-Type: multipart/mixed; boundary=y\n\n--x\n\none\n", []string{" multipart/mixed ()--x\r\n\r\none\r\n"}},
		{"white space after a boundary", "Content-Type: multipart/mixed; boundary=y\n\n--y \t\n\none\n--y-- \n", []string{" multipart/mixed ()", "1 text/plain ()one"}},
		{"digest", "Content-Type: multipart/digest; boundary=y\n\n--y\n\nSubject: a\n\nx\n--y\nContent-Type: text/plain\n\nz\n--y--",
			[]string{" multipart/digest ()", "1 message/rfc822 ()Subject: a\r\n\r\nx", "2 text/plain ()z"}},
		{"ugly parameters", "Content-Type: multipart/mixed;; charset=x; boundary=y; boundary=z;\n\n--y\nContent-Type: text/plain; name=\"a\n\n1\n--y--",
			[]string{" multipart/mixed ()", "1 text/plain (a)1"}},
		{"base64", "Content-Transfer-Encoding: BASE64\n\naGVs\nbG8\n", []string{" text/plain ()hello"}},
		{"unknown encoding", "Content-Transfer-Encoding: x-none\n\n=41", []string{" text/plain ()=41"}},
	} {
		if diff := cmp.Diff(c.want, outline(message.Parse(crlf(c.raw)))); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
		lf := strings.ReplaceAll(strings.Join(c.want, "\f"), "\r\n", "\n")
		if diff := cmp.Diff(strings.Split(lf, "\f"), outline(message.Parse([]byte(c.raw)))); diff != "" {
			t.Errorf("%s with LF: -want +got\n%s", c.name, diff)
		}
	}
}

func TestPartsBeyondLimits(t *testing.T) {
	t.Parallel()
	var deep bytes.Buffer
	for i := range 30 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	parts := message.Parse(deep.Bytes()).Parts()
	for i, p := range parts[:len(parts)-1] {
		if !p.IsMultipart() {
			t.Errorf("part %d of %d is a leaf", i, len(parts))
		}
	}
	last := parts[len(parts)-1]
	if len(parts) != 21 || last.IsMultipart() || !bytes.HasPrefix(last.Raw, []byte("--b20\r\n")) {
		t.Errorf("%d parts, the last has %q", len(parts), last.Raw)
	}
	wide := message.Parse([]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 300)))
	parts = wide.Parts()
	if last := parts[len(parts)-1]; len(parts) != 201 || last.ContentType != "application/octet-stream" || bytes.Count(last.Raw, []byte("--b")) != 100 {
		t.Errorf("%d parts, the last is %s with %d boundaries", len(parts), last.ContentType, bytes.Count(last.Raw, []byte("--b")))
	}
}

func TestFilename(t *testing.T) {
	t.Parallel()
	jis := string(as(japanese.ISO2022JP, "あ;い.pdf"))
	sjis := string(as(japanese.ShiftJIS, "表示表"))
	for in, want := range map[string]string{
		`attachment; filename="a.pdf"`:                                              "a.pdf",
		`attachment; filename=a b.pdf`:                                              "a b.pdf",
		`attachment;; filename = "a;b.pdf" ;`:                                       "a;b.pdf",
		`attachment; filename="a.pdf"; filename="b.exe"`:                            "a.pdf",
		`attachment; filename="../../etc/passwd"`:                                   "passwd",
		`attachment; filename="C:\dir\a.txt"`:                                       "a.txt",
		`attachment; filename=".."`:                                                 "",
		`attachment; filename="a/.."`:                                               "",
		`attachment; filename=". ."`:                                                "",
		`attachment; filename="a` + "\u202e" + `fdp.exe"`:                           "afdp.exe",
		`attachment; filename*=utf-8''..%2f..%5c..%00%0d`:                           "",
		`attachment; filename*=utf-8''%0d%0aX%3a%20y.txt`:                           "X: y.txt",
		`attachment; filename*=utf-8'ja'%E6%9D%B1.pdf; filename=x.pdf`:              "東.pdf",
		`attachment; filename*=iso-2022-jp''%1B%24B%45%6C%1B%28B.pdf`:               "東.pdf",
		`attachment; filename*=ISO-2022-JP''%1B%24BEl%1B%28B.pdf`:                   "東.pdf",
		`attachment; filename*1*=%9D%B1.pdf; filename*0*=utf-8''%E6`:                "東.pdf",
		`attachment; filename*0="long "; filename*1=name.pdf`:                       "long name.pdf",
		`attachment; filename*0*=utf-8''%E6%9D; filename*1*=%B1; filename*2=".pdf"`: "東.pdf",
		`attachment; filename="=?ISO-2022-JP?B?GyRCRWwbKEI=?=.pdf"`:                 "東.pdf",
		`attachment; filename="=?utf-8?B?5p2x?= =?utf-8?B?5LqsLnBkZg==?="`:          "東京.pdf",
		`attachment; filename==?utf-8?B?5p2x?=`:                                     "東",
		`attachment; filename="東京.pdf"`:                                             "東京.pdf",
		`attachment; filename="` + jis + `"; x=y`:                                   "あ;い.pdf",
		`attachment; filename="` + sjis + `"`:                                       "表示表",
		`attachment; filename="a\"b.pdf"`:                                           `a"b.pdf`,
		`attachment; filename="` + strings.Repeat("あ", 200) + `.pdf"`:               strings.Repeat("あ", 65) + ".pdf",
		`attachment`: "named.txt",
	} {
		m := message.Parse([]byte("Content-Type: application/pdf; name=named.txt\r\nContent-Disposition: " + in + "\r\n\r\n"))
		if want == "" {
			want = "named.txt" // of Content-Type
		}
		if p := m.Parts()[0]; p.Filename != want || p.Disposition != "attachment" {
			t.Errorf("%s: %s %q, want %q", in, p.Disposition, p.Filename, want)
		}
	}
	for in, want := range map[string]string{"Inline": "inline", "form-data; name=x": "attachment", "": ""} {
		if got := message.Parse([]byte("Content-Disposition: " + in + "\r\n\r\n")).Parts()[0].Disposition; got != want {
			t.Errorf("disposition %q: got %q, want %q", in, got, want)
		}
	}
	p := message.Parse([]byte("Content-Type: TEXT/Plain ; Charset=UTF-8 (x); Format=Flowed; x\r\n\r\n")).Parts()[0]
	if diff := cmp.Diff(map[string]string{"charset": "UTF-8 (x)", "format": "Flowed"}, p.Params); diff != "" || p.ContentType != "text/plain" {
		t.Errorf("%s, -want +got\n%s", p.ContentType, diff)
	}
	message.Parse([]byte("Content-Type: a/b" + strings.Repeat("; =;x;y*9=\"", 10000) + "\r\n\r\n")).Parts()
}

func TestPartText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ header, body, want, charset string }{
		{"Content-Type: text/plain; charset=iso-2022-jp", string(as(japanese.ISO2022JP, "東京\r\n大阪\r\n")), "東京\n大阪\n", "ISO-2022-JP"},
		{"Content-Type: text/plain; charset=cp932\r\nContent-Transfer-Encoding: base64", b64(as(japanese.ShiftJIS, "東京")), "東京", "Shift_JIS"},
		{"X: 1", "a\x00b\x1b[1mc\rd\u0085", "ab[1mc\nd", "UTF-8"},
		{"Content-Type: text/plain; charset=utf-8", "\ufeffx\r\n", "x\n", "UTF-8"},
		{"Content-Type: text/plain; format=flowed", "one \r\ntwo\r\n> q \r\n> r\r\n>> deep \r\n> s\r\n-- \r\nAnn\r\n stuffed\r\n", "one two\n> q r\n>> deep \n> s\n-- \nAnn\nstuffed\n", "US-ASCII"},
		{"Content-Type: text/plain; format=flowed; delsp=yes; charset=utf-8", "東京 \r\nです。\r\n", "東京です。\n", "UTF-8"},
		{"Content-Type: text/plain; format=flowed", "open ", "open ", "US-ASCII"},
		{"Content-Type: text/html; format=flowed", "a \r\nb", "a \nb", "US-ASCII"},
		{"Content-Transfer-Encoding: quoted-printable", "a=3D=3d  \r\nb=\r\nc=ZZ=\r\n=", "a==\nbc=ZZ", "US-ASCII"},
		{"Content-Transfer-Encoding: base64", "YQ==YmM=!ZA", "abcd", "US-ASCII"},
		{"Content-Transfer-Encoding: base64", "YQ==\r\nYmM=\r\n=\r\nZA", "abcd", "US-ASCII"},
		{"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64", "5pel56iL\r\nWQ==\r\n\r\n____________\r\nthe list\r\n", "日程Y", "UTF-8"},
		{"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64", "5pel56iL\r\n____________\r\nthe list\r\n", "日程", "UTF-8"},
		{"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64", "5pel56iL\r\nWQ==\r\nTo leave:\r\nmail\r\n", "日程Y", "UTF-8"},
	} {
		p := message.Parse([]byte(c.header + "\r\n\r\n" + c.body)).Parts()[0]
		if text, charset := p.Text(); text != c.want || charset != c.charset {
			t.Errorf("%s, %q:\n got %q %s\nwant %q %s", c.header, c.body, text, charset, c.want, c.charset)
		}
	}
}

func TestMessageText(t *testing.T) {
	t.Parallel()
	const plain, page = "Content-Type: text/plain\n\nplain\n", "Content-Type: text/html\n\n<p>page</p>\n"
	multi := func(kind string, parts ...string) string {
		b := strings.TrimPrefix(kind, "multipart/")
		return "Content-Type: " + kind + "; boundary=" + b + "\n\n--" + b + "\n" + strings.Join(parts, "--"+b+"\n") + "--" + b + "--\n"
	}
	for name, c := range map[string]struct{ raw, want string }{
		"plain":                   {plain, "plain\n"},
		"html":                    {page, "page\n"},
		"alternative":             {multi("multipart/alternative", page, plain), "plain\n"},
		"html alternative":        {multi("multipart/alternative", page), "page\n"},
		"two alternatives":        {multi("multipart/alternative", plain, plain), "plain\n"},
		"footer":                  {multi("multipart/mixed", multi("multipart/alternative", plain, page), plain), "plain\n\nplain\n"},
		"html and footer":         {multi("multipart/mixed", page, plain), "page\n\nplain\n"},
		"related in alternative":  {multi("multipart/alternative", plain, multi("multipart/related", page)), "plain\n"},
		"attachment":              {multi("multipart/mixed", plain, "Content-Disposition: attachment\n\nno\n", "Content-Type: text/plain; name=x\n\nno\n"), "plain\n"},
		"nothing":                 {"Content-Type: image/png\n\nx", ""},
		"multipart with no parts": {"Content-Type: multipart/mixed\n\nshow me\n", "show me\n"},
		"html in detail": {"Content-Type: text/html; charset=utf-8\n\n<html><head><title>no</title><style>p{}</style></head><body>" +
			"<h1>Head</h1>one\n two&nbsp;&amp; three<br>four<script>alert('<b>')</script><ul><li>a<li>b</ul><pre>x\n  y</pre><table><tr><td>1<td>2</table>",
			"Head\n\none two & three\nfour\n\na\nb\n\nx\n  y\n\n1 2\n"},
	} {
		if got := message.Parse(crlf(c.raw)).Text(); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	message.Parse([]byte("Content-Type: text/html\r\n\r\n" + strings.Repeat("<div><", 1<<20))).Text()
}

func FuzzParse(f *testing.F) {
	f.Add(crlf("Content-Type: multipart/mixed; boundary=b\nDate: Mon, 1 Jan 2026 00:00:00 +0900\n\n--b\nContent-Type: text/html; charset=iso-2022-jp\nContent-Transfer-Encoding: base64\n\nGyRCRWwbKEI=\n--b--\n"))
	f.Add([]byte("Content-Type: text/plain; format=flowed; name*0*=utf-8''%E6; name*1=x\n\n> a \n>b \n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := message.Parse(raw)
		m.Check(message.DefaultLimits)
		m.Date()
		_ = m.Text()
		message.MessageIDs(m.Header().Get("References"))
		message.BaseSubject(m.Header().Text("Subject"))
		size := 0
		for _, p := range m.Parts() {
			text, _ := p.Text()
			if strings.ContainsAny(text, "\r\x00\x1b") {
				t.Errorf("text %q", text)
			}
			if strings.ContainsAny(p.Filename, "/\\\r\n\x00") || p.Filename == ".." {
				t.Errorf("file name %q", p.Filename)
			}
			if !p.IsMultipart() {
				size += len(p.Raw)
			}
		}
		if size > len(raw) {
			t.Errorf("leaves have %d octets, the message %d", size, len(raw))
		}
	})
}

func FuzzHeaderEdit(f *testing.F) {
	f.Add(crlf("A: 1\nSubject: x\n y\nno colon\n\nbody"), "Subject", "new\r\nBcc: z")
	f.Fuzz(func(t *testing.T, raw []byte, name, value string) {
		m := message.Parse(raw)
		h, body := m.Header(), m.Body()
		if end := len(raw) - len(body); bytes.HasSuffix(raw[:end], []byte("\r\n\r\n")) && !bytes.Contains(bytes.ReplaceAll(raw[:end], []byte("\r\n"), nil), []byte("\n")) {
			if got := message.Join(h, body); !bytes.Equal(got, raw) {
				t.Errorf("Join(Parse(%q)) = %q", raw, got)
			}
		}
		field := message.NewField(name, value)
		clean := strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(value)
		if got := field.Value(); field.Name != "" && got != strings.Trim(clean, " \t") {
			t.Errorf("NewField(%q, %q) has the value %q", name, value, got)
		}
		if n := bytes.Count(field.Raw, []byte("\n")); field.Name != "" && len(message.Parse(field.Raw).Header()) != 1 || n == 0 {
			t.Errorf("NewField(%q, %q) = %q", name, value, field.Raw)
		}
		edited := message.Parse(message.Join(h.Set(field), body))
		other := func(f message.Field) bool { return strings.EqualFold(f.Name, field.Name) }
		if field.Name == "" {
			return
		}
		want, got := h.Without(other), edited.Header().Without(other)
		if !bytes.Equal(edited.Body(), body) || len(want) != len(got) {
			t.Fatalf("editing %q gave %q", raw, edited.Raw())
		}
		for i := range want {
			if !bytes.Equal(bytes.TrimRight(want[i].Raw, "\r\n"), bytes.TrimRight(got[i].Raw, "\r\n")) {
				t.Errorf("field %q became %q", want[i].Raw, got[i].Raw)
			}
		}
	})
}
