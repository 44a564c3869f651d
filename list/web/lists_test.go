package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"kairan/list"
)

// TestManyLists goes through the pages of a site with a thousand lists, as the administrator and as a stranger, and finds one of them.
func TestManyLists(t *testing.T) {
	t.Parallel()
	w, lw, admin := siteWorld(t)
	for n := range 1000 {
		lw.List(fmt.Sprintf("wg-%04d", n), func(s *list.Settings) {
			s.Advertised = n != 500
			if n == 777 {
				s.Description = list.Text{"ja": "海底ケーブルの話", "en": "Submarine <cables>"}
			}
		})
	}
	for _, c := range []struct {
		path string
		who  []any
		all  int
	}{{"/-/site/lists", []any{admin}, 1000}, {"/", nil, 999}} {
		seen := 0
		for p := 1; p <= 20; p++ {
			status, page := w.get(fmt.Sprintf("%s?p=%d", c.path, p), c.who...)
			if status != 200 || len(page) > 100_000 {
				t.Errorf("%s, page %d: %d, %d bytes", c.path, p, status, len(page))
			}
			seen += strings.Count(page, "<span>wg-")
			if p == 1 {
				has(t, page, `href="`+c.path+`?p=2"`, `href="`+c.path+`?p=20"`, `name="q"`)
			}
		}
		if seen != c.all {
			t.Errorf("%s: %d lists on 20 pages, want %d", c.path, seen, c.all)
		}
		for _, q := range []string{"海底", "submarine", "WG-0777", "<cables>"} {
			_, page := w.get(c.path+"?q="+url.QueryEscape(q), c.who...)
			if n := strings.Count(page, "<span>wg-"); n != 1 || !strings.Contains(page, "wg-0777@") {
				t.Errorf("%s?q=%s: %d lists", c.path, q, n)
			}
		}
		if _, page := w.get(c.path+"?q=nowhere&lang=en", c.who...); !strings.Contains(page, "No list has that.") {
			t.Errorf("%s: nothing is found, and nothing said", c.path)
		}
		for _, p := range []string{"0", "x", "99999"} {
			if status, _ := w.get(c.path+"?p="+p, c.who...); status != 404 {
				t.Errorf("%s?p=%s: %d", c.path, p, status)
			}
		}
	}
	if _, page := w.get("/?q=wg-0500"); strings.Contains(page, "wg-0500@") {
		t.Error("a list that is not advertised is found")
	}
}
