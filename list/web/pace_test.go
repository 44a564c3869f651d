package web

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestPace: who reads as people do waits for nothing; who reads all there is waits. The time is the bubble's.
func TestPace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.PagesPerMinute = 60 })
	w.post(w.list("janog"), 1, "a@example.jp", "One", "")
	ann := w.login("ann@example.jp")
	get := func(from, path string, cookie *http.Cookie) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		r.RemoteAddr = from
		if cookie != nil {
			r.AddCookie(cookie)
		}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		return rec.Result()
	}
	synctest.Test(t, func(t *testing.T) {
		crawler := "[2001:db8:1:2::1]:1"
		n := 0
		for ; get(crawler, "/janog/2026-01/", nil).StatusCode == http.StatusOK; n++ {
			if n > 1000 {
				t.Fatal("a crawler is never stopped")
			}
		}
		if n != 60*burstMinutes {
			t.Errorf("a crawler is stopped after %d pages", n)
		}
		res := get("[2001:db8:1:2:ffff::9]:1", "/janog/new.atom", nil) // the same /64
		wait, err := strconv.Atoi(res.Header.Get("Retry-After"))
		if res.StatusCode != http.StatusTooManyRequests || err != nil || wait != 1 {
			t.Errorf("the neighbour: %s, Retry-After %q", res.Status, res.Header.Get("Retry-After"))
		}
		if res := get(crawler, "/janog/2026-01.mbox.gz", nil); res.Header.Get("Retry-After") != strconv.Itoa(downloadCost) {
			t.Errorf("a download waits for %s s", res.Header.Get("Retry-After"))
		}
		if res := get(crawler, "/robots.txt", nil); res.StatusCode != http.StatusOK {
			t.Errorf("robots.txt: %s", res.Status)
		}
		for who, c := range map[string]struct {
			from   string
			cookie *http.Cookie
		}{"another network": {"[2001:db8:1:3::1]:1", nil}, "who is signed in": {crawler, ann}, "a proxy": {"127.0.0.1:1", nil}, "a container": {"172.17.0.1:1", nil}, "a unix socket": {"@", nil}} {
			if res := get(c.from, "/janog/2026-01/", c.cookie); res.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", who, res.Status)
			}
		}
		time.Sleep(time.Duration(downloadCost) * time.Second)
		if res := get(crawler, "/janog/2026-01.mbox.gz", nil); res.StatusCode != http.StatusOK {
			t.Errorf("after waiting: %s", res.Status)
		}
	})
}
