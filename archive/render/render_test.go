package render_test

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"kairan/archive/render"
	"kairan/smtpd/message"
)

func parse(s string) *message.Message {
	return message.Parse([]byte(strings.ReplaceAll(s, "\n", "\r\n")))
}

func plain(body string) *message.Message {
	return parse("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + body)
}

func htmlMail(body string) *message.Message {
	return parse("Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + body)
}

func mask(s string) string { return strings.ReplaceAll(s, "@", "(at)") }

// write writes the blocks of a body with their properties.
func write(b render.Body) string {
	var s strings.Builder
	for _, bl := range b.Blocks {
		fmt.Fprintf(&s, "[%s", bl.Kind)
		if bl.Depth > 0 {
			fmt.Fprintf(&s, " depth=%d", bl.Depth)
		}
		if bl.Fold {
			fmt.Fprintf(&s, " fold lines=%d", bl.Lines)
		}
		if bl.Preformatted {
			s.WriteString(" pre")
		}
		fmt.Fprintf(&s, "]\n%s\n", bl.HTML)
	}
	return s.String()
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"text": {"\n\nこんにちは <b>&\n\nbye\n\n", "[text]\nこんにちは &lt;b&gt;&amp;\n\nbye\n"},
		"quotes": {"Bob wrote:\n> a\n> > b\n>> c\n>\nyes\n",
			"[text]\nBob wrote:\n[quote depth=2]\n&gt; a\n&gt; &gt; b\n&gt;&gt; c\n&gt;\n[text]\nyes\n"},
		"full-width quote": {"＞元の文\nはい\n", "[quote depth=1]\n＞元の文\n[text]\nはい\n"},
		"signature":        {"text\n-- \nAnn\nExample KK\n", "[text]\ntext\n[signature]\n-- \nAnn\nExample KK\n"},
		"signature above a quote": {"text\n-- \nAnn\n\n> quoted\n",
			"[text]\ntext\n[signature]\n-- \nAnn\n[quote depth=1]\n&gt; quoted\n"},
		"the last of two signatures": {"a\n-- \nb\n-- \nc\n", "[text]\na\n-- \nb\n[signature]\n-- \nc\n"},
		"a list's footer":            {"text\n" + strings.Repeat("_", 47) + "\nA list\nhttps://lists.example.jp/a\n", "[text]\ntext\n[signature]\n" + strings.Repeat("_", 47) + "\nA list\n" + `<a href="https://lists.example.jp/a" rel="nofollow ugc noopener noreferrer">https://lists.example.jp/a</a>` + "\n"},
		"a rule of underscores":      {"text\n" + strings.Repeat("_", 47) + "\nmore\n", "[text]\ntext\n" + strings.Repeat("_", 47) + "\nmore\n"},
		"rule is no signature":       {"a\n--\n" + strings.Repeat("line\n", 31), "[text]\na\n--\n" + strings.Repeat("line\n", 31)},
		"long quote": {strings.Repeat("> a\n", 13) + "b\n",
			"[quote depth=1 fold lines=13]\n" + strings.Repeat("&gt; a\n", 13) + "[text]\nb\n"},
		"nothing but a long quote": {strings.Repeat("> a\n", 13), "[quote depth=1]\n" + strings.Repeat("&gt; a\n", 13)},
		"patch":                    {"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "[text pre]\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"},
		"drawing":                  {"+-----+\n|  a  |\n+-----+\n", "[text pre]\n+-----+\n|  a  |\n+-----+\n"},
		"a table in prose": {"Here it is.\nIt is short.\nIt is.\nReally.\n\nname    address\nweb1    192.0.2.1\n\ndb1     192.0.2.20\nx       y\n\nThat was it.\n",
			"[text]\nHere it is.\nIt is short.\nIt is.\nReally.\n[text pre]\nname    address\nweb1    192.0.2.1\n\ndb1     192.0.2.20\nx       y\n[text]\nThat was it.\n"},
		"a narrow table":             {"名前  場所\n東京  a\n大阪府  b\n", "[text pre]\n名前  場所\n東京  a\n大阪府  b\n"},
		"two spaces after sentences": {"One.  Two.\nTen.  Six.\nOne.  Two.\n", "[text]\nOne.  Two.\nTen.  Six.\nOne.  Two.\n"},
		"art":                        {"  ____\n / __ \\\n| |  | |\n \\____/\n", "[text pre]\n  ____\n / __ \\\n| |  | |\n \\____/\n"},
		"a rule":                     {"Title\n=====\ntext\n-----\ntext\n", "[text]\nTitle\n=====\ntext\n-----\ntext\n"},
		"patch between texts": {"Please look.\n---\n web/page.go | 2 +-\n web/x.go    | 1 -\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n-a\n+b\n \n\n c\n\nThank you.\n",
			"[text pre]\nPlease look.\n---\n web/page.go | 2 +-\n web/x.go    | 1 -\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n-a\n+b\n \n\n c\n[text]\nThank you.\n"},
		"last quote": {"yes\n" + strings.Repeat("> a\n", 6), "[text]\nyes\n[quote depth=1 fold lines=6]\n" + strings.Repeat("&gt; a\n", 6)},
		"original message": {"yes\n\n-----Original Message-----\nFrom: Ann\nSent: Monday\nTo: list\n\ntext\n-- \nAnn\n",
			"[text]\nyes\n[quote depth=1 fold lines=8]\n-----Original Message-----\nFrom: Ann\nSent: Monday\nTo: list\n\ntext\n-- \nAnn\n"},
		"original message in Japanese": {"はい\n________________________________\n差出人: 佐藤\n送信日時: 2026年1月5日\n宛先: list\n件名: x\n\n本文\n",
			"[text]\nはい\n________________________________\n[quote depth=1 fold lines=6]\n差出人: 佐藤\n送信日時: 2026年1月5日\n宛先: list\n件名: x\n\n本文\n"},
		"fields that are no original": {"Date: Monday\nTo: everybody\nSubject: lunch\n", "[text]\nDate: Monday\nTo: everybody\nSubject: lunch\n"},
		"hidden characters":           {"a\x00b\x1b[1m\u202ec\u2066d\te\n", "[text]\nab[1mcd\te\n"},
		"empty":                       {"\n\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, write(render.Show(plain(c.body), render.Options{}))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	long := "Lines that a mail program has wrapped end where the next word had"
	for name, c := range map[string]struct{ body, want string }{
		"English":  {long + "\nno place, and this one is short,\nso it ends here.\n", long + softSpace + "no place, and this one is short,\nso it ends here."},
		"Japanese": {"この段落はメールソフトが自動で折り返したものなので、行の終わりに意味は\nありません。\nここで改行しました。\n", "この段落はメールソフトが自動で折り返したものなので、行の終わりに意味は" + softNone + "ありません。\nここで改行しました。"},
		"a list":   {long + "\n- no place\n* at all\n1. in it\n  so\n\nthere\n", long + "\n- no place\n* at all\n1. in it\n  so\n\nthere"},
		"short":    {"Dear all,\nthis is short.\nAnn\n", "Dear all,\nthis is short.\nAnn"},
		"a table":  {"a   b   c\nd   e   f\n", "a   b   c\nd   e   f"},
	} {
		body := render.Show(plain(c.body), render.Options{Page: true})
		if got := string(body.Blocks[0].HTML); got != c.want {
			t.Errorf("%s\n got %q\nwant %q", name, got, c.want)
		}
		safe(t, hard.Replace(string(body.Blocks[0].HTML)))
	}
}

const (
	softSpace = "<span class=\"soft\">\n</span>"
	softNone  = "<span class=\"soft none\">\n</span>"
)

// hard makes plain line ends of the marked ones.
var hard = strings.NewReplacer(softSpace, "\n", softNone, "\n")

// TestPage looks at what only pages mark: levels of quotes, and what patches change.
func TestPage(t *testing.T) {
	t.Parallel()
	span := func(class, text string) string { return `<span class="` + class + `">` + text + `</span>` }
	hunk := func(text string) string { return span("hunk", text+"\n") }
	for name, c := range map[string]struct{ body, want string }{
		"levels": {"> a\n> > b\n>\n>> c\n>d\n\nyes\n",
			"[quote depth=2]\na\n<blockquote>b\n\nc\n</blockquote>d\n[text]\nyes\n"},
		"the deepest first":      {">>> a\n", "[quote depth=3]\n<blockquote><blockquote>a</blockquote></blockquote>\n"},
		"deeper than is shown":   {strings.Repeat(">", 11) + " a\n", "[quote depth=11]\n" + strings.Repeat("<blockquote>", 7) + "&gt;&gt;&gt; a" + strings.Repeat("</blockquote>", 7) + "\n"},
		"full width":             {"＞元の文\n＞＞前の文\n", "[quote depth=2]\n元の文\n<blockquote>前の文</blockquote>\n"},
		"an original's quotes":   {"はい\n\n-----Original Message-----\n元の文\n> 前の文\n", "[text]\nはい\n[quote depth=1]\n-----Original Message-----\n元の文\n<blockquote>前の文</blockquote>\n"},
		"a full line in a quote": {"> Lines that a mail program has wrapped end where the next word had\n> no place.\n", "[quote depth=1]\nLines that a mail program has wrapped end where the next word had" + softSpace + "no place.\n"},
		"a patch": {"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,4 +1,3 @@ f()\n a\n-b\n-<c>\n+d\n\n",
			"[text pre]\n" + span("name", "diff --git a/x b/x\n") + "--- a/x\n+++ b/x\n" + hunk("@@ -1,4 +1,3 @@ f()") + " a\n" + span("del", "-b\n-&lt;c&gt;\n") + span("add", "+d") + "\n"},
		"what follows a hunk": {"@@ -1 +1 @@\n-a\n+b\n-c\n+d\n", "[text pre]\n" + hunk("@@ -1 +1 @@") + span("del", "-a\n") + span("add", "+b\n") + "-c\n+d\n"},
		"a patch in a quote":  {"> @@ -1,2 +1,2 @@\n> \ta\n> -\tb\n> +\tc\n", "[quote depth=1 pre]\n" + hunk("@@ -1,2 +1,2 @@") + "\ta\n" + span("del", "-\tb\n") + span("add", "+\tc") + "\n"},
		"a patch two levels deep": {">> @@ -1,2 +1,2 @@\n>>  a\n> - really?\n>> -b\n>> +c\n",
			"[quote depth=2 pre]\n<blockquote>" + hunk("@@ -1,2 +1,2 @@") + " a\n</blockquote>- really?\n<blockquote>" + span("del", "-b\n") + span("add", "+c") + "</blockquote>\n"},
		"a piece":                   {"> +\ta = 1;\n\nWhy?\n", "[quote depth=1 pre]\n" + span("add", "+\ta = 1;") + "\n[text]\nWhy?\n"},
		"a piece after a head":      {"> @@ -1 +1 @@\n> -a\n\nWhy?\n\n> +b\n\nSo.\n\n> I see.\n", "[quote depth=1 pre]\n" + hunk("@@ -1 +1 @@") + span("del", "-a") + "\n[text]\nWhy?\n[quote depth=1 pre]\n" + span("add", "+b") + "\n[text]\nSo.\n[quote depth=1]\nI see.\n"},
		"empty lines round a quote": {">\n> > a\n> b\n> \n>\n", "[quote depth=2]\n<blockquote>a\n</blockquote>b\n"},
		"a list after a patch":      {"> @@ -1 +1 @@\n> -a\n\nWhy?\n\n> Or:\n> - one\n> - two\n\nOr\n\n> - three\n", "[quote depth=1 pre]\n" + hunk("@@ -1 +1 @@") + span("del", "-a") + "\n[text]\nWhy?\n[quote depth=1]\nOr:\n- one\n- two\n[text]\nOr\n[quote depth=1]\n- three\n"},
		"a list that is none":       {"> - one\n> - two\n", "[quote depth=1]\n- one\n- two\n"},
	} {
		body := render.Show(plain(c.body), render.Options{Page: true})
		if diff := cmp.Diff(c.want, write(body)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		for _, b := range body.Blocks {
			levels(t, string(b.HTML))
		}
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	body := render.Show(plain("> quoted\n\nこんにちは、 ann@x.test\n  さん。\n\ndiff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n\nend\n-- \nAnn\n"), render.Options{Mask: mask})
	for limit, want := range map[int]string{1000: "こんにちは、 ann(at)x.test さん。 end", 7: "こん", 0: ""} {
		if got := body.Start(limit); got != want {
			t.Errorf("%d bytes: %q, want %q", limit, got, want)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	a := func(u string) string {
		return `<a href="` + u + `" rel="nofollow ugc noopener noreferrer">` + u + `</a>`
	}
	for text, want := range map[string]string{
		"see https://example.jp/a.":                 "see " + a("https://example.jp/a") + ".",
		"(https://example.jp/a_(b))":                "(" + a("https://example.jp/a_(b)") + ")",
		"<https://example.jp/?a=1&b=2>":             "&lt;" + a("https://example.jp/?a=1&amp;b=2") + "&gt;",
		"詳細はhttps://example.jp/をご覧ください。":            "詳細は" + a("https://example.jp/") + "をご覧ください。",
		"https://example.jp/a。":                     a("https://example.jp/a") + "。",
		"HTTP://EXAMPLE.JP/x, y":                    a("HTTP://EXAMPLE.JP/x") + ", y",
		"xhttps://example.jp/":                      "xhttps://example.jp/",
		"javascript:alert(1)":                       "javascript:alert(1)",
		"https://":                                  "https://",
		"https://user:pw@example.jp/":               "https://user:pw@example.jp/",
		"mailto:ann@example.jp":                     a("mailto:ann@example.jp"),
		"mailto:nobody":                             "mailto:nobody",
		"https://[2001:db8::1]/":                    a("https://[2001:db8::1]/"),
		`https://example.jp/"onclick="x"`:           a("https://example.jp/") + "&#34;onclick=&#34;x&#34;",
		"https://example.jp/'onclick='x'":           a("https://example.jp/&#39;onclick=&#39;x"),
		"（https://example.jp/a）":                    "（" + a("https://example.jp/a") + "）",
		"https://example.jp/a、https://example.jp/b": a("https://example.jp/a") + "、" + a("https://example.jp/b"),
		"「https://example.jp/」です":                   "「" + a("https://example.jp/") + "」です",
		"&lt;URL:https://example.jp/a&gt;":          "&amp;lt;URL:" + a("https://example.jp/a&amp;gt") + ";",
		"<URL:https://example.jp/a>":                "&lt;URL:" + a("https://example.jp/a") + "&gt;",
		"https://example.jp/a), and":                a("https://example.jp/a") + "), and",
		"https://example.jp/%E6%97%A5%E6%9C%AC":     a("https://example.jp/%E6%97%A5%E6%9C%AC"),
		"https://ja.example.jp/wiki/日本":             a("https://ja.example.jp/wiki/") + "日本", // or is it a sentence that goes on? https://example.jp/です
		"http://a.test/ http://b.test/ end":         a("http://a.test/") + " " + a("http://b.test/") + " end",
	} {
		body := render.Show(plain(text), render.Options{})
		if text == "https://example.jp/'onclick='x'" {
			want += "&#39;"
		}
		if got := string(body.Blocks[0].HTML); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	a := func(u string) string {
		return `<a href="` + u + `" rel="nofollow ugc noopener noreferrer">` + u + `</a>`
	}
	for text, want := range map[string]string{
		"ann@example.jp wrote":                   "ann(at)example.jp wrote",
		"mailto:ann@example.jp":                  "mailto:ann(at)example.jp",
		"https://example.jp/?u=ann@example.com":  "https://example.jp/?u=ann(at)example.com",
		"https://example.jp/l/m/1@example.jp/ x": a("https://example.jp/l/m/1@example.jp/") + " x",
	} {
		body := render.Show(plain(text), render.Options{Mask: mask})
		if got := string(body.Blocks[0].HTML); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"words":       {"<p>Hello <b>big</b>\n world &amp; &lt;script&gt;</p><p>next</p>", "Hello big world & <script>\n\nnext"},
		"lines":       {"a<br>b<br><br>c<div>d</div>e", "a\nb\n\nc\nd\ne"},
		"no scripts":  {"a<script>alert('x')</script><style>p{}</style><title>t</title><!-- c -->b", "ab"},
		"list":        {"<ul><li>one<li>two</ul>x", "* one\n* two\n\nx"},
		"quote":       {"x<blockquote>a<br>b<p>c</p><blockquote>d</blockquote></blockquote>y", "x\n\n> a\n> b\n>\n> c\n>\n>> d\n\ny"},
		"pre":         {"<pre>\n a  b\n  c</pre>d", " a  b\n  c\n\nd"},
		"link":        {`<a href="https://example.jp/x">here</a>, <a href="https://example.jp/">example.jp</a>`, "here <https://example.jp/x>, example.jp"},
		"bad link":    {`<a href="javascript:alert(1)">here</a>`, "here"},
		"image":       {`<img src="https://example.jp/track" alt="a cat"><img alt="">`, "[a cat]"},
		"unbalanced":  {"</blockquote></pre></p><blockquote><b>x", "> x"},
		"spaces":      {"a&nbsp;b<td>c", "a b c"},
		"open script": {"a<script>b", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got strings.Builder
			body := render.Show(htmlMail(c.body), render.Options{})
			for i, b := range body.Blocks {
				if i > 0 {
					got.WriteString("\n\n")
				}
				got.WriteString(html.UnescapeString(stripLinks(string(b.HTML))))
			}
			if diff := cmp.Diff(strings.Trim(c.want, "\n"), got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// stripLinks removes the tags, which are all <a>.
func stripLinks(s string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		if kind == html.TextToken {
			b.Write(z.Raw())
		}
	}
	return b.String()
}

const mixed = `Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain

plain text
--a
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html

<p>html text</p>
--r
Content-Type: image/png; name=logo.png
Content-Transfer-Encoding: base64
Content-Disposition: inline

aGVsbG8=
--r--
--a--
--m
Content-Type: text/plain; name=notes.txt
Content-Disposition: attachment

notes
--m
Content-Type: message/rfc822

Subject: inner

inner
--m
Content-Type: text/plain

footer
--m--
`

func TestParts(t *testing.T) {
	t.Parallel()
	msg := parse(mixed)
	body := render.Show(msg, render.Options{})
	if diff := cmp.Diff("[text]\nplain text\n[text]\nfooter\n", write(body)); diff != "" {
		t.Error(diff)
	}
	want := []render.Attachment{
		{Part: "3", Name: "logo.png", Type: "image/png", Size: 5},
		{Part: "4", Name: "notes.txt", Type: "text/plain", Size: 5},
		{Part: "5", Type: "message/rfc822", Size: len("Subject: inner\r\n\r\ninner")},
	}
	if got := body.Attachments[2].Message; got == nil || got.Subject != "inner" || write(got.Body) != "[text]\ninner\n" {
		t.Errorf("the attached message: %+v", got)
	}
	body.Attachments[2].Message = nil
	if diff := cmp.Diff(want, body.Attachments); diff != "" {
		t.Error(diff)
	}
	if got := render.List(msg); len(got) != len(want) {
		t.Errorf("List: %v", got)
	}
	for _, a := range want {
		got, p, ok := render.Open(msg, a.Part)
		if got.Size = len(p.Decode()); !ok || got != a {
			t.Errorf("Open %s: %v, %t", a.Part, got, ok)
		}
	}
	for _, part := range []string{"", "x", "-1", "0", "1", "2", "6", "7", "1.1", "3.1", "5.1", "5.2", "5.", ".5", "5.1.1"} {
		if _, _, ok := render.Open(msg, part); ok {
			t.Errorf("Open %q: there is no such attachment", part)
		}
	}
}

// nested puts a message into another, so many times.
func nested(depth int) string {
	msg := "Subject: the innermost\n\ntext\n"
	for n := range depth {
		msg = fmt.Sprintf("Subject: level %d\nContent-Type: message/rfc822\n\n", depth-n-1) + msg
	}
	return msg
}

// TestEnclosedMessages looks at messages within messages, as many and as deep as somebody may send them.
func TestEnclosedMessages(t *testing.T) {
	t.Parallel()
	digest := "Content-Type: multipart/digest; boundary=d\n\n"
	for n := range 150 {
		digest += fmt.Sprintf("--d\n\nFrom: a@example.jp\nSubject: n%d\nDate: Mon, 5 Jan 2026 09:00:00 +0900\n\ntext %d\n", n, n)
	}
	body := render.Show(parse(digest+"--d--\n"), render.Options{Mask: mask})
	shown := 0
	for i, a := range body.Attachments {
		if a.Message == nil {
			continue
		}
		shown++
		if m := a.Message; a.Part != fmt.Sprint(i+1) || m.Subject != fmt.Sprintf("n%d", i) || m.From != "a(at)example.jp" || m.Date.IsZero() || write(m.Body) != fmt.Sprintf("[text]\ntext %d\n", i) {
			t.Fatalf("%s: %+v", a.Part, m)
		}
	}
	if len(body.Attachments) != 150 || shown != 100 {
		t.Errorf("%d of %d messages of a digest are shown", shown, len(body.Attachments))
	}
	if text := body.Text(); !strings.Contains(text, "a(at)example.jp\n\nn7\n\ntext 7\n") {
		t.Errorf("the text has no n7: %s", text)
	}
	msg := parse(nested(30))
	depth := 0
	for body = render.Show(msg, render.Options{}); len(body.Attachments) == 1 && body.Attachments[0].Message != nil; depth++ {
		body = body.Attachments[0].Message.Body
	}
	if last := body.Attachments; depth != 5 || len(last) != 1 || last[0].Part != "1.1.1.1.1.1" {
		t.Errorf("%d levels are shown, then %+v", depth, last)
	}
	if _, p, ok := render.Open(msg, "1.1.1"); !ok || !strings.HasPrefix(string(p.Decode()), "Subject: level 3") {
		t.Errorf("1.1.1 is %q, %t", p.Decode(), ok)
	}
	if _, _, ok := render.Open(msg, strings.Repeat("1.", 20)+"1"); ok {
		t.Error("a message 20 levels deep can be had")
	}
}

func TestUuencoded(t *testing.T) {
	t.Parallel()
	file := message.Uuencode("map.gif", []byte(strings.Repeat("GIF", 5000)))
	msg := plain("See the map.\n\n" + file + "\nBye\n")
	body := render.Show(msg, render.Options{})
	if got := write(body); got != "[text]\nSee the map.\n\n\nBye\n" {
		t.Errorf("the text is %q", got)
	}
	want := []render.Attachment{{Part: "1.1", Name: "map.gif", Type: "application/octet-stream", Size: 15_000}}
	if diff := cmp.Diff(want, body.Attachments); diff != "" {
		t.Error(diff)
	}
	if _, p, ok := render.Open(msg, "1.1"); !ok || len(p.Decode()) != 15_000 || len(render.List(msg)) != 1 {
		t.Error("the file cannot be had")
	}
	for _, part := range []string{"1", "1.0", "1.2", "1.1.1"} {
		if _, _, ok := render.Open(msg, part); ok {
			t.Errorf("there is no %s", part)
		}
	}
	if got := write(render.Show(plain("a\n"+strings.Replace(file, "end\n", "", 1)), render.Options{})); !strings.Contains(got, "begin 644") {
		t.Error("a damaged file is not shown as text")
	}
}

func TestHTMLWhereThePlainTextIsEmpty(t *testing.T) {
	t.Parallel()
	msg := parse(strings.Replace(mixed, "plain text", " ", 1))
	if got := write(render.Show(msg, render.Options{})); got != "[text]\nhtml text\n[text]\nfooter\n" {
		t.Errorf("got %s", got)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for name, msg := range map[string]*message.Message{
		"long line":   plain(strings.Repeat("日本語", 100_000)),
		"many lines":  plain(strings.Repeat("a\n", 30_000)),
		"long HTML":   htmlMail(strings.Repeat("<p>a b c", 200_000)),
		"many quotes": htmlMail(strings.Repeat("<blockquote>a<br>", 100_000)),
		"huge token":  htmlMail("x<a href=" + strings.Repeat("y", 2<<20)),
	} {
		body := render.Show(msg, render.Options{})
		size := 0
		for _, b := range body.Blocks {
			size += len(b.HTML)
		}
		if !body.Cut || size == 0 || size > 4<<20 {
			t.Errorf("%s: cut %t, %d bytes", name, body.Cut, size)
		}
	}
	if render.Show(plain("short"), render.Options{}).Cut {
		t.Error("a short message is cut")
	}
}

// safe fails the test unless the HTML is text and links of ours, balanced.
func safe(t *testing.T, source string) {
	t.Helper()
	open := 0
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF || open != 0 {
				t.Fatalf("%v, %d open elements: %q", z.Err(), open, source)
			}
			return
		case html.TextToken:
		case html.StartTagToken:
			tok := z.Token()
			if marked(tok) {
				continue
			}
			if open++; tok.Data != "a" || open > 1 || len(tok.Attr) != 2 || tok.Attr[0].Key != "href" || tok.Attr[1].Key != "rel" {
				t.Fatalf("element %v in %q", tok, source)
			}
			u, err := url.Parse(tok.Attr[0].Val)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" {
				t.Fatalf("link to %q", tok.Attr[0].Val)
			}
		case html.EndTagToken:
			tok := z.Token()
			if tok.Data == "blockquote" || tok.Data == "span" {
				continue
			}
			if open--; tok.Data != "a" {
				t.Fatalf("end tag in %q", source)
			}
		default:
			t.Fatalf("%v in %q", z.Token(), source)
		}
	}
}

// marked reports whether an element is one that a page's text may have beside links.
func marked(tok html.Token) bool {
	switch tok.Data {
	case "blockquote":
		return len(tok.Attr) == 0
	case "span":
		return len(tok.Attr) == 1 && tok.Attr[0].Key == "class" && slices.Contains([]string{"add", "del", "hunk", "name"}, tok.Attr[0].Val)
	}
	return false
}

// levels fails the test unless what is opened in the HTML is closed in its order.
func levels(t *testing.T, source string) {
	t.Helper()
	var open []string
	for z := html.NewTokenizer(strings.NewReader(source)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Fatalf("%v stay open in %q", open, source)
			}
			return
		case html.StartTagToken:
			open = append(open, z.Token().Data)
		case html.EndTagToken:
			if tag := z.Token().Data; len(open) == 0 || open[len(open)-1] != tag {
				t.Fatalf("%v is closed in %v in %q", tag, open, source)
			}
			open = open[:len(open)-1]
		}
	}
}

func FuzzShow(f *testing.F) {
	for _, s := range []string{
		"", mixed, "a: b\n\n<script>", "Content-Type: text/html\n\n<a href=javascript:x onclick=y>z</a><svg onload=x><script>",
		"Content-Type: text/html\n\n<a href='https://example.jp/\"onclick=x'>z<a href=//x><blockquote><pre>\n\n\n",
		"a: b\n\nhttps://a.test/\"><script>'javascript:x mailto:a@b.test > > -- \n-- \n> x", "a: b\n\n\u202e\x00https://\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		msg := message.Parse(raw)
		for _, o := range []render.Options{{}, {Mask: mask}, {Page: true}} {
			for _, b := range render.Show(msg, o).Blocks {
				safe(t, hard.Replace(string(b.HTML)))
				levels(t, string(b.HTML))
				if strings.Contains(strings.ToLower(string(b.HTML)), "<script") {
					t.Fatal("a script")
				}
			}
		}
	})
}

func BenchmarkShow(b *testing.B) {
	msg := plain(strings.Repeat("> ann@example.jp wrote: 回覧板を https://example.jp/a?b=c で見る\n返事です、はい。\n", 50))
	b.SetBytes(int64(len(msg.Raw())))
	for b.Loop() {
		render.Show(msg, render.Options{Mask: mask, Page: true})
	}
}

func BenchmarkShowHTML(b *testing.B) {
	msg := htmlMail(strings.Repeat("<div>回覧板を <a href='https://example.jp/'>here</a> で見る<blockquote>a<br>b</blockquote></div>\n", 50))
	b.SetBytes(int64(len(msg.Raw())))
	for b.Loop() {
		render.Show(msg, render.Options{})
	}
}
