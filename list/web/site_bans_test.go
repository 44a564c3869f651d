package web

import (
	"net/url"
	"strings"
	"testing"

	"kairan/list"
	"kairan/list/listtest"
)

// Who is banned from the site posts to no list and joins none until the ban is lifted; the administrator cannot be banned.
func TestSiteBans(t *testing.T) {
	t.Parallel()
	w, lw, admin := siteWorld(t)
	l := lw.List("janog", nil)
	lw.Join(l, list.RoleMember, "mallory@people.test")
	const at = "/-/site/bans"
	ban := func(do, entry string) (status int, page string) {
		status, _, page = w.press(at, url.Values{"do": {do}, "entry": {entry}, "why": {"<b>spam</b>"}}, admin)
		return status, page
	}
	for entry, want := range map[string]int{"*@People.test": 303, "^(": 422, "": 422, lw.Site.Admin.String(): 422, lw.Site.Admin.Domain(): 422} {
		if got, _ := ban("ban", entry); got != want {
			t.Errorf("%q: %d, not %d", entry, got, want)
		}
	}
	_, page := w.get(at+"?lang=en", admin)
	has(t, page, "<code>people.test</code>", "&lt;b&gt;spam&lt;/b&gt;", "whole domain")
	lw.Run()
	mail := func(id string) listtest.Mail {
		raw := "From: mallory@people.test\nTo: janog@lists.kairan.test\nSubject: One\nMessage-ID: <" + id + "@people.test>\nDate: Mon, 05 Jan 2026 09:00:00 +0900\n\nHello.\n"
		return listtest.Mail{From: "mallory@people.test", To: []string{"janog@lists.kairan.test"}, Raw: raw}
	}
	if code, text := lw.Send(mail("one")); code < 500 {
		t.Errorf("a post from there: %d %s", code, text)
	}
	if log := w.logged(""); len(log) == 0 || !strings.Contains(log[0], "ban: people.test may neither join nor post any more") || !strings.Contains(log[0], lw.Site.Admin.String()) {
		t.Errorf("logged %q", log)
	}
	if status, _ := ban("lift", "people.test"); status != 303 {
		t.Errorf("lift: %d", status)
	}
	if code, text := lw.Send(mail("two")); code != 250 {
		t.Errorf("a post after that: %d %s", code, text)
	}
	_, page = w.get(at+"?lang=en", admin)
	hasNot(t, page, "people.test</code>")
}
