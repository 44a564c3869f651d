package templates

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// ask sends a request with fields "Name: value" to a handler.
func ask(h http.Handler, method, path string, fields ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Result()
}

func TestStatic(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	h := s.Static()
	path, err := s.StaticURL("kairan.css")
	if err != nil {
		t.Fatal(err)
	}
	res := ask(h, "GET", path)
	plain, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/css; charset=utf-8" || len(plain) < 1000 ||
		res.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Errorf("GET %s = %d %v", path, res.StatusCode, res.Header)
	}
	zipped := ask(h, "GET", path, "Accept-Encoding: br, gzip;q=0.5")
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(z); string(got) != string(plain) {
		t.Error("the compressed style sheet is another one")
	}
	if res := ask(h, "GET", path, "If-None-Match: "+res.Header.Get("ETag")); res.StatusCode != http.StatusNotModified {
		t.Errorf("again = %d", res.StatusCode)
	}
	for _, wrong := range []string{"/-/static/kairan.css", "/-/static/", "/-/static/kairan.000000000000.css", "/-/static/../templates.go"} {
		if res := ask(h, "GET", wrong); res.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s = %d", wrong, res.StatusCode)
		}
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	serve := func(f Frame, status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := s.Serve(w, r, Reply{Status: status, Page: "list", Frame: f, View: List{Title: strings.Repeat("long ", 500)}}); err != nil {
				t.Error(err)
			}
		})
	}
	public, private := serve(Frame{Lang: "en"}, 0), serve(Frame{Lang: "en", Private: true}, 0)
	res := ask(public, "GET", "/", "Accept-Encoding: gzip")
	tag := res.Header.Get("ETag")
	if res.Header.Get("Content-Encoding") != "gzip" || tag == "" || !strings.Contains(res.Header.Get("Vary"), "Accept-Language") {
		t.Errorf("public: %v", res.Header)
	}
	for _, field := range []string{tag, `"x", ` + tag, strings.TrimPrefix(tag, "W/"), "*"} {
		if res := ask(public, "GET", "/", "If-None-Match: "+field); res.StatusCode != http.StatusNotModified {
			t.Errorf("If-None-Match %s = %d", field, res.StatusCode)
		}
	}
	if res := ask(serve(Frame{Lang: "ja"}, 0), "GET", "/", "If-None-Match: "+tag); res.StatusCode != http.StatusOK {
		t.Error("the page in another language is said to be the same")
	}
	for name, h := range map[string]http.Handler{"private": private, "signed in": serve(Frame{Lang: "en", User: "ann@example.jp"}, 0), "an error": serve(Frame{Lang: "en"}, 404)} {
		res := ask(h, "GET", "/", "Accept-Encoding: gzip", "If-None-Match: *")
		if res.Header.Get("Cache-Control") != "private, no-store" || res.Header.Get("ETag") != "" || res.Header.Get("Content-Encoding") != "" || res.StatusCode == http.StatusNotModified {
			t.Errorf("%s: %d %v", name, res.StatusCode, res.Header)
		}
	}
	head := ask(public, "HEAD", "/")
	if b, _ := io.ReadAll(head.Body); len(b) > 0 || head.Header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d bytes, %v", len(b), head.Header)
	}
	if err := s.Serve(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), Reply{Page: "nosuch"}); err == nil {
		t.Error("a page that does not exist is served")
	}
	if err := s.Serve(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), Reply{Page: "list", View: Home{}}); err == nil {
		t.Error("a page is served with the view of another")
	}
}

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]bool{
		"": false, "gzip": true, "br": false, "br, gzip": true, "gzip;q=0": false, "gzip; q=0.000": false, "gzip;q=0.1": true, "gzip;q=1.0": true, "xgzip": false,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", field)
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q = %v", field, got)
		}
	}
}

func TestChooseLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, cookie, accept, want string }{
		{"", "", "", "ja"},
		{"", "", "en-GB,en;q=0.9", "en"},
		{"", "", "de, ja;q=0.5, en;q=0.4", "ja"},
		{"", "", "de", "ja"},
		{"", "", ";;;=", "ja"},
		{"", "", strings.Repeat("en,", 100), "ja"},
		{"", "en", "ja", "en"},
		{"", "xx", "en", "en"},
		{"?lang=en", "ja", "ja", "en"},
		{"?lang=../x", "", "en", "en"},
	} {
		r := httptest.NewRequest("GET", "/"+c.query, nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: LanguageCookie, Value: c.cookie})
		}
		if got := ChooseLanguage(r, "ja"); got != c.want {
			t.Errorf("%+v = %s", c, got)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 1, 9, 5, 0, 0, time.FixedZone("JST", 9*3600))
	for _, c := range []struct{ got, want string }{
		{NewTime("ja", at).Human, "2026年2月1日（日） 09:05"},
		{NewTime("en", at).Human, "Sun 1 Feb 2026 09:05"},
		{NewTime("en", at).Machine, "2026-02-01T09:05:00+09:00"},
		{NewDate("ja", at).Human, "2026年2月1日（日）"},
		{NewTime("en", time.Time{}).Human, ""},
		{NewMonth("ja", "2026-02"), "2026年2月"},
		{NewMonth("en", "2026-02"), "February 2026"},
		{NewMonth("en", "no month"), "no month"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
