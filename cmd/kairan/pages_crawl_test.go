package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// largestPage is how many bytes a page may have. Threads have as many as their messages.
const largestPage = 100_000

// crawl follows every link of the site from where readers begin, as a stranger and as an owner.
func crawl(t *testing.T, d *demo) {
	begin := []string{"/", "/-/login", "/-/demo", "/-/outbox/", "/-/leave/netops", "/robots.txt", "/-/healthz"}
	for _, reason := range d.app.Templates.Reasons() {
		begin = append(begin, "/-/why/"+reason)
	}
	stranger := &crawler{T: t, who: "a stranger", site: d.app.Site.URL, client: &http.Client{}}
	stranger.run(begin)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	owner := &crawler{T: t, who: "an owner", site: d.app.Site.URL, client: &http.Client{Jar: jar}}
	resp, err := owner.client.PostForm(d.app.Site.URL+d.loginLink(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	owner.run(begin)
	if owner.pages < stranger.pages+50 || stranger.pages < 500 {
		t.Errorf("a stranger finds %d pages, an owner %d", stranger.pages, owner.pages)
	}
	private := 0
	for path := range owner.seen {
		if !strings.HasPrefix(path, "/wg-dns/") || path == "/wg-dns/" || path == "/wg-dns/index.json" {
			continue
		}
		private++
		if resp, body := stranger.get(path); resp.StatusCode != http.StatusForbidden || resp.Header.Get("Cache-Control") != "private, no-store" || len(body) > 3000 {
			t.Errorf("a stranger gets %s: %s, %d bytes", path, resp.Status, len(body))
		}
	}
	if private < 50 {
		t.Errorf("an owner finds %d private pages", private)
	}
}

// crawler is a reader who follows every link.
type crawler struct {
	*testing.T
	who    string
	site   string
	client *http.Client
	seen   map[string]bool
	pages  int
}

func (c *crawler) run(todo []string) {
	c.seen = map[string]bool{}
	for len(todo) > 0 {
		path := todo[0]
		if todo = todo[1:]; !c.seen[path] {
			c.seen[path] = true
			todo = append(todo, c.visit(path)...)
		}
	}
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
