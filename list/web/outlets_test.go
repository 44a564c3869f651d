package web

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/archive/ingest"
	"kairan/archive/search"
	"kairan/list"
	"kairan/storage"
	"kairan/storage/storagetest"
)

// indexed makes a world with search.
func indexed(t *testing.T, change ...func(*Options)) (w *world, run func()) {
	t.Helper()
	var index *search.Index
	w = newWorld(t, append(change, func(o *Options) {
		index = search.New(o.Archive, slog.New(slog.DiscardHandler))
		o.Search = index
	})...)
	return w, func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		t.Cleanup(cancel)
		go index.Run(ctx)
		for !index.Complete() && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
	}
}

// add archives a message as it is.
func (w *world) add(l *list.List, n int, raw string) *archive.Message {
	w.t.Helper()
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	id := regexp.MustCompile(`(?i)\nMessage-ID: <(.*)>`).FindStringSubmatch(raw)[1]
	_, err := w.arch.Add(w.t.Context(), archive.Entry{
		List: string(l.ID), Post: fmt.Sprintf("%s-%d", l.Name, n), Number: uint64(n), ID: id, Received: time.Date(2026, 1, 1, n, 0, 0, 0, tokyo),
		Raw: []byte(raw), Old: archive.OldPipermail(uint64(n)),
	}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	var m *archive.Message
	err = w.db.View(w.t.Context(), func(tx *storage.Tx) (err error) {
		m, err = archive.ByNumber(tx, string(l.ID), uint64(n))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// canaries are what must not be found, and who finds it nowhere: strangers, or members of the list "closed" either.
var canaries = []struct {
	what, sign string
	members    bool
}{
	{"a stranger's trace", "canary-received", true},
	{"the receiver", "canary-delivered", true},
	{"the original receiver", "canary-original", true},
	{"a bounce address", "canaryverp", true},
	{"a password", "canary-approved", true},
	{"an unsubscribe link in a header", "canaryheadertoken", true},
	{"an unsubscribe link in the text", "canarytexttoken", true},
	{"an unsubscribe link in a file", "canaryfiletoken", true},
	{"a token to leave by mail", "0123456789abcdef0123456789abcdef", true},
	{"a token in a subject", "fedcba9876543210fedcba9876543210", true},
	{"a hidden message", "canary-hidden", true},
	{"a redacted message", "canary-redacted", true},
	{"a person who is named nowhere", "Canary Person", true},
	{"that person's address", "canary-person", true},
	{"a list for its owners", "canary-owners", true},
	{"a list that keeps no archive", "canary-never", true},
	{"a list for its members", "canary-private", false},
	{"an author's address", "canary.author", false},
	{"an address in the text", "canary.text", false},
	{"a token in a message within", "canaryinnertoken", true},
	{"a receiver of a message within", "canary-inner-delivered", true},
	{"an address in a message within", "canary.inner", false},
	{"an address that an encoding hides", "canary.folded", false},
}

// aviary is a world with a canary of each kind.
func aviary(t *testing.T) *world {
	w, run := indexed(t)
	open := w.list("open")
	closed := w.list("closed", func(s *list.Settings) { s.ArchivePolicy = list.ArchivePrivate })
	owners := w.list("bosses", func(s *list.Settings) { s.ArchivePolicy = list.ArchiveOwners })
	never := w.list("never")
	w.join(closed, "ann@example.jp")
	w.join(owners, "ann@example.jp")
	for _, l := range []*list.List{open, closed} {
		head := "From: Ann Author <canary.author@example.jp>\nTo: " + l.Address.String() + "\n"
		file := base64.StdEncoding.EncodeToString([]byte("see https://lists.example.jp/-/u/canaryfiletoken tea"))
		w.add(l, 1, "Return-Path: <x-bounces+canaryverp1@lists.example.jp>\nDelivered-To: canary-delivered@example.com\nX-Original-To: canary-original@example.com\n"+
			"Received: from canary-received.example by mx.example.com\nApproved: canary-approved\nList-Unsubscribe: <https://lists.example.jp/-/u/canaryheadertoken>\n"+
			head+"Message-ID: <tea@example.jp>\nSubject: tea\nContent-Type: multipart/mixed; boundary=b\n\n"+
			"--b\n\ntea with canary.text@example.com\nhttps://lists.example.jp/-/u/canarytexttoken x-bounces+canaryverp2@lists.example.jp\nunsubscribe 0123456789abcdef0123456789abcdef\n"+
			"--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=tea.txt\nContent-Transfer-Encoding: base64\n\n"+file+"\n--b--\n")
		w.add(l, 7, head+"Message-ID: <within@example.jp>\nReferences: <tea@example.jp>\nSubject: Fwd: tea: unsubscribe fedcba9876543210fedcba9876543210\nContent-Type: multipart/mixed; boundary=b\n\n"+
			"--b\nContent-Transfer-Encoding: quoted-printable\n\ntea from canary.fol=\nded@example.com\n"+
			"--b\nContent-Type: message/rfc822\n\nFrom: canary.inner@example.com\nDelivered-To: canary-inner-delivered@example.com\nSubject: tea\nContent-Transfer-Encoding: base64\n\n"+
			base64.StdEncoding.EncodeToString([]byte("tea for canary.inner@example.com https://lists.example.jp/-/u/canaryinnertoken"))+"\n--b--\n")
		hidden := w.add(l, 2, head+"Message-ID: <hidden@example.jp>\nReferences: <tea@example.jp>\nSubject: tea canary-hidden\n\ntea canary-hidden\n")
		redacted := w.add(l, 3, head+"Message-ID: <redacted@example.jp>\nReferences: <tea@example.jp>\nSubject: tea canary-redacted\n\ntea canary-redacted\n")
		w.add(l, 4, "From: Canary Person <canary-person@example.com>\nMessage-ID: <person@example.jp>\nReferences: <tea@example.jp>\nSubject: tea of Canary Person\n\ntea, Canary Person\n")
		w.add(l, 5, head+"Message-ID: <quote@example.jp>\nReferences: <person@example.jp>\nSubject: Re: tea\n\n> tea, Canary Person <canary-person@example.com>\n\nyes\n")
		order := archive.Order{By: "operator"}
		if err := w.arch.Hide(t.Context(), hidden, order); err != nil {
			t.Fatal(err)
		}
		if err := w.arch.Redact(t.Context(), redacted, order); err != nil {
			t.Fatal(err)
		}
	}
	w.add(closed, 6, "From: ann@example.jp\nMessage-ID: <private@example.jp>\nSubject: tea canary-private\n\ntea canary-private\n")
	w.add(owners, 1, "From: ann@example.jp\nMessage-ID: <owners@example.jp>\nSubject: tea canary-owners\n\ntea canary-owners\n")
	w.add(never, 1, "From: ann@example.jp\nMessage-ID: <never@example.jp>\nSubject: tea canary-never\n\ntea canary-never\n")
	w.update(func(tx *storage.Tx) error {
		s := never.Settings
		s.ArchivePolicy = list.ArchiveNever
		_, err := list.Change(tx, never.ID, s, list.Edit{By: "operator", At: time.Now()})
		return err
	})
	if _, err := w.arch.RedactPerson(t.Context(), archive.Person{Address: "canary-person@example.com", Names: []string{"Canary Person"}}, archive.Order{By: "operator"}, nil); err != nil {
		t.Fatal(err)
	}
	run()
	return w
}

// outlets are where a crawl begins: what no page leads to.
func outlets() []string {
	begin := []string{"/", "/index.json", "/robots.txt", "/sitemap.xml", "/mailman/listinfo", "/-/search?q=tea", "/-/search.atom?q=tea", "/-/search.mbox.gz?q=tea"}
	for _, l := range []string{"open", "closed", "bosses", "never"} {
		begin = append(begin, "/"+l+"/", "/"+l+"/index.json", "/"+l+"/new.atom", "/"+l+"/2026-01/", "/"+l+"/2026-01.mbox.gz", "/"+l+"/2026-01/sitemap.xml",
			"/"+l+"/search.json?q=tea", "/"+l+"/search.atom?q=tea", "/"+l+"/search.mbox.gz?q=tea", "/"+l+"/2", "/"+l+"/3",
			"/pipermail/"+l+"/", "/pipermail/"+l+"/2026-January/thread.html", "/pipermail/"+l+"/2026-January.txt.gz", "/mailman/private/"+l+"/2026-January/000002.html",
			"/mailman/listinfo/"+l, "/mailman3/postorius/lists/"+l+".lists.example.jp/")
		for _, id := range []string{"tea", "hidden", "redacted", "person", "quote", "within", "private", "owners", "never"} {
			id += "@example.jp"
			begin = append(begin, "/"+l+"/m/"+id+"/", "/"+l+"/m/"+id+"/index.json", "/"+l+"/m/"+id+"/raw", "/"+l+"/m/"+id+"/att/1/x", "/"+l+"/t/"+id+"/", "/"+l+"/t/"+id+"/new.atom", "/"+l+"/t/"+id+"/thread.mbox.gz",
				"/hyperkitty/list/"+l+"@lists.example.jp/message/"+archive.HashID(id)+"/", "/archives/list/"+l+"@old.example.jp/thread/"+archive.HashID(id)+"/")
		}
	}
	return begin
}

// inDocument finds the addresses in HTML, Atom, JSON and sitemaps.
var inDocument = regexp.MustCompile(`(?:href="|"(?:url|source|next|previous|thread|next_page|in_reply_to)": "|<loc>)([^"<]+)`)

// TestNothingLeaks looks through everything that can be had from an archive for what is not to be had.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	w := aviary(t)
	for who, with := range map[string][]any{"a stranger": nil, "a member": {w.login("ann@example.jp")}} {
		kinds := map[string]int{}
		seen := map[string]bool{}
		todo := outlets()
		for len(todo) > 0 {
			path := todo[0]
			if todo = todo[1:]; seen[path] {
				continue
			}
			seen[path] = true
			res := w.do("GET", path, "", with...)
			body := whole(t, path, res)
			said := fmt.Sprint(res.Header) + body + decoded(body)
			for _, c := range canaries {
				if (c.members || with == nil) && strings.Contains(said, c.sign) {
					t.Errorf("%s finds %s at %s:\n%s", who, c.what, path, said)
				}
			}
			if res.StatusCode == http.StatusOK {
				kinds[strings.Split(res.Header.Get("Content-Type"), ";")[0]]++
			}
			private := strings.HasPrefix(path, "/closed/") && path != "/closed/" && path != "/closed/index.json"
			if private && (res.Header.Get("X-Robots-Tag") != "noindex" || res.Header.Get("Cache-Control") != "private, no-store") {
				t.Errorf("%s: %s of a private archive: %v", who, path, res.Header)
			}
			if private && with == nil && res.StatusCode != http.StatusForbidden {
				t.Errorf("a stranger gets %d at %s", res.StatusCode, path)
			}
			todo = append(todo, w.addresses(path, res, body)...)
		}
		for _, c := range canaries {
			if strings.HasPrefix(c.what, "a") && !strings.Contains(c.what, "address") && (c.members || with == nil) {
				if _, body := w.get("/-/search.json?q="+url.QueryEscape(`"`+c.sign+`"`), with...); !strings.Contains(body, `"total": 0`) {
					t.Errorf("%s finds %s by searching:\n%s", who, c.what, body)
				}
			}
		}
		for _, kind := range []string{"text/html", "application/atom+xml", "application/json", "application/gzip", "application/xml", "text/plain"} {
			if kinds[kind] == 0 {
				t.Errorf("%s has not seen any %s", who, kind)
			}
		}
		if len(seen) < 200 {
			t.Errorf("%s has seen only %d addresses", who, len(seen))
		}
	}
}

// TestPrivateIsPrivateInEveryWay asks for what is in a private archive, and for what is not, in all ways that HTTP knows, as a stranger
// and as somebody who is signed in and no member: the answers are the same.
func TestPrivateIsPrivateInEveryWay(t *testing.T) {
	t.Parallel()
	w := aviary(t)
	member := w.login("ann@example.jp")
	for who, with := range map[string][]any{"a stranger": nil, "somebody": {w.login("zed@example.com")}} {
		for _, path := range []string{"/closed/2026-01/", "/closed/m/tea@example.jp/", "/closed/m/tea@example.jp/raw", "/closed/m/tea@example.jp/att/2/tea.txt", "/closed/t/tea@example.jp/", "/closed/new.atom",
			"/closed/2026-01.mbox.gz", "/closed/t/tea@example.jp/thread.mbox.gz", "/closed/search?q=tea", "/closed/search.mbox.gz?q=tea", "/closed/m/nosuch@example.jp/", "/closed/m/nosuch@example.jp/raw", "/closed/1", "/closed/99"} {
			known := w.do("GET", path, "", member)
			asked := map[string][]string{
				"plainly": nil, "as JSON": {"Accept: application/json"}, "a part": {"Range: bytes=0-10"}, "if changed since": {"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"},
				"if not any": {"If-None-Match: *"}, "if not this": {"If-None-Match: " + known.Header.Get("ETag")}, "if this": {"If-Match: " + known.Header.Get("ETag")},
			}
			for how, fields := range asked {
				for _, method := range []string{"GET", "HEAD"} {
					all := with
					for _, f := range fields {
						all = append(all[:len(all):len(all)], f)
					}
					res := w.do(method, path, "", all...)
					b, _ := io.ReadAll(res.Body)
					if res.StatusCode != http.StatusForbidden || res.Header.Get("Cache-Control") != "private, no-store" || res.Header.Get("ETag") != "" || res.Header.Get("Last-Modified") != "" || strings.Contains(string(b), "canary") {
						t.Errorf("%s asks with %s for %s %s: %s %v", who, method, path, how, res.Status, res.Header)
					}
				}
			}
		}
	}
}

// addresses returns where an answer leads to within the site.
func (w *world) addresses(path string, res *http.Response, body string) (found []string) {
	w.t.Helper()
	base, err := url.Parse(path)
	if err != nil {
		w.t.Fatal(err)
	}
	all := []string{res.Header.Get("Location")}
	for _, m := range inDocument.FindAllStringSubmatch(body, -1) {
		all = append(all, html.UnescapeString(m[1]))
	}
	for _, one := range all {
		u, err := base.Parse(strings.TrimPrefix(one, w.site.URL))
		if err == nil && one != "" && u.Scheme == "" && u.Host == "" {
			u.Fragment = ""
			found = append(found, u.String())
		}
	}
	return found
}

// whole returns a body, unpacked.
func whole(t *testing.T, path string, res *http.Response) string {
	t.Helper()
	var r io.Reader = res.Body
	if res.Header.Get("Content-Type") == "application/gzip" {
		z, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		r = z
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(b)
}

// decoded is what a document says to who undoes the encodings of mail in it.
func decoded(body string) string {
	var b strings.Builder
	b.WriteString(strings.NewReplacer("=\r\n", "", "=\n", "", "=40", "@").Replace(body))
	for word := range strings.FieldsSeq(body) {
		if text, err := base64.StdEncoding.DecodeString(word); err == nil {
			b.Write(text)
		}
	}
	return b.String()
}

// TestForms gets the other forms of pages, and reads them as strictly as a program might.
func TestForms(t *testing.T) {
	t.Parallel()
	w := aviary(t)
	for _, path := range []string{"/index.json", "/open/index.json", "/open/2026-01/index.json", "/open/m/tea@example.jp/index.json", "/open/t/tea@example.jp/index.json", "/open/search.json?q=tea", "/-/search.json?q=tea", "/open/nosuch.json"} {
		res := w.do("GET", path, "")
		var v map[string]any
		d := json.NewDecoder(res.Body)
		if err := d.Decode(&v); err != nil || len(v) == 0 || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s is %s: %v, %v", path, res.Header.Get("Content-Type"), v, err)
		}
		if page := strings.Replace(strings.Replace(path, "index.json", "", 1), ".json", "", 1); page != "/open/nosuch" {
			res := w.do("GET", page, "", "Accept: application/json")
			if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/json" || !strings.Contains(res.Header.Get("Vary"), "Accept,") {
				t.Errorf("%s by Accept: %s %v", page, res.Status, res.Header)
			}
			if res := w.do("GET", page, "", "Accept: text/html, application/json;q=0.9, */*;q=0.8"); !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
				t.Errorf("%s for a browser is %s", page, res.Header.Get("Content-Type"))
			}
		}
	}
	for path, entries := range map[string]int{"/open/new.atom": 5, "/open/t/tea@example.jp/new.atom": 5, "/open/search.atom?q=tea": 4, "/-/search.atom?q=nothing": 0} {
		checkFeed(t, w, path, entries)
	}
	res := w.do("GET", "/open/t/quote@example.jp/new.atom", "")
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusFound || got != "/open/t/tea@example.jp/new.atom" {
		t.Errorf("the feed of a later message: %s %s", res.Status, got)
	}
	for _, path := range []string{"/open/2026-01.mbox.gz", "/open/t/tea@example.jp/thread.mbox.gz", "/open/search.mbox.gz?q=tea"} {
		res := w.do("GET", path, "")
		if got := res.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment; filename=") || !strings.HasSuffix(got, ".mbox.gz") {
			t.Errorf("%s: %q", path, got)
		}
		if body := whole(t, path, res); strings.Count(body, "\nMessage-ID: ") < 3 {
			t.Errorf("%s:\n%s", path, body)
		}
		tag := res.Header.Get("ETag")
		if again := w.do("GET", path, "", "If-None-Match: "+tag); tag == "" || again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %s", path, again.Status)
		}
	}
}

// checkFeed reads a feed and checks what RFC 4287 demands of it.
func checkFeed(t *testing.T, w *world, path string, entries int) {
	t.Helper()
	res := w.do("GET", path, "")
	type entry struct {
		ID      string   `xml:"id"`
		Title   string   `xml:"title"`
		Updated string   `xml:"updated"`
		Authors []string `xml:"author>name"`
		Links   []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"link"`
		Content string `xml:"content"`
	}
	var feed struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		entry
		Entries []entry `xml:"entry"`
	}
	d := xml.NewDecoder(res.Body)
	d.Strict = true
	if err := d.Decode(&feed); err != nil || res.Header.Get("Content-Type") != "application/atom+xml" {
		t.Fatalf("%s: %s, %v", path, res.Header.Get("Content-Type"), err)
	}
	if len(feed.Entries) != entries {
		t.Errorf("%s has %d entries, want %d", path, len(feed.Entries), entries)
	}
	ids := map[string]bool{}
	for i, e := range append([]entry{feed.entry}, feed.Entries...) {
		_, err := time.Parse(time.RFC3339, e.Updated)
		if !strings.HasPrefix(e.ID, "urn:uuid:") || ids[e.ID] || e.Title == "" || err != nil || len(e.Links) == 0 {
			t.Errorf("%s: %+v, %v", path, e, err)
		}
		if i > 0 && (len(e.Authors) != 1 || e.Authors[0] == "") {
			t.Errorf("%s: %+v", path, e)
		}
		for _, l := range e.Links {
			if !strings.HasPrefix(l.Href, "https://lists.example.jp/") {
				t.Errorf("%s: link to %s", path, l.Href)
			}
		}
		ids[e.ID] = true
	}
	for _, field := range []string{"If-None-Match: " + res.Header.Get("ETag"), "If-Modified-Since: " + res.Header.Get("Last-Modified")} {
		if again := w.do("GET", path, "", field); again.StatusCode != http.StatusNotModified && entries > 0 {
			t.Errorf("%s with %s: %s", path, field, again.Status)
		}
	}
}

// TestDownloadsComeBack imports what was downloaded.
func TestDownloadsComeBack(t *testing.T) {
	t.Parallel()
	w := aviary(t)
	for who, with := range map[string][]any{"a stranger": nil, "a member": {w.login("ann@example.jp")}} {
		for path, want := range map[string]int{"/open/2026-01.mbox.gz": 5, "/open/t/tea@example.jp/thread.mbox.gz": 5, "/open/search.mbox.gz?q=tea": 4} {
			file := filepath.Join(t.TempDir(), "x.mbox.gz")
			b, err := io.ReadAll(w.do("GET", path, "", with...).Body)
			if err == nil {
				err = os.WriteFile(file, b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			other := &archive.Archive{DB: storagetest.Open(t), Location: tokyo}
			r, err := ingest.Run(t.Context(), other, ingest.Options{List: "other", Names: []string{"open"}, Sources: []ingest.Source{{Path: file, Limit: archive.MaxMessage}}})
			if err != nil || r.Added != want || r.Lost != 0 {
				t.Errorf("%s imports %s: %+v, %v", who, path, r, err)
			}
		}
	}
}
