package web

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"kairan/archive"
	"kairan/archive/export"
	"kairan/list"
	"kairan/storage"
)

// exported writes a list's pages into a folder.
func (w *world) exported(l *list.List, dir string) {
	w.t.Helper()
	pages := export.Pages{Handler: Static(Options{DB: w.db, Archive: w.arch, Site: w.site, Templates: w.set}, l), Base: listPath(l)}
	if _, err := export.HTML(w.t.Context(), w.arch, export.Options{List: string(l.ID), Dir: dir}, pages); err != nil {
		w.t.Fatal(err)
	}
}

// TestStaticSite writes archives as files, follows every link from file to file, and looks for what is not to be there.
func TestStaticSite(t *testing.T) {
	t.Parallel()
	w := aviary(t)
	for _, name := range []string{"open", "closed"} {
		l := w.lists[name]
		for n := 10; n < 140; n++ { // a thread of several pages
			w.add(l, n, fmt.Sprintf("From: ann@example.jp\nMessage-ID: <long%d@example.jp>\nReferences: <long10@example.jp>\nSubject: long\n\ntext %d\n", n, n))
		}
		w.add(l, 300, "From: ann@example.jp\nMessage-ID: <../../a/b?#%@example.jp>\nSubject: odd\nContent-Type: text/html\nContent-Disposition: attachment; filename=\"x.php.html\"\n\n<script>alert(1)</script>\n")
		w.add(l, 301, "From: ann@example.jp\nMessage-ID: <file@example.jp>\nSubject: file\nContent-Type: text/plain\nContent-Disposition: attachment; filename*=utf-8''%E8%A1%A8.v1.txt\n\ntable\n")
		w.add(l, 302, "From: ann@example.jp\nMessage-ID: <file@example.jp>\nSubject: the same ID again\n\nx\n")
		dir := filepath.Join(t.TempDir(), "site")
		w.exported(l, dir)
		found := readSite(t, dir)
		for _, want := range []string{"index.html", "2026-01/index.html", "m/tea@example.jp/index.html", "m/tea@example.jp/raw.txt", "m/tea@example.jp/att/2/tea.txt", "m/within@example.jp/att/2/attachment-2.bin", "t/tea@example.jp/index.html",
			"t/long10@example.jp/index.html", "t/long10@example.jp/p2.html", "m/file@example.jp/att/1/表_v1.txt", "m/file@example.jp/2/index.html"} {
			if found[want] == "" {
				t.Errorf("%s: there is no %s", name, want)
			}
		}
		reached := map[string]bool{}
		follow(t, found, "index.html", reached)
		for file, body := range found {
			for _, c := range canaries {
				if strings.Contains(body+decoded(body), c.sign) && (c.sign != "canary-private" || name == "open") {
					t.Errorf("%s: %s in %s", name, c.what, file)
				}
			}
			if !reached[file] && !strings.HasPrefix(path.Base(file), ".") {
				t.Errorf("%s: nothing leads to %s", name, file)
			}
			if strings.HasSuffix(file, ".html") && (strings.Contains(body, "<form") || strings.Contains(body, "<script") || strings.Contains(file, "x_php")) {
				t.Errorf("%s: %s needs a server, or is none of our pages:\n%s", name, file, body)
			}
		}
		if len(reached) < 280 {
			t.Errorf("%s: only %d files are reached", name, len(reached))
		}
	}
}

// TestStaticSiteAgain: writing a site over itself changes nothing but what has changed.
func TestStaticSiteAgain(t *testing.T) {
	t.Parallel()
	w := aviary(t)
	l := w.lists["open"]
	dir := filepath.Join(t.TempDir(), "site")
	w.exported(l, dir)
	before := readSite(t, dir)
	stat, err := os.Stat(filepath.Join(dir, "m/quote@example.jp/index.html"))
	if err != nil {
		t.Fatal(err)
	}
	w.exported(l, dir)
	if again, err := os.Stat(filepath.Join(dir, "m/quote@example.jp/index.html")); err != nil || !again.ModTime().Equal(stat.ModTime()) {
		t.Errorf("what was there is written anew: %v", err)
	}
	var m *archive.Message
	err = w.db.View(t.Context(), func(tx *storage.Tx) (err error) {
		m, err = archive.ByNumber(tx, string(l.ID), 1)
		return err
	})
	if err == nil {
		err = w.arch.Hide(t.Context(), m, archive.Order{By: "operator"})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.exported(l, dir)
	after := readSite(t, dir)
	if len(after) >= len(before) || after["m/tea@example.jp/index.html"] != "" || after["m/quote@example.jp/index.html"] == "" {
		t.Errorf("%d files became %d", len(before), len(after))
	}
	follow(t, after, "index.html", map[string]bool{})
	if _, err := os.Stat(filepath.Join(dir, "m/tea@example.jp")); !os.IsNotExist(err) {
		t.Errorf("the folder of what was hidden: %v", err)
	}
	other := export.Pages{Handler: Static(Options{DB: w.db, Archive: w.arch, Site: w.site, Templates: w.set}, w.lists["closed"]), Base: "/closed/"}
	if _, err := export.HTML(t.Context(), w.arch, export.Options{List: string(w.lists["closed"].ID), Dir: dir}, other); err == nil {
		t.Error("another list is written over it")
	}
}

// readSite returns the files of a folder by their names with slashes.
func readSite(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := filepath.Rel(dir, name)
		found[filepath.ToSlash(file)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// follow goes wherever links lead from a file, as a browser does that reads from the disk.
func follow(t *testing.T, files map[string]string, file string, reached map[string]bool) {
	t.Helper()
	todo := []string{file}
	for len(todo) > 0 {
		file := todo[0]
		if todo = todo[1:]; reached[file] {
			continue
		}
		reached[file] = true
		if !strings.HasSuffix(file, ".html") {
			continue
		}
		base := &url.URL{Path: "/" + file}
		z := html.NewTokenizer(strings.NewReader(files[file]))
		for z.Next() != html.ErrorToken {
			for _, a := range z.Token().Attr {
				if a.Key != "href" && a.Key != "src" {
					continue
				}
				u, err := base.Parse(a.Val)
				if err != nil {
					t.Errorf("%s: link %q: %v", file, a.Val, err)
					continue
				}
				if u.Scheme != "" {
					continue
				}
				to := strings.TrimPrefix(u.Path, "/")
				body, ok := files[to]
				if !ok || u.RawQuery != "" || strings.HasPrefix(a.Val, "/") {
					t.Errorf("%s: nothing is at %s", file, a.Val)
					continue
				}
				if u.Fragment != "" && !strings.Contains(body, `id="`+u.Fragment+`"`) {
					t.Errorf("%s: no such place: %s", file, a.Val)
				}
				todo = append(todo, to)
			}
		}
	}
}
