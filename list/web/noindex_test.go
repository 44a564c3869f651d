package web

import (
	"net/http"
	"strings"
	"testing"

	"kairan/list"
)

// TestNoindex asks every outlet of an archive that search engines are to leave alone, and of one beside it.
func TestNoindex(t *testing.T) {
	t.Parallel()
	w, run := indexed(t)
	for name, noindex := range map[string]bool{"quiet": true, "open": false} {
		l := w.list(name, func(s *list.Settings) { s.Noindex = noindex })
		w.add(l, 1, "From: Ann <ann@example.jp>\nMessage-ID: <tea@example.jp>\nSubject: tea\nContent-Type: multipart/mixed; boundary=b\n\n"+
			"--b\n\ntea\n--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=tea.txt\n\ntea\n--b--\n")
	}
	run()
	outlets := []string{
		"", "index.json", "new.atom", "2026-01/", "2026-01/index.json", "2026-01.mbox.gz", "search?q=tea", "search.json?q=tea", "search.atom?q=tea", "search.mbox.gz?q=tea",
		"m/tea@example.jp/", "m/tea@example.jp/index.json", "m/tea@example.jp/raw", "m/tea@example.jp/att/2/tea.txt",
		"t/tea@example.jp/", "t/tea@example.jp/index.json", "t/tea@example.jp/new.atom", "t/tea@example.jp/thread.mbox.gz",
	}
	for name, noindex := range map[string]bool{"quiet": true, "open": false} {
		for _, outlet := range outlets {
			path := "/" + name + "/" + outlet
			res := w.do("GET", path, "")
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", path, res.StatusCode)
				continue
			}
			want := noindex || strings.HasPrefix(outlet, "search") // which leads nowhere new
			if got := res.Header.Get("X-Robots-Tag") == "noindex"; got != want {
				t.Errorf("%s: X-Robots-Tag %q", path, res.Header.Get("X-Robots-Tag"))
			}
			if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
				if got := strings.Contains(whole(t, path, res), `<meta name="robots" content="noindex">`); got != want {
					t.Errorf("%s: its head says noindex: %t", path, got)
				}
			}
		}
	}
	res := w.do("GET", "/sitemap.xml", "")
	if site := whole(t, "/sitemap.xml", res); strings.Contains(site, "quiet") || !strings.Contains(site, "open") {
		t.Errorf("the map of the site:\n%s", site)
	}
	for path, want := range map[string]int{"/quiet/2026-01/sitemap.xml": http.StatusNotFound, "/open/2026-01/sitemap.xml": http.StatusOK} {
		if res := w.do("GET", path, ""); res.StatusCode != want {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}
