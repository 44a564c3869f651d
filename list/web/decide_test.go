package web

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/storage"
)

// TestDecide presses the buttons on the page of a message, as those who have them and as others.
func TestDecide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("janog")
	w.update(func(tx *storage.Tx) error {
		return list.Join(tx, list.Member{List: l.ID, Role: list.RoleModerator, Address: parse(t, "mod@example.jp"), Token: list.NewToken()})
	})
	w.join(l, "bob@example.com")
	add := func(n uint64, id string, age time.Duration) {
		raw := "From: Ann <ann@example.jp>\r\nMessage-ID: <" + id + ">\r\nSubject: " + id + "\r\n\r\nwords of " + strings.TrimSuffix(id, "@example.jp") + "\r\n"
		_, err := w.arch.Add(t.Context(), archive.Entry{List: string(l.ID), Post: id, Number: n, ID: id, Received: time.Now().Add(-age), Raw: []byte(raw)}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	add(1, "new@example.jp", time.Hour)
	add(2, "old@example.jp", 73*time.Hour)
	add(3, "third@example.jp", time.Hour)
	ann, bob, mod := w.login("ann@example.jp"), w.login("bob@example.com"), w.login("mod@example.jp")
	press := func(who *http.Cookie, id, do string) (int, string) {
		with := []any{"Accept-Language: en"}
		if who != nil {
			with = append(with, who)
		}
		res := w.do("POST", "/-/message/janog/"+id+"/1/"+do, "", with...)
		b, _ := io.ReadAll(res.Body)
		if to := res.Header.Get("Location"); res.StatusCode == http.StatusSeeOther {
			for _, c := range res.Cookies() {
				with = append(with, c)
			}
			_, page := w.get(to, with...)
			return res.StatusCode, page
		}
		return res.StatusCode, string(b)
	}
	shows := func(id string) string {
		_, page := w.get("/janog/m/" + id + "/")
		return page
	}

	for who, cookie := range map[string]*http.Cookie{"a stranger": nil, "bob": bob} {
		for _, do := range []string{"withdraw", "redact", "hide", "unhide", "purge"} {
			if code, _ := press(cookie, "new@example.jp", do); code < 400 || !strings.Contains(shows("new@example.jp"), "words of new") {
				t.Errorf("%s may %s: %d", who, do, code)
			}
		}
	}
	if code, _ := press(ann, "new@example.jp", "hide"); code != http.StatusForbidden {
		t.Errorf("the author hides: %d", code)
	}
	buttons := func(id string, who *http.Cookie) string {
		_, page := w.get("/janog/m/"+id+"/?lang=en", who)
		_, after, _ := strings.Cut(page, `<div class="decide">`)
		part, _, _ := strings.Cut(after, "</div>")
		return part
	}
	if got := buttons("new@example.jp", ann); !strings.Contains(got, `action="/-/message/janog/new@example.jp/1/withdraw"`) || strings.Contains(got, "hide") {
		t.Errorf("the author's buttons: %s", got)
	}
	if got := buttons("old@example.jp", ann) + buttons("new@example.jp", bob); got != "" {
		t.Errorf("buttons for those who have none: %s", got)
	}
	if _, page := press(ann, "old@example.jp", "withdraw"); !strings.Contains(page, "is over") || !strings.Contains(shows("old@example.jp"), "words of old") {
		t.Errorf("what is too old is withdrawn:\n%s", page)
	}
	if _, page := press(ann, "new@example.jp", "withdraw"); !strings.Contains(page, "was withdrawn") || strings.Contains(page, "words of new") || strings.Contains(shows("new@example.jp"), "words of new") {
		t.Errorf("withdrawn:\n%s", page)
	}
	has(t, buttons("third@example.jp", mod), "/redact", "/hide")
	_, page := press(mod, "third@example.jp", "hide")
	has(t, page, "was hidden", `action="/-/message/janog/third@example.jp/1/unhide"`)
	if code, _ := w.get("/janog/m/third@example.jp/"); code != http.StatusNotFound {
		t.Errorf("a hidden message: %d", code)
	}
	if _, page := press(mod, "third@example.jp", "unhide"); !strings.Contains(page, "words of third") {
		t.Errorf("shown again:\n%s", page)
	}
	if _, page := press(mod, "third@example.jp", "redact"); strings.Contains(page, "words of third") {
		t.Errorf("redacted:\n%s", page)
	}
	has(t, buttons("third@example.jp", mod), "/unhide", "/hide")
	var by []string
	for act, err := range w.arch.Ledger(t.Context(), string(l.ID)) {
		if err != nil {
			t.Fatal(err)
		}
		by = append(by, string(act.Do)+" "+act.By)
	}
	if got := strings.Join(by, ", "); got != "redact ann@example.jp, hide mod@example.jp, unhide mod@example.jp, redact mod@example.jp" {
		t.Errorf("the ledger says %s", got)
	}
	if code, _ := w.get("/-/message/janog/new@example.jp/1/hide", mod); code == http.StatusOK {
		t.Errorf("a GET decides: %d", code)
	}
}

// TestSplitAndJoinOnPages splits an answer off its thread, takes that back, and moves it to another, as those who may and as others.
func TestSplitAndJoinOnPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("janog")
	w.update(func(tx *storage.Tx) error {
		return list.Join(tx, list.Member{List: l.ID, Role: list.RoleModerator, Address: parse(t, "mod@example.jp"), Token: list.NewToken()})
	})
	for n, more := range []string{"", "In-Reply-To: <1@example.jp>\r\n", "In-Reply-To: <2@example.jp>\r\n", ""} {
		id := fmt.Sprintf("%d@example.jp", n+1)
		raw := fmt.Sprintf("From: Ann <ann@example.jp>\r\nMessage-ID: <%s>\r\nSubject: subject %d\r\n%s\r\nx\r\n", id, n+1, more)
		_, err := w.arch.Add(t.Context(), archive.Entry{List: string(l.ID), Post: id, Number: uint64(n + 1), ID: id, Received: time.Now(), Raw: []byte(raw)}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	mod, ann := w.login("mod@example.jp"), w.login("ann@example.jp")
	press := func(who *http.Cookie, path, to string) (code int, page string) {
		t.Helper()
		with := []any{"Accept-Language: en", who}
		form := ""
		if to != "" {
			form = url.Values{"to": {to}}.Encode()
		}
		res := w.do("POST", path, form, with...)
		if res.StatusCode == http.StatusSeeOther {
			for _, c := range res.Cookies() {
				with = append(with, c)
			}
			_, page = w.get(res.Header.Get("Location"), with...)
		}
		return res.StatusCode, page
	}
	threads := func() string { // each message has one digit
		var all []string
		w.update(func(tx *storage.Tx) error {
			all = nil
			for th := range archive.Recent(tx, string(l.ID)) {
				ids := ""
				for m := range archive.InThread(tx, string(l.ID), th.Seq) {
					ids += m.ID[:1]
				}
				all = append(all, ids)
			}
			return nil
		})
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	const second = "/-/message/janog/2@example.jp/1/"
	for _, do := range []string{"split", "join"} {
		if code, _ := press(ann, second+do, "4"); code != http.StatusForbidden || threads() != "123 4" {
			t.Errorf("the author may %s: %d, %s", do, code, threads())
		}
	}
	_, page := w.get("/janog/m/2@example.jp/?lang=en", mod)
	has(t, page, `action="`+second+`split"`, `action="`+second+`join"`)
	if _, page := w.get("/janog/m/2@example.jp/", ann); strings.Contains(page, second+"split") || strings.Contains(page, second+"join") {
		t.Error("the author has the buttons")
	}
	if _, page := w.get("/janog/m/1@example.jp/", mod); strings.Contains(page, "/split") {
		t.Error("the first message of a thread can be split off")
	}
	_, page = press(mod, second+"split", "")
	has(t, page, "begins a thread of its own", `action="`+second+`join?to=1%40example.jp"`)
	if got := threads(); got != "1 23 4" {
		t.Errorf("after the split: %s", got)
	}
	if _, page = press(mod, second+"join?to=1%40example.jp", ""); !strings.Contains(page, "is an answer") || threads() != "123 4" {
		t.Errorf("taken back: %s", threads())
	}
	for _, to := range []string{"", "99", "nobody@example.jp", "https://elsewhere.test/x/m/4@example.jp/"} {
		if _, page = press(mod, second+"join", to); !strings.Contains(page, "no message of that name") {
			t.Errorf("joined to %q:\n%s", to, page)
		}
	}
	if _, page = press(mod, second+"join", "3"); !strings.Contains(page, "This cannot be") {
		t.Errorf("joined to its own answer:\n%s", page)
	}
	_, page = press(mod, second+"join", "https://lists.example.jp/janog/t/4@example.jp/")
	has(t, page, "is an answer", `action="`+second+`join?to=1%40example.jp"`)
	if got := threads(); got != "1 234" {
		t.Errorf("after the join: %s", got)
	}
	var log []string
	w.update(func(tx *storage.Tx) error {
		log = nil
		for e := range list.LogOf(tx, l.ID) {
			log = append(log, e.By+" "+e.Text)
		}
		return nil
	})
	has(t, strings.Join(log, "\n"), "mod@example.jp <2@example.jp> begins a thread of its own", "mod@example.jp <2@example.jp> is an answer to <4@example.jp> now")
}
