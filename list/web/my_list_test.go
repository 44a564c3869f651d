package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/storage"
)

func TestMemberSettings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l := h.world.List("janog", func(s *list.Settings) { s.DisplayName = "<script>alert(1)</script>" })
	h.world.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
	h.world.SetMember(l, "ann@people.test", func(m *list.Member) {
		m.DisplayName, m.ModerationAction = `"><script>alert(2)</script>`, list.Hold
	})
	b := h.browser().signIn("ann@people.test")
	has(t, b.get("/-/my"), `href="/-/my/list/janog"`, "Each post by itself")
	page := b.get("/-/my/list/janog")
	hasNot(t, page, "<script>", "bob@")
	has(t, page, `name="delivery" value="regular" checked`, `name="myposts" value="on" checked`, `name="hide" value="on">`)

	day := time.Now().AddDate(0, 0, 10).Format(time.DateOnly)
	form := url.Values{"delivery": {"off"}, "until": {day}, "language": {"ja"}, "name": {"  Ann\u202e  安  "}, "hide": {"on"}, "ack": {"on"}, "receipt": {"on"}}
	has(t, b.post("/-/my/list/janog", form), "Saved.", `value="`+day+`"`)
	m := h.member(l, "ann@people.test")
	if m.DeliveryStatus != list.DeliveryByUser || m.OffUntil.Format(time.DateOnly) != day || m.Language != "ja" || m.DisplayName != "Ann 安" ||
		!m.Hide || !m.AcknowledgePosts || !m.DeliveryReceipt || !m.NoOwnPosts || !m.NoDuplicates || m.ModerationAction != list.Hold {
		t.Errorf("saved: %+v", m)
	}
	history := strings.Join(h.history(l, "ann@people.test"), "\n")
	if !strings.Contains(history, "hide false -> true") || !strings.HasSuffix(history, "by ann@people.test") {
		t.Errorf("history: %s", history)
	}
	has(t, b.get("/-/my"), "No mail until")
	for _, bad := range []string{"2020-01-01", "3000-01-01", "yesterday", time.Now().AddDate(2, 0, 0).Format(time.DateOnly)} {
		form.Set("until", bad)
		if a := b.ask("/-/my/list/janog", form); a.code != http.StatusUnprocessableEntity || !strings.Contains(a.body, `role="alert"`) {
			t.Errorf("until %s: %d", bad, a.code)
		}
	}
	for _, bad := range []url.Values{{"delivery": {"often"}}, {"delivery": {"regular"}, "language": {"<b>"}}, {}} {
		if a := b.ask("/-/my/list/janog", bad); a.code != http.StatusBadRequest {
			t.Errorf("%v: %d", bad, a.code)
		}
	}
	if got := h.member(l, "ann@people.test"); got.OffUntil != m.OffUntil {
		t.Errorf("a bad form changed %+v", got)
	}

	has(t, b.post("/-/my/list/janog", url.Values{"delivery": {"plaintext_digests"}}), `value="plaintext_digests" checked`)
	has(t, b.get("/-/my"), "plain digest")
	h.world.Update(func(tx *storage.Tx) error {
		l.Settings.DigestsEnabled = false
		_, err := list.Change(tx, l.ID, l.Settings, list.Edit{By: "test", At: time.Now()})
		return err
	})
	hasNot(t, b.get("/-/my/list/janog"), "digests")
	if a := b.ask("/-/my/list/janog", url.Values{"delivery": {"mime_digests"}}); a.code != http.StatusBadRequest {
		t.Errorf("a digest that there is not: %d", a.code)
	}

	// What the moderators switched off stays off.
	h.world.SetMember(l, "ann@people.test", func(m *list.Member) { m.DeliveryStatus, m.OffUntil = list.DeliveryByModerator, time.Time{} })
	has(t, b.post("/-/my/list/janog", url.Values{"delivery": {"regular"}}), "the moderators have switched it off")
	if m := h.member(l, "ann@people.test"); m.DeliveryStatus != list.DeliveryByModerator || m.Hide {
		t.Errorf("%+v", m)
	}
	h.world.SetMember(l, "ann@people.test", func(m *list.Member) { m.DeliveryStatus = list.DeliveryByBounces })
	has(t, b.get("/-/my/list/janog"), "came back")
	b.post("/-/my/list/janog", url.Values{"delivery": {"regular"}})
	if m := h.member(l, "ann@people.test"); m.DeliveryStatus != list.DeliveryEnabled {
		t.Errorf("%+v", m)
	}

	stranger := h.browser().signIn("eve@people.test")
	if a := stranger.ask("/-/my/list/janog", nil); a.location != "/-/join/janog" {
		t.Errorf("who is no member: %d to %q", a.code, a.location)
	}
	if a := stranger.ask("/-/my/list/janog", url.Values{"delivery": {"regular"}}); a.code != http.StatusNotFound {
		t.Errorf("who is no member posts: %d", a.code)
	}
}

func TestLeaveOnTheWeb(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	one := h.world.List("one", nil)
	two := h.world.List("two", func(s *list.Settings) { s.UnsubscriptionPolicy = list.PolicyConfirm })
	hard := h.world.List("hard", func(s *list.Settings) { s.UnsubscriptionPolicy = list.PolicyModerate })
	for _, l := range []*list.List{one, two, hard} {
		h.world.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
	}
	h.world.SetMember(one, "ann@people.test", func(m *list.Member) { m.Hide = true })
	b := h.browser().signIn("ann@people.test")
	page := b.post("/-/my/list/one/leave", url.Values{})
	has(t, page, "You have left one.", `action="/-/undo/`, "Lately left")
	if h.member(one, "ann@people.test") != nil || h.history(one, "ann@people.test")[0] != "leave ann@people.test left by ann@people.test" {
		t.Errorf("still a member, or %q", h.history(one, "ann@people.test"))
	}
	undo := page[strings.Index(page, "/-/undo/"):]
	undo = undo[:strings.IndexByte(undo, '"')]
	if a := b.ask(undo, url.Values{}); a.code != http.StatusOK {
		t.Fatalf("undo: %d", a.code)
	}
	if m := h.member(one, "ann@people.test"); m == nil || !m.Hide {
		t.Errorf("came back as %+v", m)
	}
	hasNot(t, b.get("/-/my"), "Lately left")

	has(t, b.get("/-/my/leave"), "ann@people.test", "one", "two", "hard")
	has(t, b.post("/-/my/leave", url.Values{}), "You have left 2 lists.", "About 1 the moderators decide.", "Lately left")
	if h.member(one, "ann@people.test") != nil || h.member(two, "ann@people.test") != nil || h.member(hard, "ann@people.test") == nil || h.member(one, "bob@people.test") == nil {
		t.Error("the wrong ones have left")
	}
}
