package web

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/storage"
)

// TestURLs pins the addresses that docs/urls.md promises for ever. A change here breaks links in mails that were sent long ago.
func TestURLs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("janog")
	file := "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n"
	w.post(l, 1, "a/b@example.jp", "One", file)
	w.post(l, 2, "c@example.jp", "Re: One", "References: <a/b@example.jp>\r\n")
	w.post(l, 3, "c@example.jp", "Again", file)
	token := w.join(l, "ann@example.jp")
	var login string
	w.update(func(tx *storage.Tx) (err error) {
		login, err = NewLoginLink(tx, w.site, parse(t, "ann@example.jp"), time.Now())
		return err
	})
	css, err := w.set.StaticURL("kairan.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, to string // to is where a redirect leads
		want     int
	}{
		{"/", "", 200},
		{"/janog/", "", 200},
		{"/janog", "/janog/", 301},
		{"/janog@lists.example.jp/", "/janog/", 301},
		{"/janog/2026-01/", "", 200},
		{"/janog/2026-01", "/janog/2026-01/", 301},
		{"/janog@lists.example.jp/2026-01/?p=1", "/janog/2026-01/?p=1", 301},
		{"/janog/m/a%2Fb@example.jp/", "", 200},
		{"/janog/m/a%2Fb@example.jp", "/janog/m/a%2Fb@example.jp/", 301},
		{"/JANOG/m/a%2Fb@example.jp/", "/janog/m/a%2Fb@example.jp/", 301},
		{"/janog/m/a%2Fb@example.jp/raw", "", 200},
		{"/janog/m/a%2Fb@example.jp/att/1/a.txt", "", 200},
		{"/janog/m/a%2Fb@example.jp/att/1/any-name", "", 200},
		{"/janog/m/c@example.jp/2/", "", 200},
		{"/janog/m/c@example.jp/2", "/janog/m/c@example.jp/2/", 301},
		{"/janog/m/c@example.jp/2/raw", "", 200},
		{"/janog/m/c@example.jp/2/att/1/a.txt", "", 200},
		{"/janog/m/c@example.jp/1/", "", 404},
		{"/janog/t/a%2Fb@example.jp/", "", 200},
		{"/janog/t/a%2Fb@example.jp", "/janog/t/a%2Fb@example.jp/", 301},
		{"/janog/t/c@example.jp/", "/janog/t/a%2Fb@example.jp/#m2", 302},
		{"/janog/t/c@example.jp/2/", "/janog/t/a%2Fb@example.jp/#m3", 302},
		{"/janog/1", "/janog/m/a%2Fb@example.jp/", 302},
		{"/index.json", "", 200},
		{"/janog/index.json", "", 200},
		{"/janog@lists.example.jp/index.json", "/janog/index.json", 301},
		{"/janog/2026-01/index.json", "", 200},
		{"/janog/m/a%2Fb@example.jp/index.json", "", 200},
		{"/janog/m/c@example.jp/2/index.json", "", 200},
		{"/janog/t/a%2Fb@example.jp/index.json", "", 200},
		{"/janog/t/c@example.jp/index.json", "/janog/t/a%2Fb@example.jp/index.json#m2", 302},
		{"/janog/new.atom", "", 200},
		{"/janog@lists.example.jp/new.atom", "/janog/new.atom", 301},
		{"/janog/t/a%2Fb@example.jp/new.atom", "", 200},
		{"/janog/2026-01.mbox.gz", "", 200},
		{"/janog/2026-02.mbox.gz", "", 404},
		{"/janog/t/a%2Fb@example.jp/thread.mbox.gz", "", 200},
		{"/janog/2026-01/sitemap.xml", "", 200},
		{"/sitemap.xml", "", 200},
		{"/janog/3", "/janog/m/c@example.jp/2/", 302},
		{"/-/u/" + token, "", 200},
		{"/-/leave/janog", "", 200},
		{"/-/why/too-large", "", 200},
		{"/-/login", "", 200},
		{strings.TrimPrefix(login, "https://lists.example.jp"), "", 200},
		{"/-/admin/janog/settings", "/-/login?to=%2F-%2Fadmin%2Fjanog%2Fsettings", 303},
		{"/-/admin/janog/health", "/-/login?to=%2F-%2Fadmin%2Fjanog%2Fhealth", 303},
		{"/-/admin/janog/texts", "/-/login?to=%2F-%2Fadmin%2Fjanog%2Ftexts", 303},
		{"/-/admin/janog/texts/welcome", "/-/login?to=%2F-%2Fadmin%2Fjanog%2Ftexts%2Fwelcome", 303},
		{"/-/site/texts", "/-/login?to=%2F-%2Fsite%2Ftexts", 303},
		{"/-/admin/", "/-/login?to=%2F-%2Fadmin%2F", 303},
		{"/-/site/", "/-/login?to=%2F-%2Fsite%2F", 303},
		{"/-/site/lists", "/-/login?to=%2F-%2Fsite%2Flists", 303},
		{"/-/site/list/janog", "/-/login?to=%2F-%2Fsite%2Flist%2Fjanog", 303},
		{"/-/site/bans", "/-/login?to=%2F-%2Fsite%2Fbans", 303},
		{"/-/site/log", "/-/login?to=%2F-%2Fsite%2Flog", 303},
		{"/-/admin/janog/log", "/-/login?to=%2F-%2Fadmin%2Fjanog%2Flog", 303},
		{css, "", 200},
		{"/-/healthz", "", 200},
		{"/robots.txt", "", 200},
	} {
		res := w.do("GET", c.path, "")
		if got := res.Header.Get("Location"); res.StatusCode != c.want || got != c.to {
			t.Errorf("GET %s = %d to %q, want %d to %q", c.path, res.StatusCode, got, c.want, c.to)
		}
	}
	if got, want := w.site.MessageURL(l, "a/b@example.jp"), "https://lists.example.jp/janog/m/a%2Fb@example.jp/"; got != want {
		t.Errorf("the link in mails is %s, want %s", got, want)
	}
	if got, want := w.site.UnsubscribeURL(token), "https://lists.example.jp/-/u/"+token; got != want {
		t.Errorf("the unsubscribe link in mails is %s, want %s", got, want)
	}
}

// TestFormerNames: a list that moves keeps its old addresses.
func TestFormerNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("old")
	w.post(l, 1, "a@example.jp", "One", "")
	w.update(func(tx *storage.Tx) error {
		return list.Rename(tx, l.ID, parse(t, "new@lists.example.jp"), list.Edit{At: time.Now()})
	})
	for path, to := range map[string]string{
		"/old/": "/new/", "/old/m/a@example.jp/": "/new/m/a@example.jp/", "/old@lists.example.jp/2026-01/": "/new/2026-01/", "/old/1": "/new/1",
	} {
		res := w.do("GET", path, "")
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || got != to {
			t.Errorf("GET %s = %d to %q, want %q", path, res.StatusCode, got, to)
		}
	}
}

// TestURLsAreDocumented reads docs/urls.md for each address of a list and its archive; those under "/-/" are in TestAddressesAreDocumented.
func TestURLsAreDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/urls.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"`/LIST/`", "`/LIST/2026-01/`", "`/LIST/m/<message-id>/`", "`/LIST/m/<message-id>/2/`", "`/LIST/m/<message-id>/raw`", "`/LIST/m/<message-id>/att/N/NAME`", "`/LIST/t/<message-id>/`", "`/LIST/<number>`", "`index.json`", "`search.json`", "`/LIST/new.atom`", "`/LIST/t/<message-id>/new.atom`", "`/LIST/search.atom?q=`", "`/LIST/2026-01.mbox.gz`", "`/LIST/t/<message-id>/thread.mbox.gz`", "`/LIST/search.mbox.gz?q=`", "`/sitemap.xml`", "`/LIST/2026-01/sitemap.xml`", "`/robots.txt`"} {
		if !strings.Contains(string(b), address) {
			t.Errorf("docs/urls.md does not name %s", address)
		}
	}
}
