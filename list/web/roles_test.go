package web

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/smtpd/message"
	"kairan/storage"
)

// Owners ban addresses, domains and patterns, with a reason, and lift that again.
func TestBansPage(t *testing.T) {
	t.Parallel()
	w, lw, l := membersWorld(t, nil)
	lw.Join(l, list.RoleMember, "ann@people.test", "x@evil.test", "y@evil.test")
	olga, mori := w.login("olga@people.test"), w.login("mori@people.test")
	const at = "/-/admin/janog/bans"
	if status, _ := w.get(at, mori); status != 403 {
		t.Errorf("a moderator looks: %d", status)
	}
	if res := w.do("POST", at, "entry=a@b.test", mori); res.StatusCode != 403 {
		t.Errorf("a moderator bans: %s", res.Status)
	}
	post := func(do, entry, why string) int {
		form := url.Values{"do": {do}, "entry": {entry}, "why": {why}}
		return w.do("POST", at, form.Encode(), olga, "Accept-Language: en").StatusCode
	}
	for entry, want := range map[string]int{
		" Mallory@Evil.test ": 303, "*@evil.test": 303, "@worse.test": 303, "worse.test": 303, `^spam[0-9]+@`: 303, `^"<script>`: 303, "例え.test": 303,
		"": 422, "^(": 422, "mallory": 303, "two words": 422, "@janog@lists.kairan.test": 422, "people.test": 422, "^.*": 422, "a@b@c": 422, strings.Repeat("a", 501): 422,
	} {
		if got := post("ban", entry, "<b>why</b>"); got != want {
			t.Errorf("%q: %d, not %d", entry, got, want)
		}
	}
	got := w.now(l).Settings.BanList
	for _, want := range []string{"Mallory@evil.test", "evil.test", "worse.test", `^spam[0-9]+@`, "例え.test"} {
		n := 0
		for _, b := range got {
			if b == want {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s stands there %d times: %q", want, n, got)
		}
	}
	page := page2(w, at+"?lang=en", olga)
	has(t, page, "&lt;b&gt;why&lt;/b&gt;", "olga@people.test", "whole domain", "pattern", "^&#34;&lt;script&gt;")
	hasNot(t, page, "<b>why", `"<script>`)
	has(t, page2(w, at+"?q=EVIL&lang=ja", olga), "evil.test", "ドメイン全体")
	hasNot(t, page2(w, at+"?q=EVIL", olga), "worse.test")
	if res := w.do("POST", at, "do=ban&entry=%5Ex@", olga, "Accept-Language: en"); res.StatusCode != 303 {
		t.Errorf("a member: %s", res.Status)
	} else {
		r := res.Cookies()
		_, page := w.get(at+"?lang=en", olga, r[len(r)-1])
		has(t, page, "That means 1 member")
	}
	if got := post("lift", "evil.test", ""); got != 303 {
		t.Errorf("lifting: %d", got)
	}
	if _, banned := list.Match(w.now(l).Settings.BanList, parse(t, "z@evil.test")); banned {
		t.Error("evil.test is still banned")
	}
	has(t, page2(w, "/-/admin/janog/log?lang=en", olga), "&lt;b&gt;why")
}

// Owners give roles and take them away; who gets one is told, and somebody always stays owner.
func TestRolesPage(t *testing.T) {
	t.Parallel()
	w, lw, l := membersWorld(t, nil)
	lw.Run()
	olga, mori := w.login("olga@people.test"), w.login("mori@people.test")
	const at = "/-/admin/janog/roles"
	if status, _ := w.get(at, mori); status != 403 {
		t.Errorf("a moderator looks: %d", status)
	}
	post := func(do, role, addr string, with ...any) int {
		form := url.Values{"do": {do}, "role": {role}, "address": {addr}}
		return w.do("POST", at, form.Encode(), append(with, "Accept-Language: en")...).StatusCode
	}
	if got := post("give", "owner", "mori@people.test", mori); got != 403 {
		t.Errorf("a moderator makes itself owner: %d", got)
	}
	for _, c := range []struct {
		do, role, addr string
		want           int
	}{
		{"take", "owner", "olga@people.test", 422}, {"give", "owner", "new@people.test", 303}, {"give", "owner", "New@People.test", 422}, {"give", "moderator", "mod@people.test", 303},
		{"give", "member", "x@people.test", 400}, {"give", "owner", "<script>", 422}, {"give", "owner", "x@[127.0.0.1]", 422}, {"take", "moderator", "mori@people.test", 303}, {"take", "moderator", "mori@people.test", 404},
	} {
		if got := post(c.do, c.role, c.addr, olga); got != c.want {
			t.Errorf("%s %s %s: %d, not %d", c.do, c.role, c.addr, got, c.want)
		}
	}
	w.update(func(tx *storage.Tx) error {
		m, err := list.GetMember(tx, l.ID, list.RoleModerator, parse(t, "mod@people.test"))
		if err == nil {
			m.DisplayName = `<img src=x onerror=alert(1)>`
			err = list.SetMember(tx, *m)
		}
		return err
	})
	page := page2(w, at+"?lang=en", olga)
	has(t, page, "new@people.test", "mod@people.test", "&lt;img src=x", ">you<")
	hasNot(t, page, "mori@people.test", "<img src=x")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := lw.Sink.Wait(ctx, 2); err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, m := range lw.Sink.Messages() {
		told[m.To[0]] = message.DecodeHeader(message.Parse(m.Data).Header().Get("Subject"))
	}
	if len(told) != 2 || !strings.Contains(told["new@people.test"], "管理者") || !strings.Contains(told["mod@people.test"], "モデレーター") {
		t.Errorf("told: %v", told)
	}
	has(t, page2(w, "/-/admin/janog/log?lang=en", olga), ">role<", "new@people.test", "mori@people.test")
	// Who gives its own role away is led to a page that is still its own.
	res := w.do("POST", at, "do=take&role=owner&address=olga@people.test", olga)
	if res.StatusCode != 303 || res.Header.Get("Location") != "/-/my" {
		t.Errorf("resigning: %s to %s", res.Status, res.Header.Get("Location"))
	}
	if status, _ := w.get(at, olga); status != 403 {
		t.Errorf("after resigning: %d", status)
	}
}

// A change of a long ban list is shown by what it changes, and what every page has to know of all changes is not read from them.
func TestLongBanList(t *testing.T) {
	t.Parallel()
	w, _, l := membersWorld(t, func(s *list.Settings) {
		for i := range 300 {
			s.BanList = append(s.BanList, fmt.Sprintf("spam%03d.test", i))
		}
	})
	olga := w.login("olga@people.test")
	w.update(func(tx *storage.Tx) error {
		_, err := list.Ban(tx, l.ID, "worse.test", list.Edit{By: "olga@people.test", Why: "a flood", At: time.Now()})
		return err
	})
	for _, path := range []string{"log", "settings/ban_list"} {
		page := page2(w, "/-/admin/janog/"+path+"?lang=en", olga)
		has(t, page, "worse.test", "(300 lines stay)")
		if strings.Count(page, "spam007.test") > 1 { // the value as it is now is whole
			t.Errorf("%s shows what stays", path)
		}
	}
	has(t, page2(w, "/-/admin/janog/bans?lang=en", olga), "a flood", "olga@people.test")
}
