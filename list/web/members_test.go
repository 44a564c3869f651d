package web

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
)

// membersWorld is a site with the list janog, which olga owns and mori moderates.
func membersWorld(t *testing.T, change func(*list.Settings)) (w *world, lw *listtest.World, l *list.List) {
	lw = listtest.New(t, nil)
	w = &world{t: t, db: lw.DB, lists: map[string]*list.List{}, site: lw.Site, set: lw.Path.Templates}
	w.handler = New(Options{DB: lw.DB, Archive: lw.Archive, Site: lw.Site, Templates: w.set, Subscribe: lw.Workflow, Moderation: lw.Moderation, Bounces: lw.Bounces, Path: lw.Path})
	l = lw.List("janog", change)
	w.lists["janog"] = l
	lw.Join(l, list.RoleOwner, "olga@people.test")
	lw.Join(l, list.RoleModerator, "mori@people.test")
	return w, lw, l
}

// member returns a member as it is, or nil.
func (w *world) member(l *list.List, role list.Role, addr string) (m *list.Member) {
	w.t.Helper()
	w.update(func(tx *storage.Tx) error {
		m, _ = list.GetMember(tx, l.ID, role, parse(w.t, addr))
		return nil
	})
	return m
}

var memberRow = regexp.MustCompile(`<li><div><a href="/-/admin/janog/member/([^"]*)">`)

func rows(page string) (all []string) {
	for _, m := range memberRow.FindAllStringSubmatch(page, -1) {
		all = append(all, strings.TrimSuffix(unescape.Replace(m[1]), "@people.test"))
	}
	return all
}

var pageLink = regexp.MustCompile(`<a href="([^"]*)">(← Previous|Next →|Go on)</a>`)

// ways are the links to other pages, by their words.
func ways(page string) map[string]string {
	all := map[string]string{}
	for _, m := range pageLink.FindAllStringSubmatch(page, -1) {
		all[m[2]] = unescape.Replace(m[1])
	}
	return all
}

// Members are shown fifty at a time, and found by what is known of them.
func TestMemberList(t *testing.T) {
	t.Parallel()
	w, lw, l := membersWorld(t, nil)
	w.update(func(tx *storage.Tx) error {
		for i := range 120 {
			m := list.Member{List: l.ID, Role: list.RoleMember, Address: parse(t, fmt.Sprintf("u%03d@people.test", i))}
			switch i {
			case 7:
				m.DisplayName, m.DeliveryStatus, m.ModerationAction = `<script>alert(1)</script>"><img src=x onerror=y>`, list.DeliveryByBounces, list.Hold
			case 90:
				m.DeliveryStatus = list.DeliveryByBounces
			}
			if err := list.Join(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	lw.Join(l, list.RoleMember, `"<b>x</b>"@people.test`)
	lw.Join(l, list.RoleNonmember, "cron@people.test")
	me := w.login("mori@people.test")
	page := func(query string) string {
		t.Helper()
		status, page := w.get("/-/admin/janog/members?lang=en&"+query, me)
		if status != 200 {
			t.Fatalf("%s: %d", query, status)
		}
		return page
	}
	first := page("")
	has(t, first, "121 members", "1 nonmember", "&lt;script&gt;alert(1)", "switched off after bounces", "post is held")
	hasNot(t, first, "<script>alert", "<img src=x", "<b>x</b>", "cron@", "/members/add", "/members/export")
	if got := rows(first); len(got) != 50 || got[0] != "%22%3Cb%3Ex%3C%2Fb%3E%22" || got[49] != "u048" {
		t.Errorf("the first page: %v", got)
	}
	second := page(strings.TrimPrefix(ways(first)["Next →"], "/-/admin/janog/members?"))
	third := page(strings.TrimPrefix(ways(second)["Next →"], "/-/admin/janog/members?"))
	if got := rows(third); len(got) != 21 || got[20] != "u119" || ways(third)["Next →"] != "" {
		t.Errorf("the last page: %v, %v", got, ways(third))
	}
	again := page(strings.TrimPrefix(ways(page(strings.TrimPrefix(ways(third)["← Previous"], "/-/admin/janog/members?")))["← Previous"], "/-/admin/janog/members?"))
	if got := rows(again); len(got) != 50 || got[0] != rows(first)[0] || ways(again)["← Previous"] != "" {
		t.Errorf("back at the first: %v, %v", got, ways(again))
	}
	for query, want := range map[string]string{
		"q=U00&from=start":                   "u000 u001 u002 u003 u004 u005 u006 u007 u008 u009",
		"q=11":                               "u011 u110 u111 u112 u113 u114 u115 u116 u117 u118 u119",
		"q=alert":                            "u007",
		"delivery=by_bounces":                "u007 u090",
		"delivery=by_bounces&action=hold":    "u007",
		"role=nonmember":                     "cron@people.test?role=nonmember",
		"q=%3Cscript%3E":                     "u007",
		"q=%22%3E%3Cscript%3Ez%3C/script%3E": "",
		"delivery=nonsense&q=u119":           "u119",
		"q=u1&from=start&after=" + "u117%40people.test":     "u118 u119",
		"q=u1&from=start&before=" + "u102%40people.test":    strings.Join(rows(page("q=u1&from=start")), " "),
		"mode=mime_digests":                                 "",
		"role=nonmember&action=accept&q=cron":               "",
		"role=nonmember&action=default&q=cron&delivery=all": "cron@people.test?role=nonmember",
	} {
		got := page(query)
		if r := strings.Join(rows(got), " "); r != want {
			t.Errorf("%s: %s, not %s", query, r, want)
		}
		hasNot(t, got, "<script>z")
	}
	if status, _ := w.get("/-/admin/janog/members?after=a&before=b", me); status != 404 {
		t.Errorf("from both sides: %d", status)
	}
	if status, _ := w.get("/-/admin/janog/members?after="+strings.Repeat("a", 2000), me); status != 404 {
		t.Errorf("a key that is none: %d", status)
	}
	has(t, page2(w, "/-/admin/janog/members?lang=ja", me), "会員 121人", "エラーで停止", "投稿：保留する")
}

func page2(w *world, path string, with ...any) string {
	w.t.Helper()
	status, page := w.get(path, with...)
	if status != 200 {
		w.t.Errorf("%s: %d", path, status)
	}
	return page
}

// A moderator changes a member but not whom to believe; an owner removes it, with or without a goodbye. All of it is on record.
func TestMemberPage(t *testing.T) {
	t.Parallel()
	w, lw, l := membersWorld(t, func(s *list.Settings) { s.DigestsEnabled, s.SendGoodbyeMessage = true, true })
	lw.Run()
	for _, who := range []string{"ann", "bob", "cat"} {
		lw.Join(l, list.RoleMember, who+"@people.test")
	}
	lw.Join(l, list.RoleNonmember, "cron@people.test")
	mori, olga, ann := w.login("mori@people.test"), w.login("olga@people.test"), w.login("ann@people.test")
	const at = "/-/admin/janog/member/ann@people.test"

	form := url.Values{"delivery": {"by_moderator"}, "until": {time.Now().AddDate(0, 0, 9).Format(time.DateOnly)}, "mode": {"mime_digests"}, "action": {"hold"},
		"believe": {"on"}, "hide": {"on"}, "name": {`<img src=x onerror=alert(1)>`}, "language": {"en"}}
	if res := w.do("POST", at, form.Encode(), ann); res.StatusCode != 403 {
		t.Errorf("a member changes itself here: %s", res.Status)
	}
	if res := w.do("POST", at, form.Encode(), mori); res.StatusCode != 303 {
		t.Fatalf("a moderator: %s", res.Status)
	}
	m := w.member(l, list.RoleMember, "ann@people.test")
	if m.DeliveryStatus != list.DeliveryByModerator || m.OffUntil.IsZero() || m.DeliveryMode != list.DeliveryMIMEDigests || m.ModerationAction != list.Hold ||
		!m.Hide || !m.NoOwnPosts || m.Language != "en" || m.DisplayName == "" {
		t.Errorf("changed to %+v", m)
	}
	if m.Unauthenticated {
		t.Error("a moderator may say whom to believe")
	}
	page := page2(w, at+"?lang=en", mori)
	has(t, page, "&lt;img src=x", "mori@people.test", "what happens to posts: default → held", `value="by_moderator" selected`, `name="hide" value="on" checked`)
	hasNot(t, page, "<img src=x", `name="believe"`, "/remove", `value="by_bounces"`)
	form.Set("until", "2001-01-01")
	if res := w.do("POST", at, form.Encode(), mori, "Accept-Language: en"); res.StatusCode != 422 {
		t.Errorf("a day that has been: %s", res.Status)
	}
	for _, bad := range []string{"delivery=by_bounces&mode=regular&action=default", "delivery=enabled&mode=weekly&action=default", "delivery=enabled&mode=regular&action=ban", "delivery=enabled&mode=regular&action=default&language=fr"} {
		if res := w.do("POST", at, bad, mori); res.StatusCode != 400 {
			t.Errorf("%s: %s", bad, res.Status)
		}
	}
	if res := w.do("POST", at, "delivery=enabled&mode=regular&action=default&believe=on&myposts=on", olga); res.StatusCode != 303 {
		t.Fatalf("an owner: %s", res.Status)
	}
	if m = w.member(l, list.RoleMember, "ann@people.test"); !m.Unauthenticated || m.NoOwnPosts || m.Hide || !m.Receives(time.Now()) || m.ModerationAction != "" {
		t.Errorf("changed to %+v", m)
	}
	if res := w.do("POST", at+"/remove", "tell=on", mori); res.StatusCode != 403 {
		t.Errorf("a moderator removes: %s", res.Status)
	}
	has(t, page2(w, at+"?lang=ja", olga), "送信元の認証がなくても信用する", "リストから外す", "設定</span>")

	for _, gone := range []string{at + "/remove?", "/-/admin/janog/member/bob@people.test/remove?tell=on", "/-/admin/janog/member/cron@people.test/remove?role=nonmember"} {
		path, form, _ := strings.Cut(gone, "?")
		if form == "role=nonmember" {
			path, form = gone, "x=y"
		}
		if res := w.do("POST", path, form+"&x=y", olga); res.StatusCode != 303 {
			t.Errorf("%s: %s", gone, res.Status)
		}
	}
	for _, who := range []string{"ann", "bob"} {
		if w.member(l, list.RoleMember, who+"@people.test") != nil {
			t.Errorf("%s is still a member", who)
		}
	}
	if w.member(l, list.RoleNonmember, "cron@people.test") != nil || w.member(l, list.RoleMember, "cat@people.test") == nil {
		t.Error("another one was removed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := lw.Sink.Wait(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if got := lw.Sink.Messages(); len(got) != 1 || got[0].To[0] != "bob@people.test" {
		t.Errorf("goodbyes: %d", len(got))
	}
	page = page2(w, at+"?lang=en", olga)
	has(t, page, "not a member now", "left</span>", "olga@people.test")
	hasNot(t, page, "<form class=", "/remove")
	if res := w.do("POST", at+"/remove", "x=y", olga); res.StatusCode == 500 {
		t.Errorf("removed again: %s", res.Status)
	}
	if status, _ := w.get("/-/admin/janog/member/zed@people.test", olga); status != 404 {
		t.Errorf("somebody unknown: %d", status)
	}
	if status, _ := w.get("/-/admin/janog/member/zed", olga); status != 404 {
		t.Errorf("no address: %d", status)
	}
}
