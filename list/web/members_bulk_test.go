package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/storage"
)

// upload posts a form with a file, and returns status, where it leads and the page.
func (w *world) upload(path string, fields map[string]string, file []byte, me *http.Cookie) (status int, to, page string) {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for name, v := range fields {
		m.WriteField(name, v)
	}
	part, err := m.CreateFormFile("file", "members.csv")
	if err != nil {
		w.t.Fatal(err)
	}
	part.Write(file)
	m.Close()
	r := httptest.NewRequestWithContext(w.t.Context(), "POST", path, &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Accept-Language", "en")
	r.AddCookie(me)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec.Code, rec.Header().Get("Location"), rec.Body.String()
}

// Many are looked at and then added once: members, banned ones and those who want no mail are left alone, bad lines are named.
func TestBulkAdd(t *testing.T) {
	t.Parallel()
	w, lw, l := membersWorld(t, func(s *list.Settings) { s.BanList = []string{"^bad[0-9]@", "evil.test"} })
	lw.Run()
	lw.Join(l, list.RoleMember, "ann@people.test")
	w.update(func(tx *storage.Tx) error {
		return subscribe.SetBlocked(tx, parse(t, "never@people.test"), true, time.Now())
	})
	olga, mori := w.login("olga@people.test"), w.login("mori@people.test")
	const at = "/-/admin/janog/members/add"
	if status, _, _ := w.upload(at, map[string]string{"do": "add"}, []byte("x@people.test"), mori); status != 403 {
		t.Errorf("a moderator adds: %d", status)
	}
	sjis, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte("address,display_name\nannb@people.test,山田 太郎\nann@people.test,\nbad1@people.test,\nx@evil.test,\nnever@people.test,\n" +
		"<script>alert(1)</script>,x\nlang@people.test,a,b\n\"'=cmd@people.test\",'=HYPERLINK()\nannb@people.test,\n"))
	if err != nil {
		t.Fatal(err)
	}
	status, to, _ := w.upload(at, map[string]string{"do": "add", "tell": "on"}, sjis, olga)
	if status != 303 {
		t.Fatalf("the file: %d", status)
	}
	page := page2(w, to+"?lang=en", olga)
	has(t, page, "2 would join", "annb@people.test", "=cmd@people.test", "1 is a member already", "2 are banned", "x@evil.test", "1 wants no such mail", "never@people.test",
		"Line 7:", "no address", "&lt;script&gt;alert(1)", "Line 8:", "1 line repeats", "Add 2", "mails each a welcome")
	hasNot(t, page, "<script>alert(1)", "'=cmd")
	if w.member(l, list.RoleMember, "annb@people.test") != nil {
		t.Fatal("looking makes a member")
	}
	if status, _ := w.get(to, mori); status != 403 {
		t.Errorf("a moderator looks: %d", status)
	}
	for range 2 { // the button, and the same again
		if res := w.do("POST", to, "x=y", olga); res.StatusCode != 303 || res.Header.Get("Location") != to {
			t.Fatalf("the button: %s", res.Status)
		}
	}
	page = page2(w, to+"?lang=en", olga)
	has(t, page, "Done", "2 joined", "1 was a member already", "2 are banned and were left out", "1 wants no such mail and was left out", "bad1@people.test")
	hasNot(t, page, "<form method=\"post\" action=\""+to)
	m := w.member(l, list.RoleMember, "annb@people.test")
	if m == nil || m.DisplayName != "山田 太郎" || w.member(l, list.RoleMember, "=cmd@people.test").DisplayName != "=HYPERLINK()" {
		t.Fatalf("annb is %+v", m)
	}
	for _, who := range []string{"bad1@people.test", "x@evil.test", "never@people.test"} {
		if w.member(l, list.RoleMember, who) != nil {
			t.Errorf("%s is a member", who)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := lw.Sink.Wait(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if n := len(lw.Sink.Messages()); n != 2 {
		t.Errorf("%d mails", n)
	}
	has(t, page2(w, "/-/admin/janog/member/annb@people.test?lang=en", olga), "joined</span>", "olga@people.test")
	if log := page2(w, "/-/admin/janog/log?lang=en", olga); strings.Count(log, "2 members were imported") != 1 {
		t.Errorf("the log:\n%s", log)
	}
	// Of another list it is nothing.
	lw.List("other", nil)
	w.update(func(tx *storage.Tx) error {
		o, err := list.ByName(tx, "other")
		if err == nil {
			err = list.Join(tx, list.Member{List: o.ID, Role: list.RoleOwner, Address: parse(t, "olga@people.test")})
		}
		return err
	})
	if status, _ := w.get(strings.Replace(to, "janog", "other", 1), olga); status != 404 {
		t.Errorf("in another list: %d", status)
	}
}

// Invitations are mailed once; what cannot be read comes back with what is wrong.
func TestBulkInviteAndRemove(t *testing.T) {
	t.Parallel()
	w, lw, l := membersWorld(t, nil)
	lw.Run()
	olga := w.login("olga@people.test")
	post := func(page string, fields map[string]string, button bool) string {
		t.Helper()
		status, to, text := w.upload("/-/admin/janog/members/"+page, fields, nil, olga)
		if status != 303 {
			return fmt.Sprint(status, text)
		}
		if button {
			for range 2 {
				w.do("POST", to, "x=y", olga)
			}
		}
		return page2(w, to+"?lang=en", olga)
	}
	has(t, post("add", map[string]string{"do": "invite", "lines": " \n"}, false), "422", "choose a file")
	has(t, post("add", map[string]string{"do": "invite", "lines": "</textarea><script>x\n" + strings.Repeat("a", 5<<20)}, false), "422", "too large")
	has(t, post("add", map[string]string{"do": "kick", "lines": "a@people.test"}, false), "400")
	has(t, post("add", map[string]string{"do": "invite", "lines": "# nobody\nnobody\n"}, false), "nothing to change", "Line 2:", "<code>nobody</code>")
	if status, _, page := w.upload("/-/admin/janog/members/add", map[string]string{"do": "add", "lines": "<b>@people.test"}, []byte("b@people.test"), olga); status != 422 || strings.Contains(page, "<b>@") {
		t.Errorf("both: %d", status)
	}
	has(t, post("add", map[string]string{"do": "invite", "lines": "Guest <guest@people.test>\nann@people.test"}, false), "2 would be invited", "Invite 2")
	has(t, post("add", map[string]string{"do": "invite", "lines": "Guest <guest@people.test>\nann@people.test"}, true), "2 were invited")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := lw.Sink.Wait(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if n := len(lw.Sink.Messages()); n != 2 || w.member(l, list.RoleMember, "guest@people.test") != nil {
		t.Errorf("%d invitations", n)
	}
	lw.Join(l, list.RoleMember, "ann@people.test", "bob@people.test", "cat@people.test")
	has(t, post("remove", map[string]string{"lines": "ann@people.test\nBOB@people.test\nzed@people.test"}, false), "2 would be removed", "1 is no member", "without a goodbye")
	has(t, post("remove", map[string]string{"lines": "ann@people.test\nBOB@people.test\nzed@people.test"}, true), "2 were removed", "zed@people.test")
	if w.member(l, list.RoleMember, "ann@people.test") != nil || w.member(l, list.RoleMember, "bob@people.test") != nil || w.member(l, list.RoleMember, "cat@people.test") == nil {
		t.Error("others were removed")
	}
	if n := len(lw.Sink.Messages()); n != 2 {
		t.Errorf("%d mails: a goodbye nobody asked for", n)
	}
	// A day is as many invitations as there may be.
	var many strings.Builder
	for i := range 1005 {
		fmt.Fprintf(&many, "guest%04d@people.test\n", i)
	}
	has(t, post("add", map[string]string{"do": "invite", "lines": many.String()}, true), "998 were invited", "7 were not invited: there were enough", "guest1004@people.test")
}

// The download is what was uploaded; no cell of it is a formula.
func TestExportMembers(t *testing.T) {
	t.Parallel()
	w, _, l := membersWorld(t, nil)
	names := []string{"=1+1", "＝1", "'=1", "''x", "@a", "-b", "山田, \"太郎\"", "plain", "'"}
	w.update(func(tx *storage.Tx) error {
		for i, name := range names {
			m := list.Member{List: l.ID, Role: list.RoleMember, Address: parse(t, fmt.Sprintf("u%d@people.test", i)), DisplayName: name, Language: "ja"}
			if err := list.Join(tx, m); err != nil {
				return err
			}
		}
		return list.Join(tx, list.Member{List: l.ID, Role: list.RoleMember, Address: parse(t, "+tag@people.test")})
	})
	if status, _ := w.get("/-/admin/janog/members/export", w.login("mori@people.test")); status != 403 {
		t.Errorf("a moderator: %d", status)
	}
	res := w.do("GET", "/-/admin/janog/members/export", "", w.login("olga@people.test"))
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/csv") || !strings.Contains(res.Header.Get("Content-Disposition"), `attachment; filename="janog-members.csv"`) || res.Header.Get("Cache-Control") != "private, no-store" {
		t.Fatalf("%s %v", res.Status, res.Header)
	}
	cells, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(body), "\ufeff"))).ReadAll()
	if err != nil || len(cells) != len(names)+2 || !slices.Equal(cells[0], list.RosterColumns()) {
		t.Fatalf("%d rows, %v:\n%s", len(cells), err, body)
	}
	for _, row := range cells[1:] {
		for _, c := range row {
			if c != "" && strings.ContainsAny(c[:1], "=+-@\t\r") || strings.HasPrefix(c, "＝") {
				t.Errorf("a formula: %q", c)
			}
		}
	}
	roster, bad := list.ParseRoster(bytes.NewReader(body))
	if len(bad) > 0 || roster.Len() != len(names)+1 {
		t.Fatalf("read again: %d, %v", roster.Len(), bad)
	}
	other := w.list("other")
	if _, _, err := roster.Import(t.Context(), w.db, other.ID, list.Importing{Edit: list.Edit{At: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if m := w.member(other, list.RoleMember, fmt.Sprintf("u%d@people.test", i)); m == nil || m.DisplayName != name {
			t.Errorf("%q came back as %+v", name, m)
		}
	}
	if w.member(other, list.RoleMember, "+tag@people.test") == nil {
		t.Error("an address with a plus did not come back")
	}
}
