package web

import (
	"net/http"
	"testing"

	"kairan/archive"
	"kairan/list"
)

// TestOldAddresses: what Mailman of versions 2 and 3 called lists, months and messages leads to them.
func TestOldAddresses(t *testing.T) {
	t.Parallel()
	w, run := indexed(t)
	l := w.list("janog")
	w.add(l, 12, "From: ann@example.jp\nMessage-ID: <a/b@example.jp>\nSubject: one\n\nx\n")
	w.add(l, 13, "From: ann@example.jp\nMessage-ID: <c@example.jp>\nIn-Reply-To: <a/b@example.jp>\nSubject: Re: one\n\nx\n")
	run()
	hash := archive.HashID("c@example.jp")
	list3 := "/list/janog@lists.example.jp"
	for path, to := range map[string]string{
		"/pipermail/janog":            "/janog/",
		"/pipermail/janog/":           "/janog/",
		"/pipermail/janog/index.html": "/janog/",
		"/pipermail/janog/attachments/20260102/5d41402a/attachment.pdf":  "/janog/2026-01/",
		"/pipermail/janog/2026-January/":                                 "/janog/2026-01/",
		"/pipermail/janog/2026-January":                                  "/janog/2026-01/",
		"/pipermail/janog/2026-January/thread.html":                      "/janog/2026-01/",
		"/pipermail/janog/2026-January/date.html":                        "/janog/2026-01/",
		"/pipermail/janog/2026-January/author.html":                      "/janog/2026-01/",
		"/pipermail/janog/2026-January/subject.html":                     "/janog/2026-01/",
		"/pipermail/janog/2026-January.txt.gz":                           "/janog/2026-01.mbox.gz",
		"/pipermail/janog/2026-January.txt":                              "/janog/2026-01.mbox.gz",
		"/pipermail/janog/2026-January/000012.html":                      "/janog/m/a%2Fb@example.jp/",
		"/pipermail/janog/2026/000013.html":                              "/janog/m/c@example.jp/",
		"/pipermail/janog/2026q2/thread.html":                            "/janog/2026-04/",
		"/pipermail/janog/Week-of-Mon-20260105/":                         "/janog/2026-01/",
		"/pipermail/janog/20260105/date.html":                            "/janog/2026-01/",
		"/mailman/private/janog/2026-January/000012.html":                "/janog/m/a%2Fb@example.jp/",
		"/mailman/listinfo":                                              "/",
		"/mailman/listinfo/janog":                                        "/janog/",
		"/mailman/listinfo/janog/":                                       "/janog/",
		"/mailman/options/janog/ann--at--example.jp":                     "/janog/",
		"/mailman3/lists/janog.lists.example.jp/":                        "/janog/",
		"/postorius/lists/janog.lists.example.jp/":                       "/janog/",
		"/mailman3/postorius/lists/janog.old.example.jp/members/":        "/janog/",
		"/postorius/lists/":                                              "/",
		"/hyperkitty" + list3 + "/":                                      "/janog/",
		"/hyperkitty" + list3 + "/latest":                                "/janog/",
		"/hyperkitty" + list3 + "/2026/1/":                               "/janog/2026-01/",
		"/hyperkitty" + list3 + "/2026/1/5/":                             "/janog/2026-01/",
		"/hyperkitty" + list3 + "/message/" + hash + "/":                 "/janog/m/c@example.jp/",
		"/archives" + list3 + "/message/" + hash + "/attachment/2/a.png": "/janog/m/c@example.jp/",
		"/mailman3/hyperkitty" + list3 + "/thread/" + hash + "/":         "/janog/t/c@example.jp/",
		"/archives" + list3 + "/thread/" + hash + "/?sort=date":          "/janog/t/c@example.jp/",
		"/archives/list/janog@old.example.jp/message/" + hash + "/":      "/janog/m/c@example.jp/",
		"/archives" + list3 + "/export/janog@lists.example.jp-2026-01.mbox.gz?start=2026-01-01&end=2026-02-01": "/janog/2026-01.mbox.gz",
		"/archives" + list3 + "/export/x.mbox.gz?thread=" + hash:                                               "/janog/t/c@example.jp/thread.mbox.gz",
		"/hyperkitty/search?q=a+b&mlist=janog%40lists.example.jp":                                              "/janog@lists.example.jp/search?q=a+b",
		"/hyperkitty/search?q=x": "/-/search?q=x",
	} {
		res := w.do("GET", path, "")
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || got != to {
			t.Errorf("GET %s = %d to %q, want %q", path, res.StatusCode, got, to)
		}
	}
	for _, path := range []string{"/pipermail/janog/2026-January/000099.html", "/pipermail/janog/2026-Januar/", "/pipermail/janog/2026-January/x.html", "/pipermail/nosuch/", "/pipermail/",
		"/hyperkitty" + list3 + "/message/" + archive.HashID("other") + "/", "/hyperkitty" + list3 + "/2026/13/", "/mailman/listinfo/nosuch", "/mailman3/lists/nosuch.lists.example.jp/", "/archives/list/nosuch@x/"} {
		if code, _ := w.get(path); code != http.StatusNotFound {
			t.Errorf("GET %s = %d", path, code)
		}
	}
	// Whether a message was there is not told to who may not read it.
	w.add(w.list("board", func(s *list.Settings) { s.ArchivePolicy = list.ArchivePrivate }), 1, "From: ann@example.jp\nMessage-ID: <s@example.jp>\n\nx\n")
	said := map[string]bool{}
	for _, n := range []string{"000001", "000002"} {
		code, page := w.get("/pipermail/board/2026-January/" + n + ".html?lang=en")
		if said[page] = true; code != http.StatusForbidden {
			t.Errorf("a stranger gets %d at an old address of a private archive", code)
		}
	}
	for _, id := range []string{"s@example.jp", "nosuch@example.jp"} {
		if code, _ := w.get("/hyperkitty/list/board@lists.example.jp/message/" + archive.HashID(id) + "/"); code != http.StatusForbidden {
			t.Errorf("a stranger gets %d for the hash of %s", code, id)
		}
	}
	// A list may be called as Mailman's folders are.
	w.post(w.list("mailman"), 1, "x@example.jp", "One", "")
	for _, path := range []string{"/mailman/", "/mailman/2026-01/", "/mailman/m/x@example.jp/"} {
		if code, _ := w.get(path); code != http.StatusOK {
			t.Errorf("GET %s = %d", path, code)
		}
	}
}
