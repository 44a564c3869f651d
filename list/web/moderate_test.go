package web

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
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
	has(t, page, "3 wait for a decision", "&lt;script&gt;one", "hello &lt;b&gt;there", "zed@people.test", "topic")
	hasNot(t, page, "<script>one", "elsewhere", "/-/admin/")
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
