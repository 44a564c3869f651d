package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/archive/search"
	"kairan/storage"
	"kairan/storage/storagetest"
	"kairan/templates"
)

// twoLists is an Access to a public list and to one whose archive only those who are signed in read.
type twoLists struct{}

func (twoLists) info(name string) archive.Info {
	return archive.Info{ID: "0" + name, Name: name, Title: strings.ToUpper(name), Address: name + "@lists.example.jp", Public: name == "open"}
}

func (a twoLists) Archive(r *http.Request, name string) (archive.Info, error) {
	name = strings.TrimSuffix(name, "@lists.example.jp")
	switch {
	case name != "open" && name != "staff":
		return archive.Info{}, storage.ErrNotFound
	case name == "staff" && templates.FrameOf(r.Context()).User == "":
		return a.info(name), archive.ErrForbidden
	}
	return a.info(name), nil
}

func (a twoLists) Archives(r *http.Request) ([]archive.Info, error) {
	lists := []archive.Info{a.info("open")}
	if templates.FrameOf(r.Context()).User != "" {
		lists = append(lists, a.info("staff"))
	}
	return lists, nil
}

// library is a site that searches.
type library struct {
	*testing.T
	handler http.Handler
	arch    *archive.Archive
	index   *search.Index
	n       int
}

func newLibrary(t *testing.T) *library {
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	l := &library{T: t, arch: &archive.Archive{DB: storagetest.Open(t), Location: tokyo, Log: slog.New(slog.DiscardHandler)}}
	l.index = search.New(l.arch, l.arch.Log)
	l.handler = Search{Index: l.index, Archive: l.arch, Access: twoLists{}, Templates: set, Location: tokyo}.Handler()
	return l
}

func (l *library) add(list, header, body string) {
	l.Helper()
	l.n++
	id := fmt.Sprintf("%d@example.jp", l.n)
	raw := "From: Ann Example <ann.example@example.jp>\r\nMessage-ID: <" + id + ">\r\n" + header + "\r\n" + body + "\r\n"
	_, err := l.arch.Add(l.Context(), archive.Entry{List: "0" + list, Post: id, ID: id, Received: time.Date(2026, 1, l.n, 0, 0, 0, 0, tokyo), Raw: []byte(raw)}, nil)
	if err != nil {
		l.Fatal(err)
	}
}

// run indexes what there is.
func (l *library) run() {
	ctx, cancel := context.WithTimeout(l.Context(), time.Minute)
	l.Cleanup(cancel)
	go l.index.Run(ctx)
	for !l.index.Complete() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
}

func (l *library) get(path, user, lang string) (*http.Response, string) {
	l.Helper()
	r := httptest.NewRequestWithContext(l.Context(), "GET", path, nil)
	r = r.WithContext(templates.WithFrame(r.Context(), templates.Frame{Lang: lang, User: user, Path: path}))
	rec := httptest.NewRecorder()
	l.handler.ServeHTTP(rec, r)
	b, err := io.ReadAll(rec.Body)
	if err != nil {
		l.Fatal(err)
	}
	return rec.Result(), string(b)
}

func (l *library) page(path, user string, parts ...string) string {
	l.Helper()
	res, body := l.get(path, user, "en")
	if res.StatusCode != http.StatusOK {
		l.Fatalf("GET %s = %d", path, res.StatusCode)
	}
	for _, p := range parts {
		if !strings.Contains(body, p) {
			l.Errorf("GET %s does not hold %q:\n%s", path, p, body)
		}
	}
	return body
}

func TestSearchPages(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.page("/-/search?q=x", "", "still being made")
	l.add("open", "Subject: Tea <b>\r\n", "A cup of tea, says bob.sample@example.com, at https://lists.example.jp/-/u/secrettoken")
	l.add("staff", "Subject: tea for staff\r\n", "secret tea")
	l.run()
	page := l.page("/open/search?q=tea", "", "1 message found", `<mark>Tea</mark> &lt;b&gt;`, "cup of <mark>tea</mark>", `href="/open/m/1@example.jp/"`, `href="/-/search?q=tea"`, "bo…@example.com")
	for _, hidden := range []string{"secrettoken", "bob.sample", "staff", "ann.example"} {
		if strings.Contains(page, hidden) {
			t.Errorf("a stranger sees %s", hidden)
		}
	}
	if page := l.page("/-/search?q=tea", "", "1 message found", `<a href="/open/">OPEN</a>`); strings.Contains(page, "staff") {
		t.Error("a stranger's search finds what members write")
	}
	l.page("/-/search?q=secret", "", "Nothing was found", "Try fewer")
	for _, address := range []string{"bob.sample@example.com", "from:ann.example@example.jp"} { // which strangers see shortened
		asked := "?" + url.Values{"q": {address}}.Encode()
		l.page("/open/search"+asked, "", "Nothing was found")
		l.page("/open/search.json"+asked, "", `"total": 0`)
		if feed := l.page("/-/search.atom"+asked, ""); strings.Contains(feed, "<entry>") {
			t.Errorf("the feed tells a stranger that %s occurs", address)
		}
		if res, _ := l.get("/open/search.mbox.gz"+asked, "", "en"); res.StatusCode != http.StatusNotFound {
			t.Errorf("the download tells a stranger that %s occurs", address)
		}
		l.page("/open/search"+asked, "bob@example.com", "1 message found")
	}
	l.page("/-/search?q=tea", "bob@example.com", "2 messages found", "/staff/m/2@example.jp/", "bob.sample@example.com")
	res, _ := l.get("/-/search?q=tea", "bob@example.com", "ja")
	if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "private") {
		t.Errorf("a member's hits are cached: %q", got)
	}
	if res, _ := l.get("/staff/search?q=tea", "", "en"); res.StatusCode != http.StatusForbidden {
		t.Errorf("a private archive: %s", res.Status)
	}
	if res, _ := l.get("/open@lists.example.jp/search?q=tea", "", "en"); res.Header.Get("Location") != "/open/search?q=tea" {
		t.Errorf("the address of a list leads to %q", res.Header.Get("Location"))
	}
	l.page("/open/search?q=%3Cscript%3E", "", "&lt;script&gt;")
	l.page("/open/search", "", "How to search")
	l.page("/open/search?q=date:soon+tea&sort=date", "", "<code>date:soon</code>", "Best first", `name="sort" value="date"`)
	if res, body := l.get("/open/search?q="+url.QueryEscape("紅茶"), "", "ja"); res.StatusCode != 200 || !strings.Contains(body, "見つかりませんでした") {
		t.Errorf("the Japanese page: %s\n%s", res.Status, body)
	}
}

func TestSearchPagesOfHits(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	for range 25 {
		l.add("open", "Subject: tea\r\n", "tea")
	}
	l.run()
	first := l.page("/open/search?q=tea&sort=date", "", "25 messages found", "?q=tea&amp;sort=date&amp;p=2", "/open/m/25@example.jp/")
	second := l.page("/open/search?q=tea&sort=date&p=3", "", "/open/m/1@example.jp/")
	if n, m := strings.Count(first, `class="subject"`), strings.Count(second, `class="subject"`); n != 10 || m != 5 {
		t.Errorf("%d and %d hits", n, m)
	}
}
