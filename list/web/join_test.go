package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// filled is the form to join a list as a person fills it in: three seconds after it was made.
func (h *house) filled(l *list.List, addr, name string) url.Values {
	h.Helper()
	var mark string
	h.world.Update(func(tx *storage.Tx) (err error) {
		mark, err = formMark(tx, l, time.Now().Add(-3*time.Second))
		return err
	})
	return url.Values{"address": {addr}, "name": {name}, "form": {mark}, "website": {""}}
}

func (h *house) member(l *list.List, addr string) *list.Member {
	h.Helper()
	var m *list.Member
	h.world.Update(func(tx *storage.Tx) error {
		m, _ = list.GetMember(tx, l.ID, list.RoleMember, address.Must(addr)) // nil for who is none
		return nil
	})
	return m
}

func (h *house) history(l *list.List, addr string) (events []string) {
	h.Helper()
	h.world.Update(func(tx *storage.Tx) error {
		events = nil
		for e := range list.MemberHistory(tx, l.ID, address.Must(addr)) {
			events = append(events, strings.TrimSpace(e.Stage+" "+e.Text)+" by "+e.By)
		}
		return nil
	})
	return events
}

var confirmIn = regexp.MustCompile(`https://\S+(/-/confirm/[0-9a-f]{32})`)

func TestJoin(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l := h.world.List("janog", func(s *list.Settings) {
		s.Description = list.Text{"en": "<b>networks</b>"}
		s.CodeOfConduct = list.Text{"en": "Be kind. <script>alert(1)</script>"}
	})
	b := h.browser()
	has(t, b.get("/janog/"), `href="/-/join/janog"`, "mailto:janog-join@")
	page := b.get("/-/join/janog")
	has(t, page, "Be kind. &lt;script&gt;", "&lt;b&gt;networks", "confirmed you are a member", "Everybody may read the archive.", "mailto:janog-join@", `name="conduct"`)
	hasNot(t, page, "<script>")

	form := h.filled(l, "ann@people.test", "Ann <script>\u202e\r\nBcc: x")
	if a := b.ask("/-/join/janog", form); a.code != http.StatusUnprocessableEntity || !strings.Contains(a.body, "accepts its code of conduct") ||
		!strings.Contains(a.body, `value="ann@people.test"`) || strings.Contains(a.body, "<script>") {
		t.Fatalf("without the code of conduct: %d\n%s", a.code, a.body)
	}
	form.Set("conduct", "yes")
	has(t, b.post("/-/join/janog", form), "What comes next", "ann@people.test", "answer it", "A welcome comes")
	mail := h.mail(1, "ann@people.test")
	has(t, mail, "code of conduct", "https://lists.kairan.test/-/join/janog")
	hasNot(t, mail, "script", "Bcc") // nothing that the requester wrote
	link := confirmIn.FindStringSubmatch(mail)[1]
	page = b.get(link)
	has(t, page, "Ann &lt;script&gt; Bcc: x", "you accept the code of conduct")
	hasNot(t, page, "<script>")
	if h.member(l, "ann@people.test") != nil {
		t.Fatal("a member by looking")
	}
	if a := b.ask(link, url.Values{}); a.code != http.StatusOK {
		t.Fatalf("confirm: %d", a.code)
	}
	if m := h.member(l, "ann@people.test"); m == nil || m.DisplayName != "Ann <script> Bcc: x" {
		t.Errorf("joined as %+v", m)
	}
	if got := h.history(l, "ann@people.test"); len(got) != 1 || got[0] != "join with the code of conduct by ann@people.test" {
		t.Errorf("history: %q", got)
	}
}

// TestJoinTellsNothing: a member, a banned address, a program and a hasty one get no more mail than they should, and all see the same.
func TestJoinTellsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l := h.world.List("janog", func(s *list.Settings) { s.BanList = []string{"banned@people.test"} })
	h.world.Join(l, list.RoleMember, "member@people.test")
	var pages []string
	for _, addr := range []string{"new@people.test", "member@people.test", "banned@people.test", "new@people.test"} {
		pages = append(pages, strings.ReplaceAll(h.browser().post("/-/join/janog", h.filled(l, addr, "")), addr, "X"))
	}
	program := h.filled(l, "victim@people.test", "")
	program.Set("website", "http://spam.test/")
	pages = append(pages, strings.ReplaceAll(h.browser().post("/-/join/janog", program), "victim@people.test", "X"))
	for i, p := range pages {
		if p != pages[0] {
			t.Errorf("page %d is another one:\n%s", i, p)
		}
	}
	b := h.browser()
	b.ip = "198.51.100.1:1"
	for name, mark := range map[string]string{"none": "", "forged": "1.00", "too new": regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(b.get("/-/join/janog"))[1]} {
		form := h.filled(l, "victim@people.test", "V")
		form.Set("form", mark)
		if a := b.ask("/-/join/janog", form); a.code != http.StatusUnprocessableEntity || !strings.Contains(a.body, "press once more") || !strings.Contains(a.body, `value="victim@people.test"`) {
			t.Errorf("%s: %d", name, a.code)
		}
	}
	other := h.world.List("wg", nil)
	form := h.filled(other, "victim@people.test", "")
	if a := b.ask("/-/join/janog", form); a.code != http.StatusUnprocessableEntity {
		t.Errorf("the form of another list: %d", a.code)
	}
	b.post("/-/join/janog", h.filled(l, "end@people.test", ""))
	h.mail(2, "end@people.test")
	if n := len(h.world.Sink.Messages()); n != 2 {
		t.Errorf("%d mails", n)
	}
	for i := range attempts {
		if a := b.ask("/-/join/janog", h.filled(l, "x@people.test", "")); (a.code == http.StatusTooManyRequests) != (i == attempts-1) {
			t.Errorf("request %d: %d", i+2, a.code)
		}
	}
	if a := h.browser().ask("/-/join/janog", h.filled(l, "x@people.test", ""), "Sec-Fetch-Site: cross-site"); a.code != http.StatusForbidden {
		t.Errorf("another site: %d", a.code)
	}
	if a := h.browser().ask("/-/join/nothing", nil); a.code != http.StatusNotFound {
		t.Errorf("no such list: %d", a.code)
	}
}

// TestJoinSignedIn: who is signed in has proved to read the address's mail, and joins with one press.
func TestJoinSignedIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	open := h.world.List("open", nil) // confirm
	moderated := h.world.List("moderated", func(s *list.Settings) { s.SubscriptionPolicy = list.PolicyConfirmThenModerate })
	closed := h.world.List("closed", func(s *list.Settings) { s.BanList = []string{"^.*@people\\.test$"} })
	h.world.Join(h.world.List("first", nil), list.RoleMember, "ann@people.test")
	b := h.browser().signIn("ann@people.test")
	has(t, b.get("/open/"), "Join as ann@people.test", "You are a member at once.")
	if a := b.ask("/-/join/open", url.Values{}); a.code != http.StatusSeeOther || a.location != "/-/my/list/open" {
		t.Fatalf("join: %d to %q", a.code, a.location)
	}
	if h.member(open, "ann@people.test") == nil || h.history(open, "ann@people.test")[0] != "join ann@people.test joined by ann@people.test" {
		t.Errorf("not joined: %q", h.history(open, "ann@people.test"))
	}
	has(t, b.get("/open/"), `href="/-/my/list/open"`)
	has(t, b.post("/-/join/moderated", url.Values{}), "moderators", "What comes next")
	if h.member(moderated, "ann@people.test") != nil || len(h.world.Requests(moderated)) != 1 {
		t.Errorf("moderated: %v", h.world.Requests(moderated))
	}
	if a := b.ask("/-/join/closed", url.Values{}); a.code != http.StatusForbidden || !strings.Contains(a.body, "closed-owner@") {
		t.Errorf("banned: %d", a.code)
	}
	has(t, b.get("/-/join/moderated?other=1"), `name="address"`)
	if a := b.ask("/-/join/moderated", url.Values{"address": {""}}); a.code != http.StatusUnprocessableEntity {
		t.Errorf("an empty address for another one: %d", a.code)
	}
	_ = closed
}
