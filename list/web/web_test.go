package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/storage/storagetest"
	"kairan/templates"
)

// world is a site with lists and people, without sockets.
type world struct {
	t       *testing.T
	db      *storage.DB
	arch    *archive.Archive
	site    *list.Site
	set     *templates.Set
	handler http.Handler
	lists   map[string]*list.List
	left    []string
	log     bytes.Buffer
}

var tokyo = time.FixedZone("JST", 9*3600)

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, set: set, db: storagetest.Open(t), lists: map[string]*list.List{}}
	w.arch = &archive.Archive{DB: w.db, Location: tokyo, Log: slog.New(slog.DiscardHandler)}
	w.site = &list.Site{Hostname: "lists.example.jp", URL: "https://lists.example.jp", Language: "ja", Location: tokyo}
	o := Options{
		DB: w.db, Archive: w.arch, Site: w.site, Templates: set,
		Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Left: func(_ context.Context, l *list.List, m *list.Member) {
			w.left = append(w.left, l.Name+" "+m.Address.String())
		},
	}
	for _, c := range change {
		c(&o)
	}
	w.handler = New(o)
	return w
}

func parse(t *testing.T, s string) address.Address {
	t.Helper()
	a, err := address.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// update runs fn in a transaction.
func (w *world) update(fn func(*storage.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// list makes a list called name with settings changed.
func (w *world) list(name string, change ...func(*list.Settings)) *list.List {
	w.t.Helper()
	s := list.DefaultSettings("ja")
	s.DisplayName = strings.ToUpper(name)
	s.Description = list.Text{"ja": name + " の説明", "en": "About " + name}
	for _, c := range change {
		c(&s)
	}
	w.update(func(tx *storage.Tx) (err error) {
		w.lists[name], err = list.Create(tx, parse(w.t, name+"@lists.example.jp"), s, time.Now())
		return err
	})
	return w.lists[name]
}

// join makes addr a member and returns its unsubscribe token.
func (w *world) join(l *list.List, addr string) string {
	w.t.Helper()
	m := list.Member{List: l.ID, Role: list.RoleMember, Address: parse(w.t, addr), Token: list.NewToken(), NoOwnPosts: true}
	w.update(func(tx *storage.Tx) error { return list.Join(tx, m) })
	return m.Token
}

func (w *world) isMember(l *list.List, addr string) bool {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *storage.Tx) error {
		_, err := list.GetMember(tx, l.ID, list.RoleMember, parse(w.t, addr))
		return err
	})
	return err == nil
}

// post archives a message.
func (w *world) post(l *list.List, n uint64, id, subject, extra string) {
	w.t.Helper()
	when := time.Date(2026, 1, int(n), 10, 0, 0, 0, tokyo)
	raw := "From: Ann Example <ann@example.jp>\r\nTo: " + l.Address.String() + "\r\nSubject: " + subject +
		"\r\nMessage-ID: <" + id + ">\r\nDate: " + when.Format(time.RFC1123Z) + "\r\n" + extra + "\r\nHello from bob@example.com.\r\n"
	_, err := w.arch.Add(w.t.Context(), archive.Entry{
		List: string(l.ID), Post: fmt.Sprintf("post-%s-%d", l.Name, n), Number: n, ID: id, Received: when, Raw: []byte(raw),
	}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
}

// login begins a session for addr and returns its cookie.
func (w *world) login(addr string) *http.Cookie {
	w.t.Helper()
	var link string
	w.update(func(tx *storage.Tx) (err error) {
		link, err = NewLoginLink(tx, w.site, parse(w.t, addr), time.Now())
		return err
	})
	res := w.do("POST", strings.TrimPrefix(link, w.site.URL), "")
	for _, c := range res.Cookies() {
		if strings.HasSuffix(c.Name, "session") && c.Value != "" {
			return c
		}
	}
	w.t.Fatalf("no session after signing in: %s", res.Status)
	return nil
}

// do sends a request; body is a form unless it is empty. Options are cookies and "Name: value" fields.
func (w *world) do(method, path, form string, with ...any) *http.Response {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(form))
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, o := range with {
		switch o := o.(type) {
		case *http.Cookie:
			r.AddCookie(o)
		case string:
			name, value, _ := strings.Cut(o, ": ")
			r.Header.Set(name, value)
		}
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec.Result()
}

// get returns status and body of a page.
func (w *world) get(path string, with ...any) (int, string) {
	w.t.Helper()
	res := w.do("GET", path, "", with...)
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// has fails unless the page holds each of parts.
func has(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(page, p) {
			t.Errorf("the page does not hold %q:\n%s", p, page)
		}
	}
}

func hasNot(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(page, p) {
			t.Errorf("the page holds %q:\n%s", p, page)
		}
	}
}

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
	w.update(func(tx *storage.Tx) error { return list.Remove(tx, l.ID, time.Now()) })
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

func TestLoginLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var link string
	w.update(func(tx *storage.Tx) (err error) {
		link, err = NewLoginLink(tx, w.site, parse(t, "ann@example.jp"), time.Now())
		return err
	})
	path := strings.TrimPrefix(link, w.site.URL)
	for range 2 { // looking changes nothing
		if code, page := w.get(path); code != http.StatusOK || !strings.Contains(page, "ann@example.jp") || !strings.Contains(page, `method="post" action="`+path+`"`) {
			t.Fatalf("GET %d:\n%s", code, page)
		}
	}
	if res := w.do("POST", path, "", "Sec-Fetch-Site: cross-site"); res.StatusCode != http.StatusForbidden {
		t.Errorf("another site signs its visitor in here: %d", res.StatusCode)
	}
	res := w.do("POST", path, "")
	if res.StatusCode != http.StatusSeeOther || len(res.Cookies()) != 1 {
		t.Fatalf("POST = %d with %v", res.StatusCode, res.Cookies())
	}
	c := res.Cookies()[0]
	if c.Name != "__Host-session" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 30*24*3600 {
		t.Errorf("cookie %+v", c)
	}
	if code, _ := w.get(path); code != http.StatusNotFound {
		t.Errorf("the link's page after its use: %d", code)
	}
	if res := w.do("POST", path, ""); res.StatusCode != http.StatusNotFound || len(res.Cookies()) != 0 {
		t.Errorf("the link works twice: %d", res.StatusCode)
	}
	if _, page := w.get("/", c); !strings.Contains(page, "ann@example.jp") {
		t.Error("the front page does not know who is signed in")
	}
	w.do("POST", "/-/logout", "", c)
	if _, page := w.get("/", c); strings.Contains(page, "ann@example.jp") {
		t.Error("the session outlives signing out")
	}
	if strings.Contains(w.log.String(), strings.TrimPrefix(path, "/-/login/")) || strings.Contains(w.log.String(), c.Value) {
		t.Error("a secret is in the log")
	}
	w.db.View(t.Context(), func(tx *storage.Tx) error {
		for key := range sessions.Scan(tx, storage.Range[string]{}) {
			t.Errorf("a session is left: %s", key)
		}
		return nil
	})
}

func TestGrantsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := time.Now().Add(-linkLife - time.Second)
	var link string
	w.update(func(tx *storage.Tx) (err error) {
		link, err = NewLoginLink(tx, w.site, parse(t, "ann@example.jp"), made)
		return err
	})
	path := strings.TrimPrefix(link, w.site.URL)
	if res := w.do("POST", path, ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("a link works after 15 minutes: %d", res.StatusCode)
	}
	w.login("bob@example.com") // sweeps
	w.db.View(t.Context(), func(tx *storage.Tx) error {
		for key, g := range loginLinks.Scan(tx, storage.Range[string]{}) {
			t.Errorf("%s for %s is still there", key, g.Address)
		}
		return nil
	})
	var old string
	w.update(func(tx *storage.Tx) (err error) {
		old, err = newGrant(tx, sessions, grant{Address: parse(t, "ann@example.jp"), Until: time.Now().Add(-time.Second)}, time.Now())
		return err
	})
	if _, page := w.get("/", &http.Cookie{Name: "__Host-session", Value: old}); strings.Contains(page, "ann@example.jp") {
		t.Error("a session works after its end")
	}
}

func TestLoginIsLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	try := func(forwarded string) int {
		return w.do("POST", "/-/login/"+strings.Repeat("0", 32), "", "X-Forwarded-For: "+forwarded).StatusCode
	}
	for range attempts {
		if got := try("198.51.100.1, 203.0.113.9"); got != http.StatusNotFound {
			t.Fatalf("a wrong link: %d", got)
		}
	}
	if got := try("198.51.100.77, 203.0.113.9"); got != http.StatusTooManyRequests {
		t.Errorf("one attempt more, behind an invented address: %d", got)
	}
	if got := try("203.0.113.10"); got != http.StatusNotFound {
		t.Errorf("another client: %d", got)
	}
}

func TestClientIP(t *testing.T) {
	t.Parallel()
	s := &site{Options: Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}}}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"198.51.100.1:1", "203.0.113.1", "198.51.100.1"}, // not a proxy of ours
		{"192.0.2.1:1", "203.0.113.1", "203.0.113.1"},
		{"192.0.2.1:1", "198.51.100.1, 203.0.113.1, 192.0.2.7", "203.0.113.1"},
		{"192.0.2.1:1", "", "192.0.2.1"},
		{"192.0.2.1:1", "nonsense", "192.0.2.1"},
		{"[2001:db8::1]:1", "203.0.113.1", "203.0.113.1"},
		{"[::ffff:192.0.2.1]:1", "203.0.113.1", "203.0.113.1"},
		{"@", "203.0.113.1", "203.0.113.1"}, // unix socket
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header.Set("X-Forwarded-For", c.forwarded)
		if got := s.clientIP(r); got.String() != c.want {
			t.Errorf("%s with %q = %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

func TestLimiterIsBounded(t *testing.T) {
	t.Parallel()
	l := newLimiter()
	ip := netip.MustParseAddr("2001:db8::1")
	for range limitedNumber + 100 {
		l.allow(ip)
		b := ip.As16()
		for i := 7; i >= 0; i-- { // the next /64
			if b[i]++; b[i] != 0 {
				break
			}
		}
		ip = netip.AddrFrom16(b)
	}
	if len(l.clients) > limitedNumber {
		t.Errorf("%d clients are remembered", len(l.clients))
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
