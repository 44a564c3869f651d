package main

import (
	"context"
	"flag"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// largestPage is how many bytes a page may have. Threads have as many as their messages.
const largestPage = 100_000

// crawl follows every link of the site from where readers begin: as a stranger and as the administrator through the archives too, as a
// member, a moderator and an owner through all that is not archive.
func crawl(t *testing.T, d *demo) {
	begin := []string{"/", "/-/login", "/-/demo", "/-/outbox/", "/-/leave/netops", "/robots.txt", "/-/healthz"}
	for _, reason := range d.app.Templates.Reasons() {
		begin = append(begin, "/-/why/"+reason)
	}
	stranger := &crawler{T: t, who: "a stranger", site: d.app.Site.URL, client: &http.Client{}}
	stranger.run(begin)
	admin := signedIn(t, d, "haruka@example.jp")
	admin.run(begin)
	if admin.pages < stranger.pages+50 || stranger.pages < 500 {
		t.Errorf("a stranger finds %d pages, the administrator %d", stranger.pages, admin.pages)
	}
	private := 0
	for path := range admin.seen {
		if !strings.HasPrefix(path, "/wg-dns/") || path == "/wg-dns/" || path == "/wg-dns/index.json" {
			continue
		}
		private++
		if resp, body := stranger.get(path); resp.StatusCode != http.StatusForbidden || resp.Header.Get("Cache-Control") != "private, no-store" || len(body) > 3000 {
			t.Errorf("a stranger gets %s: %s, %d bytes", path, resp.Status, len(body))
		}
	}
	if private < 50 {
		t.Errorf("the administrator finds %d private pages", private)
	}
	roles(t, d, begin, admin)
}

// roles follows the links of the pages that are no archive. Who has less to say finds less, and gets none of the pages of those who have more.
func roles(t *testing.T, d *demo, begin []string, admin *crawler) {
	found := map[string]*crawler{}
	for _, p := range personas {
		if p.role == "admin" {
			continue
		}
		c := signedIn(t, d, p.address)
		c.noArchive = true
		c.run(begin)
		found[p.role] = c
	}
	for _, c := range []struct{ less, more string }{{"member", "moderator"}, {"moderator", "owner"}} {
		if less, more := found[c.less].panels(), found[c.more].panels(); less >= more {
			t.Errorf("a %s finds %d pages about lists, a %s %d", c.less, less, c.more, more)
		}
	}
	denied := map[string]bool{}
	for path := range admin.seen {
		if kind := pageKind(path); (strings.HasPrefix(kind, "/-/admin/") || strings.HasPrefix(kind, "/-/site")) && !denied[kind] {
			denied[kind] = true
			if resp, _ := found["member"].get(path); resp.StatusCode != http.StatusForbidden {
				t.Errorf("a member gets %s: %s", path, resp.Status)
			}
		}
	}
	if len(denied) < 8 {
		t.Errorf("the administrator finds only %v", denied)
	}
}

// signedIn is a reader whom the demo has signed in.
func signedIn(t *testing.T, d *demo, as string) *crawler {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &crawler{T: t, who: as, site: d.app.Site.URL, client: &http.Client{Jar: jar}}
	resp, err := c.client.PostForm(d.app.Site.URL+signInPath, url.Values{"as": {as}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return c
}

// pageKind is the page that a path shows, whatever it shows there: "/-/admin/*/texts/*".
func pageKind(path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	fixed := 3 // "/-/PAGE"
	if len(parts) > 3 && parts[2] == "admin" {
		parts[3] = "*"
		fixed = 5 // "/-/admin/LIST/PAGE"
	} else if len(parts) > 3 && (parts[2] == "my" || parts[2] == "site" || parts[2] == "login") {
		fixed = 4
	}
	for i := fixed; i < len(parts); i++ {
		parts[i] = "*"
	}
	return strings.Join(parts, "/")
}

// panels are how many pages about lists were found.
func (c *crawler) panels() (n int) {
	for path := range c.seen {
		if strings.HasPrefix(path, "/-/admin/") || strings.HasPrefix(path, "/-/moderate") {
			n++
		}
	}
	return n
}

// gallery looks at every kind of page that is no archive, as the administrator sees it: once in each language and at each width, and in all
// four views when pictures are kept (go test -artifacts).
func gallery(t *testing.T, browser context.Context, d *demo) {
	views := []view{{width: 1200, lang: "en"}, {width: 390, lang: "ja"}}
	if flag.Lookup("test.artifacts").Value.String() == "true" {
		views = append(views, view{width: 1200, lang: "ja"}, view{width: 390, lang: "en"})
	}
	c := signedIn(t, d, "haruka@example.jp")
	c.noArchive = true
	c.run([]string{"/", "/-/my", "/-/moderate"})
	pages := map[string]string{}
	for path := range c.seen {
		if kind := pageKind(path); c.html[path] && (pages[kind] == "" || path < pages[kind]) {
			pages[kind] = path
		}
	}
	for _, v := range views {
		t.Run(v.String(), func(t *testing.T) {
			p := newTab(t, browser, d.app.Site.URL, v)
			p.open(signInPath, 200)
			p.follow(`button[value="haruka@example.jp"]`)
			for _, kind := range slices.Sorted(maps.Keys(pages)) {
				p.open(pages[kind], 200)
				p.shoot(strings.Trim(strings.NewReplacer("/-/", "", "/", "-", "*", "x").Replace(kind), "-") + ".page")
			}
		})
	}
}

// crawler is a reader who follows every link.
type crawler struct {
	*testing.T
	who    string
	site   string
	client *http.Client
	seen   map[string]bool
	html   map[string]bool // which of them are pages for people
	pages  int
	// noArchive leaves out what the archives and the outbox have in great number.
	noArchive bool
}

func (c *crawler) run(todo []string) {
	c.seen, c.html = map[string]bool{}, map[string]bool{}
	for len(todo) > 0 {
		path := todo[0]
		if todo = todo[1:]; !c.seen[path] && !(c.noArchive && ofArchive(path)) {
			c.seen[path] = true
			todo = append(todo, c.visit(path)...)
		}
	}
}

// ofArchive reports whether a path is one of many of its kind.
func ofArchive(path string) bool {
	_, within, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return !strings.HasPrefix(path, "/-/") && within != "" || strings.HasPrefix(path, "/-/outbox/") || strings.HasPrefix(path, "/-/search") || strings.HasPrefix(path, "/-/why/")
}

func (c *crawler) get(path string) (*http.Response, []byte) {
	resp, err := c.client.Get(c.site + path)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	return resp, body
}

// visit checks a page, and returns where its links lead.
func (c *crawler) visit(path string) []string {
	resp, body := c.get(path)
	c.pages++
	if resp.StatusCode != http.StatusOK {
		c.Errorf("%s: a link leads to %s, which is %s", c.who, path, resp.Status)
	}
	final, h := resp.Request.URL.EscapedPath(), resp.Header
	policy := h.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(strings.Replace(policy, "; script-src 'self'", "", 1), "script") || strings.Contains(policy, "unsafe") {
		c.Errorf("%s: the policy of %s is %q", c.who, path, policy)
	}
	if h.Get("X-Content-Type-Options") != "nosniff" {
		c.Errorf("%s: a browser may guess what %s is", c.who, path)
	}
	fixed := strings.HasPrefix(final, "/-/static/") || final == "/robots.txt" || final == "/-/healthz"
	if got := h.Get("Cache-Control"); c.client.Jar != nil && !fixed && got != "private, no-store" {
		c.Errorf("%s: caches may keep %s: %q", c.who, path, got)
	}
	if !strings.HasPrefix(h.Get("Content-Type"), "text/html") {
		return nil
	}
	c.html[path] = true
	if len(body) > largestPage && !strings.Contains(final, "/t/") {
		c.Errorf("%s: %s has %d bytes", c.who, path, len(body))
	}
	return c.links(resp.Request.URL, string(body))
}

// links returns where the links of a page lead within the site. A fragment of the page itself must exist.
func (c *crawler) links(base *url.URL, page string) (paths []string) {
	z := html.NewTokenizer(strings.NewReader(page))
	for z.Next() != html.ErrorToken {
		for _, a := range z.Token().Attr {
			if a.Key != "href" && a.Key != "src" {
				continue
			}
			u, err := base.Parse(a.Val)
			if err != nil {
				c.Errorf("%s: link %q: %v", base, a.Val, err)
				continue
			}
			if strings.HasPrefix(a.Val, "#") && !strings.Contains(page, `id="`+u.Fragment+`"`) {
				c.Errorf("%s: nothing is at %s", base, a.Val)
			}
			if u.Path == "/-/login" { // which every page links to, with the way back
				u.RawQuery = ""
			}
			if u.Host == base.Host {
				paths = append(paths, u.RequestURI())
			}
		}
	}
	return paths
}
