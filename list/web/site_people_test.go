package web

import (
	"encoding/json"
	"errors"
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

// personOf is the path of the page about an address.
func personOf(addr string) string { return "/-/site/person/" + url.PathEscape(addr) }

// place is the value of a place in a form.
func placeKey(l *list.List, role list.Role, addr string) string {
	return string(l.ID) + " " + string(role) + " " + addr
}

// peopleWorld has ann in two lists, with a hostile name; olga owns both.
func peopleWorld(t *testing.T) (w *world, lw *listtest.World, admin *http.Cookie, lists []*list.List) {
	w, lw, admin = siteWorld(t)
	for _, name := range []string{"janog", "netops"} {
		l := lw.List(name, func(s *list.Settings) { s.PreferredLanguage = "en" })
		lw.Join(l, list.RoleOwner, "olga@people.test")
		lists = append(lists, l)
		w.update(func(tx *storage.Tx) error {
			return list.Join(tx, list.Member{List: l.ID, Role: list.RoleMember, Address: address.Must("ann@people.test"), DisplayName: `<script>alert(1)</script> "Ann"`, Joined: time.Now()})
		})
	}
	return w, lw, admin, lists
}

// People are found over all lists by a part of address or name; a whole address leads to its page; names are text.
func TestFindPeoplePage(t *testing.T) {
	t.Parallel()
	w, lw, admin, lists := peopleWorld(t)
	for i := range peopleShown {
		lw.Join(lists[0], list.RoleMember, "p"+string(rune('a'+i%26))+string(rune('a'+i/26))+"@many.test")
	}
	_, page := w.get("/-/site/people?lang=en", admin)
	has(t, page, "&lt;script&gt;alert(1)", "2 places in lists", "olga@people.test", `href="/-/site/person/ann@people.test"`, "after=")
	hasNot(t, page, "<script>alert")
	_, page = w.get("/-/site/people?lang=en&q=ALERT", admin)
	has(t, page, "ann@people.test")
	hasNot(t, page, "olga@", "after=")
	_, page = w.get("/-/site/people?lang=ja&from=start&q=ol", admin)
	has(t, page, "olga@people.test", "利用者")
	hasNot(t, page, "ann@")
	if res := w.do("GET", "/-/site/people?q=ANN@people.test", "", admin); res.StatusCode != 303 || res.Header.Get("Location") != personOf("ann@people.test") {
		t.Errorf("a whole address: %s to %s", res.Status, res.Header.Get("Location"))
	}
	_, page = w.get("/-/site/people?lang=en&q=%3Cb%3Enobody", admin)
	has(t, page, "Nobody was found", "&lt;b&gt;nobody")
	for path, want := range map[string]int{
		"/-/site/people?after=a&before=b": 404, "/-/site/people?after=" + strings.Repeat("x", 2000): 404,
		personOf("no address"): 404, personOf("unknown@people.test"): 200, personOf("unknown@people.test") + "/erase": 200,
	} {
		if status, _ := w.get(path, admin); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// The pages about people are the administrator's, and so is what can be done there.
func TestPeopleAreForTheAdministrator(t *testing.T) {
	t.Parallel()
	w, lw, admin, lists := peopleWorld(t)
	lw.Join(lists[0], list.RoleModerator, "mod@people.test")
	gets := []string{"/-/site/people", personOf("ann@people.test"), personOf("ann@people.test") + "/erase"}
	posts := []string{"lists", "addresses", "sessions", "passkeys", "ban", "export", "erase"}
	form := url.Values{"do": {"remove"}, "sure": {"yes"}, "place": {placeKey(lists[0], list.RoleMember, "ann@people.test")}, "all": {"1"}, "address": {"ann@people.test"}}
	ann := w.login("ann@people.test")
	for _, who := range []string{"ann@people.test", "mod@people.test", "olga@people.test"} {
		cookie := w.login(who)
		for _, path := range gets {
			if status, page := w.get(path, cookie, "Accept-Language: en"); status != 403 || !strings.Contains(page, "postmaster@") {
				t.Errorf("%s at %s: %d\n%s", who, path, status, page)
			}
		}
		for _, do := range posts {
			if status, _, page := w.press(personOf("ann@people.test")+"/"+do, form, cookie); status != 403 || !strings.Contains(page, "postmaster@") {
				t.Errorf("%s posts to %s: %d", who, do, status)
			}
		}
	}
	for _, path := range gets {
		if res := w.do("GET", path, ""); res.StatusCode != 303 || !strings.HasPrefix(res.Header.Get("Location"), "/-/login") {
			t.Errorf("a stranger at %s: %s", path, res.Status)
		}
	}
	for _, do := range posts {
		path := personOf("ann@people.test") + "/" + do
		if res := w.do("POST", path, form.Encode()); res.StatusCode != 403 {
			t.Errorf("a stranger posts to %s: %s", do, res.Status)
		}
		if res := w.do("POST", path, form.Encode(), admin, "Origin: https://evil.test", "Sec-Fetch-Site: cross-site"); res.StatusCode != 403 {
			t.Errorf("another site posts to %s: %s", do, res.Status)
		}
		if res := w.do("GET", path, "", admin); do != "erase" && res.StatusCode < 400 {
			t.Errorf("GET %s: %s", do, res.Status)
		}
	}
	if status, _ := w.get("/-/my", ann); status != 200 || !w.isMember(lists[0], "ann@people.test") {
		t.Errorf("somebody changed ann: %d", status)
	}
}

// The administrator sees what somebody is, stops delivery, takes off lists after a preview, and all is in the records.
func TestPersonInLists(t *testing.T) {
	t.Parallel()
	w, lw, admin, lists := peopleWorld(t)
	lw.Run()
	path, by := personOf("ann@people.test"), " by postmaster@lists.kairan.test"
	janog, netops := placeKey(lists[0], list.RoleMember, "ann@people.test"), placeKey(lists[1], list.RoleMember, "ann@people.test")
	_, page := w.get(path+"?lang=en", admin)
	has(t, page, "janog", "netops", "&lt;script&gt;alert(1)", "Signed in nowhere", `value="`+janog+`"`)
	if status, _, page := w.press(path+"/lists", url.Values{"do": {"off"}, "why": {`<i>full`}}, admin); status != 422 || !strings.Contains(page, "at least one list") || strings.Contains(page, "<i>full") {
		t.Errorf("nothing chosen: %d\n%s", status, page)
	}
	if status, _, _ := w.press(path+"/lists", url.Values{"do": {"off"}, "place": {janog, "x", netops}, "why": {"mailbox <b>full"}}, admin); status != 303 {
		t.Errorf("off: %d", status)
	}
	w.update(func(tx *storage.Tx) error {
		for _, l := range lists {
			if m, err := list.GetMember(tx, l.ID, list.RoleMember, address.Must("ann@people.test")); err != nil || m.DeliveryStatus != list.DeliveryByModerator {
				t.Errorf("delivery: %+v, %v", m, err)
			}
		}
		return nil
	})
	if status, _, _ := w.press(path+"/lists", url.Values{"do": {"on"}, "place": {janog}}, admin); status != 303 {
		t.Errorf("on: %d", status)
	}
	_, page = w.get(path+"?lang=en", admin)
	has(t, page, "mailbox &lt;b&gt;full", "switched off by a moderator")
	hasNot(t, page, "<b>full", "<script>alert")

	// A preview first; nothing is done by it.
	status, _, page := w.press(path+"/lists", url.Values{"do": {"remove"}, "place": {janog}, "why": {`"asked`}}, admin)
	if status != 200 || !w.isMember(lists[0], "ann@people.test") {
		t.Errorf("the preview: %d", status)
	}
	has(t, page, `name="sure" value="yes"`, `value="&#34;asked"`, `name="tell" value="on" checked`)
	if status, _, _ := w.press(path+"/lists", url.Values{"do": {"remove"}, "sure": {"yes"}, "place": {janog}, "why": {"asked"}, "tell": {"on"}}, admin); status != 303 || w.isMember(lists[0], "ann@people.test") || !w.isMember(lists[1], "ann@people.test") {
		t.Errorf("removing: %d", status)
	}
	if err := lw.Sink.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if to := lw.Sink.Messages()[0].To; len(to) != 1 || to[0] != "ann@people.test" {
		t.Errorf("the goodbye went to %q", to)
	}
	if got := w.logged(lists[0].ID); len(got) < 3 || got[0] != "member: ann@people.test was removed (asked)"+by || !strings.Contains(got[2], "(mailbox <b>full)"+by) {
		t.Errorf("the list's log: %q", got)
	}
	_, page = w.get(path+"?lang=en", admin)
	has(t, page, "was removed (asked)")

	// An owner that is the only one stays.
	olga, owns := personOf("olga@people.test"), placeKey(lists[1], list.RoleOwner, "olga@people.test")
	if status, _, page := w.press(olga+"/lists", url.Values{"do": {"remove"}, "place": {owns}, "sure": {"yes"}}, admin); status != 409 || !strings.Contains(page, "/-/admin/netops/roles") {
		t.Errorf("the only owner: %d\n%s", status, page)
	}
}

// The administrator signs people out, removes a passkey, ties addresses together and apart, and bans; each is in the audit log.
func TestHelpPerson(t *testing.T) {
	t.Parallel()
	w, _, admin, _ := peopleWorld(t)
	path := personOf("ann@people.test")
	phone, here := w.login("ann@people.test"), w.login("ann@people.test")
	_, page := w.get(path+"?lang=en", admin)
	has(t, page, list.TokenHash(phone.Value), list.TokenHash(here.Value), "Unknown browser")
	hasNot(t, page, phone.Value)
	if status, _, _ := w.press(path+"/sessions", url.Values{"session": {list.TokenHash(phone.Value)}}, admin); status != 303 {
		t.Errorf("ending one: %d", status)
	}
	for cookie, want := range map[*http.Cookie]int{phone: 303, here: 200, admin: 200} {
		if status, _ := w.get("/-/my", cookie); status != want {
			t.Errorf("signed in: %d, want %d", status, want)
		}
	}
	w.press(path+"/sessions", url.Values{"session": {list.TokenHash(admin.Value)}}, admin) // not hers
	w.press(path+"/sessions", url.Values{"all": {"1"}, "why": {"lost"}}, admin)
	if status, _ := w.get("/-/my", here); status != 303 {
		t.Errorf("still signed in: %d", status)
	}
	w.get("/-/my", admin)

	key := ""
	w.update(func(tx *storage.Tx) error {
		who := list.PersonOf(tx, address.Must("ann@people.test"))
		err := errors.Join(who.Keep(tx, time.Now()), who.AddPasskey(tx, []byte("id"), list.Passkey{Name: "<i>phone", Created: time.Now(), Credential: json.RawMessage("{}")}))
		key = who.Passkeys(tx)[0].Key
		return err
	})
	_, page = w.get(path+"?lang=en", admin)
	has(t, page, "&lt;i&gt;phone", `value="`+key+`"`)
	if status, _, _ := w.press(path+"/passkeys", url.Values{"key": {"x"}}, admin); status != 404 {
		t.Errorf("no such passkey: %d", status)
	}
	if status, _, _ := w.press(path+"/passkeys", url.Values{"key": {key}}, admin); status != 303 {
		t.Errorf("removing a passkey: %d", status)
	}

	for _, c := range []struct {
		do, addr string
		want     int
	}{
		{"add", "nobody <b>", 422}, {"add", "ann@home.test", 303}, {"add", "ann@home.test", 422}, {"prefer", "ann@home.test", 303},
		{"remove", "eve@people.test", 400}, {"eat", "ann@home.test", 400}, {"remove", "ann@home.test", 303}, {"remove", "ann@people.test", 400},
	} {
		if status, _, page := w.press(path+"/addresses", url.Values{"do": {c.do}, "address": {c.addr}}, admin); status != c.want || strings.Contains(page, "nobody <b>") {
			t.Errorf("%s %s: %d", c.do, c.addr, status)
		}
	}

	for addr, want := range map[string]int{"eve@people.test": 400, "ann@people.test": 303} {
		if status, _, _ := w.press(path+"/ban", url.Values{"address": {addr}, "why": {"spam"}}, admin); status != want {
			t.Errorf("banning %s: %d", addr, status)
		}
	}
	if status, _, _ := w.press(personOf("postmaster@lists.kairan.test")+"/ban", url.Values{"address": {"postmaster@lists.kairan.test"}}, admin); status != 422 {
		t.Errorf("banning the administrator: %d", status)
	}
	_, page = w.get(path+"?lang=en", admin)
	has(t, page, "<code>ann@people.test</code>", "all lists", "was removed", "ann@home.test")
	by := " by postmaster@lists.kairan.test"
	want := []string{
		"ban: ann@people.test may neither join nor post any more (spam)" + by,
		"person: ann@home.test is no longer an address of ann@people.test" + by,
		"person: ann@home.test is now the preferred address of ann@home.test" + by,
		"person: ann@home.test was added to the addresses of ann@people.test" + by,
		"person: the passkey “<i>phone” of ann@people.test was removed" + by,
		"person: ann@people.test was signed out in 1 browser (lost)" + by,
		"person: ann@people.test was signed out in 1 browser" + by,
	}
	if got := w.logged(""); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the audit log:\n%s", strings.Join(got, "\n"))
	}
}

// The export is that of My page, but for subjects in lists that the administrator may not read; the page hides these, too. Erasing takes the address, typed.
func TestExportAndErasePerson(t *testing.T) {
	t.Parallel()
	w, lw, admin, lists := peopleWorld(t)
	h := &house{T: t, world: lw}
	lw.Run()
	secret := lw.List("secret", func(s *list.Settings) { s.ArchivePolicy, s.DefaultMemberAction = list.ArchivePrivate, list.Accept })
	lw.Join(secret, list.RoleMember, "ann@people.test")
	lw.Join(secret, list.RoleOwner, "olga@people.test")
	h.posted(secret, "ann@people.test", "one@people.test", "A private matter")
	h.posted(lists[0], "ann@people.test", "two@people.test", "<b>For all</b>")
	path := personOf("ann@people.test")
	_, page := w.get(path+"?lang=en", admin)
	has(t, page, "&lt;b&gt;For all", "a list that you may not read")
	hasNot(t, page, "A private matter", "one@people.test", "<b>For all")

	status, _, body := w.press(path+"/export", url.Values{}, admin)
	if status != 200 {
		t.Fatalf("export: %d", status)
	}
	has(t, body, "attachment", "<b>For all"[3:], "one@people.test", `"subject": ""`)
	hasNot(t, body, "A private matter")
	var all subscribe.Kept
	if err := json.Unmarshal([]byte(body[strings.Index(body, "\r\n\r\n")+4:]), &all); err != nil || len(all.Posts) != 2 || len(all.Memberships) != 3 {
		t.Errorf("export: %v\n%s", err, body)
	}

	_, page = w.get(path+"/erase?lang=en", admin)
	has(t, page, "janog", "netops", "type ann@people.test")
	for _, typed := range []string{"", "yes", "olga@people.test", "<b>"} {
		if status, _, page := w.press(path+"/erase", url.Values{"sure": {typed}}, admin); status != 422 || strings.Contains(page, `"<b>`) {
			t.Errorf("typed %q: %d", typed, status)
		}
	}
	if status, _, _ := w.press(personOf("olga@people.test")+"/erase", url.Values{"sure": {"olga@people.test"}}, admin); status != 409 {
		t.Errorf("the only owner: %d", status)
	}
	ann := w.login("ann@people.test")
	if status, to, page := w.press(path+"/erase", url.Values{"sure": {"ANN@people.test"}, "why": {"by letter"}}, admin); status != 303 || to != "/-/site/people" {
		t.Fatalf("erase: %d to %s\n%s", status, to, page)
	}
	if status, _ := w.get("/-/my", ann); status != 303 || w.isMember(lists[0], "ann@people.test") {
		t.Errorf("ann is still here: %d", status)
	}
	got := w.logged("")
	if want := "person: a person was erased: addresses 1, 3 places in lists (by letter) by postmaster@lists.kairan.test"; got[0] != want {
		t.Errorf("the audit log: %q", got)
	}
	if want := "person: all that is kept about ann@people.test was downloaded by postmaster@lists.kairan.test"; got[1] != want {
		t.Errorf("the audit log: %q", got)
	}
}

// What waits, what is held, which bans mean the person, and what the address wants is on the page; so are the other addresses.
func TestPersonWaits(t *testing.T) {
	t.Parallel()
	w, lw, admin, lists := peopleWorld(t)
	h := &house{T: t, world: lw}
	lw.Run()
	ann, home, now := address.Must("ann@people.test"), address.Must("ann@home.test"), time.Now()
	lw.Workflow.BanList = []string{"^ann@home"}
	slow := lw.List("slow", func(s *list.Settings) { s.DefaultMemberAction, s.ArchivePolicy = list.Hold, list.ArchivePrivate })
	lw.Join(slow, list.RoleMember, "ann@people.test")
	lw.Join(slow, list.RoleOwner, "olga@people.test")
	h.posted(slow, "ann@people.test", "held@people.test", "<i>Please wait")
	if err := lw.Moderation.HeldSubscription(t.Context(), subscribe.Held{List: lists[1], Action: "leave", Address: ann}); err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *storage.Tx) error {
		_, err := list.NewPending(tx, list.Pending{Action: "invite", List: slow.ID, Address: home, Created: now, Expires: now.Add(time.Hour)})
		_, err2 := list.NewPending(tx, list.Pending{Action: "address", Address: ann, Created: now, Expires: now.Add(time.Hour)})
		_, err3 := list.NewPending(tx, list.Pending{Action: "join", List: slow.ID, Address: ann, Created: now.Add(-2 * time.Hour), Expires: now.Add(-time.Hour)})
		_, err4 := list.Ban(tx, lists[0].ID, "home.test", list.Edit{By: "olga@people.test", At: now})
		return errors.Join(err, err2, err3, err4, list.PersonOf(tx, ann).AddAddress(tx, home, now), subscribe.SetBlocked(tx, home, true, now))
	})
	_, page := w.get(personOf("ann@home.test")+"?lang=en", admin)
	has(t, page, "<h1>ann@people.test</h1>", "&lt;i&gt;Please wait", "Held posts", "Asks the moderators to leave", "Has not answered an invitation yet", "Has not confirmed yet that the address",
		"<code>^ann@home</code>", "configuration file", "<code>home.test</code>", `href="/-/admin/janog/bans"`, "wants no mail that others ask for", `value="prefer"`)
	hasNot(t, page, "Has not confirmed joining yet", "<i>Please")
	if strings.Count(page, "<option>ann@") != 2 {
		t.Error("both addresses can be banned by the site")
	}
	_, page = w.get(personOf("ann@home.test")+"?lang=ja", admin)
	has(t, page, "保留中の投稿", "招待の返事待ち", "退会の承認待ち", "設定ファイル")
}
