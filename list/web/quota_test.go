package web

import (
	"net/url"
	"testing"

	"kairan/list"
)

// Owners see the quotas of their list and what is taken, and the administrator alone changes them, whichever way.
func TestQuotasAreTheAdministrators(t *testing.T) {
	t.Parallel()
	w, lw, admin := siteWorld(t)
	lw.Site.Quotas.Members = 40
	l := lw.List("janog", nil)
	lw.Join(l, list.RoleOwner, "olga@people.test")
	lw.Join(l, list.RoleMember, "ann@people.test")
	olga := w.login("olga@people.test")
	const at = "/-/admin/janog/settings"
	_, page := w.get(at+"?lang=en", olga)
	has(t, page, "Members at most", "<p>40</p>", "1 of 40 used", "0 used, no limit", "administrator sets this: "+lw.Site.Admin.String())
	hasNot(t, page, `value="max_members"`)
	_, page = w.get(at+"?lang=en", admin)
	has(t, page, `value="max_members"`, "1 of 40 used")

	form := url.Values{"has": {"max_members"}, "max_members": {"9"}}
	if status, page, _ := w.review("0", form, olga, "Accept-Language: en"); status != 422 {
		t.Errorf("an owner: %d", status)
	} else {
		has(t, page, "only the site’s administrator changes it")
	}
	save := url.Values{"revision": {"0"}, "patch": {`{"max_members":9}`}}
	if status, _, _ := w.press(at+"/save", save, olga); status != 422 {
		t.Errorf("an owner saves: %d", status)
	}
	if status, _, save := w.review("0", form, admin); status != 200 {
		t.Errorf("the administrator: %d", status)
	} else if res := w.do("POST", at+"/save", save.Encode(), admin); res.StatusCode != 303 {
		t.Errorf("the administrator saves: %s", res.Status)
	}
	if n := w.now(l).Settings.MaxMembers; n != 9 {
		t.Fatalf("max_members is %d", n)
	}
	if status, _, _ := w.press("/-/admin/janog/log", url.Values{"revision": {"1"}}, olga); status != 403 {
		t.Errorf("an owner takes it back: %d", status)
	}
	if status, _, _ := w.press(at+"/max_members", url.Values{"revision": {"1"}}, olga); status != 422 {
		t.Errorf("an owner rolls it back: %d", status)
	}
	if n := w.now(l).Settings.MaxMembers; n != 9 {
		t.Errorf("max_members is %d", n)
	}
	if status, to, _ := w.press("/-/admin/janog/log", url.Values{"revision": {"1"}}, admin); status != 303 || w.now(l).Settings.MaxMembers != 0 {
		t.Errorf("the administrator takes it back: %d %s", status, to)
	}
}

// A full list says so where one would join, to everybody, and the administrator sees it.
func TestFullListPages(t *testing.T) {
	t.Parallel()
	w, lw, admin := siteWorld(t)
	l := lw.List("janog", func(s *list.Settings) { s.MaxMembers = 1 })
	lw.Join(l, list.RoleOwner, "olga@people.test")
	lw.Join(l, list.RoleMember, "ann@people.test")
	const full = "as many members as it may have"
	for path, who := range map[string]any{"/-/join/janog?lang=en": nil, "/janog/?lang=en": nil, "/-/join/janog?other=1&lang=en": admin} {
		_, page := w.get(path, who)
		has(t, page, full, "janog-owner@")
		hasNot(t, page, `class="strong"`)
	}
	if status, _, page := w.press("/-/join/janog", url.Values{}, w.login("bob@people.test")); status != 422 {
		t.Errorf("who is signed in: %d", status)
	} else {
		has(t, page, full)
	}
	_, page := w.get("/-/join/janog?lang=en", w.login("ann@people.test"))
	hasNot(t, page, full)
	_, page = w.get("/-/site/lists?lang=en", admin)
	has(t, page, "Members: full")
	_, page = w.get("/-/site/list/janog?lang=en", admin)
	has(t, page, "<dd>1 of 1 (full)</dd>", "/-/admin/janog/settings#quotas")

	_, to, _ := w.upload("/-/admin/janog/members/add", map[string]string{"do": "add"}, []byte("x@people.test\ny@people.test\nann@people.test"), admin)
	has(t, page2(w, to+"?lang=en", admin), "2 do not fit")
	w.do("POST", to, "", admin)
	has(t, page2(w, to+"?lang=en", admin), "2 were left out")
}
