package web

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kairan/list"
	"kairan/list/listtest"
)

// needs says for whom each address under "/-/" is: anybody, also who has a token; whoever is signed in ("person"); the moderators, the owners
// of a list; the site's administrator. "some" are those who moderate any list, and who "owns" any.
var needs = map[string]string{
	"GET /-/static/":       "",
	"GET /-/healthz":       "",
	"POST /-/lang":         "",
	"GET /-/why/{rule}":    "",
	"GET /-/u/{token}":     "",
	"POST /-/u/{token}":    "",
	"GET /-/undo/{token}":  "",
	"POST /-/undo/{token}": "",
	"GET /-/leave/{list}":  "",
	"POST /-/logout":       "",

	"GET /-/login":                  "",
	"POST /-/login":                 "",
	"GET /-/login/code":             "",
	"POST /-/login/code":            "",
	"GET /-/login/{token}":          "",
	"POST /-/login/{token}":         "",
	"POST /-/login/oidc":            "",
	"GET /-/login/oidc/callback":    "",
	"POST /-/login/passkey":         "",
	"POST /-/login/passkey/answer":  "",
	"GET /-/confirm/{token}":        "",
	"POST /-/confirm/{token}":       "",
	"GET /-/never/{token}":          "",
	"POST /-/never/{token}":         "",
	"GET /-/join/{list}":            "",
	"POST /-/join/{list}":           "",
	"GET /-/join/{list}/{next}":     "",
	"GET /-/held/{token}":           "",
	"POST /-/held/{token}":          "",
	"GET /-/my":                     "person",
	"GET /-/my/list/{list}":         "person",
	"POST /-/my/list/{list}":        "person",
	"POST /-/my/list/{list}/leave":  "person",
	"POST /-/my/list/{list}/move":   "person",
	"GET /-/my/leave":               "person",
	"POST /-/my/leave":              "person",
	"GET /-/my/posts":               "person",
	"POST /-/my/posts":              "person",
	"GET /-/my/address":             "person",
	"POST /-/my/address":            "person",
	"GET /-/my/addresses":           "person",
	"POST /-/my/addresses":          "person",
	"GET /-/my/export":              "person",
	"GET /-/my/erase":               "person",
	"POST /-/my/erase":              "person",
	"POST /-/my/sessions":           "person",
	"GET /-/my/passkeys":            "person",
	"POST /-/my/passkeys":           "person",
	"POST /-/my/passkeys/add":       "person",
	"GET /-/moderate":               "some",
	"POST /-/moderate":              "moderator", // of the lists of its items
	"POST /-/moderate/undo":         "moderator",
	"GET /-/admin/{$}":              "owns",
	"GET /-/admin/{list}/members":   "moderator",
	"GET /-/admin/{list}/pending":   "moderator",
	"POST /-/admin/{list}/pending":  "moderator", // owners only, where it is not about a moderator's decision: TestPending
	"GET /-/admin/{list}/hidden":    "moderator",
	"POST /-/admin/{list}/hidden":   "moderator",
	"GET /-/admin/{list}/settings":  "owner",
	"POST /-/admin/{list}/settings": "owner",
	"GET /-/admin/{list}/health":    "owner",
	"GET /-/admin/{list}/log":       "owner",
	"POST /-/admin/{list}/log":      "owner",
	"GET /-/admin/{list}/bans":      "owner",
	"POST /-/admin/{list}/bans":     "owner",
	"GET /-/admin/{list}/roles":     "owner",
	"POST /-/admin/{list}/roles":    "owner",
	"GET /-/admin/{list}/texts":     "owner",

	"GET /-/my/addresses/confirm/{token}":          "person",
	"POST /-/my/addresses/confirm/{token}":         "person",
	"POST /-/message/{list}/{id}/{nth}/{do}":       "moderator", // but "withdraw", which is the author's: TestDecide
	"POST /-/admin/{list}/settings/save":           "owner",
	"POST /-/admin/{list}/settings/keep":           "owner",
	"GET /-/admin/{list}/settings/{name}":          "owner",
	"POST /-/admin/{list}/settings/{name}":         "owner",
	"GET /-/admin/{list}/member/{address}":         "moderator",
	"POST /-/admin/{list}/member/{address}":        "moderator",
	"POST /-/admin/{list}/member/{address}/remove": "owner",
	"GET /-/admin/{list}/members/export":           "owner",
	"GET /-/admin/{list}/members/add":              "owner",
	"POST /-/admin/{list}/members/add":             "owner",
	"GET /-/admin/{list}/members/remove":           "owner",
	"POST /-/admin/{list}/members/remove":          "owner",
	"GET /-/admin/{list}/members/bulk/{token}":     "owner",
	"POST /-/admin/{list}/members/bulk/{token}":    "owner",
	"GET /-/admin/{list}/texts/{mail}":             "owner",
	"POST /-/admin/{list}/texts/{mail}":            "owner",
	"POST /-/admin/{list}/texts/{mail}/unset":      "owner",
	"POST /-/admin/{list}/texts/{mail}/preview":    "owner",

	"GET /-/site/{$}":                   "admin",
	"GET /-/site/lists":                 "admin",
	"POST /-/site/lists":                "admin",
	"GET /-/site/list/{list}":           "admin",
	"POST /-/site/list/{list}/rename":   "admin",
	"POST /-/site/list/{list}/remove":   "admin",
	"GET /-/site/queue":                 "admin",
	"POST /-/site/queue":                "admin",
	"GET /-/site/domains":               "admin",
	"GET /-/site/bans":                  "admin",
	"POST /-/site/bans":                 "admin",
	"GET /-/site/log":                   "admin",
	"GET /-/site/texts":                 "admin",
	"GET /-/site/texts/{mail}":          "admin",
	"POST /-/site/texts/{mail}":         "admin",
	"POST /-/site/texts/{mail}/unset":   "admin",
	"POST /-/site/texts/{mail}/preview": "admin",

	"GET /-/site/people":                      "admin",
	"GET /-/site/person/{address}":            "admin",
	"POST /-/site/person/{address}/lists":     "admin",
	"POST /-/site/person/{address}/addresses": "admin",
	"POST /-/site/person/{address}/sessions":  "admin",
	"POST /-/site/person/{address}/passkeys":  "admin",
	"POST /-/site/person/{address}/ban":       "admin",
	"POST /-/site/person/{address}/export":    "admin",
	"GET /-/site/person/{address}/erase":      "admin",
	"POST /-/site/person/{address}/erase":     "admin",
}

// allowed are the people of the estate for whom what needs says is.
var allowed = map[string][]string{
	"":          {"", "nobody", "ann", "mod", "own", "other", "admin"},
	"person":    {"nobody", "ann", "mod", "own", "other", "admin"},
	"some":      {"mod", "own", "other", "admin"},
	"owns":      {"own", "other", "admin"},
	"moderator": {"mod", "own", "admin"},
	"owner":     {"own", "admin"},
	"admin":     {"admin"},
}

// helpers are whom a page names that is not for the reader.
var helpers = map[string]string{"moderator": "janog-owner@" + listtest.Domain, "owner": "janog-owner@" + listtest.Domain, "admin": estateAdmin, "some": estateAdmin, "owns": estateAdmin}

// TestWhoMayDoWhat asks for every address under "/-/" in every role. Who may not, reads who could help; a stranger signs in first.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	for _, pattern := range e.routes.patterns {
		if _, ok := needs[pattern]; !ok {
			t.Errorf("nothing says for whom %q is", pattern)
		}
	}
	for pattern := range needs {
		if !slices.Contains(e.routes.patterns, pattern) {
			t.Errorf("there is no address %q", pattern)
		}
	}
	for _, pattern := range e.routes.patterns {
		for _, who := range allowed[""] {
			e.mayAsk(pattern, needs[pattern], who)
		}
	}
}

func (e *estate) mayAsk(pattern, need, who string) {
	e.t.Helper()
	if pattern == "POST /-/logout" || strings.HasPrefix(pattern, "POST /-/login/") || pattern == "GET /-/login/oidc/callback" {
		return // would sign somebody in or out, or asks who could
	}
	method, path := e.path(pattern)
	with := []any{"Accept-Language: en"}
	if c := e.who[who]; c != nil {
		with = append(with, c)
	}
	form := ""
	if method == http.MethodPost { // with nothing that could be done
		form = url.Values{"nothing": {"x"}}.Encode()
		if path == "/-/moderate" || path == "/-/moderate/undo" {
			form = url.Values{"item": {"janog nonsense"}, "word": {"accept"}}.Encode()
		}
		path = strings.Replace(path, "/hide", "/nothing", 1)
	}
	e.unlimited()
	res := e.do(method, path, form, with...)
	page := bodyOf(e.t, res)
	to := res.Header.Get("Location")
	asksToSignIn := strings.HasPrefix(to, "/-/login?to=")
	switch {
	case slices.Contains(allowed[need], who):
		if res.StatusCode == http.StatusForbidden || asksToSignIn || res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests {
			e.t.Errorf("%s %s as %q: %s to %q, but it is for %q", method, path, who, res.Status, to, need)
		}
	case who == "" && method == http.MethodGet:
		if !asksToSignIn {
			e.t.Errorf("%s as a stranger: %s to %q", path, res.Status, to)
		}
	default:
		if res.StatusCode != http.StatusForbidden || !strings.Contains(page, "</html>") {
			e.t.Errorf("%s %s as %q: %s, but it is for %q only", method, path, who, res.Status, need)
		}
		if help := helpers[need]; who == "" {
			has(e.t, page, `href="/-/login`)
		} else if !strings.Contains(page, `href="mailto:`+help) {
			e.t.Errorf("%s %s as %q: does not name %s:\n%s", method, path, who, help, page)
		}
	}
	e.guarded(method+" "+path, res.Header)
	if cache := res.Header.Get("Cache-Control"); need != "" && cache != "private, no-store" {
		e.t.Errorf("%s %s as %q: Cache-Control: %q", method, path, who, cache)
	}
}

// guarded fails unless an answer keeps the browser from whatever the page does not need.
func (e *estate) guarded(what string, h http.Header) {
	e.t.Helper()
	policy := h.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		e.t.Errorf("%s: Content-Security-Policy: %q", what, policy)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
		"Strict-Transport-Security": transportSecurity,
	} {
		if got := h.Get(name); got != want {
			e.t.Errorf("%s: %s: %q, want %q", what, name, got, want)
		}
	}
}

// TestOtherSitesPostNothing: a page of another site presses none of the buttons, in the name of whoever could. Leaving by one click needs no
// cookie, only the token, and web mail presses it from pages of its own.
func TestOtherSitesPostNothing(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	before := treeOf(t, e.lw.Dir())
	for _, pattern := range e.routes.patterns {
		method, path := e.path(pattern)
		if method != http.MethodPost || strings.HasPrefix(path, "/-/u/") {
			continue
		}
		form := e.deeds()[pattern].form.Encode() + "&x=x"
		for _, fields := range [][]any{{"Sec-Fetch-Site: cross-site"}, {"Origin: https://evil.test"}, {"Sec-Fetch-Site: same-site", "Origin: https://other." + listtest.Domain}} {
			res := e.do(method, path, form, append(fields, e.who["admin"])...)
			if res.StatusCode != http.StatusForbidden || len(res.Cookies()) > 0 {
				t.Errorf("%s of another site (%v): %s, %v", path, fields, res.Status, res.Cookies())
			}
			e.guarded(path, res.Header)
		}
	}
	if !maps.Equal(before, treeOf(t, e.lw.Dir())) {
		t.Error("another site has changed something")
	}
}

// TestAddressesAreDocumented reads docs/urls.md for every address under "/-/".
func TestAddressesAreDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/urls.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.NewReplacer("{list}", "LIST", "{$}", "", "{token}", "TOKEN", "{rule}", "REASON", "{address}", "ADDRESS", "{mail}", "MAIL", "{name}", "NAME",
		"{id}", "<message-id>", "{nth}", "N", "{do}", "DO", "/-/static/", "/-/static/NAME.HASH.EXT")
	for _, pattern := range slices.Sorted(maps.Keys(needs)) {
		method, path, _ := strings.Cut(doc.Replace(pattern), " ")
		if path == "/-/join/LIST/{next}" {
			path = "/-/join/LIST/asked"
		}
		path = strings.Replace(path, "/-/site/texts/", "/-/admin/LIST/texts/", 1) // which have the same addresses
		if path == "/-/site/texts" {
			path = "/-/admin/LIST/texts"
		}
		found := false
		for line := range strings.Lines(string(b)) {
			if cells := strings.Split(line, "|"); len(cells) > 3 && strings.Contains(cells[1], "`"+path+"`") {
				found = found || strings.Contains(cells[2], method)
			}
		}
		if !found {
			t.Errorf("docs/urls.md does not name %s %s", method, path)
		}
	}
}

// TestLookingChangesNothing asks for every address with GET, follows every link, twice, in every role, and compares all that is kept.
func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	dir := e.lw.Dir()
	before := treeOf(t, dir)
	for range 2 {
		for _, who := range allowed[""] {
			seen := map[string]bool{}
			var todo []string
			for _, pattern := range e.routes.patterns {
				if method, path := e.path(pattern); method == http.MethodGet {
					todo = append(todo, path)
				}
			}
			todo = append(todo, "/", "/janog/", "/robots.txt", "/sitemap.xml", "/-/undo/"+list.UndoToken(e.token["bob@people.test"]))
			for len(todo) > 0 {
				path := todo[0]
				if todo = todo[1:]; seen[path] {
					continue
				}
				seen[path] = true
				var with []any
				if c := e.who[who]; c != nil {
					with = append(with, c)
				}
				e.unlimited()
				res := e.do("GET", path, "", with...)
				if res.StatusCode >= 500 {
					t.Errorf("%s as %q: %s", path, who, res.Status)
				}
				if page := bodyOf(t, res); strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") && res.StatusCode == http.StatusOK {
					todo = append(todo, links(t, path, page)...)
				}
			}
			if len(seen) < 70 {
				t.Errorf("as %q only %d pages are found", who, len(seen))
			}
		}
	}
	if after := treeOf(t, dir); !maps.Equal(before, after) {
		for name := range after {
			if before[name] != after[name] {
				t.Errorf("%s has changed", name)
			}
		}
	}
}

// treeOf returns the content of all files in a folder.
func treeOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files
}
