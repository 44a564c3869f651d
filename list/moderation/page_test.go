package moderation_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	listweb "kairan/list/web"
	"kairan/templates"
)

// browser asks for a page of the site.
func (w *world) browser(set *templates.Set) func(method, path string, form url.Values) (int, string, http.Header) {
	h := listweb.New(listweb.Options{DB: w.DB, Archive: &archive.Archive{DB: w.DB}, Site: w.Site, Templates: set, Moderation: w.Moderation})
	return func(method, path string, form url.Values) (int, string, http.Header) {
		w.t.Helper()
		r := httptest.NewRequest(method, path+"?lang=en", strings.NewReader(form.Encode()))
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		body, err := io.ReadAll(rec.Result().Body)
		if err != nil {
			w.t.Fatal(err)
		}
		return rec.Code, string(body), rec.Result().Header
	}
}

func TestPage(t *testing.T) {
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	story(t, func(s *list.Settings) {
		s.RejectTexts = map[string]list.Text{"topic": {"en": "Not our topic.", "ja": "話題が違います。"}}
	}, func(t *testing.T, w *world) {
		ask := w.browser(set)
		p := w.post("zed@strangers.test", "1@s.test", `<script>alert("s")</script>`, "</textarea><img src=x onerror=alert(1)>\n", true)
		w.at(0)
		got := w.mails(3)
		mod, mio := "/-/held/"+one(t, got, "mod@people.test").token(t), "/-/held/"+one(t, got, "mio@people.test").token(t)
		author := "/-/held/" + one(t, got, "zed@strangers.test").token(t)

		code, page, header := ask("GET", mod, nil)
		if code != 200 || strings.Contains(page, "<script>alert") || strings.Contains(page, "<img") || !strings.Contains(page, "&lt;img src=x onerror") {
			t.Errorf("%d\n%s", code, page)
		}
		if csp := header.Get("Content-Security-Policy"); csp != templates.ContentSecurityPolicy || !strings.Contains(header.Get("Cache-Control"), "no-store") {
			t.Errorf("header %v", header)
		}
		for _, word := range []string{"accept", "trust", "discard", "ban", "reject"} {
			if !strings.Contains(page, `name="word" value="`+word+`"`) {
				t.Errorf("no button %s", word)
			}
		}
		w.verdict("1@s.test", "hold")

		for name, c := range map[string]struct {
			path string
			form url.Values
			want int
		}{
			"no word":              {mod, url.Values{"post": {string(p.ID)}}, 400},
			"another post":         {mod, url.Values{"post": {"0000000000000000"}, "word": {"accept"}}, 404},
			"an unknown word":      {mod, url.Values{"post": {string(p.ID)}, "word": {"publish"}}, 404},
			"the author accepts":   {author, url.Values{"post": {string(p.ID)}, "word": {"accept"}}, 404},
			"an unknown token":     {"/-/held/" + strings.Repeat("0", 32), url.Values{"post": {string(p.ID)}, "word": {"accept"}}, 404},
			"an unsubscribe token": {"/-/held/" + w.unsubscribeToken("ann@people.test"), url.Values{"post": {string(p.ID)}, "word": {"accept"}}, 404},
		} {
			if code, _, _ := ask("POST", c.path, c.form); code != c.want {
				t.Errorf("%s: %d, want %d", name, code, c.want)
			}
		}
		w.verdict("1@s.test", "hold")

		code, page, _ = ask("POST", mod, url.Values{"post": {string(p.ID)}, "word": {"reject"}, "text": {"topic"}})
		if code != 200 || !strings.Contains(page, "rejected by mod@people.test") || strings.Contains(page, "onerror") {
			t.Errorf("%d\n%s", code, page)
		}
		w.verdict("1@s.test", "reject by mod@people.test")
		w.mails(0)
		if !strings.Contains(page, `value="take-back"`) {
			t.Errorf("no way back:\n%s", page)
		}
		ask("POST", mio, url.Values{"post": {string(p.ID)}, "word": {"take-back"}})
		w.verdict("1@s.test", "hold")
		ask("POST", mod, url.Values{"post": {string(p.ID)}, "word": {"reject"}, "text": {"topic"}})
		if _, page, _ := ask("POST", author, url.Values{"post": {string(p.ID)}, "word": {"take-back"}}); strings.Contains(page, "waits for a decision") {
			t.Errorf("the author takes a decision back:\n%s", page)
		}
		w.at(2 * time.Minute)
		if m := one(t, w.mails(2), "zed@strangers.test"); !strings.Contains(m.text, "話題が違います。") {
			t.Errorf("the author reads\n%s", m.text)
		}
		code, page, _ = ask("POST", mio, url.Values{"post": {string(p.ID)}, "word": {"accept"}})
		if code != 200 || !strings.Contains(page, "rejected by mod@people.test") {
			t.Errorf("who comes later: %d\n%s", code, page)
		}
		if _, page, _ := ask("GET", author, nil); strings.Contains(page, "mod@people.test") || !strings.Contains(page, "rejected by a moderator") {
			t.Errorf("the author sees\n%s", page)
		}
		w.verdict("1@s.test", "reject by mod@people.test")
	})
}

// unsubscribeToken is a member's.
func (w *world) unsubscribeToken(addr string) (token string) {
	w.SetMember(w.l, addr, func(m *list.Member) { token = m.Token })
	return token
}

func TestPageOfWhoIsNoModeratorAnyMore(t *testing.T) {
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	story(t, nil, func(t *testing.T, w *world) {
		ask := w.browser(set)
		p := w.post("zed@strangers.test", "1@s.test", "Hello", "Hello.\n", true)
		w.at(0)
		notice := one(t, w.mails(3), "mod@people.test")
		w.dismiss("mod@people.test")
		path := "/-/held/" + notice.token(t)
		if code, _, _ := ask("GET", path, nil); code != 404 {
			t.Errorf("the page is open: %d", code)
		}
		if code, _, _ := ask("POST", path, url.Values{"post": {string(p.ID)}, "word": {"accept"}}); code != 404 {
			t.Errorf("the page acts: %d", code)
		}
		if code := w.answer(notice, answer{from: "mod@people.test", text: "accept"}); code != 550 {
			t.Errorf("the answer was taken: %d", code)
		}
		w.verdict("1@s.test", "hold")
	})
}
