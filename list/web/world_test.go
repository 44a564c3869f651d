package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/storage/storagetest"
	"kairan/templates"
)

// world is a site with lists and people, without sockets.
type world struct {
	t       *testing.T
	db      *storage.DB
	arch    *archive.Archive
	site    *list.Site
	set     *templates.Set
	handler http.Handler
	lists   map[string]*list.List
	left    []string
	log     bytes.Buffer
}

var tokyo = time.FixedZone("JST", 9*3600)

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, set: set, db: storagetest.Open(t), lists: map[string]*list.List{}}
	w.arch = &archive.Archive{DB: w.db, Location: tokyo, Log: slog.New(slog.DiscardHandler), Acted: list.LogAct}
	w.site = &list.Site{Hostname: "lists.example.jp", URL: "https://lists.example.jp", Language: "ja", Location: tokyo}
	o := Options{
		DB: w.db, Archive: w.arch, Site: w.site, Templates: set,
		Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Left: func(_ context.Context, l *list.List, m *list.Member) {
			w.left = append(w.left, l.Name+" "+m.Address.String())
		},
	}
	for _, c := range change {
		c(&o)
	}
	w.handler = New(o)
	return w
}

func parse(t *testing.T, s string) address.Address {
	t.Helper()
	a, err := address.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// update runs fn in a transaction.
func (w *world) update(fn func(*storage.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// list makes a list called name with settings changed.
func (w *world) list(name string, change ...func(*list.Settings)) *list.List {
	w.t.Helper()
	s := list.DefaultSettings("ja")
	s.DisplayName = strings.ToUpper(name)
	s.Description = list.Text{"ja": name + " の説明", "en": "About " + name}
	for _, c := range change {
		c(&s)
	}
	w.update(func(tx *storage.Tx) (err error) {
		w.lists[name], err = list.Create(tx, parse(w.t, name+"@lists.example.jp"), s, time.Now())
		return err
	})
	return w.lists[name]
}

// join makes addr a member and returns its unsubscribe token.
func (w *world) join(l *list.List, addr string) string {
	w.t.Helper()
	m := list.Member{List: l.ID, Role: list.RoleMember, Address: parse(w.t, addr), Token: list.NewToken(), NoOwnPosts: true}
	w.update(func(tx *storage.Tx) error { return list.Join(tx, m) })
	return m.Token
}

func (w *world) isMember(l *list.List, addr string) bool {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *storage.Tx) error {
		_, err := list.GetMember(tx, l.ID, list.RoleMember, parse(w.t, addr))
		return err
	})
	return err == nil
}

// post archives a message.
func (w *world) post(l *list.List, n uint64, id, subject, extra string) {
	w.t.Helper()
	when := time.Date(2026, 1, int(n), 10, 0, 0, 0, tokyo)
	raw := "From: Ann Example <ann@example.jp>\r\nTo: " + l.Address.String() + "\r\nSubject: " + subject +
		"\r\nMessage-ID: <" + id + ">\r\nDate: " + when.Format(time.RFC1123Z) + "\r\n" + extra + "\r\nHello from bob@example.com.\r\n"
	_, err := w.arch.Add(w.t.Context(), archive.Entry{
		List: string(l.ID), Post: fmt.Sprintf("post-%s-%d", l.Name, n), Number: n, ID: id, Received: when, Raw: []byte(raw),
	}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
}

// login begins a session for addr and returns its cookie.
func (w *world) login(addr string) *http.Cookie {
	w.t.Helper()
	var link string
	w.update(func(tx *storage.Tx) (err error) {
		link, err = NewLoginLink(tx, w.site, parse(w.t, addr), time.Now())
		return err
	})
	res := w.do("POST", strings.TrimPrefix(link, w.site.URL), "")
	for _, c := range res.Cookies() {
		if strings.HasSuffix(c.Name, "session") && c.Value != "" {
			return c
		}
	}
	w.t.Fatalf("no session after signing in: %s", res.Status)
	return nil
}

// do sends a request; body is a form unless it is empty. Options are cookies and "Name: value" fields.
func (w *world) do(method, path, form string, with ...any) *http.Response {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(form))
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, o := range with {
		switch o := o.(type) {
		case *http.Cookie:
			r.AddCookie(o)
		case string:
			name, value, _ := strings.Cut(o, ": ")
			r.Header.Set(name, value)
		}
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec.Result()
}

// get returns status and body of a page.
func (w *world) get(path string, with ...any) (int, string) {
	w.t.Helper()
	res := w.do("GET", path, "", with...)
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// has fails unless the page holds each of parts.
func has(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(page, p) {
			t.Errorf("the page does not hold %q:\n%s", p, page)
		}
	}
}

func hasNot(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(page, p) {
			t.Errorf("the page holds %q:\n%s", p, page)
		}
	}
}
