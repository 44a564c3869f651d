package web

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/storage"
)

var addressLink = regexp.MustCompile(`https://\S+(/-/my/addresses/confirm/[0-9a-f]{32})`)

// tie makes addresses those of one person, without mail.
func (h *house) tie(first string, others ...string) {
	h.world.Update(func(tx *storage.Tx) error {
		for _, a := range others {
			if err := list.PersonOf(tx, address.Must(first)).AddAddress(tx, address.Must(a), time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestAddAnAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	janog, wg := h.world.List("janog", nil), h.world.List("wg", func(s *list.Settings) { s.ArchivePolicy = list.ArchivePrivate })
	h.world.Join(janog, list.RoleMember, "ann@people.test", "eve@people.test")
	h.world.Join(wg, list.RoleMember, "ann@work.test")
	h.world.Join(wg, list.RoleOwner, "ann@work.test")
	ann, work, eve := h.browser().signIn("ann@people.test"), h.browser().signIn("ann@work.test"), h.browser().signIn("eve@people.test")

	has(t, ann.get("/-/my"), `href="/-/my/addresses"`)
	for typed, want := range map[string]string{"no address": "not a mail address", "ANN@people.test": "already"} {
		if a := ann.ask("/-/my/addresses", url.Values{"do": {"add"}, "address": {typed}}); a.code != http.StatusUnprocessableEntity || !strings.Contains(a.body, want) {
			t.Errorf("adding %q: %d\n%s", typed, a.code, a.body)
		}
	}
	// The answer is the same for an address that is here and for one that is not.
	known := ann.post("/-/my/addresses", url.Values{"do": {"add"}, "address": {"ann@work.test"}})
	unknown := eve.post("/-/my/addresses", url.Values{"do": {"add"}, "address": {"nobody@work.test"}})
	has(t, known, "A mail is on its way to ann@work.test")
	has(t, unknown, "A mail is on its way to nobody@work.test")
	mail := h.mail(2, "ann@work.test")
	has(t, mail, "ann@work.test")
	hasNot(t, mail, "ann@people.test") // who is asked learns of nobody
	link := addressLink.FindStringSubmatch(mail)[1]

	if a := h.browser().ask(link, nil); a.code != http.StatusSeeOther || !strings.HasPrefix(a.location, "/-/login?to=") {
		t.Errorf("a stranger: %d to %s", a.code, a.location)
	}
	for _, b := range []*browser{eve, work} { // not even who reads the mail, if somebody else asked
		if a := b.ask(link, nil); a.code != http.StatusForbidden {
			t.Errorf("who did not ask: %d", a.code)
		}
		if a := b.ask(link, url.Values{}); a.code != http.StatusForbidden || !strings.Contains(a.body, "Somebody else asked") {
			t.Errorf("who did not ask: %d", a.code)
		}
	}
	token := link[strings.LastIndex(link, "/")+1:]
	if a := h.browser().ask("/-/confirm/"+token, url.Values{}); a.code != http.StatusNotFound {
		t.Errorf("the token on the page of other confirmations: %d", a.code)
	}
	if a := ann.ask("/-/admin/wg/settings", nil); a.code != http.StatusForbidden {
		t.Fatalf("before: %d", a.code)
	}
	has(t, ann.get(link), "ann@work.test", `action="`+link+`"`)
	has(t, ann.post(link, url.Values{}), "ann@work.test is one of your addresses now")
	h.mail(4, "ann@people.test")
	has(t, h.mail(4, "ann@work.test"), "ann@work.test")
	if a := ann.ask(link, nil); a.code != http.StatusNotFound {
		t.Errorf("the link a second time: %d", a.code)
	}

	// From now on both are one.
	for _, b := range []*browser{ann, work} {
		page := b.get("/-/my")
		has(t, page, "as ann@people.test", "as ann@work.test", "and 1 more address", "/-/my/list/wg?as=ann%40work.test")
		b.get("/-/admin/wg/settings")
		has(t, b.get("/"), "wg")
		if a := b.ask("/wg/2026-01/", nil); a.code == http.StatusForbidden {
			t.Error("her archive is closed to her")
		}
	}
	has(t, ann.get("/-/my/export"), `"ann@people.test"`, `"ann@work.test"`, "wg@", "janog@")
}

func TestWhatOneDoesWithAddresses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l, banning := h.world.List("janog", nil), h.world.List("strict", func(s *list.Settings) { s.BanList = []string{"ann@work.test"} })
	h.world.Join(l, list.RoleMember, "ann@people.test", "eve@people.test")
	h.world.Join(banning, list.RoleMember, "ann@people.test")
	h.tie("ann@people.test", "ann@work.test", "ann@home.test")
	ann, work := h.browser().signIn("ann@people.test"), h.browser().signIn("ann@work.test")

	// A membership moves without a mail, settings and all.
	ann.post("/-/my/list/janog", url.Values{"as": {"ann@people.test"}, "delivery": {"regular"}, "language": {"en"}, "name": {"Ann"}, "hide": {"on"}})
	page := ann.get("/-/my/list/janog")
	has(t, page, `action="/-/my/list/janog/move"`, "<option>ann@work.test</option>")
	has(t, ann.post("/-/my/list/janog/move", url.Values{"as": {"ann@people.test"}, "to": {"ann@work.test"}}), "knows you by ann@work.test", `value="Ann"`)
	h.world.Update(func(tx *storage.Tx) error {
		m, err := list.GetMember(tx, l.ID, list.RoleMember, address.Must("ann@work.test"))
		if err != nil || !m.Hide || list.Has(tx, l.ID, address.Must("ann@people.test"), list.RoleMember) {
			t.Errorf("moved: %+v, %v", m, err)
		}
		return nil
	})
	hasNot(t, ann.get("/-/my/list/strict"), "<option>ann@work.test</option>")
	for path, form := range map[string]url.Values{
		"/-/my/list/janog/move":  {"as": {"ann@work.test"}, "to": {"eve@people.test"}},
		"/-/my/list/strict/move": {"as": {"ann@people.test"}, "to": {"ann@work.test"}},
		"/-/my/list/janog/leave": {"as": {"eve@people.test"}},
		"/-/my/list/janog":       {"as": {"eve@people.test"}, "delivery": {"off"}},
		"/-/join/strict":         {"as": {"eve@people.test"}},
	} {
		if a := ann.ask(path, form); a.code != http.StatusBadRequest {
			t.Errorf("%s %v: %d", path, form, a.code)
		}
	}

	// Preferred, joining as a chosen one, removing.
	has(t, work.post("/-/my/addresses", url.Values{"do": {"prefer"}, "address": {"ann@home.test"}}), "ann@home.test is your preferred address")
	has(t, work.get("/-/my"), `title="Signed in as ann@home.test"`)
	wg := h.world.List("wg", func(s *list.Settings) { s.SendWelcomeMessage = false })
	has(t, work.get("/-/join/wg"), `value="ann@people.test"`, `value="ann@home.test" checked`)
	work.post("/-/join/wg", url.Values{"as": {"ann@people.test"}})
	for b, form := range map[*browser]url.Values{ann: {"do": {"remove"}, "address": {"eve@people.test"}}, work: {"do": {"remove"}}} {
		if a := b.ask("/-/my/addresses", form); a.code != http.StatusBadRequest {
			t.Errorf("removing what is not hers: %d", a.code)
		}
	}
	has(t, ann.post("/-/my/addresses", url.Values{"do": {"remove"}, "address": {"ann@work.test"}}), "no longer one of your addresses")
	if a := work.ask("/-/my", nil); a.code != http.StatusSeeOther {
		t.Errorf("a session of the removed address: %d", a.code)
	}
	has(t, h.mail(3, "ann@work.test"), "ann@work.test")
	hasNot(t, ann.get("/-/my"), "/-/my/list/janog")

	// Leaving and erasing are about all of them.
	has(t, ann.get("/-/my/leave"), "as ann@people.test", "strict", "wg")
	h.world.Join(wg, list.RoleModerator, "ann@home.test")
	ann.post("/-/my/erase", url.Values{"sure": {"yes"}})
	h.world.Update(func(tx *storage.Tx) error {
		for _, a := range []string{"ann@people.test", "ann@home.test"} {
			for id, role := range list.Memberships(tx, address.Must(a)) {
				t.Errorf("%s is %s of %s still", a, role, id)
			}
			if p := list.PersonOf(tx, address.Must(a)); p.ID != "" {
				t.Errorf("%s is %+v", a, p)
			}
		}
		if !list.Has(tx, l.ID, address.Must("ann@work.test"), list.RoleMember) {
			t.Error("what is no longer hers was erased too")
		}
		return nil
	})
}

// TestActsByTheAddressOfTheRole: who has several addresses is known in a list's log by the one that has the role there, whichever is preferred.
func TestActsByTheAddressOfTheRole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l := h.world.List("janog", nil)
	h.world.Join(l, list.RoleOwner, "ann@work.test", "olga@people.test")
	h.world.Join(l, list.RoleModerator, "ann@home.test")
	h.world.Join(l, list.RoleMember, "ann@people.test")
	h.tie("ann@people.test", "ann@home.test", "ann@work.test", h.world.Site.Admin.String())
	for _, id := range []string{"1@id.test", "2@id.test"} {
		if code, text := h.world.Send(listtest.Mail{From: "zed@people.test", To: []string{l.Address.String()}, Raw: listtest.Post("zed@people.test", l, id, "hello", "hello\n")}); code != 250 {
			t.Fatalf("%d %s", code, text)
		}
	}
	b := h.browser().signIn("ann@people.test")
	items := itemField.FindAllStringSubmatch(b.get("/-/moderate"), -1)
	if len(items) != 2 {
		t.Fatalf("items: %v", items)
	}
	b.post("/-/moderate", url.Values{"word": {"claim"}, "item": {items[0][1]}})
	has(t, b.get("/-/moderate"), `value="release"`)
	b.post("/-/moderate", url.Values{"word": {"discard"}, "item": {items[0][1]}})
	b.post("/-/moderate/undo", url.Values{"item": {items[0][1]}})
	b.post("/-/admin/janog/bans", url.Values{"do": {"ban"}, "entry": {"evil.test"}, "why": {"spam"}})
	b.post("/-/admin/janog/member/ann@people.test", url.Values{"delivery": {"enabled"}, "mode": {"regular"}, "action": {"hold"}, "name": {"Ann"}})
	b.post("/-/site/bans", url.Values{"do": {"ban"}, "entry": {"evil.test"}, "why": {"spam"}})
	has(t, b.get("/-/admin/janog/roles"), "ann@work.test")
	h.world.Update(func(tx *storage.Tx) error {
		for id, want := range map[list.ID][]string{l.ID: {"ann@home.test", "ann@work.test"}, "": {h.world.Site.Admin.String()}} {
			lines := 0
			for e := range list.LogOf(tx, id) {
				if lines++; !slices.Contains(want, e.By) {
					t.Errorf("the log of %q: %s %q by %s", id, e.Stage, e.Text, e.By)
				}
			}
			if lines == 0 {
				t.Errorf("the log of %q is empty", id)
			}
		}
		for r := range list.Revisions(tx, l.ID) {
			if r.By != "ann@work.test" {
				t.Errorf("settings changed by %s", r.By)
			}
		}
		for e := range list.MemberHistory(tx, l.ID, address.Must("ann@people.test")) {
			if e.By != "" && e.By != "ann@home.test" && e.By != "ann@work.test" {
				t.Errorf("the history: %q by %s", e.Text, e.By)
			}
		}
		return nil
	})
	// The owner of two addresses may give one of the roles away and still be there.
	h.world.Join(l, list.RoleOwner, "ann@home.test")
	if a := b.ask("/-/admin/janog/roles", url.Values{"do": {"take"}, "role": {"owner"}, "address": {"ann@work.test"}}); a.location != "/-/admin/janog/roles" {
		t.Errorf("after giving a role away: %d to %q", a.code, a.location)
	}
}
