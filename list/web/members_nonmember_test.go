package web

import (
	"io"
	"net/url"
	"strings"
	"testing"

	"kairan/list"
)

// Owners add, change and remove nonmembers, many at once, and get them as CSV; what it would do is shown first.
func TestNonmembers(t *testing.T) {
	t.Parallel()
	w, lw, l := membersWorld(t, nil)
	lw.Join(l, list.RoleMember, "ann@people.test")
	olga, mori := w.login("olga@people.test"), w.login("mori@people.test")
	const at, add, remove = "/-/admin/janog/members?role=nonmember", "/-/admin/janog/members/add?role=nonmember", "/-/admin/janog/members/remove?role=nonmember"
	has(t, page2(w, at+"&lang=en", olga), `href="/-/admin/janog/members/add?role=nonmember"`, `href="/-/admin/janog/members/export?role=nonmember"`)
	hasNot(t, page2(w, at, mori), "members/add", "members/export")
	has(t, page2(w, add+"&lang=en", olga), "Add nonmembers", `<option value="discard">`)
	begin := func(path, action, lines string) (plan string) {
		t.Helper()
		res := w.do("POST", path, url.Values{"lines": {lines}, "action": {action}}.Encode(), olga)
		if res.StatusCode != 303 {
			t.Fatalf("%s: %s", path, res.Status)
		}
		return res.Header.Get("Location")
	}
	if res := w.do("POST", add, url.Values{"lines": {"x@y.test"}, "action": {"ban"}}.Encode(), olga); res.StatusCode != 400 {
		t.Errorf("an action that there is not: %s", res.Status)
	}
	plan := begin(add, "accept", "cron@people.test\nann@people.test\n<script>@x\nNagios <nagios@people.test>")
	has(t, page2(w, plan+"?lang=en", olga), "2 would be added", "1 is a member", "a post of theirs: goes out", "&lt;script&gt;", "?role=nonmember")
	if w.member(l, list.RoleNonmember, "cron@people.test") != nil {
		t.Error("done before it was looked at")
	}
	for range 2 {
		if res := w.do("POST", plan, "", olga); res.StatusCode != 303 {
			t.Errorf("done: %s", res.Status)
		}
	}
	has(t, page2(w, plan+"?lang=en", olga), "2 were added", "1 is a member and was left out")
	if m := w.member(l, list.RoleNonmember, "nagios@people.test"); m == nil || m.ModerationAction != list.Accept || m.DisplayName != "Nagios" {
		t.Errorf("nagios: %+v", m)
	}
	if m := w.member(l, list.RoleMember, "ann@people.test"); m == nil || m.ModerationAction != "" || w.member(l, list.RoleNonmember, "ann@people.test") != nil {
		t.Errorf("a member: %+v", m)
	}
	plan = begin(add, "hold", "address,moderation_action,delivery_status\ncron@people.test,discard,by_user\nnagios@people.test,accept,\nnew@people.test,,\n")
	has(t, page2(w, plan+"?lang=en", olga), "1 would be added", "1 is known and would be changed", "1 is so already")
	w.do("POST", plan, "", olga)
	res := w.do("GET", "/-/admin/janog/members/export?role=nonmember", "", olga)
	b, err := io.ReadAll(res.Body)
	want := "\ufeffaddress,display_name,language,delivery_status,delivery_mode,moderation_action\ncron@people.test,,,,,discard\nnagios@people.test,Nagios,,,,accept\nnew@people.test,,,,,hold\n"
	if err != nil || string(b) != want || !strings.Contains(res.Header.Get("Content-Disposition"), "janog-nonmembers.csv") {
		t.Errorf("CSV: %v, %q", err, b)
	}
	if res := w.do("GET", "/-/admin/janog/members/export?role=nonmember", "", mori); res.StatusCode != 403 {
		t.Errorf("a moderator: %s", res.Status)
	}
	plan = begin(remove, "", "cron@people.test\nann@people.test")
	has(t, page2(w, plan+"?lang=en", olga), "1 would be removed", "1 is not known")
	w.do("POST", plan, "", olga)
	if w.member(l, list.RoleNonmember, "cron@people.test") != nil || w.member(l, list.RoleMember, "ann@people.test") == nil {
		t.Error("cron is still there, or ann is not")
	}
	has(t, page2(w, "/-/admin/janog/log?lang=en", olga), "2 nonmembers were added or changed", "1 nonmember was removed", "olga@people.test")
	has(t, page2(w, "/-/admin/janog/member/nagios@people.test?role=nonmember&lang=en", olga), "as a nonmember: posts are: accepted")
	page := page2(w, "/-/admin/janog/member/nagios@people.test?role=nonmember&lang=ja", olga)
	has(t, page, "会員以外の差出人として登録", "登録：")
	hasNot(t, page, "参加：")
}
