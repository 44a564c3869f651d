package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

// posted sends a post of a member and returns its record.
func (h *house) posted(l *list.List, from, id, subject string) *list.Post {
	h.Helper()
	code, text := h.world.Send(listtest.Mail{From: from, To: []string{l.Address.String()}, Raw: listtest.Post(from, l, id, subject, "Words that can be taken back.")})
	if code != 250 {
		h.Fatalf("post: %d %s", code, text)
	}
	return h.world.Posts(id)[0]
}

func TestMyPosts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	open := h.world.List("open", nil)
	slow := h.world.List("slow", func(s *list.Settings) { s.DefaultMemberAction = list.Hold })
	for _, l := range []*list.List{open, slow} {
		h.world.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
	}
	sent := h.posted(open, "ann@people.test", "sent@people.test", "<script>alert(1)</script>")
	h.mail(2, "bob@people.test")
	held := h.posted(slow, "ann@people.test", "held@people.test", "Please wait")
	other := h.posted(slow, "bob@people.test", "other@people.test", "Of Bob")

	ann := h.browser().signIn("ann@people.test")
	page := ann.get("/-/my/posts")
	has(t, page, "&lt;script&gt;", "/open/m/sent@people.test/", "Was sent.", "Please wait", "Waits for a moderator:", `value="withdraw"`, `value="redact"`)
	hasNot(t, page, "<script>", "Of Bob")

	for _, id := range []list.PostID{other.ID, "nothing"} {
		for _, do := range []string{"withdraw", "redact"} {
			if a := ann.ask("/-/my/posts", url.Values{"post": {string(id)}, "do": {do}}); a.code != http.StatusNotFound {
				t.Errorf("%s of %s: %d", do, id, a.code)
			}
		}
	}
	if a := ann.ask("/-/my/posts", url.Values{"post": {string(held.ID)}, "do": {"publish"}}); a.code != http.StatusBadRequest {
		t.Errorf("an unknown button: %d", a.code)
	}
	has(t, ann.post("/-/my/posts", url.Values{"post": {string(held.ID)}, "do": {"withdraw"}}), "You have taken it back.")
	if p := h.world.Posts("held@people.test")[0]; p.Held() || p.Verdict.Action != list.Discard || p.Verdict.By != "ann@people.test" {
		t.Errorf("withdrawn: %+v", p.Verdict)
	}
	has(t, ann.post("/-/my/posts", url.Values{"post": {string(held.ID)}, "do": {"withdraw"}}), "too late")
	if !h.world.Posts("other@people.test")[0].Held() {
		t.Error("another's post was decided about")
	}
	has(t, ann.post("/-/my/posts", url.Values{"post": {string(sent.ID)}, "do": {"redact"}}), "no longer in the archive")
	hasNot(t, h.browser().get("/open/m/sent@people.test/"), "Words that can be taken back")
}

func TestNewAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	one, two := h.world.List("one", nil), h.world.List("two", nil)
	h.world.Join(one, list.RoleMember, "ann@people.test")
	h.world.Join(one, list.RoleOwner, "ann@people.test")
	h.world.Join(two, list.RoleMember, "ann@people.test")
	h.world.SetMember(two, "ann@people.test", func(m *list.Member) { m.Hide = true })
	b := h.browser().signIn("ann@people.test")
	has(t, b.get("/-/my/address"), "one", "two")
	for _, bad := range []string{"", "<script>alert(1)</script>", "ANN@people.test"} {
		if a := b.ask("/-/my/address", url.Values{"address": {bad}}); a.code != http.StatusUnprocessableEntity || strings.Contains(a.body, "<script>") {
			t.Errorf("%q: %d", bad, a.code)
		}
	}
	has(t, b.post("/-/my/address", url.Values{"address": {"new@people.test"}}), "ann@people.test", "new@people.test")
	mail := h.mail(1, "ann@people.test")
	has(t, mail, "one, two")
	has(t, b.get(confirmIn.FindStringSubmatch(mail)[1]), "one, two")
	b.ask(confirmIn.FindStringSubmatch(mail)[1], url.Values{})
	if h.member(one, "new@people.test") != nil {
		t.Fatal("changed with one confirmation")
	}
	mail = h.mail(2, "new@people.test")
	h.browser().ask(confirmIn.FindStringSubmatch(mail)[1], url.Values{})
	has(t, h.mail(3, "new@people.test"), "one, two")
	if m := h.member(two, "new@people.test"); h.member(one, "new@people.test") == nil || m == nil || !m.Hide || h.member(one, "ann@people.test") != nil {
		t.Errorf("changed: %+v", m)
	}
	h.world.Update(func(tx *storage.Tx) error {
		if !list.Has(tx, one.ID, address.Must("new@people.test"), list.RoleOwner) {
			t.Error("the role stayed behind")
		}
		return nil
	})
}

func TestExportAndErase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l := h.world.List("janog", nil)
	h.world.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
	h.world.Join(l, list.RoleOwner, "ann@people.test")
	h.posted(l, "ann@people.test", "one@people.test", "Hello")
	h.mail(2, "bob@people.test")
	b := h.browser().signIn("ann@people.test")
	phone := h.browser().signIn("ann@people.test")
	b.post("/-/my/list/janog", url.Values{"delivery": {"regular"}, "hide": {"on"}})

	a := b.ask("/-/my/export", nil)
	if a.code != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") || a.header.Get("Cache-Control") != "private, no-store" {
		t.Fatalf("export: %d %v", a.code, a.header)
	}
	var all subscribe.Kept
	if err := json.Unmarshal([]byte(a.body), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Memberships) != 2 || len(all.Posts) != 1 || all.Posts[0].Subject != "Hello" || !all.Posts[0].Authenticated || len(all.Sessions) != 2 {
		t.Errorf("export:\n%s", a.body)
	}
	token := ""
	h.world.Update(func(tx *storage.Tx) error {
		m, err := list.GetMember(tx, l.ID, list.RoleMember, address.Must("ann@people.test"))
		token = m.Token
		return err
	})
	hasNot(t, a.body, "bob@people.test", token, b.jar["__Host-session"].Value)

	// The only owner stays until there is another.
	has(t, b.get("/-/my/erase"), "the only owner", "janog")
	if a := b.ask("/-/my/erase", url.Values{"sure": {"yes"}}); a.code != http.StatusConflict || h.member(l, "ann@people.test") == nil {
		t.Errorf("the only owner: %d", a.code)
	}
	h.world.Join(l, list.RoleOwner, "bob@people.test")
	if a := b.ask("/-/my/erase", url.Values{"archive": {"yes"}}); a.code != http.StatusUnprocessableEntity || h.member(l, "ann@people.test") == nil {
		t.Errorf("not sure: %d", a.code)
	}
	has(t, b.post("/-/my/erase", url.Values{"sure": {"yes"}, "archive": {"yes"}}), "ann@people.test is in no list", "no longer name it")
	for _, who := range []*browser{b, phone} {
		if a := who.ask("/-/my", nil); a.code != http.StatusSeeOther {
			t.Errorf("still signed in: %d", a.code)
		}
	}
	h.world.Update(func(tx *storage.Tx) error {
		for _, role := range list.Memberships(tx, address.Must("ann@people.test")) {
			t.Errorf("still %s", role)
		}
		if _, err := list.GetDeparture(tx, list.UndoToken(token), time.Now()); err == nil {
			t.Error("it could be undone")
		}
		if _, _, _, err := list.ByToken(tx, token); err == nil {
			t.Error("the unsubscribe link still leads to the address")
		}
		return nil
	})
	if got := h.history(l, "ann@people.test"); len(got) != 0 {
		t.Errorf("history: %q", got)
	}
	if page := h.browser().get("/janog/m/one@people.test/raw"); strings.Contains(page, "ann@people.test") {
		t.Errorf("the archive names it:\n%s", page)
	}
	if h.member(l, "bob@people.test") == nil {
		t.Error("another was erased")
	}
}

// A post that has not left can be undone on the page, by its author only.
func TestUndoMyPost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l := h.world.List("janog", func(s *list.Settings) { s.UndoSeconds = 600 })
	h.world.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
	p := h.posted(l, "ann@people.test", "early@people.test", "<b>Too early</b>")
	ann, bob := h.browser().signIn("ann@people.test"), h.browser().signIn("bob@people.test")
	has(t, ann.get("/-/my/posts"), "&lt;b&gt;Too early", "until then you can take it back", `value="withdraw"`)
	undo := url.Values{"post": {string(p.ID)}, "do": {"withdraw"}}
	if a := bob.ask("/-/my/posts", undo); a.code != http.StatusNotFound {
		t.Errorf("another's post: %d", a.code)
	}
	has(t, ann.post("/-/my/posts", undo), "You have taken it back.")
	if p := h.world.Posts("early@people.test")[0]; p.Verdict.Action != list.Discard || p.Verdict.By != "ann@people.test" || p.Number != 0 {
		t.Errorf("undone: %+v", p)
	}
	has(t, ann.post("/-/my/posts", undo), "too late")
}
