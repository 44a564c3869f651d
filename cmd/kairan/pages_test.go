package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	listweb "kairan/list/web"
	"kairan/smtpd/address"
	"kairan/storage"
)

// TestPages walks through the pages of the demo in a real browser, and through all of them without one.
func TestPages(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	d, _ := startDemo(t, t.TempDir())
	for _, e := range []example{hostilePost(), hostileHTML()} {
		if got := d.post(t, e); !strings.HasPrefix(got, "250 ") {
			t.Fatalf("%s: %s", e.id, got)
		}
		d.until(t, `enqueue`, "trace", "<"+e.id+">")
	}
	ctx, cancel := context.WithTimeout(t.Context(), demoPatience)
	defer cancel()
	if err := d.world.sink.Wait(ctx, 2*48); err != nil {
		t.Fatal(err)
	}
	d.cli(t, "list", "set", undoList, "undo_seconds=600")
	for i, v := range []view{
		{width: 1200, lang: "ja", noScript: true},
		{width: 390, lang: "ja"},
		{width: 1200, lang: "en", dark: true},
		{width: 390, lang: "en", noScript: true},
	} {
		t.Run("journey/"+v.String(), func(t *testing.T) {
			t.Parallel()
			j := &journey{tab: newTab(t, browser, d.app.Site.URL, v), demo: d, n: i}
			if !v.noScript { // in the dark too
				j.axeScript = needAxe(t)
			}
			j.read()
			j.hostile()
			j.leave()
			j.signIn()
			j.join()
			j.me()
			j.members()
			j.site()
			j.moderate()
			j.undo()
			j.odd()
		})
	}
	t.Run("crawl", func(t *testing.T) {
		t.Parallel()
		crawl(t, d)
	})
	for name, test := range map[string]func(*testing.T, context.Context, *demo){"keyboard": keyboard, "visits": visits, "weigh": weigh, "peers": peers, "gallery": gallery, "passkeys": passkeys} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, browser, d)
		})
	}
	t.Run("watch", func(t *testing.T) {
		t.Parallel()
		watchSees(t, browser)
	})
	t.Cleanup(func() {
		log, err := os.ReadFile(d.logFile())
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(log)) {
			if strings.Contains(line, "level=ERROR") {
				t.Errorf("in the log: %s", line)
			}
		}
	})
}

// watchSees makes sure that the misdeeds and faults that the other tests rule out would be seen.
func watchSees(t *testing.T, browser context.Context) {
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	for body, want := range map[string]string{
		`<script>alert("hello")</script>`:                "a dialog: hello",
		`<script>console.log(1)</script>`:                "a console line",
		`<script>nothing()</script>`:                     "a script failed",
		`<img alt="" src="` + elsewhere.URL + `/x.png">`: "a request to " + elsewhere.URL,
		`<img alt="" src="/missing.png">`:                "404 for ",
		`<meta http-equiv="Content-Security-Policy" content="script-src 'none'"><script>1</script>`: "a log line from security",
	} {
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte("<!DOCTYPE html><link rel=icon href='data:,'>" + body))
		}))
		t.Cleanup(site.Close)
		p := newTab(t, browser, site.URL, view{width: 390, lang: "en"})
		p.do(chromedp.Navigate(site.URL + "/"))
		if got := strings.Join(p.caught(), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: caught %q, want %q", body, got, want)
		}
	}
}

// journey is what one reader does in one window.
type journey struct {
	*tab
	demo *demo
	n    int // of the journey
}

// other returns the language that the reader does not read.
func (j *journey) other() string {
	if j.view.lang == "ja" {
		return "en"
	}
	return "ja"
}

// read goes from the front page to the source of a message.
func (j *journey) read() {
	j.open("/", 200)
	j.shoot("home")
	j.skip()
	j.follow(`a[href="/netops/"]`)
	j.sees("netops@" + demoDomain)
	j.shoot("list")
	j.follow(`.years a`)
	j.shoot("month")
	j.follow(`.month section:has(li + li + li) h2 a`)
	j.shoot("thread")
	j.switchLanguage()
	j.follow(`.post + .post .when a`)
	j.shoot("message")
	j.switchLanguage()
	message := j.path()
	j.follow(`.actions a[href$="/raw"]`)
	j.sees("Message-ID: ", "…@")
	j.open(message, 200)
	j.follow(`.thread-here nav a`)

	// A file from the seed, named in Japanese.
	j.open(j.withFile(), 200)
	j.follow(`li:has(.clip) a`)
	j.shoot("attachment")
	link := j.eval(`document.querySelector('.attachments a').textContent`)
	if name, data := j.download(`.attachments a`); name != link || len(data) < 50 {
		j.Errorf("%s was saved as %q, %d bytes", link, name, len(data))
	}
}

// withFile returns the month with the seed's attached file. Its dates count back from today, so it may be any of the last ones.
func (j *journey) withFile() string {
	j.Helper()
	j.open("/netops/", 200)
	for _, month := range strings.Fields(j.eval(`[...document.querySelectorAll('.years a')].map(a => a.pathname).join(" ")`)) {
		j.open(month, 200)
		if j.eval(`String(!!document.querySelector('li:has(.clip) a'))`) == "true" {
			return month
		}
	}
	j.Fatal("no month of netops has a post with a file")
	return ""
}

// skip goes past the head of a page with the keyboard.
func (j *journey) skip() {
	j.Helper()
	j.do(chromedp.KeyEvent(kb.Tab))
	box := j.eval(`(() => { const r = document.activeElement.getBoundingClientRect();
		return [document.activeElement.className, r.left >= 0, r.top >= 0, r.right <= innerWidth].join(" ") })()`)
	if box != "skip true true true" {
		j.Errorf("the first stop of the Tab key: %s", box)
	}
	j.do(chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab))
	if where := j.eval(`location.hash + " " + !!document.activeElement.closest("main")`); where != "#main true" {
		j.Errorf("the skip link leads to %s", where)
	}
}

// switchLanguage reads the page in the other language, and comes back.
func (j *journey) switchLanguage() {
	j.Helper()
	path, mine := j.path(), j.view.lang
	for _, lang := range []string{j.other(), mine} {
		j.view.lang = lang
		j.follow(`button[name=lang][value=` + lang + `]`)
		if got := j.path(); got != path {
			j.Errorf("in %s, %s became %s", lang, path, got)
		}
	}
}

// hostile reads what came by mail during the test and would do harm.
func (j *journey) hostile() {
	j.open("/netops/", 200)
	j.sees("<script>alert(1)</script>")
	j.open("/netops/m/"+hostilePost().id+"/", 200)
	j.sees("<script>alert(1)</script>", "<img src=x onerror=alert(2)>", "こんにちは、ﾃﾞｰﾀです。", "<img src=http://tracker.test/x onerror=alert(3)>")
	j.shoot("hostile")
	if j.eval(`String(document.querySelector("details.quote .text").checkVisibility())`) != "false" {
		j.Error("a long quote is not folded")
	}
	j.do(chromedp.Click(chromedp.CSS("details.quote summary")))
	j.sees("quoted line 20")
	j.audit("an open quote")
	if links := j.eval(`[...document.querySelectorAll("main a")].map(a => a.protocol).filter(p => !["http:", "mailto:"].includes(p)).join()`); links != "" {
		j.Errorf("links of the kind %s", links)
	}
	for i, name := range hostileNames {
		saved, data := j.download(`.attachments li:nth-child(` + strconv.Itoa(i+1) + `) a`)
		if strings.ContainsAny(saved, `/\<>"`) || string(data) != hostileScript {
			j.Errorf("%q was saved as %q: %q", name, saved, data)
		}
	}
	j.open("/netops/m/"+hostileHTML().id+"/", 200)
	j.sees("Harmless words", "a link")
	j.shoot("html")
	j.open("/netops/t/"+hostilePost().id+"/", 200)
	j.open("/netops/m/"+hostilePost().id+"/raw", 200)
	for _, m := range j.caught() {
		j.Error(m)
	}
}

// leave takes the link of a copy, leaves, and comes back.
func (j *journey) leave() {
	j.open("/-/outbox/", 200)
	j.shoot("outbox")
	member := []string{"alice@example.com", "ben@example.com", "clara@example.com", "diego@example.com"}[j.n]
	j.follow(`a[href="` + j.eval(`[...document.querySelectorAll(".mailbox")].find(m => m.textContent.includes(`+quoteJS(member)+`)).querySelector("li:last-child .subject").getAttribute("href")`) + `"]`)
	j.shoot("copy")
	j.sees(member)
	isMember := func() bool { return strings.Contains(j.demo.cli(j.T, "member", "ls", exampleList), member) }
	j.follow(`.actions a[href*="/-/u/"]`)
	j.shoot("unsubscribe")
	if !isMember() {
		j.Errorf("%s left by looking at the page", member)
	}
	j.follow(`main button.strong`)
	j.shoot("left")
	if isMember() {
		j.Errorf("%s is still a member", member)
	}
	j.follow(`main form[action^="/-/undo/"] button`)
	j.shoot("undone")
	if !isMember() {
		j.Errorf("%s did not come back", member)
	}
}

// signIn reads an archive that is for members only.
func (j *journey) signIn() {
	j.open("/wg-dns/", 200)
	j.shoot("private")
	month := time.Now().In(j.demo.app.Site.Location).AddDate(0, 0, -40).Format("/wg-dns/2006-01/")
	j.open(month, 403)
	j.shoot("forbidden")
	j.follow(`main a.button`)
	j.shoot("login-ask")
	link := j.demo.loginLink(j.T)
	j.open(link, 200)
	j.shoot("login")
	j.follow(`main button`)
	j.sees("haruka@example.jp")
	j.shoot("my")
	j.follow(`.crumbs .home`)
	j.shoot("home-signed-in")
	j.open(month, 200)
	j.shoot("private-month")
	j.follow(`.month h2 a`)
	j.follow(`.post .when a`)
	j.shoot("private-message")
	j.settings()
	j.panel()
	j.open(link, 404)
	j.shoot("login-bad")
	j.follow(`form[action="/-/logout"] button`)
	j.open(month, 403)
	j.open("/-/demo", 200)
	j.shoot("demo")
	j.follow(`button[value="kenji@example.jp"]`)
	j.sees("kenji@example.jp")
	j.follow(`form[action="/-/logout"] button`)
}

// join asks to join as a stranger, and joins with one press.
func (j *journey) join() {
	who := fmt.Sprintf("reader%d@example.com", j.n)
	j.open("/netops/", 200)
	j.follow(`a.button[href="/-/join/netops"]`)
	j.shoot("join")
	j.fill(`input[name=address]`, who)
	j.fill(`input[name=name]`, `<script>alert(1)</script>`)
	for j.submit(`main form button.strong`) != 200 { // faster than a person fills it in
		j.see(`[role=alert]`)
	}
	j.shoot("join-asked")
	j.sees(who)

	j.open("/-/demo", 200)
	j.follow(`button[value="misaki@example.jp"]`)
	j.open("/netops/", 200)
	j.shoot("list-member")
	j.open("/-/my", 200)
	j.follow(`a.button[href="/-/my/list/netops"]`)
	j.shoot("membership")
	j.do(chromedp.Click(chromedp.CSS(`input[name=hide]`)))
	j.follow(`main form.fields button.strong`)
	j.shoot("membership-saved")
	j.see(`.flash`)
	j.follow(`main a[href="/-/my"]`)
	j.shoot("my-member")
	j.follow(`main a[href="/-/my/posts"]`)
	j.shoot("my-posts-hostile")
	j.sees("<script>alert(1)</script>", "netops")
	j.follow(`main a[href="/-/my"]`)
	j.follow(`main a[href="/-/my/leave"]`)
	j.shoot("leave-all")
	j.follow(`form[action="/-/logout"] button`)
}

// settings changes a setting of a list for a while, and takes that back. Each journey has a setting of its own.
func (j *journey) settings() {
	name := []string{"require_subject", "include_ml_headers", "admin_notify_mchanges", "ask_author"}[j.n]
	why := "<b>試し</b> " + name
	j.open("/-/moderate", 200)
	j.shoot("moderate")
	j.open("/-/admin/netops/settings", 200)
	j.shoot("settings")
	j.open("/-/admin/netops/settings?q="+name, 200)
	checked := `String(document.querySelector('input[name=` + name + `]').checked)`
	before := j.eval(checked)
	j.do(chromedp.Click(`input[name=` + name + `]`))
	j.follow(`.bar button`)
	j.shoot("settings-review")
	j.do(chromedp.Click(`input[value=now]`), chromedp.SetValue(`#why`, why))
	j.follow(`main form button.strong`)
	j.shoot("settings-for-now")
	j.follow(`.flash button`)
	j.open("/-/admin/netops/log", 200)
	j.sees(why)
	j.shoot("log")
	j.follow(`#` + j.eval(`[...document.querySelectorAll('.revision')].find(r => r.textContent.includes("`+name+`")).id`) + ` button`)
	j.shoot("log-taken-back")
	j.open("/-/admin/netops/settings?q="+name, 200)
	if after := j.eval(checked); after != before {
		j.Errorf("%s was %s and is %s", name, before, after)
	}
}

// odd visits the pages that nobody looks for.
func (j *journey) odd() {
	for _, rule := range []string{"nonmember", "unauthenticated", "banned"} {
		j.open("/-/why/"+rule, 200)
		j.shoot("why-" + rule)
		if got := j.eval(`[...document.querySelectorAll("section[lang]")].map(s => s.lang).join()`); got != j.view.lang+","+j.other() {
			j.Errorf("/-/why/%s is in %s", rule, got)
		}
	}
	j.open("/-/leave/netops", 200)
	j.shoot("leave-by-mail")
	j.open("/netops/m/nothing@example.jp/", 404)
	j.shoot("not-found")
}

// loginLink returns the path of a link that signs the owner of the demo's lists in.
func (d *demo) loginLink(t *testing.T) (link string) {
	t.Helper()
	err := d.app.DB.Update(t.Context(), func(tx *storage.Tx) (err error) {
		link, err = listweb.NewLoginLink(tx, d.app.Site, address.Must("haruka@example.jp"), time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(link, d.app.Site.URL)
}

const hostileScript = "<script>alert(6)</script>"

// hostileNames are names of files that would do harm in a page, in a path, or in a header.
var hostileNames = []string{`"><script>alert(7)</script>.html`, `../../etc/passwd`, "a\tb.svg"}

// hostilePost is what a member's mail program could send that is out of our hands: ISO-2022-JP with half-width kana, which
// the charset does not have, markup in every place that a page shows, a long quote, and files to run.
func hostilePost() example {
	e := example{sender: "misaki@example.jp", id: "hostile.post@example.jp", lines: []string{
		`From: "<img src=x onerror=alert(2)>" <misaki@example.jp>`,
		"To: " + exampleList,
		"Subject: <script>alert(1)</script>",
		"Date: " + time.Now().Format(time.RFC1123Z),
		"Message-ID: <hostile.post@example.jp>",
		`Content-Type: multipart/mixed; boundary="b"`,
		"", "--b",
		"Content-Type: text/plain; charset=ISO-2022-JP", "",
		"\x1b$B$3$s$K$A$O!\"\x1b(IC^0@\x1b$B$G$9!#\x1b(B",
		`<img src=http://tracker.test/x onerror=alert(3)> javascript:alert(4) http://example.jp/"onmouseover="alert(5)`, "",
		"Misaki wrote:",
	}}
	for range 19 {
		e.lines = append(e.lines, "> quoted line")
	}
	e.lines = append(e.lines, "> quoted line 20", "", "Yes.")
	for i, kind := range []string{"text/html", "image/svg+xml", "text/plain"} {
		name := strings.ReplaceAll(hostileNames[i], `"`, `\"`)
		e.lines = append(e.lines, "--b", "Content-Type: "+kind, `Content-Disposition: attachment; filename="`+name+`"`,
			"Content-Transfer-Encoding: base64", "", base64.StdEncoding.EncodeToString([]byte(hostileScript)))
	}
	e.lines = append(e.lines, "--b--")
	return e
}

// hostileHTML is an answer in HTML alone, with all that HTML can do.
func hostileHTML() example {
	return example{sender: "misaki@example.jp", id: "hostile.html@example.jp", lines: []string{
		"From: Misaki Uno <misaki@example.jp>",
		"To: " + exampleList,
		"Subject: Re: <script>alert(1)</script>",
		"Date: " + time.Now().Format(time.RFC1123Z),
		"Message-ID: <hostile.html@example.jp>",
		"In-Reply-To: <hostile.post@example.jp>",
		"Content-Type: text/html; charset=utf-8",
		"",
		`<html><head><meta http-equiv="refresh" content="0;url=http://tracker.test/"><base href="http://tracker.test/">`,
		`<style>@import "http://tracker.test/a.css"; body { background: url(http://tracker.test/b.png) }</style></head>`,
		`<body onload="alert(8)"><p style="position: fixed; inset: 0">Harmless words</p>`,
		`<img src="http://tracker.test/c.png" onerror="alert(9)"><svg onload="alert(10)"><script>alert(11)</script></svg>`,
		`<iframe src="http://tracker.test/d"></iframe><form action="http://tracker.test/e"><input autofocus onfocus="alert(12)"></form>`,
		`<a href="javascript:alert(13)">a link</a><script>alert(14)</script><math><mtext></table><img src=x onerror=alert(15)></body></html>`,
	}}
}
