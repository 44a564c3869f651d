package web

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"kairan/list"
)

// TestNoBrokenLinks follows every link of the site from its front page, in the eyes of a stranger and of a member, and every
// anchor within a page.
func TestNoBrokenLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	janog := w.list("janog")
	board := w.list("board", func(s *list.Settings) { s.ArchivePolicy = "private" })
	w.list("quiet")
	w.join(board, "ann@example.jp")
	for _, l := range []*list.List{janog, board} {
		w.post(l, 1, `a/"b"?#%@example.jp`, "One", "")
		w.post(l, 2, "c@example.jp", "Re: One", "References: <a/\"b\"?#%@example.jp>\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"a b.txt\"\r\n")
		w.post(l, 3, "c@example.jp", "Same again", "")
	}
	for who, with := range map[string][]any{"a stranger": nil, "a member": {w.login("ann@example.jp")}} {
		seen := map[string]bool{}
		todo := []string{"/"}
		for len(todo) > 0 {
			path := todo[0]
			todo = todo[1:]
			if seen[path] {
				continue
			}
			seen[path] = true
			code, page := w.get(path, with...)
			if code >= 400 {
				t.Errorf("%s: a link leads to %s, which is %d", who, path, code)
			}
			todo = append(todo, links(t, path, page)...)
		}
		if want := map[string]int{"a stranger": 16, "a member": 24}[who]; len(seen) < want {
			t.Errorf("%s finds only %d pages: %v", who, len(seen), seen)
		}
	}
}

// links returns the links of a page within the site, without fragments. A fragment of the page itself must exist.
func links(t *testing.T, path, page string) []string {
	t.Helper()
	base, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	z := html.NewTokenizer(strings.NewReader(page))
	for z.Next() != html.ErrorToken {
		for _, a := range z.Token().Attr {
			if a.Key != "href" || strings.HasPrefix(a.Val, "mailto:") {
				continue
			}
			u, err := base.Parse(a.Val)
			if err != nil {
				t.Errorf("%s: link %q: %v", path, a.Val, err)
				continue
			}
			if strings.HasPrefix(a.Val, "#") && !strings.Contains(page, `id="`+u.Fragment+`"`) {
				t.Errorf("%s: nothing is at %s", path, a.Val)
			}
			if u.Fragment = ""; u.Host == "" {
				out = append(out, u.String())
			}
		}
	}
	return out
}
