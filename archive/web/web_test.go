package web

import (
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/storage"
	"kairan/storage/storagetest"
	"kairan/templates"
)

var tokyo = time.FixedZone("JST", 9*3600)

// oneList is an Access to one list, open to everybody unless private.
type oneList struct{ private bool }

func (a oneList) Archive(r *http.Request, name string) (archive.Info, error) {
	if name != "janog" && name != "janog@lists.example.jp" {
		return archive.Info{}, storage.ErrNotFound
	}
	info := archive.Info{ID: "0list", Name: "janog", Title: "JANOG", Address: "janog@lists.example.jp", Public: !a.private}
	if a.private && templates.FrameOf(r.Context()).User == "" {
		return info, archive.ErrForbidden
	}
	return info, nil
}

func (a oneList) Archives(*http.Request) ([]archive.Info, error) { return nil, nil }

type world struct {
	testing.TB
	arch    *archive.Archive
	handler http.Handler
	n       uint64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, arch: &archive.Archive{DB: storagetest.Open(t), Location: tokyo, Log: slog.New(slog.DiscardHandler)}}
	w.handler = Handler(w.arch, oneList{}, set, tokyo)
	return w
}

// add archives a message, an hour after the one before, from 5 January 2026 on.
func (w *world) add(id, header, body string) {
	w.Helper()
	w.n++
	when := time.Date(2026, 1, 5, 9, 0, 0, 0, tokyo).Add(time.Duration(w.n) * time.Hour)
	if !strings.Contains(header, "From: ") {
		header = "From: Ann Example <ann@example.jp>\r\n" + header
	}
	raw := "Received: from secret.example.com by lists.example.jp\r\n" + header + "Message-ID: <" + id + ">\r\n\r\n" + body
	_, err := w.arch.Add(w.Context(), archive.Entry{List: "0list", Post: fmt.Sprintf("post%d", w.n), Number: w.n, ID: id, Received: when, Raw: []byte(raw)}, nil)
	if err != nil {
		w.Fatal(err)
	}
}

// fill archives many messages at once.
func (w *world) fill(entries []archive.Entry) {
	w.Helper()
	batch := make([]*archive.Prepared, len(entries))
	for i, e := range entries {
		var err error
		if batch[i], err = archive.Prepare(e); err != nil {
			w.Fatal(err)
		}
	}
	if _, err := w.arch.Import(w.Context(), "0list", batch); err != nil {
		w.Fatal(err)
	}
}

func (w *world) get(path, user string, fields ...string) (*http.Response, string) {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), "GET", path, nil)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Set(name, value)
	}
	r = r.WithContext(templates.WithFrame(r.Context(), templates.Frame{Lang: "en", Site: "lists.example.jp", User: user, Path: path}))
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	b, err := io.ReadAll(rec.Body)
	if err != nil {
		w.Fatal(err)
	}
	return rec.Result(), string(b)
}

// page is get for a page that must be there and hold parts.
func (w *world) page(path string, parts ...string) string {
	w.Helper()
	res, body := w.get(path, "")
	if res.StatusCode != http.StatusOK {
		w.Fatalf("GET %s = %d", path, res.StatusCode)
	}
	for _, p := range parts {
		if !strings.Contains(body, p) {
			w.Errorf("GET %s does not hold %q:\n%s", path, p, body)
		}
	}
	return body
}

func TestMessagePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("first@example.jp", "Subject: Before\r\n", "Hello.\r\n")
	w.add("a@example.jp", "Subject: =?UTF-8?B?44GT44KT44Gr44Gh44Gv?= <b>\r\nTo: janog@lists.example.jp, bob@example.com\r\n",
		"Please write to carol@example.com & <me>.\r\n")
	w.add("b@example.jp", "Subject: Re: x\r\nIn-Reply-To: <a@example.jp>\r\nFrom: Bob <bob@example.com>\r\n", "Yes.\r\n")

	page := w.page("/janog/m/a@example.jp/", "こんにちは &lt;b&gt;", "Ann Example", "a…@example.jp", `<time datetime="2026-01-05T11:00:00+09:00">Mon 5 Jan 2026 11:00</time>`,
		"ca…@example.com", "&amp; &lt;me&gt;", `href="/janog/m/first@example.jp/"`, `href="/janog/m/b@example.jp/"`, `href="/janog/t/a@example.jp/#m2"`,
		`href="/janog/2026-01/"`, `href="/janog/m/a@example.jp/raw"`, `rel="canonical" href="/janog/m/a@example.jp/"`)
	for _, secret := range []string{"ann@example.jp", "carol@", "bob@example", "secret.example.com"} {
		if strings.Contains(page, secret) {
			t.Errorf("a stranger sees %q", secret)
		}
	}
	_, page = w.get("/janog/m/a@example.jp/", "member@example.jp")
	for _, shown := range []string{"ann@example.jp", "carol@example.com", "Cc=ann@example.jp"} {
		if !strings.Contains(page, shown) {
			t.Errorf("a member does not see %q", shown)
		}
	}
}

func TestReplyLink(t *testing.T) {
	t.Parallel()
	q := &request{list: archive.Info{Address: "janog@lists.example.jp"}}
	m := &archive.Message{ID: `a&b"c@example.jp`, Subject: "Re: [JANOG:00012] 日程 & more?", FromAddr: "ann+x@example.jp"}
	want := "mailto:janog@lists.example.jp?In-Reply-To=%3Ca%26b%22c@example.jp%3E&Subject=Re%3A%20%E6%97%A5%E7%A8%8B%20%26%20more%3F"
	if got := q.reply(m, nil, maxReply); got != want {
		t.Errorf("for a stranger\n got %s\nwant %s", got, want)
	}
	q.frame.User = "me@example.jp"
	if got := q.reply(m, nil, maxReply); !strings.Contains(got, "?Cc=ann%2Bx@example.jp&") {
		t.Errorf("for a member %s", got)
	}
	q.list.Closed = true
	if got := q.reply(m, nil, maxReply); got != "" {
		t.Errorf("for a closed list %s", got)
	}
}

func TestReplyQuotes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("a@example.jp", "Subject: x\r\n", "Bob wrote:\r\n> an old line\r\n\r\nMy answer, see c@example.com.\r\nSecond line.\r\n-- \r\nAnn\r\n")
	w.add("b@example.jp", "Subject: y\r\nContent-Type: text/plain; charset=utf-8\r\n", strings.Repeat("とても長い文章です。\r\n", 200))
	for id, want := range map[string]string{
		"a@example.jp": "On Mon 5 Jan 2026 10:00, Ann Example wrote:\r\n> Bob wrote:\r\n>\r\n> My answer, see …@example.com.\r\n> Second line.\r\n",
		"b@example.jp": "On Mon 5 Jan 2026 11:00, Ann Example wrote:\r\n" + strings.Repeat("> とても長い文章です。\r\n", 17) + "> […]\r\n",
	} {
		for _, room := range []string{"m", "t"} {
			page := w.page("/janog/" + room + "/" + id + "/")
			link := regexp.MustCompile(`"(mailto:[^"]*)"`).FindStringSubmatch(page)
			if link == nil || len(html.UnescapeString(link[1])) > 2000 {
				t.Fatalf("%s: the link is %q", id, link)
			}
			u, err := url.Parse(html.UnescapeString(link[1]))
			if err != nil {
				t.Fatal(err)
			}
			if got := u.Query().Get("Body"); got != want {
				t.Errorf("%s quotes %q, want %q", id, got, want)
			}
		}
	}
}

func TestHostileMessageIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := []string{"a/b@example.jp", "a%2Fb@example.jp", `"a b"@example.jp`, "a?b#c@example.jp", "../../-/login", "日本語@example.jp",
		"a+b=c&d@example.jp", "'`{}|\\^[]@x", "//", "%", "raw", "2", "att/1/x", strings.Repeat("x", 900) + "@example.jp", "a;b,c$!*()~@[192.0.2.1]", `"><script>alert(1)</script>@x`}
	for _, id := range ids {
		w.add(id, "Subject: subject of "+id[:1]+"\r\nContent-Type: text/plain; name=f.txt\r\nContent-Disposition: attachment; filename=f.txt\r\n", "file of "+id)
	}
	for i, id := range ids {
		path := "/janog/m/" + archive.EscapeSegment(id) + "/"
		if body := w.page(path); strings.Contains(body, "<script>") {
			t.Errorf("%q: a script is on the page", id)
		}
		res, body := w.get(path+"raw", "")
		if res.StatusCode != http.StatusOK || !strings.Contains(body, "file of ") {
			t.Errorf("raw of %q = %d", id, res.StatusCode)
		}
		w.page("/janog/t/" + archive.EscapeSegment(id) + "/")
		if _, body := w.get(path+"att/1/f.txt", "ann@example.jp"); body != "file of "+id {
			t.Errorf("attachment of %q = %.60q", id, body)
		}
		res, _ = w.get(fmt.Sprintf("/janog/%d", i+1), "")
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusFound || got != path {
			t.Errorf("/janog/%d = %d to %q, want %q", i+1, res.StatusCode, got, path)
		}
		res, _ = w.get(strings.TrimSuffix(path, "/"), "")
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || got != path {
			t.Errorf("%q without its slash = %d to %q", id, res.StatusCode, got)
		}
	}
}

func TestSecondMessageOfAnID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("same@example.jp", "Subject: one\r\n", "the first\r\n")
	w.add("same@example.jp", "Subject: two\r\n", "the second\r\n")
	w.page("/janog/m/same@example.jp/", "the first")
	w.page("/janog/m/same@example.jp/2/", "the second", `href="/janog/m/same@example.jp/2/raw"`)
	if _, body := w.get("/janog/m/same@example.jp/2/raw", ""); !strings.Contains(body, "the second") {
		t.Errorf("raw of the second: %s", body)
	}
	for _, n := range []string{"1", "02", "3", "0", "-1", "x"} {
		if res, _ := w.get("/janog/m/same@example.jp/"+n+"/", ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("…/%s/ = %d", n, res.StatusCode)
		}
	}
}

func TestAddressFormLeadsToTheName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("a/b@x.test", "Subject: x\r\n", "x\r\n")
	for path, want := range map[string]string{
		"/janog@lists.example.jp/m/a%2Fb@x.test/":     "/janog/m/a%2Fb@x.test/",
		"/janog%40lists.example.jp/m/a%2Fb@x.test/":   "/janog/m/a%2Fb@x.test/",
		"/janog@lists.example.jp/2026-01/?p=1&q=a%20": "/janog/2026-01/?p=1&q=a%20",
	} {
		res, _ := w.get(path, "")
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || got != want {
			t.Errorf("GET %s = %d to %q, want %q", path, res.StatusCode, got, want)
		}
	}
}

func TestSourceForStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("a@example.jp", "Subject: x\r\nReferences: <ref@example.com>\r\n\t<ref2@example.com>\r\nCc: bob@example.com,\r\n carol@example.com\r\n", "See ann@example.jp.\r\n")
	res, body := w.get("/janog/m/a@example.jp/raw", "")
	for _, secret := range []string{"secret.example.com", "ann@example.jp", "bob@", "carol@"} {
		if strings.Contains(body, secret) {
			t.Errorf("a stranger gets %q:\n%s", secret, body)
		}
	}
	for _, kept := range []string{"Message-ID: <a@example.jp>", "<ref@example.com>", "<ref2@example.com>", "b…@example.com", "See a…@example.jp"} {
		if !strings.Contains(body, kept) {
			t.Errorf("the source lost %q:\n%s", kept, body)
		}
	}
	if got := res.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	if _, body := w.get("/janog/m/a@example.jp/raw", "member@example.jp"); !strings.Contains(body, "carol@example.com") || strings.Contains(body, "secret.example.com") {
		t.Errorf("a member gets\n%s", body)
	}
}

func TestAttachmentIsADownload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("a@example.jp", "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
		"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"+
			"--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename*=UTF-8''%E5%9B%B3.html\r\n\r\n<script>alert(1)</script>\r\n"+
			"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n")
	page := w.page("/janog/m/a@example.jp/", "2 attachments", "図.html", `href="/janog/m/a@example.jp/att/2/%E5%9B%B3.html"`)
	if strings.Contains(page, "<script>") {
		t.Error("the page holds the attachment")
	}
	res, body := w.get("/janog/m/a@example.jp/att/2/%E5%9B%B3.html", "")
	if body != "<script>alert(1)</script>" {
		t.Errorf("attachment %q", body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "Content-Disposition": "attachment; filename*=utf-8''%E5%9B%B3.html",
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": downloadPolicy,
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if res, body := w.get("/janog/m/a@example.jp/att/3/x", ""); res.Header.Get("Content-Type") != "image/png" || len(body) != 8 {
		t.Errorf("image as %q, %d bytes", res.Header.Get("Content-Type"), len(body))
	}
	for _, n := range []string{"0", "1", "4", "-2", "x", "99999999999999999999"} {
		if res, _ := w.get("/janog/m/a@example.jp/att/"+n+"/x", ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("attachment %s = %d", n, res.StatusCode)
		}
	}
}

// TestAddressesInAttachments: what can be read in a file is as hidden from strangers as on a page, and files without a name get one.
func TestAddressesInAttachments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	part := func(head, body string) string { return "--b\r\n" + head + "\r\n\r\n" + body + "\r\n" }
	const named = "bob.sample@example.com"
	encoded := base64.StdEncoding.EncodeToString([]byte("mail " + named))
	w.add("a@example.jp", "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
		part("Content-Type: text/plain", "Hello")+
			part("Content-Type: message/rfc822", "From: Bob <"+named+">\r\nMessage-ID: <1@example.com>\r\n\r\nmail "+named)+
			part("Content-Type: text/calendar\r\nContent-Transfer-Encoding: base64", encoded)+
			part("Content-Type: application/octet-stream; name=a.patch\r\nContent-Transfer-Encoding: base64", encoded)+
			part("Content-Type: text/html; name=a.html", "mail "+named)+
			part("Content-Type: image/png", "mail "+named)+"--b--\r\n")
	w.page("/janog/m/a@example.jp/", "att/2/attachment-2.eml", "att/3/attachment-3.ics", "att/4/a.patch", "att/6/attachment-6.png")
	for n, want := range map[string]string{
		"2": "From: Bob <bo…@example.com>\r\nMessage-ID: <1@example.com>\r\n\r\nmail bo…@example.com", "3": "mail bo…@example.com", "4": "mail bo…@example.com", "5": "mail bo…@example.com", "6": "mail " + named,
	} {
		if _, body := w.get("/janog/m/a@example.jp/att/"+n+"/x", ""); body != want {
			t.Errorf("attachment %s for a stranger: %q, want %q", n, body, want)
		}
		if _, body := w.get("/janog/m/a@example.jp/att/"+n+"/x", "ann@example.jp"); !strings.Contains(body, named) {
			t.Errorf("attachment %s for who is signed in: %q", n, body)
		}
	}
	if res, _ := w.get("/janog/m/a@example.jp/att/3/x", ""); res.Header.Get("Content-Disposition") != "attachment; filename=attachment-3.ics" {
		t.Errorf("%q", res.Header.Get("Content-Disposition"))
	}
}

func TestCaching(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("a@example.jp", "Subject: x\r\n", strings.Repeat("Many words. ", 300))
	for _, path := range []string{"/janog/m/a@example.jp/", "/janog/m/a@example.jp/raw", "/janog/2026-01/", "/janog/t/a@example.jp/"} {
		res, body := w.get(path, "")
		tag := res.Header.Get("ETag")
		if tag == "" || len(body) == 0 || res.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("GET %s: %v", path, res.Header)
		}
		res, body = w.get(path, "", "If-None-Match: "+tag)
		if res.StatusCode != http.StatusNotModified || body != "" {
			t.Errorf("GET %s again = %d with %d bytes", path, res.StatusCode, len(body))
		}
		if res, _ := w.get(path, "member@example.jp"); res.Header.Get("Cache-Control") != "private, no-store" {
			t.Errorf("GET %s signed in: %v", path, res.Header)
		}
	}
	res, body := w.get("/janog/m/a@example.jp/", "", "Accept-Encoding: gzip")
	if res.Header.Get("Content-Encoding") != "gzip" || len(body) > 3000 {
		t.Errorf("compressed: %v, %d bytes", res.Header, len(body))
	}
	w.add("b@example.jp", "Subject: y\r\n", "new\r\n")
	if again, _ := w.get("/janog/m/a@example.jp/", "", "If-None-Match: "+res.Header.Get("ETag")); again.StatusCode != http.StatusOK {
		t.Error("a page that got a link to a newer message is said to be the same")
	}
}

func TestOnlyReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("a@example.jp", "Subject: x\r\n", "x\r\n")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest("POST", "/janog/m/a@example.jp/", nil))
	if rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d", rec.Code)
	}
	rec = httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest("HEAD", "/janog/m/a@example.jp/", nil))
	if rec.Code != http.StatusOK || rec.Body.Len() > 0 || rec.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD = %d, %d bytes", rec.Code, rec.Body.Len())
	}
}

// TestFilesOfText shows a patch with its message, escaped and masked, and no more of it than is reasonable; in the thread only its name.
func TestFilesOfText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	part := func(head, body string) string { return "--b\r\n" + head + "\r\n\r\n" + body + "\r\n" }
	long := strings.Repeat("a line of a long log\r\n", 10_000)
	w.add("p@x.test", "Subject: patch\r\nContent-Type: multipart/mixed; boundary=b\r\n",
		part("Content-Type: text/plain", "see the patch")+
			part("Content-Type: text/x-patch; charset=utf-8; name=a.patch\r\nContent-Disposition: attachment", "--- a/x\r\n+++ b/x\r\n@@ -1 +1 @@\r\n-\told  <b>\r\n+\tnew  bob.sample@example.com https://lists.example.jp/-/u/secrettoken")+
			part("Content-Type: application/octet-stream; name=b.diff\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64", base64.StdEncoding.EncodeToString([]byte("差分 <i>")))+
			part("Content-Type: text/html; name=c.html\r\nContent-Disposition: attachment", "<p>in HTML</p>")+
			part("Content-Type: text/plain; name=d.txt\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64", base64.StdEncoding.EncodeToString([]byte("no\x00text")))+
			part("Content-Type: text/plain; name=e.log\r\nContent-Disposition: attachment", long)+
			part("Content-Type: text/plain; name=f.txt\r\nContent-Disposition: attachment", "after all the room was taken")+"--b--\r\n")
	page := w.page("/janog/m/p@x.test/", `<span class="hunk">@@ -1 +1 @@`+"\n", `<span class="del">-`+"\told  &lt;b&gt;\n</span>", `<span class="add">+`+"\tnew  bo…@example.com", "Its text, 5 lines", "差分 &lt;i&gt;", "a line of a long log", "the rest of it is in the download", `href="/janog/m/p@x.test/att/2/a.patch"`, "f.txt")
	for _, not := range []string{"bob.sample", "secrettoken", "in HTML", "no\x00text", "notext", "after all the room"} {
		if strings.Contains(page, not) {
			t.Errorf("the page shows %q", not)
		}
	}
	if n := strings.Count(page, "a line of a long log"); n < 1000 || n > 4000 {
		t.Errorf("%d lines of the long file are shown", n)
	}
	if page := w.page("/janog/t/p@x.test/", "a.patch"); strings.Contains(page, "@@ -1") {
		t.Error("the page of the thread shows the file too")
	}
}

// TestAttachedMessages shows what a forwarded message says, and what came with it, under the same filters.
func TestAttachedMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	inner := "From: Bob <bob.sample@example.com>\r\nSubject: the <inner> one\r\nDate: Mon, 5 Jan 2026 09:00:00 +0900\r\nDelivered-To: receiver@example.com\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n" +
		"--i\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("inner text https://lists.example.jp/-/u/secrettoken bob.sample@example.com")) + "\r\n" +
		"--i\r\nContent-Type: image/png; name=map.png\r\n\r\nPNG\r\n--i--\r\n"
	w.add("f@x.test", "Subject: Fwd\r\nContent-Type: multipart/mixed; boundary=b\r\n",
		"--b\r\n\r\nsee below\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"+inner+"--b--\r\n")
	for _, path := range []string{"/janog/m/f@x.test/", "/janog/t/f@x.test/"} {
		page := w.page(path, "see below", `<details class="enclosed"><summary><b>the &lt;inner&gt; one</b>`, "Bob &lt;bo…@example.com&gt;", "Mon 5 Jan 2026 09:00", "inner text",
			`href="/janog/m/f@x.test/att/2/attachment-2.eml"`, `href="/janog/m/f@x.test/att/2.2/map.png"`)
		for _, not := range []string{"bob.sample", "secrettoken", "receiver"} {
			if strings.Contains(page, not) {
				t.Errorf("%s shows %q", path, not)
			}
		}
	}
	w.page("/janog/m/f@x.test/index.json", `"subject": "the \u003cinner\u003e one"`, `"text": "inner text`, `"url": "/janog/m/f@x.test/att/2.2/map.png"`)
	w.page("/janog/new.atom", "inner text", "att/2.2/map.png")
	if body := w.page("/janog/m/f@x.test/att/2.2/map.png"); body != "PNG" {
		t.Errorf("the file is %q", body)
	}
	for _, path := range []string{"/janog/m/f@x.test/att/2/x.eml", "/janog/m/f@x.test/raw"} {
		source := w.page(path)
		for encoded := range strings.FieldsSeq(source) {
			text, _ := base64.StdEncoding.DecodeString(encoded)
			source += string(text)
		}
		if !strings.Contains(source, "inner text https://lists.example.jp/-/u/xxx") || strings.Contains(source, "bob.sample") || strings.Contains(source, "secrettoken") || strings.Contains(source, "receiver") {
			t.Errorf("%s is\n%s", path, source)
		}
	}
	w.add("o@x.test", "Subject: Fwd\r\nContent-Type: message/rfc822\r\n", inner)
	w.page("/janog/m/o@x.test/", `<details class="enclosed" open>`)
}
