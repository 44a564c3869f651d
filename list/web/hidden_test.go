package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/moderation"
	"kairan/storage"
)

// TestHidden lists what is hidden, redacted and withdrawn for those who run the list, who show it again.
func TestHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l, other := w.list("janog"), w.list("other")
	for addr, role := range map[string]list.Role{"mod@example.jp": list.RoleModerator, "olga@example.jp": list.RoleOwner} {
		w.update(func(tx *storage.Tx) error {
			return list.Join(tx, list.Member{List: l.ID, Role: role, Address: parse(t, addr), Token: list.NewToken()})
		})
	}
	w.update(func(tx *storage.Tx) error {
		return list.Join(tx, list.Member{List: other.ID, Role: list.RoleOwner, Address: parse(t, "else@example.jp"), Token: list.NewToken()})
	})
	w.join(l, "ann@example.jp")
	for n, do := range []struct{ word, by string }{{"hide", "mod@example.jp"}, {"redact", "operator"}, {"withdraw", "ann@example.jp"}, {"", ""}, {"hide", "mod@example.jp"}} {
		id := fmt.Sprintf("%d@example.jp", n)
		raw := "From: Ann <ann@example.jp>\r\nMessage-ID: <" + id + ">\r\nSubject: <script>alert(" + id + ")</script>\r\n\r\nwords\r\n"
		m, err := w.arch.Add(t.Context(), archive.Entry{List: string(l.ID), Post: "post" + id, Number: uint64(n + 1), ID: id, Received: time.Now(), Raw: []byte(raw)}, nil)
		if err == nil && do.word != "" {
			err = moderation.Edit{List: l, Message: m, Word: do.word, By: do.by, Reason: "<i>why</i>", Now: time.Now()}.Do(t.Context(), w.arch)
		}
		if err == nil && n == 4 {
			err = w.arch.Purge(t.Context(), m, archive.Order{By: "operator"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	path := "/-/admin/janog/hidden"
	for who, want := range map[string]int{"ann@example.jp": 403, "else@example.jp": 403, "mod@example.jp": 200, "olga@example.jp": 200} {
		if status, page := w.get(path+"?lang=en", w.login(who)); status != want || want == 403 && strings.Contains(page, "alert") {
			t.Errorf("%s: %d", who, status)
		}
	}
	mod := w.login("mod@example.jp")
	_, page := w.get(path+"?lang=en", mod)
	has(t, page, "3 messages", "&lt;script&gt;alert(0@example.jp)", "&lt;script&gt;alert(1@example.jp)", "&lt;script&gt;alert(2@example.jp)", "hidden", "redacted", "withdrawn by the author",
		"mod@example.jp", "&lt;i&gt;why", "/janog/m/1@example.jp/", `aria-current="page"`)
	hasNot(t, page, "<script>alert", "alert(3@", "alert(4@", "/janog/m/0@example.jp/", "/-/admin/janog/settings") // a moderator has no settings
	press := func(post, who string) int {
		return w.do("POST", path, url.Values{"post": {post}}.Encode(), w.login(who)).StatusCode
	}
	if got := press("post0@example.jp", "ann@example.jp"); got != 403 {
		t.Errorf("a member shows it: %d", got)
	}
	if got := press("nothing", "mod@example.jp"); got != 404 {
		t.Errorf("what is not there: %d", got)
	}
	if status, _ := w.get("/janog/m/0@example.jp/"); status != 404 {
		t.Errorf("hidden: %d", status)
	}
	for _, post := range []string{"post0@example.jp", "post1@example.jp"} {
		if got := press(post, "mod@example.jp"); got != 303 {
			t.Errorf("show %s: %d", post, got)
		}
	}
	if status, page := w.get("/janog/m/0@example.jp/"); status != 200 || !strings.Contains(page, "words") {
		t.Errorf("shown again: %d", status)
	}
	_, page = w.get(path+"?lang=en", mod)
	has(t, page, "1 message")
	hasNot(t, page, "alert(0@", "alert(1@")
	if got := press("post4@example.jp", "mod@example.jp"); got != 303 {
		t.Errorf("what was purged: %d", got)
	}
	w.update(func(tx *storage.Tx) error {
		for e := range list.LogOf(tx, l.ID) {
			if e.Stage != "archive" || e.By == "" {
				t.Errorf("log: %+v", e)
			}
		}
		return nil
	})
	if status, _ := w.get(path+"?p=x", mod); status != 404 {
		t.Errorf("a page that is none: %d", status)
	}
}
