package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
	"kairan/templates"
)

// moderateWorld is a site with two lists, each with a moderator, on which things wait.
func moderateWorld(t *testing.T) (w *world, lw *listtest.World) {
	lw = listtest.New(t, nil)
	w = &world{t: t, db: lw.DB, lists: map[string]*list.List{}, site: lw.Site}
	w.handler = New(Options{DB: lw.DB, Archive: lw.Archive, Site: lw.Site, Templates: lw.Path.Templates, Subscribe: lw.Workflow, Moderation: lw.Moderation, Path: lw.Path})
	for _, name := range []string{"janog", "other"} {
		w.lists[name] = lw.List(name, func(s *list.Settings) { s.RejectTexts = map[string]list.Text{"topic": {"en": "Off topic."}} })
		lw.Join(w.lists[name], list.RoleModerator, "mori-"+name+"@people.test")
	}
	lw.Run()
	return w, lw
}

// hold sends a post of a stranger.
func hold(t *testing.T, lw *listtest.World, l *list.List, id, subject string) {
	t.Helper()
	if code, text := lw.Send(listtest.Mail{From: "zed@people.test", To: []string{l.Address.String()}, Raw: listtest.Post("zed@people.test", l, id, subject, "hello <b>there</b>\n")}); code != 250 {
		t.Fatalf("%d %s", code, text)
	}
}

func (w *world) waiting(l *list.List) (subjects []string) {
	w.t.Helper()
	w.update(func(tx *storage.Tx) error {
		subjects = nil
		for p := range list.HeldPosts(tx, l.ID) {
			subjects = append(subjects, p.Subject)
		}
		return nil
	})
	return subjects
}

var itemField = regexp.MustCompile(`<input type="checkbox" name="item" value="([^"]+)"`)

func TestModerate(t *testing.T) {
	t.Parallel()
	w, lw := moderateWorld(t)
	janog, other := w.lists["janog"], w.lists["other"]
	hold(t, lw, janog, "1@id.test", "<script>one</script>")
	hold(t, lw, janog, "2@id.test", "two")
	hold(t, lw, janog, "3@id.test", "three")
	hold(t, lw, other, "4@id.test", "elsewhere")

	if res := w.do("GET", "/-/moderate", ""); res.StatusCode != 303 {
		t.Errorf("a stranger: %s", res.Status)
	}
	if status, page := w.get("/-/moderate?lang=en", w.login("nobody@people.test")); status != 403 || strings.Contains(page, "two") {
		t.Errorf("who moderates nothing: %d", status)
	}
	me := w.login("mori-janog@people.test")
	status, page := w.get("/-/moderate?lang=en", me)
	if status != 200 {
		t.Fatalf("the moderator: %d", status)
	}
	has(t, page, "3 wait for a decision", "&lt;script&gt;one", "hello &lt;b&gt;there", "zed@people.test", "topic", "/-/admin/janog/members")
	hasNot(t, page, "<script>one", "elsewhere", "/-/admin/janog/settings", "/-/admin/other")
	items := itemField.FindAllStringSubmatch(page, -1)
	if len(items) != 3 {
		t.Fatalf("items: %v", items)
	}
	press := func(word string, with ...string) int {
		form := url.Values{"word": {word}, "item": with, "reason": {"not here"}}
		return w.do("POST", "/-/moderate", form.Encode(), me, "Accept-Language: en").StatusCode
	}
	newest, second, oldest := items[0][1], items[1][1], items[2][1]
	elsewhere := "other " + string(w.only(other))
	for _, c := range []struct {
		word string
		item string
		want int
	}{{"accept", elsewhere, 403}, {"accept", "janog " + string(w.only(other)), 404}, {"accept", "janog nonsense", 404}, {"withdraw", newest, 400}, {"accept", "nolist x", 404}} {
		if got := press(c.word, c.item); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.word, c.item, got, c.want)
		}
	}
	if got := press("discard", newest, elsewhere); got != 403 || len(w.waiting(janog)) != 3 {
		t.Errorf("together with what is not the moderator's: %d, %q wait", got, w.waiting(janog))
	}
	if got := press("reject", oldest); got != 303 {
		t.Errorf("reject: %d", got)
	}
	if got := press("discard", newest, second); got != 303 || len(w.waiting(janog)) != 0 || len(w.waiting(other)) != 1 {
		t.Errorf("two at once: %d, %q and %q wait", got, w.waiting(janog), w.waiting(other))
	}
	_, page = w.get("/-/moderate?lang=en", me)
	has(t, page, "Nothing waits for a decision.")
	w.update(func(tx *storage.Tx) error {
		var said []string
		for e := range list.LogOf(tx, janog.ID) {
			if e.Stage == "held" {
				said = append(said, e.By+" "+e.Text)
			}
		}
		if len(said) != 3 || !strings.Contains(said[2], "mori-janog@people.test reject <1@id.test>") {
			t.Errorf("log: %q", said)
		}
		return nil
	})
}

// only returns the post that waits in a list.
func (w *world) only(l *list.List) (id list.PostID) {
	w.t.Helper()
	w.update(func(tx *storage.Tx) error {
		for p := range list.HeldPosts(tx, l.ID) {
			id = p.ID
		}
		return nil
	})
	return id
}

// What was decided on the page can be taken back there for a minute: by the button of the answer, and by that of the page.
func TestModerateUndo(t *testing.T) {
	t.Parallel()
	w, lw := moderateWorld(t)
	janog, other := w.lists["janog"], w.lists["other"]
	for _, id := range []string{"1", "2", "3"} {
		hold(t, lw, janog, id+"@id.test", "post "+id)
	}
	hold(t, lw, other, "4@id.test", "elsewhere")
	me, they := w.login("mori-janog@people.test"), w.login("mori-other@people.test")
	_, page := w.get("/-/moderate?lang=en", me)
	items := itemField.FindAllStringSubmatch(page, -1)
	press := func(path string, form url.Values, who *http.Cookie) *http.Response {
		return w.do("POST", path, form.Encode(), who, "Accept-Language: en")
	}
	form := url.Values{"word": {"discard"}, "item": {items[0][1], items[1][1]}}
	res := press("/-/moderate", form, me)
	undo := "/-/moderate/undo?" + url.Values{"item": form["item"]}.Encode()
	if res.StatusCode != 303 || len(w.waiting(janog)) != 1 {
		t.Fatalf("discard: %s, %q wait", res.Status, w.waiting(janog))
	}
	if said := flashOf(t, res); said.Action != undo || said.Button == "" {
		t.Errorf("no way back: %+v", said)
	}
	_, page = w.get("/-/moderate?lang=en", me)
	has(t, page, "Just decided", "discarded by mori-janog@people.test", "can be undone until", "1 waits for a decision")
	if res := press(undo, nil, they); res.StatusCode != 403 || len(w.waiting(janog)) != 1 {
		t.Errorf("who does not moderate the list: %s", res.Status)
	}
	if res := press(undo, nil, me); res.StatusCode != 303 || len(w.waiting(janog)) != 3 {
		t.Errorf("undo: %s, %q wait", res.Status, w.waiting(janog))
	}
	if res := press(undo, nil, me); res.StatusCode != 303 || !strings.Contains(flashOf(t, res).Text, "too late") {
		t.Errorf("undo again: %s", res.Status)
	}
	for path, want := range map[string]int{"/-/moderate/undo": 400, "/-/moderate/undo?item=nolist+x": 404, "/-/moderate/undo?" + url.Values{"item": slices.Repeat([]string{items[0][1]}, 51)}.Encode(): 400} {
		if res := press(path, nil, me); res.StatusCode != want {
			t.Errorf("%.60s: %s, want %d", path, res.Status, want)
		}
	}
	if res := w.do("POST", undo, ""); res.StatusCode != 403 {
		t.Errorf("a stranger: %s", res.Status)
	}
}

// The page says who looks at a post, decides about all posts of a sender, has two orders, and shows hostile words as text.
func TestModerateFacts(t *testing.T) {
	t.Parallel()
	w, lw := moderateWorld(t)
	janog := w.lists["janog"]
	hold(t, lw, janog, "1@id.test", "=?utf-8?q?<img_src=3Dx_onerror=3Dalert(1)>=E2=80=AE?=")
	raw := "From: \"<script>alert(2)</script>\" <zed@people.test>\nTo: " + janog.Address.String() + "\nSubject: files\nMessage-ID: <2@id.test>\nMIME-Version: 1.0\n" +
		"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n</textarea><svg onload=alert(3)>\n--b\n" +
		"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"<iframe src=javascript:alert(4)>.exe\"\n\nMZ\n--b--\n"
	if code, text := lw.Send(listtest.Mail{From: "zed@people.test", To: []string{janog.Address.String()}, Raw: raw}); code != 250 {
		t.Fatalf("%d %s", code, text)
	}
	lw.Join(janog, list.RoleModerator, "mio@people.test")
	me, mio := w.login("mori-janog@people.test"), w.login("mio@people.test")
	_, page := w.get("/-/moderate?lang=en&order=risk", me)
	has(t, page, "&lt;img src=x", "&lt;svg onload", "&lt;iframe", "Riskiest first", `action="/-/moderate?order=risk"`, "some risk",
		"DMARC: it is proven that the mail comes from people.test.", "SPF: people.test says that its mail may come from 192.0.2.1.",
		"Not a member of janog.", "2 posts of this sender wait", "Accept all 2", "puts zed@people.test on the ban list of janog")
	hasNot(t, page, "<img src=x", "<svg", "<iframe", "<script>alert", "\u202e")
	item := itemField.FindStringSubmatch(page)[1]
	claim := url.Values{"word": {"claim"}, "item": {item}}.Encode()
	if res := w.do("POST", "/-/moderate?order=risk", claim, mio); res.StatusCode != 303 || res.Header.Get("Location") != "/-/moderate?order=risk" || flashOf(t, res).Action != "" {
		t.Errorf("claim: %s to %s", res.Status, res.Header.Get("Location"))
	}
	_, page = w.get("/-/moderate?lang=en", me)
	has(t, page, "mio@people.test has been looking at it since")
	if _, theirs := w.get("/-/moderate?lang=en", mio); !strings.Contains(theirs, `value="release"`) {
		t.Error("mio cannot release the claim")
	}
	_, form, _ := strings.Cut(page, "2 posts of this sender wait")
	all := url.Values{"word": {"discard"}}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="item" value="([^"]+)"`).FindAllStringSubmatch(form[:strings.Index(form, "</form>")], -1) {
		all.Add("item", m[1])
	}
	if res := w.do("POST", "/-/moderate", all.Encode(), me); res.StatusCode != 303 || len(w.waiting(janog)) != 0 {
		t.Errorf("all of a sender: %s, %q wait", res.Status, w.waiting(janog))
	}
	if res := w.do("POST", "/-/moderate/undo", all.Encode(), me); res.StatusCode != 303 || len(w.waiting(janog)) != 2 {
		t.Fatalf("undone: %s, %q wait", res.Status, w.waiting(janog))
	}
	_, page = w.get("/-/moderate?lang=en", me)
	has(t, page, "Reject all 2", `<select id="st-q1" name="text">`)
	lw.Join(w.lists["other"], list.RoleModerator, "mori-janog@people.test") // where the same sender waits, and other texts are saved
	hold(t, lw, w.lists["other"], "3@id.test", "elsewhere")
	_, page = w.get("/-/moderate?lang=en", me)
	has(t, page, "Reject all 3")
	hasNot(t, page, `id="st-q1"`)
	all.Set("word", "reject")
	all.Set("text", "topic")
	if res := w.do("POST", "/-/moderate", all.Encode(), me); res.StatusCode != 303 || len(w.waiting(janog)) != 0 || len(w.waiting(w.lists["other"])) != 1 {
		t.Errorf("all of a sender rejected: %s, %q wait", res.Status, w.waiting(janog))
	}
	for _, id := range []string{"1@id.test", "2@id.test"} {
		if p := lw.Posts(id)[0]; p.Verdict.Action != list.Reject || p.Verdict.By != "mori-janog@people.test" {
			t.Errorf("%s: %v by %s", id, p.Verdict, p.Verdict.By)
		}
	}
}

// flashOf is what the page after a change says.
func flashOf(t *testing.T, res *http.Response) (said templates.Flash) {
	t.Helper()
	for _, c := range res.Cookies() {
		if strings.HasSuffix(c.Name, "flash") {
			b, err := base64.RawURLEncoding.DecodeString(c.Value)
			if err == nil {
				err = json.Unmarshal(b, &said)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return said
}
