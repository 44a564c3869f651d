package web

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// house is a site with real mail behind it.
type house struct {
	*testing.T
	world *listtest.World
	site  http.Handler
}

func newHouse(t *testing.T) *house {
	t.Helper()
	w := listtest.New(t, nil)
	w.Run()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	return &house{T: t, world: w, site: New(Options{DB: w.DB, Archive: w.Archive, Site: w.Site, Templates: set, Subscribe: w.Workflow, Moderation: w.Moderation})}
}

// mail waits until the world outside has got n mails, and returns the last one to an address.
func (h *house) mail(n int, to string) string {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 20*time.Second)
	defer cancel()
	if err := h.world.Sink.Wait(ctx, int64(n)); err != nil {
		h.Fatalf("%d mails of %d: %v", len(h.world.Sink.Messages()), n, err)
	}
	found := ""
	for _, m := range h.world.Sink.Messages() {
		for _, rcpt := range m.To {
			if rcpt == to {
				msg := message.Parse(m.Data)
				found = "From: " + message.DecodeHeader(msg.Header().Get("From")) + "\nSubject: " + message.DecodeHeader(msg.Header().Get("Subject")) + "\n\n" + msg.Text()
			}
		}
	}
	if found == "" {
		h.Fatalf("no mail to %s", to)
	}
	return found
}

// browser is a reader with cookies.
type browser struct {
	house *house
	lang  string
	agent string
	ip    string
	jar   map[string]*http.Cookie
}

func (h *house) browser() *browser {
	return &browser{house: h, lang: "en", agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", ip: "203.0.113.7:999", jar: map[string]*http.Cookie{}}
}

// answer is what a browser got.
type answer struct {
	code     int
	location string
	header   http.Header
	body     string
}

// ask sends a request; a form makes it a POST.
func (b *browser) ask(path string, form url.Values, fields ...string) answer {
	b.house.Helper()
	method, body := "GET", ""
	if form != nil {
		method, body = "POST", form.Encode()
	}
	r := httptest.NewRequestWithContext(b.house.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr = b.ip
	r.Header.Set("Accept-Language", b.lang)
	r.Header.Set("User-Agent", b.agent)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Set(name, value)
	}
	for _, c := range b.jar {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	b.house.site.ServeHTTP(rec, r)
	res := rec.Result()
	for _, c := range res.Cookies() {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "__Host-") && c.Name != templates.LanguageCookie {
			b.house.Errorf("cookie %v", c)
		}
		if b.jar[c.Name] = c; c.MaxAge < 0 {
			delete(b.jar, c.Name)
		}
	}
	page, err := io.ReadAll(res.Body)
	if err != nil {
		b.house.Fatal(err)
	}
	return answer{code: res.StatusCode, location: res.Header.Get("Location"), header: res.Header, body: string(page)}
}

// get returns a page, which must be there.
func (b *browser) get(path string) string {
	b.house.Helper()
	a := b.ask(path, nil)
	if a.code != http.StatusOK {
		b.house.Fatalf("GET %s = %d to %q:\n%s", path, a.code, a.location, a.body)
	}
	return a.body
}

// post posts a form, follows where it leads, and returns that page.
func (b *browser) post(path string, form url.Values) string {
	b.house.Helper()
	a := b.ask(path, form)
	if a.code != http.StatusSeeOther {
		b.house.Fatalf("POST %s = %d:\n%s", path, a.code, a.body)
	}
	return b.get(a.location)
}

// signIn signs an address in by a link of the operator's.
func (b *browser) signIn(addr string) *browser {
	b.house.Helper()
	var link string
	b.house.world.Update(func(tx *storage.Tx) (err error) {
		link, err = NewLoginLink(tx, b.house.world.Site, parse(b.house.T, addr), time.Now())
		return err
	})
	if a := b.ask(strings.TrimPrefix(link, b.house.world.Site.URL), url.Values{}); a.code != http.StatusSeeOther {
		b.house.Fatalf("sign in: %d", a.code)
	}
	return b
}

var (
	linkIn = regexp.MustCompile(`https://\S+(/-/login/[0-9a-f]{32})`)
	codeIn = regexp.MustCompile(`(?m)^    (\d{4} \d{4})$`)
)

func TestSignInByMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l := h.world.List("janog", nil)
	h.world.Join(l, list.RoleMember, "ann@people.test")
	h.world.SetMember(l, "ann@people.test", func(m *list.Member) { m.Language = "en" })
	b := h.browser()

	if a := b.ask("/-/my", nil); a.code != http.StatusSeeOther || a.location != "/-/login?to=%2F-%2Fmy" {
		t.Fatalf("a stranger asks for My page: %d to %q", a.code, a.location)
	}
	has(t, b.get("/-/login?to=/janog/"), `name="address"`, `value="/janog/"`)
	asked := url.Values{"address": {" ann@people.test "}, "to": {"/janog/"}}
	has(t, b.post("/-/login", asked), "ann@people.test", `name="code"`)
	mail := h.mail(1, "ann@people.test")
	has(t, mail, "<postmaster@"+listtest.Domain+">", "Sign in to "+listtest.Domain)
	link := linkIn.FindStringSubmatch(mail)
	code := codeIn.FindStringSubmatch(mail)
	if link == nil || code == nil {
		t.Fatalf("the mail has no link or code:\n%s", mail)
	}

	other := h.browser()
	has(t, other.get(link[1]), "asked for in another browser")
	if a := other.ask(link[1], url.Values{}); a.code != http.StatusForbidden || len(other.jar) != 0 {
		t.Errorf("another browser signs in: %d %v", a.code, other.jar)
	}
	has(t, b.get(link[1]), "ann@people.test", `action="`+link[1]+`"`)
	has(t, b.get(link[1]), "ann@people.test") // looking changes nothing
	a := b.ask(link[1], url.Values{})
	if a.code != http.StatusSeeOther || a.location != "/janog/" {
		t.Fatalf("the button: %d to %q", a.code, a.location)
	}
	if _, left := b.jar["__Host-login"]; left {
		t.Error("the cookie of the request is left")
	}
	has(t, b.get("/-/my"), "ann@people.test", "Firefox, Linux", "janog", "this one")
	if a := b.ask(link[1], url.Values{}); a.code != http.StatusNotFound {
		t.Errorf("the link works twice: %d", a.code)
	}
	if a := b.ask("/-/login/code", url.Values{"code": {code[1]}}); a.code != http.StatusNotFound {
		t.Errorf("the code works after the link: %d", a.code)
	}
}

func TestSignInByCode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.world.Join(h.world.List("janog", nil), list.RoleOwner, "ann@people.test")
	b := h.browser()
	b.lang = "ja"
	b.post("/-/login", url.Values{"address": {"ANN@people.test"}}) // the mail goes to the address that is known
	mail := h.mail(1, "ann@people.test")
	code := codeIn.FindStringSubmatch(mail)[1]
	if a := b.ask("/-/login/code", url.Values{"code": {"0000 000"}}); a.code != http.StatusUnprocessableEntity || !strings.Contains(a.body, `role="alert"`) {
		t.Errorf("a wrong code: %d", a.code)
	}
	thief := h.browser()
	if a := thief.ask("/-/login/code", url.Values{"code": {code}}); a.code != http.StatusNotFound {
		t.Errorf("the code in another browser: %d", a.code)
	}
	wide := strings.Map(func(r rune) rune { // as an input method writes it
		if r >= '0' && r <= '9' {
			return r - '0' + '０'
		}
		return r
	}, code)
	has(t, b.post("/-/login/code", url.Values{"code": {wide}}), "マイページ", "ann@people.test", "管理者")

	// Five wrong codes, and the right one is of no use.
	b = h.browser()
	h.world.Join(h.world.List("wg", nil), list.RoleMember, "bob@people.test")
	b.post("/-/login", url.Values{"address": {"bob@people.test"}})
	code = codeIn.FindStringSubmatch(h.mail(2, "bob@people.test"))[1]
	for range maxTries {
		b.ask("/-/login/code", url.Values{"code": {"12345"}})
	}
	b.ip = "203.0.113.8:1"
	if a := b.ask("/-/login/code", url.Values{"code": {code}}); a.code != http.StatusNotFound {
		t.Errorf("the right code after five wrong ones: %d", a.code)
	}
}

// TestSignInTellsNothing: who asks cannot find out who is known here, nor have anybody mailed often.
func TestSignInTellsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l := h.world.List("janog", nil)
	h.world.Join(l, list.RoleMember, "ann@people.test")
	h.world.Join(l, list.RoleNonmember, "known@people.test")
	ask := func(addr, code string) (string, http.Header, string, int) {
		b := h.browser()
		b.ip = "203.0.113." + code + ":1"
		a := b.ask("/-/login", url.Values{"address": {addr}})
		page := b.get(a.location)
		wrong := b.ask("/-/login/code", url.Values{"code": {"1"}})
		a.header.Del("Set-Cookie")
		return strings.ReplaceAll(page, addr, "X"), a.header, strings.ReplaceAll(wrong.body, addr, "X"), wrong.code
	}
	page, header, wrong, status := ask("ann@people.test", "1")
	for i, stranger := range []string{"nobody@people.test", "known@people.test", "ann@people.test"} { // the last within a minute of the first
		p, hd, wr, st := ask(stranger, string(rune('2'+i)))
		if p != page || wr != wrong || st != status {
			t.Errorf("%s gets another page", stranger)
		}
		for name := range header {
			if hd.Get(name) != header.Get(name) {
				t.Errorf("%s: %s is %q, not %q", stranger, name, hd.Get(name), header.Get(name))
			}
		}
	}
	b := h.browser()
	for _, bad := range []string{"", "no address", "<script>alert(1)</script>"} {
		a := b.ask("/-/login", url.Values{"address": {bad}})
		if a.code != http.StatusUnprocessableEntity || strings.Contains(a.body, "<script>") {
			t.Errorf("%q: %d\n%s", bad, a.code, a.body)
		}
	}
	b.ip = "203.0.113.99:1"
	h.world.Join(l, list.RoleMember, "end@people.test")
	b.post("/-/login", url.Values{"address": {"end@people.test"}})
	h.mail(2, "end@people.test")
	if n := len(h.world.Sink.Messages()); n != 2 {
		t.Errorf("%d mails", n)
	}
	if a := b.ask("/-/login", url.Values{"address": {"ann@people.test"}}, "Sec-Fetch-Site: cross-site"); a.code != http.StatusForbidden {
		t.Errorf("another site asks: %d", a.code)
	}
	v6 := h.browser()
	for i := range attempts + 1 {
		v6.ip = "[2001:db8::" + string(rune('1'+i%9)) + "]:1"
		if a := v6.ask("/-/login", url.Values{"address": {"x@people.test"}}); (a.code == http.StatusTooManyRequests) != (i == attempts) {
			t.Errorf("attempt %d from one IPv6 network: %d", i, a.code)
		}
	}
}

func TestAfterLogin(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"": "/-/my", "/": "/-/my", "/-/login?to=/x": "/-/my", "/janog/": "/janog/", "/janog/search?q=a+b": "/janog/search?q=a+b",
		"https://evil.test/": "/-/my", "//evil.test/": "/-/my", `/\evil.test`: "/-/my", "javascript:alert(1)": "/-/my",
	} {
		if got := afterLogin(to); got != want {
			t.Errorf("%q leads to %q, want %q", to, got, want)
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.world.Join(h.world.List("janog", nil), list.RoleMember, "ann@people.test")
	here, phone, bob := h.browser().signIn("ann@people.test"), h.browser(), h.browser().signIn("bob@people.test")
	phone.agent = `Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) <script>alert(1)</script> Version/18.0 Mobile/15E148 Safari/604.1`
	phone.signIn("ann@people.test")
	page := here.get("/-/my")
	has(t, page, "Safari, iPhone", "Firefox, Linux")
	hasNot(t, page, "bob@", "<script>")
	key := func(b *browser) string { return list.TokenHash(b.jar["__Host-session"].Value) }
	bob.post("/-/my/sessions", url.Values{"session": {key(phone)}, "other": {"1"}}) // not his
	phone.get("/-/my")
	has(t, here.post("/-/my/sessions", url.Values{"session": {key(phone)}}), "Signed out there.")
	hasNot(t, here.get("/-/my"), "Signed out there.", "iPhone") // said once
	if a := phone.ask("/-/my", nil); a.code != http.StatusSeeOther {
		t.Errorf("the phone is still signed in: %d", a.code)
	}
	phone.signIn("ann@people.test")
	here.post("/-/my/sessions", url.Values{"other": {"1"}})
	if a := phone.ask("/-/my", nil); a.code != http.StatusSeeOther {
		t.Errorf("the phone is still signed in: %d", a.code)
	}
	bob.get("/-/my")
	if a := here.ask("/-/my/sessions", url.Values{"other": {"1"}}, "Sec-Fetch-Site: cross-site"); a.code != http.StatusForbidden {
		t.Errorf("another site's form: %d", a.code)
	}
	if a := h.browser().ask("/-/my/sessions", url.Values{"other": {"1"}}); a.code != http.StatusForbidden || !strings.Contains(a.body, "/-/login") {
		t.Errorf("a stranger's form: %d", a.code)
	}
}

// TestWhoIsAllowed: a page that is not for somebody says who could help.
func TestWhoIsAllowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l := h.world.List("janog", nil)
	h.world.Join(l, list.RoleMember, "ann@people.test", "own@people.test")
	h.world.Join(l, list.RoleModerator, "mod@people.test")
	h.world.Join(l, list.RoleOwner, "own@people.test")
	s := &site{Options: Options{DB: h.world.DB, Site: h.world.Site, Templates: must(templates.New())}, posts: newLimiter[string](changeEvery, changes)}
	for who, may := range map[string][]list.Role{
		"":                              nil,
		"stranger@people.test":          nil,
		"ann@people.test":               {list.RoleMember},
		"mod@people.test":               {list.RoleModerator},
		"own@people.test":               {list.RoleMember, list.RoleModerator, list.RoleOwner},
		"postmaster@" + listtest.Domain: {list.RoleModerator, list.RoleOwner, ""},
	} {
		for _, need := range []list.Role{list.RoleMember, list.RoleModerator, list.RoleOwner, ""} {
			serve := s.forRole(need, func(w http.ResponseWriter, _ *http.Request, _ actor, _ *list.List) error { return nil })
			if need == "" {
				serve = s.forAdmin(func(w http.ResponseWriter, _ *http.Request, _ actor) error { return nil })
			}
			var a actor
			h.world.Update(func(tx *storage.Tx) error {
				if who != "" {
					a = s.newActor(tx, parse(t, who), "x")
				}
				return nil
			})
			r := httptest.NewRequest("GET", "/-/x/janog", nil)
			r.SetPathValue("list", "janog")
			r = r.WithContext(templates.WithFrame(context.WithValue(r.Context(), actorKey{}, a), templates.Frame{Lang: "en", Site: "x", Path: "/", User: who}))
			rec := httptest.NewRecorder()
			serve(rec, r)
			want, help := http.StatusForbidden, "janog-owner@"
			switch {
			case who == "":
				want, help = http.StatusSeeOther, ""
			case contains(may, need):
				want, help = http.StatusOK, ""
			case need == "":
				help = "postmaster@"
			}
			if rec.Code != want || !strings.Contains(rec.Body.String(), help) {
				t.Errorf("%q on a page for %q: %d, want %d with %q\n%s", who, need, rec.Code, want, help, rec.Body)
			}
		}
	}
}

func contains(roles []list.Role, r list.Role) bool {
	for _, x := range roles {
		if x == r {
			return true
		}
	}
	return false
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
