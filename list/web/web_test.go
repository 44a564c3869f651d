package web

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/storage"
)

func TestHome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	janog := w.list("janog")
	w.list("hidden", func(s *list.Settings) { s.Advertised = false; s.ArchivePolicy = "private" })
	w.post(janog, 7, "a@example.jp", "Hello", "")
	w.join(w.lists["hidden"], "ann@example.jp")

	code, page := w.get("/")
	if code != http.StatusOK {
		t.Fatalf("GET / = %d", code)
	}
	has(t, page, `<a href="/janog/">JANOG</a>`, "janog の説明", "2026年1月7日")
	hasNot(t, page, "HIDDEN")
	_, page = w.get("/", "Accept-Language: de, en;q=0.8, ja;q=0.2")
	has(t, page, "About janog", `<html lang="en">`, "Wed 7 Jan 2026")
	_, page = w.get("/", w.login("ann@example.jp"))
	has(t, page, "HIDDEN", "ann@example.jp")
}

func TestListPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("janog")
	code, page := w.get("/janog/?lang=en")
	if code != http.StatusOK {
		t.Fatalf("a list without posts: %d", code)
	}
	has(t, page, "mailto:janog-join@lists.example.jp", "mailto:janog-leave@lists.example.jp", "mailto:janog-owner@lists.example.jp",
		"mailto:janog@lists.example.jp", "Nothing has been posted")
	w.post(l, 3, "a@example.jp", "A question of ann@example.jp", "")
	_, page = w.get("/janog/?lang=en")
	has(t, page, `href="/janog/t/a@example.jp/"`, `href="/janog/2026-01/"`, "A question of a…@example.jp")
}

func TestListPageMovedAndMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list("janog")
	for path, want := range map[string]string{
		"/janog":                         "/janog/",
		"/JANOG/":                        "/janog/",
		"/janog@lists.example.jp/":       "/janog/",
		"/janog@lists.example.jp":        "/janog/",
		"/janog%40lists.example.jp/?x=1": "/janog/?x=1",
	} {
		res := w.do("GET", path, "")
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || got != want {
			t.Errorf("GET %s = %d to %q, want %q", path, res.StatusCode, got, want)
		}
	}
	for _, path := range []string{"/nosuch/", "/nosuch", "/-/nosuch", "/-/", "/nosuch/2026-01/", "/janog/x/y/z/", "/-/u/0123", "/-/why/nosuch", "/-/leave/nosuch", "/favicon.ico"} {
		if code, page := w.get(path); code != http.StatusNotFound || !strings.Contains(page, "<html") {
			t.Errorf("GET %s = %d", path, code)
		}
	}
}

func TestClosedList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("old")
	w.post(l, 1, "a@example.jp", "Hello", "")
	w.update(func(tx *storage.Tx) error { return list.Remove(tx, l.ID, list.Edit{At: time.Now()}) })
	code, page := w.get("/old/?lang=en")
	if code != http.StatusOK {
		t.Fatalf("the page of a closed list: %d", code)
	}
	has(t, page, "This list has ended", "/old/2026-01/")
	hasNot(t, page, "mailto:")
	if _, page := w.get("/"); strings.Contains(page, "OLD") {
		t.Error("a closed list stands on the front page")
	}
}

func TestPrivateArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("board", func(s *list.Settings) { s.ArchivePolicy = "private" })
	w.post(l, 1, "secret@example.jp", "The secret", "")
	w.join(l, "ann@example.jp")
	w.join(w.list("other"), "bob@example.com")
	ann, bob := w.login("ann@example.jp"), w.login("bob@example.com")

	paths := []string{"/board/2026-01/", "/board/m/secret@example.jp/", "/board/m/secret@example.jp/raw", "/board/t/secret@example.jp/", "/board/1"}
	for _, path := range paths {
		for who, cookie := range map[string]*http.Cookie{"a stranger": nil, "bob": bob, "a forger": {Name: ann.Name, Value: strings.Repeat("0", 32)}} {
			var with []any
			if cookie != nil {
				with = append(with, cookie)
			}
			res := w.do("GET", path, "", with...)
			b, _ := io.ReadAll(res.Body)
			if res.StatusCode != http.StatusForbidden || strings.Contains(string(b), "secret") && !strings.Contains(path, "secret") || strings.Contains(string(b), "The secret") {
				t.Errorf("%s GET %s = %d", who, path, res.StatusCode)
			}
			if got := res.Header.Get("Cache-Control"); got != "private, no-store" {
				t.Errorf("%s GET %s: Cache-Control %q", who, path, got)
			}
		}
		res := w.do("GET", path, "", ann)
		if res.StatusCode >= 400 {
			t.Errorf("ann GET %s = %d", path, res.StatusCode)
		}
		if got := res.Header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("ann GET %s: Cache-Control %q", path, got)
		}
	}
	if _, page := w.get("/board/"); strings.Contains(page, "The secret") || strings.Contains(page, "2026-01") {
		t.Error("the page of the list tells strangers of its posts")
	}
	if _, page := w.get("/board/", ann); !strings.Contains(page, "The secret") {
		t.Error("the page of the list does not show a member its posts")
	}
	never := w.list("never", func(s *list.Settings) { s.ArchivePolicy = "never" })
	w.join(never, "ann@example.jp")
	if code, _ := w.get("/never/2026-01/", ann); code != http.StatusNotFound {
		t.Errorf("a list without archive: %d", code)
	}
	if code, _ := w.get("/never/", ann); code != http.StatusOK {
		t.Errorf("the page of a list without archive: %d", code)
	}
}

func TestEveryPageIsGuarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.Extra = map[string]http.Handler{"GET /-/outbox/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "outbox") })}
	})
	l := w.list("janog")
	w.post(l, 1, "a@example.jp", "Hello", "")
	token := w.join(l, "ann@example.jp")
	for _, path := range []string{"/", "/janog/", "/janog/2026-01/", "/janog/m/a@example.jp/", "/janog/m/a@example.jp/raw", "/janog/t/a@example.jp/", "/-/login", "/-/why/too-large",
		"/-/u/" + token, "/-/leave/janog", "/-/outbox/", "/-/healthz", "/robots.txt", "/nosuch/"} {
		res := w.do("GET", path, "")
		if path != "/nosuch/" && res.StatusCode != http.StatusOK {
			t.Errorf("GET %s = %d", path, res.StatusCode)
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("GET %s: policy %q", path, csp)
		}
		if res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Referrer-Policy") == "" {
			t.Errorf("GET %s: %v", path, res.Header)
		}
		if len(res.Cookies()) > 0 {
			t.Errorf("GET %s sets a cookie", path)
		}
		if head := w.do("HEAD", path, ""); head.StatusCode != res.StatusCode || head.Header.Get("Content-Type") != res.Header.Get("Content-Type") {
			t.Errorf("HEAD %s = %d %v", path, head.StatusCode, head.Header)
		}
	}
	if res := w.do("POST", "/janog/", "x=y"); res.StatusCode < 400 {
		t.Errorf("POST to a page = %d", res.StatusCode)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list("janog")
	res := w.do("POST", "/-/lang", url.Values{"lang": {"en"}, "to": {"/janog/?lang=ja&p=2"}}.Encode())
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/janog/?p=2" || len(res.Cookies()) != 1 {
		t.Fatalf("choose English: %d to %q with %v", res.StatusCode, res.Header.Get("Location"), res.Cookies())
	}
	cookie := res.Cookies()[0]
	if _, page := w.get("/janog/", cookie, "Accept-Language: ja"); !strings.Contains(page, `<html lang="en">`) {
		t.Error("the cookie does not win over Accept-Language")
	}
	if _, page := w.get("/janog/?lang=ja", cookie); !strings.Contains(page, `<html lang="ja">`) {
		t.Error("?lang= does not win over the cookie")
	}
	for _, to := range []string{"https://example.com/", "//example.com/", `/\example.com`, "javascript:alert(1)", "", "/\r\nX: y"} {
		res := w.do("POST", "/-/lang", url.Values{"lang": {"xx"}, "to": {to}}.Encode())
		if res.Header.Get("Location") != "/" || len(res.Cookies()) != 0 {
			t.Errorf("to %q leads to %q with %v", to, res.Header.Get("Location"), res.Cookies())
		}
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, page := w.get("/-/why/too-large", "Accept-Language: en")
	has(t, page, "The mail is too large", "メールが大きすぎます")
	if strings.Index(page, "too large") > strings.Index(page, "大きすぎます") {
		t.Error("the reader's language does not come first")
	}
}

func TestPanicIsAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.Extra = map[string]http.Handler{"GET /-/boom/": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })}
	})
	code, page := w.get("/-/boom/secret")
	if code != http.StatusInternalServerError || strings.Contains(page, "boom") || !strings.Contains(page, "<html") {
		t.Errorf("a panic = %d:\n%s", code, page)
	}
	if log := w.log.String(); !strings.Contains(log, "panic=boom") || !strings.Contains(log, "path=/-/boom ") || strings.Contains(log, "secret") {
		t.Errorf("the log of a panic: %s", log)
	}
}

// TestNoSuchPage: what there is no page for is answered with a page, which says what else could be asked.
func TestNoSuchPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list("janog")
	for _, c := range []struct {
		method, path string
		want         int
		allow        string
	}{
		{"GET", "/-/nothing", 404, ""},
		{"POST", "/-/nothing", 404, ""},
		{"GET", "/-/", 404, ""},
		{"POST", "/-/healthz", 405, "GET, HEAD"},
		{"PUT", "/-/login", 405, "GET, HEAD"},
		{"OPTIONS", "/-/u/x", 405, "GET, HEAD, POST"},
		{"GET", "/-/logout", 405, "POST"},
		{"GET", "/-/lang", 405, "POST"},
		{"DELETE", "/janog/m/x/", 405, "GET, HEAD"},
		{"HEAD", "/-/login", 200, ""},
		{"GET", "/-//login", 307, ""},
		{"GET", "/-/why/../login", 307, ""},
		{"GET", "/-/static/../../etc/passwd", 307, ""},
		{"GET", "/-/static/%2e%2e/%2e%2e/etc/passwd", 404, ""},
		{"GET", "/-/static/..%2f..%2fetc%2fpasswd", 404, ""},
	} {
		res := w.do(c.method, c.path, "")
		if got := res.Header.Get("Allow"); res.StatusCode != c.want || got != c.allow {
			t.Errorf("%s %s = %d, allowed %q; want %d and %q", c.method, c.path, res.StatusCode, got, c.want, c.allow)
		}
		if c.want >= 400 && !strings.HasPrefix(c.path, "/-/static/") {
			if page := bodyOf(t, res); !strings.Contains(page, "</html>") || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s %s: %s, %q", c.method, c.path, res.Header.Get("Content-Type"), page)
			}
		}
		if got := res.Header.Get("Strict-Transport-Security"); got != transportSecurity {
			t.Errorf("%s %s: Strict-Transport-Security: %q", c.method, c.path, got)
		}
	}
}
