package web

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"kairan/archive"
	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
)

// hostileSubjects are what strangers write to break a page, to hide in it or to fill it.
var hostileSubjects = map[string]string{
	"script":    `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`,
	"invisible": "\u200b\u3164\u2060\ufeff",
	"turned":    "\u202eabc\u202c \u2066def\u2069",
	"long":      strings.Repeat("xyz ", 2500),
	"tower":     "a" + strings.Repeat("\u0301", 900),
	"header":    "sub\r\nBcc: evil@evil.test\r\n\r\nbody",
}

// encoded is a subject as mail has it.
func encoded(s string) string {
	var words []string
	for len(s) > 0 {
		n := min(len(s), 42)
		for n < len(s) && s[n]&0xc0 == 0x80 {
			n++
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, "\n ")
}

// TestHostileMail looks at every page that shows mail, with subjects, names and files of somebody who means harm.
func TestHostileMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	open, slow := h.world.List("open", nil), h.world.List("slow", func(s *list.Settings) { s.DefaultMemberAction = list.Hold })
	for _, l := range []*list.List{open, slow} {
		h.world.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		h.world.Join(l, list.RoleOwner, "olga@people.test")
	}
	sent := 0
	for _, l := range []*list.List{open, slow} {
		for kind, subject := range hostileSubjects {
			raw := fmt.Sprintf("From: %s\n <ann@people.test>\nTo: %s\nSubject: %s\nMessage-ID: <%s.%s@id.test>\nDate: Sat, 28 Nov 2026 22:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nwords\n--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=%q\n\nx\n--b--\n",
				encoded(subject), l.Address, encoded(subject), kind, l.Name, "<img src=x onerror=alert(3)>.html")
			if code, text := h.world.Send(listtest.Mail{From: "ann@people.test", To: []string{l.Address.String()}, Raw: raw}); code != 250 {
				t.Fatalf("%s: %d %s", kind, code, text)
			}
			if l == open {
				sent += 2
			}
		}
	}
	h.mail(sent, "bob@people.test")
	b := h.browser().signIn("olga@people.test")
	pages := map[string]string{"/-/my/posts": h.browser().signIn("ann@people.test").get("/-/my/posts")}
	for _, path := range []string{"/-/moderate", "/-/moderate?order=risk", "/open/", "/-/admin/slow/log"} {
		pages[path] = b.get(path)
	}
	for _, m := range h.months(open) {
		pages[m] = b.get(m)
	}
	for kind := range hostileSubjects {
		for _, path := range []string{"/open/m/" + kind + ".open@id.test/", "/open/t/" + kind + ".open@id.test/"} {
			pages[path] = b.get(path)
		}
	}
	for _, w := range h.world.Posts("script.open@id.test") {
		b.post("/-/message/open/"+w.MessageID+"/1/redact", url.Values{})
	}
	pages["/-/admin/open/hidden"] = b.get("/-/admin/open/hidden")
	person := personOf("ann@people.test")
	pages[person] = h.browser().signIn(h.world.Site.Admin.String()).get(person)
	for path, page := range pages {
		harmless(t, path, page)
	}
	for _, path := range []string{"/-/moderate", "/-/my/posts", "/open/", person} {
		has(t, pages[path], "(no subject)", "&lt;script&gt;alert(1)", "abc def")
	}
}

// harmless fails if a page has elements that only mail can have brought, links without words, or lines beyond what a reader would read.
func harmless(t *testing.T, path, page string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(page))
	link, text := false, ""
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		token := z.Token()
		switch {
		case token.Data == "img", token.Data == "script" && !strings.Contains(token.String(), `src="/-/static/`) && kind == html.StartTagToken:
			t.Errorf("%s has %s", path, token)
		case kind == html.StartTagToken && token.Data == "a":
			link, text = !strings.Contains(token.String(), " hidden"), ""
		case kind == html.EndTagToken && token.Data == "a":
			if link && strings.Trim(text, " \n\u200b\u3164\u2060\ufeff") == "" {
				t.Errorf("%s: a link without words", path)
			}
			link = false
		case kind == html.TextToken:
			text += token.Data
			if strings.ContainsAny(token.Data, "\u202e\u2066") {
				t.Errorf("%s turns text: %q", path, token.Data)
			}
			if len([]rune(token.Data)) > 500 {
				t.Errorf("%s: %d characters in a row: %.60q", path, len([]rune(token.Data)), token.Data)
			}
			if strings.Count(token.Data, "\u0301") > 20 {
				t.Errorf("%s: a tower of marks", path)
			}
		}
	}
}

// months are the pages of the months of a list's archive.
func (h *house) months(l *list.List) (paths []string) {
	h.world.Update(func(tx *storage.Tx) error {
		paths = nil
		for m := range archive.Months(tx, string(l.ID)) {
			paths = append(paths, "/"+l.Name+"/"+m.Month+"/")
		}
		return nil
	})
	return paths
}
