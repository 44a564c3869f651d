package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/storage"
)

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
		if all := list.PersonOf(tx, parse(t, "ann@example.jp")).Sessions(tx, time.Now()); len(all) > 0 {
			t.Errorf("a session is left: %+v", all[0])
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
		if g, err := list.GetLoginLink(tx, list.TokenHash(path[strings.LastIndex(path, "/")+1:])); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("the link for %s is still there: %v", g.Address, err)
		}
		return nil
	})
	var old string
	w.update(func(tx *storage.Tx) error {
		old = list.NewToken()
		return list.BeginSession(tx, list.Session{Key: list.TokenHash(old), Address: parse(t, "ann@example.jp"), Until: time.Now().Add(-time.Second)})
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
	l := newLimiter[netip.Prefix](attemptEvery, attempts)
	ip := netip.MustParseAddr("2001:db8::1")
	for range limitedNumber + 100 {
		l.allow(network(ip))
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
