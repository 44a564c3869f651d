package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kairan/templates"
)

func TestThreadPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("1@x.test", "Subject: A plan\r\n", "One.\r\n")
	w.add("2@x.test", "Subject: Re: A plan\r\nReferences: <1@x.test>\r\nFrom: Bob <bob@example.com>\r\n", "Two.\r\n")
	w.add("3@x.test", "Subject: Re: A plan\r\nReferences: <1@x.test>\r\n", "Three.\r\n")
	w.add("4@x.test", "Subject: Another plan (was: A plan)\r\nReferences: <1@x.test> <2@x.test>\r\n", "Four.\r\n")
	page := w.page("/janog/t/1@x.test/", "4 messages", "2 people", `<article class="post d2" id="m4">`, `href="#m2"`, "in reply to Bob", "Another plan (was: A plan)")
	if one, two, four, three := strings.Index(page, "One."), strings.Index(page, "Two."), strings.Index(page, "Four."), strings.Index(page, "Three."); one > two || two > four || four > three {
		t.Error("the messages do not stand in reading order")
	}
	res, _ := w.get("/janog/t/3@x.test/", "")
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusFound || got != "/janog/t/1@x.test/" {
		t.Errorf("the thread by a later message = %d to %q", res.StatusCode, got)
	}
}

func TestLongThreadHasPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("0@x.test", "Subject: Long\r\n", "Start.\r\n")
	for n := 1; n <= threadPosts+4; n++ { // each answers the one before: as deep as it is long
		w.add(fmt.Sprintf("%d@x.test", n), fmt.Sprintf("Subject: Re: Long\r\nReferences: <%d@x.test>\r\n", n-1), fmt.Sprintf("This is text %d.\r\n", n))
	}
	first := w.page("/janog/t/0@x.test/", `href="?p=2#m105"`, "This is text 99.", `<a href="?p=2">2</a>`)
	if strings.Contains(first, "This is text 100.") {
		t.Error("the first page has more than its messages")
	}
	w.page("/janog/t/0@x.test/?p=2", "This is text 104.", `href="?p=1#m1"`, `href="#m105"`)
	w.page("/janog/t/0@x.test/?p=99", "Start.")
	w.page("/janog/t/0@x.test/?p=-1", "Start.")
}

func TestMonthPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("1@x.test", "Subject: A plan\r\n", "One.\r\n")
	w.add("2@x.test", "Subject: Other\r\n", "Two.\r\n")
	w.add("3@x.test", "Subject: Re: A plan\r\nReferences: <1@x.test>\r\nFrom: bob@example.com\r\n", "Three.\r\n")
	w.n += 24 * 30 // to February
	w.add("4@x.test", "Subject: Re: A plan\r\nReferences: <1@x.test>\r\n", "Four.\r\n")
	page := w.page("/janog/2026-01/", "January 2026", "3 messages", `href="/janog/t/1@x.test/"`, `href="/janog/m/3@x.test/"`, `rel="next" href="/janog/2026-02/"`, "b…@example.com")
	if strings.Index(page, "m/3@x.test") > strings.Index(page, "Other") {
		t.Error("an answer does not stand under its thread")
	}
	w.page("/janog/2026-02/", "began earlier", `rel="prev" href="/janog/2026-01/"`, `href="/janog/t/1@x.test/"`)
	for path, want := range map[string]int{
		"/janog/2026-03/": 404, "/janog/2026-13/": 404, "/janog/2026-1/": 404, "/janog/99": 404, "/janog/x": 404, "/janog/99999999999999999999": 404,
		"/janog/2026-01": 301, "/janog@lists.example.jp/2026-01/?p=1": 301, "/other/2026-01/": 404, "/janog/1/": 302,
	} {
		if res, _ := w.get(path, ""); res.StatusCode != want {
			t.Errorf("GET %s = %d, want %d", path, res.StatusCode, want)
		}
	}
}

func TestThreadOfLargeMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("1@x.test", "Subject: Large\r\n", "First text.\r\n")
	w.add("2@x.test", "Subject: Re: Large\r\nReferences: <1@x.test>\r\n", strings.Repeat("Second text. ", 100))
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	h := &handler{arch: w.arch, access: oneList{}, set: set, loc: tokyo, threadBytes: 1000}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{list}/t/{id}/{$}", h.with(h.thread))
	w.handler = mux
	page := w.page("/janog/t/1@x.test/", "First text.", `id="m2"`, "the rest of it is in its source")
	if strings.Contains(page, "Second text.") {
		t.Error("a page of a thread reads as much mail as there is")
	}
}
