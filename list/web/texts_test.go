package web

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"kairan/list"
	"kairan/storage"
)

// textFields are those of a page of a mail's words.
func textFields(page string) url.Values {
	fields := url.Values{}
	for _, m := range regexp.MustCompile(`<input [^>]*name="((?:was|subject)\.\w+)"[^>]* value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		fields.Set(m[1], unescape.Replace(m[2]))
	}
	for _, m := range regexp.MustCompile(`(?s)<textarea [^>]*name="(body\.\w+)"[^>]*>\n(.*?)</textarea>`).FindAllStringSubmatch(page, -1) {
		fields.Set(m[1], unescape.Replace(m[2]))
	}
	return fields
}

// wording returns the words that hold.
func (w *world) wording(l *list.List, mail, lang string) (words list.Wording) {
	w.t.Helper()
	w.update(func(tx *storage.Tx) (err error) {
		words, err = list.GetWording(tx, w.set, l, mail, lang)
		return err
	})
	return words
}

// An owner sees what a mail would look like, gives it other words, and takes them away again.
func TestTexts(t *testing.T) {
	t.Parallel()
	w, l := settingsWorld(t)
	me, en := w.login("olga@example.jp"), "Accept-Language: en"
	const path = "/-/admin/janog/texts/welcome"
	_, page := w.get("/-/admin/janog/texts", me, en)
	has(t, page, `href="`+path+`"`, "Welcome")
	hasNot(t, page, "texts/login", "own words")
	status, page := w.get(path, me, en)
	if status != 200 {
		t.Fatal(status)
	}
	has(t, page, "Welcome to JANOG", "janog-owner@lists.example.jp", "<code>{url}</code>", "needed", "JANOG へようこそ", "These are the built-in words.")
	form := textFields(page)
	if len(form) != 6 || !strings.Contains(form.Get("body.ja"), "{posting}") {
		t.Fatalf("the form has %v", form)
	}

	form.Set("subject.en", "Hello from {list} <b>")
	if res := w.do("POST", path+"/preview", form.Encode(), me, en); res.StatusCode != 200 || !strings.Contains(res.Header.Get("Content-Security-Policy"), "connect-src 'self'") {
		t.Errorf("preview: %s, %s", res.Status, res.Header.Get("Content-Security-Policy"))
	} else {
		has(t, bodyOf(t, res), "<b>Hello from JANOG &lt;b&gt;</b>")
	}
	if got := w.wording(l, "welcome", "en"); got.By != "" {
		t.Fatalf("the preview changed %+v", got)
	}

	form.Set("body.ja", "ようこそ {lst}\n")
	res := w.do("POST", path, form.Encode(), me, en)
	if res.StatusCode != 422 {
		t.Fatalf("words that do not fit: %s", res.Status)
	}
	has(t, bodyOf(t, res), "this mail has no {lst}; it has {address},", "this mail needs {url} somewhere", "ようこそ {lst}", `aria-invalid="true"`)
	if got := w.wording(l, "welcome", "en"); got.By != "" {
		t.Fatalf("half of a form was saved: %+v", got)
	}

	form.Set("body.ja", "ようこそ\r\n{url}\r\n\r\n")
	if res := w.do("POST", path, form.Encode(), me); res.StatusCode != 303 {
		t.Fatalf("saving: %s", res.Status)
	}
	if ja, en := w.wording(l, "welcome", "ja"), w.wording(l, "welcome", "en"); ja.Body != "ようこそ\n{url}\n" || en.Subject != "Hello from {list} <b>" || en.By != "olga@example.jp" {
		t.Errorf("saved: %+v, %+v", ja, en)
	}
	_, page = w.get("/-/admin/janog/texts", me, en)
	has(t, page, "own words: Japanese", "own words: English")
	_, page = w.get("/-/admin/janog/log", me, en)
	has(t, page, "Words of the mail “welcome” (Japanese) were changed", "olga@example.jp")

	if res := w.do("POST", path, form.Encode(), me, en); res.StatusCode != 303 {
		t.Errorf("the same words once more: %s", res.Status)
	}
	form.Set("body.ja", "まいど\n{url}\n")
	if res := w.do("POST", path, form.Encode(), me, en); res.StatusCode != 422 {
		t.Errorf("words that were changed meanwhile: %s", res.Status)
	} else {
		has(t, bodyOf(t, res), "Meanwhile somebody else", "まいど")
	}

	if res := w.do("POST", path+"/unset", "lang=ja", me); res.StatusCode != 303 || w.wording(l, "welcome", "ja").By != "" || w.wording(l, "welcome", "en").By == "" {
		t.Errorf("back to the built-in words: %s", res.Status)
	}
	_, page = w.get(path, me, en)
	builtIn, _ := w.set.Wording("welcome", "en")
	form = textFields(page)
	form.Set("subject.en", builtIn.Subject)
	if res := w.do("POST", path, form.Encode(), me); res.StatusCode != 303 || w.wording(l, "welcome", "en").By != "" {
		t.Errorf("the built-in words are nobody's own: %s, %+v", res.Status, w.wording(l, "welcome", "en"))
	}
	for path, want := range map[string]int{"/-/admin/janog/texts/nosuch": 404, "/-/admin/janog/texts/login": 404} {
		if status, _ := w.get(path, me); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

// The site's words hold where a list has none. They are the administrator's.
func TestSiteTexts(t *testing.T) {
	t.Parallel()
	w, l := settingsWorld(t)
	w.site.Admin = parse(t, "root@example.jp")
	if status, _ := w.get("/-/site/texts", w.login("olga@example.jp")); status != 403 {
		t.Errorf("an owner of a list sees the site's words: %d", status)
	}
	w.role(l, list.RoleMember, "root@example.jp")
	me, en := w.login("root@example.jp"), "Accept-Language: en"
	_, page := w.get("/-/site/texts/member-left", me, en)
	form := textFields(page)
	form.Set("subject.en", "Gone: {who}")
	if res := w.do("POST", "/-/site/texts/member-left", form.Encode(), me); res.StatusCode != 303 {
		t.Fatal(res.Status)
	}
	if got := w.wording(l, "member-left", "en"); got.Subject != "Gone: {who}" || got.List != "" {
		t.Errorf("a list writes %+v", got)
	}
	_, page = w.get("/-/admin/janog/texts/member-left", me, en)
	has(t, page, "These are the site&#39;s words.", "Gone: Ann")
	hasNot(t, page, "texts/member-left/unset")
	_, page = w.get("/-/site/texts", me, en)
	has(t, page, "own words: English", "/-/site/texts/login")
}

// bodyOf returns the body of an answer.
func bodyOf(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
