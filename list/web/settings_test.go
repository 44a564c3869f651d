package web

import (
	"io"
	"maps"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
)

// settingsWorld is a site with a list that olga owns, and its settings.
func settingsWorld(t *testing.T) (w *world, l *list.List) {
	w = newWorld(t)
	l = w.list("janog")
	w.role(l, list.RoleOwner, "olga@example.jp")
	w.role(l, list.RoleModerator, "mori@example.jp")
	return w, l
}

func (w *world) role(l *list.List, r list.Role, addr string) {
	w.t.Helper()
	w.update(func(tx *storage.Tx) error {
		return list.Join(tx, list.Member{List: l.ID, Role: r, Address: parse(w.t, addr)})
	})
}

// now returns the list as it is.
func (w *world) now(l *list.List) (now *list.List) {
	w.t.Helper()
	w.update(func(tx *storage.Tx) (err error) {
		now, err = list.Get(tx, l.ID)
		return err
	})
	return now
}

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="(patch|revision)" value="([^"]*)">`)
	unescape    = strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&", "&#43;", "+")
)

// review posts fields of the form and returns what the next page would save.
func (w *world) review(revision string, fields url.Values, with ...any) (status int, page string, save url.Values) {
	w.t.Helper()
	fields = maps.Clone(fields)
	fields.Set("revision", revision)
	res := w.do("POST", "/-/admin/janog/settings", fields.Encode(), with...)
	var b strings.Builder
	if _, err := io.Copy(&b, res.Body); err != nil {
		w.t.Fatal(err)
	}
	save = url.Values{"for": {"good"}}
	for _, m := range hiddenField.FindAllStringSubmatch(b.String(), -1) {
		save.Set(m[1], unescape.Replace(m[2]))
	}
	return res.StatusCode, b.String(), save
}

func TestSettingsAreForOwners(t *testing.T) {
	t.Parallel()
	w, _ := settingsWorld(t)
	w.join(w.lists["janog"], "ann@example.jp")
	if res := w.do("GET", "/-/admin/janog/settings", ""); res.StatusCode != 303 || !strings.HasPrefix(res.Header.Get("Location"), "/-/login?to=") {
		t.Errorf("a stranger: %s to %s", res.Status, res.Header.Get("Location"))
	}
	for _, who := range []string{"ann@example.jp", "mori@example.jp", "nobody@example.jp"} {
		me := w.login(who)
		for _, path := range []string{"/-/admin/janog/settings", "/-/admin/janog/log"} {
			if status, page := w.get(path+"?lang=en", me); status != 403 || !strings.Contains(page, "janog-owner@lists.example.jp") {
				t.Errorf("%s at %s: %d", who, path, status)
			}
		}
		for _, path := range []string{"settings", "settings/save", "settings/keep", "log"} {
			if res := w.do("POST", "/-/admin/janog/"+path, "revision=0&has=emergency&emergency=on&patch={%22emergency%22:true}", me); res.StatusCode != 403 {
				t.Errorf("%s posts to %s: %s", who, path, res.Status)
			}
		}
	}
	if w.now(w.lists["janog"]).Settings.Emergency {
		t.Error("somebody changed a setting")
	}
}

// An owner changes settings in two steps, finds the change on record, and takes it back.
func TestSettingsJourney(t *testing.T) {
	t.Parallel()
	w, l := settingsWorld(t)
	me := w.login("olga@example.jp")
	status, page := w.get("/-/admin/janog/settings?lang=en", me)
	if status != 200 {
		t.Fatalf("the form: %d", status)
	}
	for _, a := range list.AllSettings() {
		has(t, page, "<code>"+a.Name+"</code>")
		if a.AdminOnly() == strings.Contains(page, `value="`+a.Name+`"`) {
			t.Errorf("%s: whether an owner can change it", a.Name)
		}
	}
	has(t, page, `href="#bounces"`, `value="1024"`)

	form := url.Values{"has": {"emergency", "max_message_size", "ban_list", "description"}, "emergency": {"on"}, "max_message_size": {"2048"},
		"ban_list": {"mallory@bad.test\r\n<b>@bad.test"}, "description.ja": {"janog の説明"}, "description.en": {"<b>Main</b>"}}
	status, page, save := w.review("0", form, me, "Accept-Language: en")
	if status != 200 {
		t.Fatalf("the review: %d\n%s", status, page)
	}
	has(t, page, "Emergency stop", "no</del>", "yes</ins>", "1024</del>", "2048</ins>", "mallory@bad.test\n&lt;b&gt;@bad.test", "&lt;b&gt;Main")
	hasNot(t, page, "<b>Main", "Default", "A post of a member")
	if w.now(l).Settings.Emergency {
		t.Fatal("looking at a change makes it")
	}
	save.Set("why", "a <flood>")
	if res := w.do("POST", "/-/admin/janog/settings/save", save.Encode(), me); res.StatusCode != 303 {
		t.Fatalf("saving: %s", res.Status)
	}
	if s := w.now(l).Settings; !s.Emergency || s.MaxMessageSize != 2048 || len(s.BanList) != 2 || s.Description["en"] != "<b>Main</b>" || s.Description["ja"] != "janog の説明" {
		t.Fatalf("saved: %+v", s)
	}
	_, page = w.get("/-/admin/janog/log?lang=en", me)
	has(t, page, "Change 1", "olga@example.jp", "a &lt;flood&gt;", "Change 1: Banned, Description, Emergency stop, Largest post (KB) (a &lt;flood&gt;)")
	if res := w.do("POST", "/-/admin/janog/log", "revision=1", me); res.StatusCode != 303 {
		t.Fatalf("taking back: %s", res.Status)
	}
	if s := w.now(l).Settings; s.Emergency || s.MaxMessageSize != 1024 || s.BanList != nil {
		t.Errorf("taken back: %+v", s)
	}
	if res := w.do("POST", "/-/admin/janog/log", "revision=99", me); res.StatusCode != 404 {
		t.Errorf("a change that there is not: %s", res.Status)
	}
}

// A form that says nothing new changes nothing; one that cannot be taken comes back with what was typed.
func TestSettingsRefused(t *testing.T) {
	t.Parallel()
	w, l := settingsWorld(t)
	me := w.login("olga@example.jp")
	if status, _, _ := w.review("0", url.Values{"has": {"emergency", "max_held"}, "max_held": {"200"}}, me); status != 303 {
		t.Errorf("nothing new: %d", status)
	}
	bad := url.Values{"has": {"max_message_size", "ban_list", "archive_policy", "reply_goes_to_list", "emergency"}, "max_message_size": {"big"},
		"ban_list": {"^("}, "archive_policy": {"secret"}, "reply_goes_to_list": {"explicit"}, "emergency": {"on"}}
	status, page, _ := w.review("0", bad, me, "Accept-Language: en")
	if status != 422 {
		t.Errorf("values that cannot be: %d", status)
	}
	has(t, page, `value="big"`, "is no whole number", "^(", "is no regular expression: missing closing", "is not one of public, private, owners, never", `id="s-reply_to_address"`, `name="emergency" value="on" checked`)
	hasNot(t, page, `id="s-max_held"`)
	_, page, _ = w.review("0", bad, me, "Accept-Language: ja")
	has(t, page, "「big」は整数（0以上）ではありません", "1番目: 「^(」は正規表現として読めません（) で閉じられていません: ^(）", "メールアドレスを入力してください")
	hasNot(t, page, "is not one of", "missing", "is no ")
	for _, form := range []string{"revision=0&patch={", "revision=x&patch={}", "revision=0&patch={\"emergncy\":true}", "revision=0&patch={\"emergency\":7}"} {
		if res := w.do("POST", "/-/admin/janog/settings/save", strings.ReplaceAll(form, `"`, "%22"), me); res.StatusCode != 400 {
			t.Errorf("%s: %s", form, res.Status)
		}
	}
	if res := w.do("POST", "/-/admin/janog/settings/save", "revision=0&patch="+url.QueryEscape(`{"archive_policy":"secret"}`), me); res.StatusCode != 422 {
		t.Errorf("a patch that cannot be: %s", res.Status)
	}
	if changes, err := list.Diff(&l.Settings, &w.now(l).Settings); err != nil || len(changes) > 0 {
		t.Errorf("changed: %v, %v", changes, err)
	}
}

// Two owners edit at once: what only one of them touches is kept, and what both touch is asked about.
func TestSettingsMeanwhile(t *testing.T) {
	t.Parallel()
	w, l := settingsWorld(t)
	me := w.login("olga@example.jp")
	w.update(func(tx *storage.Tx) error {
		s := l.Settings
		s.MaxMessageSize, s.MaxHeld = 99, 50
		_, err := list.Change(tx, l.ID, s, list.Edit{By: "bob@example.jp", At: time.Now()})
		return err
	})
	// Olga's form is of revision 0: it repeats the old max_message_size, and changes something else.
	_, _, save := w.review("0", url.Values{"has": {"max_message_size", "max_num_recipients"}, "max_message_size": {"1024"}, "max_num_recipients": {"20"}}, me)
	w.do("POST", "/-/admin/janog/settings/save", save.Encode(), me)
	if s := w.now(l).Settings; s.MaxMessageSize != 99 || s.MaxNumRecipients != 20 {
		t.Errorf("max_message_size %d, max_num_recipients %d", s.MaxMessageSize, s.MaxNumRecipients)
	}
	status, page, _ := w.review("0", url.Values{"has": {"max_held"}, "max_held": {"70"}}, me, "Accept-Language: en")
	if status != 422 || !strings.Contains(page, "bob@example.jp changed this") {
		t.Errorf("both changed it: %d", status)
	}
	// The other change may come between the two steps, too.
	_, _, save = w.review("2", url.Values{"has": {"max_held"}, "max_held": {"70"}}, me)
	w.update(func(tx *storage.Tx) error {
		s := settingsOf(t, tx, l)
		s.MaxHeld = 60
		_, err := list.Change(tx, l.ID, s, list.Edit{By: "bob@example.jp", At: time.Now()})
		return err
	})
	res := w.do("POST", "/-/admin/janog/settings/save", save.Encode(), me)
	if res.StatusCode != 422 || w.now(l).Settings.MaxHeld != 60 {
		t.Errorf("changed between review and saving: %s, max_held %d", res.Status, w.now(l).Settings.MaxHeld)
	}
}

func settingsOf(t *testing.T, tx *storage.Tx, l *list.List) list.Settings {
	t.Helper()
	now, err := list.Get(tx, l.ID)
	if err != nil {
		t.Fatal(err)
	}
	return now.Settings
}

// A change for ten minutes shows its button until it is kept.
func TestSettingsForNow(t *testing.T) {
	t.Parallel()
	w, l := settingsWorld(t)
	me := w.login("olga@example.jp")
	_, _, save := w.review("0", url.Values{"has": {"emergency"}, "emergency": {"on"}}, me)
	save.Set("for", "now")
	w.do("POST", "/-/admin/janog/settings/save", save.Encode(), me)
	_, page := w.get("/-/admin/janog/settings?lang=en&q=emergency", me)
	has(t, page, "Change 1 (Emergency stop) falls back at ", `action="/-/admin/janog/settings/keep"`)
	if res := w.do("POST", "/-/admin/janog/settings/keep", "revision=1", me); res.StatusCode != 303 {
		t.Errorf("keeping: %s", res.Status)
	}
	w.update(func(tx *storage.Tx) error { return list.FallBack(tx, l.ID, time.Now().Add(time.Hour)) })
	if !w.now(l).Settings.Emergency {
		t.Error("a change that was kept fell back")
	}
	_, page = w.get("/-/admin/janog/settings?lang=en", me)
	hasNot(t, page, "falls back at")
}

// Settings are found by words of either language.
func TestSettingsSearch(t *testing.T) {
	t.Parallel()
	w, _ := settingsWorld(t)
	me := w.login("olga@example.jp")
	for q, want := range map[string]string{"subject prefix": "subject_prefix", "DKIM": "msg_header", "holding xyzzy": ""} {
		_, page := w.get("/-/admin/janog/settings?lang=en&q="+url.QueryEscape(q), me)
		if want != "" {
			has(t, page, `id="s-`+want+`"`)
		}
		hasNot(t, page, `id="s-max_held"`)
	}
	_, page := w.get("/-/admin/janog/settings?lang=ja&q="+url.QueryEscape("件名"), me)
	has(t, page, `id="s-subject_prefix"`, `id="s-require_subject"`)
	hasNot(t, page, `id="s-max_held"`)
}

// What a change would mean for posts is shown before it is made, with hostile subjects harmless.
func TestSettingsReplay(t *testing.T) {
	t.Parallel()
	lw := listtest.New(t, nil)
	l := lw.List("janog", nil)
	lw.Join(l, list.RoleMember, "ann@people.test")
	lw.Run()
	for _, from := range []string{"ann@people.test", "carl@people.test"} {
		if code, text := lw.Send(listtest.Mail{From: from, To: []string{l.Address.String()}, Raw: listtest.Post(from, l, from+"@id.test", "<script>x</script>", "hello\n")}); code != 250 {
			t.Fatalf("%d %s", code, text)
		}
	}
	w := &world{t: t, db: lw.DB, lists: map[string]*list.List{"janog": l}, site: lw.Site}
	w.handler = New(Options{DB: lw.DB, Archive: lw.Archive, Site: lw.Site, Templates: lw.Path.Templates, Path: lw.Path})
	w.role(l, list.RoleOwner, "olga@people.test")
	me := w.login("olga@people.test")
	_, page, _ := w.review("0", url.Values{"has": {"default_nonmember_action"}, "default_nonmember_action": {"reject"}}, me, "Accept-Language: en")
	has(t, page, "Of 2 posts in the last 30 days, 1 would have been treated differently.", "&lt;script&gt;x", "is held", "is refused")
	hasNot(t, page, "<script>x")
	_, page, _ = w.review("0", url.Values{"has": {"require_subject"}, "require_subject": {"on"}}, me, "Accept-Language: en")
	has(t, page, "All 2 posts of the last 30 days would have been treated the same.")
}

// Each setting has a history of its own, and goes back to what it was.
func TestSettingHistory(t *testing.T) {
	t.Parallel()
	w, l := settingsWorld(t)
	me, en := w.login("olga@example.jp"), "Accept-Language: en"
	change := func(why string, set func(*list.Settings)) {
		t.Helper()
		s := w.now(l).Settings
		set(&s)
		w.update(func(tx *storage.Tx) error {
			_, err := list.Change(tx, l.ID, s, list.Edit{By: "olga@example.jp", Why: why, At: time.Now()})
			return err
		})
	}
	change("a <flood>", func(s *list.Settings) { s.MaxHeld, s.Emergency = 20, true })
	change("over", func(s *list.Settings) { s.Emergency = false })
	change("less still", func(s *list.Settings) { s.MaxHeld = 5 })
	_, page := w.get("/-/admin/janog/settings?q=max_held", me, en)
	has(t, page, `<a href="/-/admin/janog/settings/max_held">changed by olga@example.jp</a>`)
	hasNot(t, page, `settings/max_held_per_sender"`)
	_, page = w.get("/-/admin/janog/settings/max_held", me, en)
	has(t, page, "less still", "a &lt;flood&gt;", "Change 3", "Change 1", "200")
	hasNot(t, page, "Change 2", "Emergency")
	for path, want := range map[string]int{"/-/admin/janog/settings/nosuch": 404, "/-/admin/janog/settings/max_held?p=0": 404, "/-/admin/janog/settings/max_num_recipients": 200} {
		if status, _ := w.get(path, me); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	res := w.do("POST", "/-/admin/janog/settings/max_held", "revision=1", me, en)
	page = bodyOf(t, res)
	if res.StatusCode != 200 || w.now(l).Settings.MaxHeld != 5 {
		t.Fatalf("going back shows first what it means: %s, %d", res.Status, w.now(l).Settings.MaxHeld)
	}
	save := url.Values{"for": {"good"}}
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		save.Set(m[1], unescape.Replace(m[2]))
	}
	if res := w.do("POST", "/-/admin/janog/settings/save", save.Encode(), me); res.StatusCode != 303 {
		t.Fatal(res.Status)
	}
	if s := w.now(l).Settings; s.MaxHeld != 200 || s.Emergency {
		t.Errorf("gone back: %d, %v", s.MaxHeld, s.Emergency)
	}
	if res := w.do("POST", "/-/admin/janog/settings/max_held", "revision=2", me); res.StatusCode != 404 {
		t.Errorf("a change of something else: %s", res.Status)
	}
}
