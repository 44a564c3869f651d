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
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// visit sends a request to the site and returns status and page.
func visit(t *testing.T, h http.Handler, method, path, form string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "en")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	b, err := io.ReadAll(rec.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Code, string(b)
}

func TestConfirmPages(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	w.Run()
	l := w.List("janog", nil)
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	site := New(Options{DB: w.DB, Archive: w.Archive, Site: w.Site, Templates: set, Subscribe: w.Workflow})
	ann := address.Must("ann@people.test")
	if _, err := w.Workflow.Do(t.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
		return w.Workflow.Join(tx, subscribe.Request{List: l, Address: ann, Now: time.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.Sink.Wait(ctx, 1); err != nil {
		t.Fatal(err)
	}
	link := func(kind string) string {
		u, err := url.Parse(regexp.MustCompile(`https://\S+/-/` + kind + `/\S+`).FindString(message.Parse(w.Sink.Messages()[0].Data).Text()))
		if err != nil || u.Path == "" {
			t.Fatalf("no link %s: %v", kind, err)
		}
		return u.Path
	}
	member := func() (is bool) {
		w.Update(func(tx *storage.Tx) error { is = list.Has(tx, l.ID, ann, list.RoleMember); return nil })
		return is
	}

	confirm := link("confirm")
	for range 2 { // looking does nothing
		code, page := visit(t, site, "GET", confirm, "")
		has(t, page, "a…@people.test", `<form method="post" action="`+confirm+`"`)
		if code != 200 || member() {
			t.Fatalf("GET %d, member %v", code, member())
		}
	}
	if code, _ := visit(t, site, "GET", "/-/confirm/"+strings.Repeat("0", 32), ""); code != 404 {
		t.Errorf("an unknown token: %d", code)
	}
	code, page := visit(t, site, "POST", confirm, "")
	has(t, page, "You are a member of janog now.")
	if code != 200 || !member() {
		t.Errorf("POST %d, member %v", code, member())
	}
	for _, method := range []string{"GET", "POST"} {
		if code, page := visit(t, site, method, confirm, ""); code != 404 || !strings.Contains(page, "used already") {
			t.Errorf("%s after its use: %d", method, code)
		}
	}

	never := link("never")
	blocked := func() (is bool) {
		w.Update(func(tx *storage.Tx) error { is = !subscribe.Blocked(tx, ann).IsZero(); return nil })
		return is
	}
	if code, page := visit(t, site, "GET", never, ""); code != 200 || blocked() || strings.Contains(page, "come again") {
		t.Errorf("GET %d, blocked %v", code, blocked())
	}
	if code, page := visit(t, site, "POST", never, ""); code != 200 || !blocked() || !strings.Contains(page, "come again") {
		t.Errorf("POST %d, blocked %v", code, blocked())
	}
	if code, _ := visit(t, site, "POST", never, "other=1"); code != 200 || blocked() {
		t.Errorf("POST other=1 %d, blocked %v", code, blocked())
	}
	if code, _ := visit(t, site, "POST", never+"x", ""); code != 404 || blocked() {
		t.Errorf("a changed token: %d, blocked %v", code, blocked())
	}
}
