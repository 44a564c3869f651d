package web

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/smtpd/queue"
	"kairan/smtpd/records"
	"kairan/storage"
)

// siteWorld is a site with its administrator's cookie.
func siteWorld(t *testing.T, change ...func(*Options)) (w *world, lw *listtest.World, admin *http.Cookie) {
	lw = listtest.New(t, nil)
	w = &world{t: t, db: lw.DB, arch: lw.Archive, lists: map[string]*list.List{}, site: lw.Site, set: lw.Path.Templates}
	o := Options{DB: lw.DB, Archive: lw.Archive, Site: lw.Site, Templates: lw.Path.Templates, Subscribe: lw.Workflow, Moderation: lw.Moderation, Path: lw.Path, DNS: lw.DNS, Machine: records.Machine{Hostname: listtest.Domain, Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.5")}}}
	for _, c := range change {
		c(&o)
	}
	w.handler = New(o)
	return w, lw, w.login(lw.Site.Admin.String())
}

// press posts a form in English and returns the status, where it leads, and the page.
func (w *world) press(path string, form url.Values, who *http.Cookie) (status int, to, page string) {
	w.t.Helper()
	res := w.do("POST", path, form.Encode(), who, "Accept-Language: en")
	var b strings.Builder
	res.Write(&b)
	return res.StatusCode, res.Header.Get("Location"), b.String()
}

// logged are the lines of a log, the latest first.
func (w *world) logged(id list.ID) (lines []string) {
	w.t.Helper()
	w.update(func(tx *storage.Tx) error {
		lines = nil
		for e := range list.LogOf(tx, id) {
			lines = append(lines, e.Stage+": "+e.Text+" by "+e.By)
		}
		return nil
	})
	return lines
}

// The pages about the site are the administrator's: an owner finds neither a link nor a page, and can press nothing.
func TestSiteIsForTheAdministrator(t *testing.T) {
	t.Parallel()
	w, lw, admin := siteWorld(t)
	l := lw.List("janog", nil)
	lw.Join(l, list.RoleOwner, "olga@people.test")
	olga := w.login("olga@people.test")
	for _, path := range []string{"/-/site/", "/-/site/lists", "/-/site/list/janog", "/-/site/queue", "/-/site/domains", "/-/site/bans", "/-/site/log"} {
		if status, _ := w.get(path, admin); status != 200 && path != "/-/site/" {
			t.Errorf("the administrator at %s: %d", path, status)
		}
		if status, page := w.get(path+"?lang=en", olga); status != 403 || !strings.Contains(page, "postmaster@lists.kairan.test") {
			t.Errorf("an owner at %s: %d", path, status)
		}
		if res := w.do("GET", path, ""); res.StatusCode != 303 || !strings.HasPrefix(res.Header.Get("Location"), "/-/login?to=") {
			t.Errorf("a stranger at %s: %s", path, res.Status)
		}
	}
	form := url.Values{"address": {"new@lists.kairan.test"}, "owners": {"olga@people.test"}, "to": {"other@lists.kairan.test"}, "sure": {"yes"}}
	for _, path := range []string{"/-/site/lists", "/-/site/list/janog/rename", "/-/site/list/janog/remove", "/-/site/queue", "/-/site/bans"} {
		if status, _, _ := w.press(path, form, olga); status != 403 {
			t.Errorf("an owner posts to %s: %d", path, status)
		}
		if res := w.do("GET", path, "", admin); strings.HasPrefix(path, "/-/site/list/") && res.StatusCode < 400 {
			t.Errorf("GET %s: %s", path, res.Status)
		}
		if res := w.do("POST", path, form.Encode(), admin, "Origin: https://evil.test", "Sec-Fetch-Site: cross-site"); res.StatusCode != 403 {
			t.Errorf("another site posts to %s: %s", path, res.Status)
		}
	}
	if now := w.now(l); now.Address.Local() != "janog" || !now.Removed.IsZero() {
		t.Errorf("an owner changed the list: %+v", now)
	}
	_, page := w.get("/-/my", olga)
	hasNot(t, page, "/-/site/")
	has(t, page, `href="/-/admin/"`)
	_, page = w.get("/-/admin/?lang=en", olga)
	has(t, page, "janog@lists.kairan.test", `href="/-/admin/janog/settings"`)
	hasNot(t, page, "/-/site/")
	if status, _ := w.get("/-/admin/", w.login("nobody@people.test")); status != 403 {
		t.Errorf("nobody at the lists of owners: %d", status)
	}
	_, page = w.get("/-/my", admin)
	has(t, page, `href="/-/site/"`)
}

// A list is made of a style, gets another address and is closed; its owner is told, and the log says who did it.
func TestSiteLists(t *testing.T) {
	t.Parallel()
	w, lw, admin := siteWorld(t)
	lw.Run()
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"no address": {url.Values{"address": {"<b>x"}, "owners": {"olga@people.test"}}, "&lt;b&gt;x"},
		"a bad name": {url.Values{"address": {"-x@lists.kairan.test"}, "owners": {"olga@people.test"}}, "letters, digits"},
		"no owner":   {url.Values{"address": {"wg@lists.kairan.test"}, "owners": {" \r\n "}}, "at least one owner"},
		"a bad one":  {url.Values{"address": {"wg@lists.kairan.test"}, "owners": {"olga@people.test\n<i>y"}}, "&lt;i&gt;y"},
		"no style":   {url.Values{"address": {"wg@lists.kairan.test"}, "owners": {"olga@people.test"}, "style": {"<u>"}, "language": {"en"}}, "&lt;u&gt;"},
		"a language": {url.Values{"address": {"wg@lists.kairan.test"}, "owners": {"olga@people.test"}, "language": {"fr"}}, "preferred_language"},
	} {
		status, _, page := w.press("/-/site/lists", c.form, admin)
		if status != 422 || !strings.Contains(page, c.want) {
			t.Errorf("%s: %d\n%s", name, status, page)
		}
		hasNot(t, page, "<b>x", "<i>y", "<u>")
	}
	form := url.Values{"address": {"wg@lists.kairan.test"}, "owners": {"olga@people.test, olga@people.test\r\nmori@people.test"}, "style": {"private"}, "language": {"en"}}
	status, to, page := w.press("/-/site/lists", form, admin)
	if status != 303 || to != "/-/site/list/wg" {
		t.Fatalf("making a list: %d to %s\n%s", status, to, page)
	}
	if status, _, page := w.press("/-/site/lists", form, admin); status != 422 || !strings.Contains(page, "such an address already") {
		t.Errorf("a second time: %d", status)
	}
	var l *list.List
	w.update(func(tx *storage.Tx) (err error) {
		l, err = list.ByName(tx, "wg")
		if _, errKey := list.GetDKIMKey(tx, listtest.Domain); errKey != nil {
			t.Errorf("no key: %v", errKey)
		}
		return err
	})
	if s := l.Settings; s.ArchivePolicy != list.ArchivePrivate || s.Advertised || s.SubscriptionPolicy != list.PolicyConfirmThenModerate || s.PreferredLanguage != "en" {
		t.Errorf("a private working group has %+v", s)
	}
	if err := lw.Sink.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	_, page = w.get("/-/site/lists?lang=en", admin)
	has(t, page, "wg@lists.kairan.test", "private archive", "not advertised", "no posts yet", `href="/-/site/list/wg"`)

	if status, to, page := w.press("/-/site/list/wg/rename", url.Values{"to": {"dns@lists.kairan.test"}}, admin); status != 303 || to != "/-/site/list/dns" {
		t.Fatalf("renaming: %d to %s\n%s", status, to, page)
	}
	if status, _, page := w.press("/-/site/list/dns/rename", url.Values{"to": {"<b>"}}, admin); status != 422 || strings.Contains(page, "<b>\"") {
		t.Errorf("a bad address: %d", status)
	}
	if status, _, page := w.press("/-/site/list/dns/remove", url.Values{}, admin); status != 422 || !strings.Contains(page, "tick the box") {
		t.Errorf("closing unsure: %d", status)
	}
	if status, to, _ := w.press("/-/site/list/dns/remove", url.Values{"sure": {"yes"}}, admin); status != 303 || to != "/-/site/lists" {
		t.Errorf("closing: %d to %s", status, to)
	}
	if w.now(l).Removed.IsZero() {
		t.Error("the list is still there")
	}
	if status, _ := w.get("/-/site/list/dns", admin); status != 404 {
		t.Errorf("the page of a closed list: %d", status)
	}
	by := " by postmaster@lists.kairan.test"
	want := []string{"list: dns@lists.kairan.test was closed" + by, "list: wg@lists.kairan.test is dns@lists.kairan.test now" + by, "list: wg@lists.kairan.test was created (private working group)" + by}
	if got := w.logged(""); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the site's log:\n%s", strings.Join(got, "\n"))
	}
	want = append(want[:2:2], "role: mori@people.test was made owner"+by, "role: olga@people.test was made owner"+by, want[2])
	if got := w.logged(l.ID); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the list's log:\n%s", strings.Join(got, "\n"))
	}
}

// The log of the site is in the reader's language, page by page, by who and by what; what others wrote in it is text.
func TestSiteLog(t *testing.T) {
	t.Parallel()
	w, _, admin := siteWorld(t)
	w.update(func(tx *storage.Tx) error {
		for range eventsShown + 1 {
			if err := list.Log(tx, "", list.Event{At: time.Now(), Stage: "list", By: "olga@people.test", Word: "list.renamed", Args: map[string]string{"from": "<b>@a.test", "to": "b@b.test"}}); err != nil {
				return err
			}
		}
		return list.Log(tx, "", list.Event{At: time.Now(), Stage: "archive", By: list.ByOperator, Text: "as it was <i>before</i>"})
	})
	_, page := w.get("/-/site/log?lang=ja", admin)
	has(t, page, "&lt;b&gt;@a.test のアドレスを b@b.test に変更", "as it was &lt;i&gt;before", "運用者", "監査ログ", "p=2")
	hasNot(t, page, "<b>@a", "<i>b")
	_, page = w.get("/-/site/log?lang=en&p=2", admin)
	has(t, page, "&lt;b&gt;@a.test is b@b.test now")
	_, page = w.get("/-/site/log?lang=en&stage=archive", admin)
	has(t, page, "as it was")
	hasNot(t, page, "b@b.test now", "p=2")
	_, page = w.get("/-/site/log?lang=en&by=OLGA&stage=list", admin)
	has(t, page, "by=OLGA&amp;p=2&amp;stage=list")
	hasNot(t, page, "as it was")
	_, page = w.get("/-/site/log?lang=en&by=%3Cscript%3E", admin)
	has(t, page, `value="&lt;script&gt;"`, "Nothing yet.")
	if status, _ := w.get("/-/site/log?p=0", admin); status != 404 {
		t.Errorf("page 0: %d", status)
	}
}

// What waits to be sent is named by destination and by post; it is tried at once, or given up by who is sure.
func TestSiteQueue(t *testing.T) {
	t.Parallel()
	w, lw, admin := siteWorld(t)
	if err := lw.Outbox.AddRendition(t.Context(), "notice-x", []byte("Subject: x\r\n\r\nx\r\n")); err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *storage.Tx) error {
		return errors.Join(lw.Outbox.Enqueue(tx, "notice-x", []queue.Recipient{{Ref: listtest.Domain, To: address.Must("ann@people.test")}, {Ref: listtest.Domain, To: address.Must("bob@new.test")}}), lw.Outbox.Seal(tx, "notice-x"))
	})
	for _, by := range []string{"domain", "post"} {
		_, page := w.get("/-/site/queue?lang=en&by="+by, admin)
		has(t, page, "2 recipients wait", map[string]string{"domain": "people.test", "post": "notice-x"}[by])
	}
	if status, _, _ := w.press("/-/site/queue", url.Values{"key": {"people.test"}, "do": {"drop"}}, admin); status != 303 || len(waiting(w, lw)) != 2 {
		t.Errorf("giving up unsure: %d, %v wait", status, waiting(w, lw))
	}
	if status, _, _ := w.press("/-/site/queue", url.Values{"key": {"people.test"}, "do": {"drop"}, "sure": {"yes"}}, admin); status != 303 {
		t.Errorf("giving up: %d", status)
	}
	if got := waiting(w, lw); len(got) != 1 || got[0] != "bob@new.test" {
		t.Errorf("%v wait", got)
	}
	for _, form := range []url.Values{{"do": {"retry"}}, {"key": {"new.test"}, "do": {"<b>"}}} {
		if status, _, _ := w.press("/-/site/queue", form, admin); status != 400 {
			t.Errorf("%v: %d", form, status)
		}
	}
	if status, _, _ := w.press("/-/site/queue", url.Values{"key": {"new.test"}, "do": {"retry"}}, admin); status != 303 {
		t.Errorf("trying now: %d", status)
	}
	by := " by postmaster@lists.kairan.test"
	want := []string{"queue: 1 recipient was to be tried at once: new.test" + by, "queue: 1 recipient was given up: people.test (given up by the administrator)" + by}
	if got := w.logged(""); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log:\n%s", strings.Join(got, "\n"))
	}
}

func waiting(w *world, lw *listtest.World) (to []string) {
	w.update(func(tx *storage.Tx) error {
		to = nil
		for row := range lw.Outbox.Rows(tx) {
			for _, r := range row.Recipients {
				to = append(to, r.To.String())
			}
		}
		return nil
	})
	return to
}

// The DNS of a list's domain is compared with what it needs: what is missing is there to be copied, and what strangers publish is text.
func TestSiteDomains(t *testing.T) {
	t.Parallel()
	w, lw, admin := siteWorld(t)
	lw.List("janog", nil)
	_, page := w.get("/-/site/domains?lang=en", admin)
	has(t, page, "something to do", "missing", "10 lists.kairan.test.", "v=spf1 ip4:203.0.113.5 -all", "test._domainkey.lists.kairan.test")
	if err := lw.DNS.Add("_dmarc.lists.kairan.test. TXT \"v=DMARC1; p=<script>\"\nlists.kairan.test. MX 10 lists.kairan.test.\nlists.kairan.test. TXT \"v=spf1 ip4:203.0.113.5 -all\"\n"); err != nil {
		t.Fatal(err)
	}
	_, page = w.get("/-/site/domains?lang=ja", admin)
	has(t, page, "正常", "要修正", "v=DMARC1; p=&lt;script&gt;")
	hasNot(t, page, "<script>\"")
}
