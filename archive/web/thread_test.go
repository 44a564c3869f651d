package web

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/storage"
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
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusFound || got != "/janog/t/1@x.test/#m3" {
		t.Errorf("the thread by a later message = %d to %q", res.StatusCode, got)
	}
}

// TestSeries makes sure that the subject of a patch stands over it, and not over each answer to it again.
func TestSeries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("0@x.test", "Subject: [PATCH 0/2] All\r\n", "x\r\n")
	w.add("1@x.test", "Subject: [PATCH 1/2] One\r\nReferences: <0@x.test>\r\n", "x\r\n")
	w.add("2@x.test", "Subject: [PATCH 2/2] Two\r\nReferences: <0@x.test>\r\n", "x\r\n")
	w.add("3@x.test", "Subject: Re: [PATCH 1/2] One\r\nReferences: <1@x.test>\r\n", "x\r\n")
	for path, want := range map[string]string{
		"/janog/2026-01/":               "[PATCH 1/2] One, [PATCH 2/2] Two",
		"/janog/m/3@x.test/":            "[PATCH 1/2] One, [PATCH 2/2] Two",
		"/janog/t/0@x.test/":            "[PATCH 1/2] One, [PATCH 2/2] Two",
		"/janog/t/0@x.test/?order=time": "[PATCH 1/2] One, [PATCH 2/2] Two, Re: [PATCH 1/2] One",
	} {
		var got []string
		for _, m := range regexp.MustCompile(`<span class="changed"[^>]*>([^<]*)`).FindAllStringSubmatch(w.page(path), -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q, want %s", path, got, want)
		}
	}
}

// TestThreadsAround leads from a thread to those that began before and after it.
func TestThreadsAround(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("1@x.test", "Subject: One\r\n", "x\r\n")
	w.add("2@x.test", "Subject: Two\r\n", "x\r\n")
	w.add("3@x.test", "Subject: Re: One\r\nReferences: <1@x.test>\r\n", "x\r\n")
	w.add("4@x.test", "Subject: Three\r\n", "x\r\n")
	for id, want := range map[string]string{"1": "2@x.test", "2": "1@x.test 4@x.test", "4": "2@x.test"} {
		_, nav, _ := strings.Cut(w.page("/janog/t/"+id+"@x.test/"), `<nav class="around list"`)
		var got []string
		for _, m := range regexp.MustCompile(`href="/janog/t/([^/]*)/"`).FindAllStringSubmatch(nav, -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("around %s stand %q, want %s", id, got, want)
		}
	}
}

// TestPreview makes sure that who shares the address of a page of a public list shows what it is about, without addresses, and of another nothing.
func TestPreview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("1@x.test", "Subject: Write to bob@example.com\r\n", "> quoted\r\n\r\nAsk  carol@example.com\r\n\"now\". "+strings.Repeat("More. ", 100)+"\r\n")
	for _, path := range []string{"/janog/m/1@x.test/", "/janog/t/1@x.test/"} {
		page := w.page(path, `<meta property="og:title" content="Write to b…@example.com">`, `<meta property="og:description" content="Ask ca…@example.com &#34;now&#34;. More. `, `More.…">`)
		if strings.Contains(page, "carol@") {
			t.Errorf("%s has an address", path)
		}
	}
	if _, page := w.get("/janog/m/1@x.test/", "me@example.jp"); strings.Contains(page, "og:") {
		t.Error("a member's page, which has addresses, has a preview")
	}
}

func TestLongThreadHasPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("0@x.test", "Subject: Long\r\n", "Start.\r\n")
	for n := 1; n <= threadPosts+4; n++ { // each answers the one before: as deep as it is long
		w.add(fmt.Sprintf("%d@x.test", n), fmt.Sprintf("Subject: Re: Long\r\nReferences: <%d@x.test>\r\n", n-1), fmt.Sprintf("This is text %d.\r\n", n))
	}
	first := w.page("/janog/t/0@x.test/", `<a href="?p=2#m105">Newest post</a>`, "This is text 99.", `<a href="?p=2">2</a>`)
	if strings.Contains(first, "This is text 100.") {
		t.Error("the first page has more than its messages")
	}
	w.page("/janog/t/0@x.test/?p=2", "This is text 104.", `<a class="up" href="./#m100">`, `href="#m105"`, `<a href="./">1</a>`)
	w.page("/janog/t/0@x.test/?p=99", "Start.")
	w.page("/janog/t/0@x.test/?p=-1", "Start.")
}

func TestThreadByTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("1@x.test", "Subject: A plan\r\n", "One.\r\n")
	w.add("2@x.test", "Subject: Re: A plan\r\nReferences: <1@x.test>\r\n", "Two.\r\n")
	w.add("3@x.test", "Subject: Re: A plan\r\nReferences: <1@x.test>\r\n", "Three.\r\n")
	w.add("4@x.test", "Subject: Re: A plan\r\nReferences: <1@x.test> <2@x.test>\r\n", "Four.\r\n")
	for path, want := range map[string]string{
		"/janog/t/1@x.test/":                        "m1 d0, m2 d1, m4 d2, m3 d1",
		"/janog/t/1@x.test/?order=time":             "m1 d0, m2 d0, m3 d0, m4 d0",
		"/janog/t/1@x.test/?order=time&since=m2":    "m1 d0, m2 d0, m3 d0 new, m4 d0 new",
		"/janog/t/1@x.test/?since=2026-01-05T13:00": "m1 d0, m2 d1, m4 d2, m3 d1", // no such time
	} {
		page := w.page(path, `href="#m2">in reply to`)
		var got []string
		for _, m := range regexp.MustCompile(`<article class="post (d\d( new)?)" id="(m\d)">`).FindAllStringSubmatch(page, -1) {
			got = append(got, m[3]+" "+m[1])
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("%s shows %s, want %s", path, got, want)
		}
	}
	w.page("/janog/t/1@x.test/", `<b aria-current="true">By reply</b><a href="?order=time"`)
	w.page("/janog/t/1@x.test/?order=time", `<a href="./" rel="nofollow">By reply</a><b aria-current="true">By time</b>`)
}

func TestThreadSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("0@x.test", "Subject: Long\r\n", "Start.\r\n")
	for n := 1; n <= threadPosts+4; n++ {
		w.add(fmt.Sprintf("%d@x.test", n), "Subject: Re: Long\r\nReferences: <0@x.test>\r\n", "Text.\r\n")
	}
	path := "/janog/t/0@x.test/"
	if page := w.page(path, `<a href="?p=2#m105">Newest post</a>`); strings.Contains(page, `class="fresh"`) {
		t.Error("something is new to a reader of whom nothing is known")
	}
	for since, want := range map[string]string{ // the messages come an hour after one another, number 1 at 10:00 on 5 January
		"m103":                        "2 new posts m104",
		"m99":                         "6 new posts m100",
		"m104":                        "1 new post m105",
		"m105":                        "",
		"2026-01-09":                  "19 new posts m87", // a day begins in the site's zone
		"2026-01-09T08:30:00Z":        "1 new post m105",
		"2026-01-09T17:30:00%2B09:00": "1 new post m105",
		"2026-01-09T17:30:00+09:00":   "1 new post m105",
		"yesterday":                   "",
	} {
		got := ""
		if m := regexp.MustCompile(`<a class="fresh" href="[^"#]*#(m\d+)">([^<]*)</a>`).FindStringSubmatch(w.page(path + "?since=" + since)); m != nil {
			got = m[2] + " " + m[1]
		}
		if got != want {
			t.Errorf("since %s: %q, want %q", since, got, want)
		}
	}
	w.page(path+"?since=m103", `<a class="fresh" href="#m104">`, `id="new"`, `id="m104"`, `href="?p=1&amp;since=m103">1</a>`)
	w.page(path+"?since=m103&p=1", `<a class="fresh" href="?p=2&amp;since=m103#m104">`, `id="m1"`)
}

// TestThreadOfThousands reads a thread too long to be arranged as one.
func TestThreadOfThousands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entries := make([]archive.Entry, 3*threadPosts+maxArranged)
	for n := range entries {
		id := fmt.Sprintf("%d@x.test", n)
		head := "Subject: Re: Long\r\nReferences: <0@x.test> <" + fmt.Sprint(n-n%7-1) + "@x.test>\r\n"
		entries[n] = archive.Entry{List: "0list", Post: id, Number: uint64(n + 1), ID: id, Received: time.Unix(1767571200+int64(n)*60, 0),
			Raw: []byte("From: Ann <ann@example.jp>\r\nMessage-ID: <" + id + ">\r\n" + head + "\r\nText " + fmt.Sprint(n) + ".\r\n")}
	}
	w.fill(entries)
	found := map[string]bool{}
	for page := 1; page <= len(entries)/threadPosts; page++ {
		for _, m := range regexp.MustCompile(`<article class="post d\d" id="(m\d+)">`).FindAllStringSubmatch(w.page(fmt.Sprintf("/janog/t/0@x.test/?p=%d", page)), -1) {
			found[m[1]] = true
		}
	}
	if len(found) != len(entries) {
		t.Errorf("%d of %d messages are on the pages", len(found), len(entries))
	}
	w.page("/janog/t/0@x.test/?p=7", `<article class="post d2" id="m610">`, `href="?p=6#m595">in reply to`, `<a class="up" href="#m602">`)
	w.page("/janog/t/0@x.test/?since=m1250", "50 new posts", `id="new"`)
	res, _ := w.get("/janog/t/1234@x.test/", "")
	if got := res.Header.Get("Location"); got != "/janog/t/0@x.test/?p=13#m1235" {
		t.Errorf("a late message is said to be at %s", got)
	}
	w.page("/janog/m/1234@x.test/", `href="/janog/m/1233@x.test/"`, `href="/janog/m/1235@x.test/"`, `href="/janog/t/1234@x.test/">This thread`, "1300 messages")
}

func TestNeighboursOfHiddenMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := 1; n <= 5; n++ {
		w.add(fmt.Sprintf("%d@x.test", n), "Subject: Topic "+fmt.Sprint(n)+"\r\n", "Text.\r\n")
	}
	for _, id := range []string{"2@x.test", "3@x.test", "5@x.test"} {
		var m *archive.Message
		err := w.arch.DB.View(w.Context(), func(tx *storage.Tx) (err error) {
			m, err = archive.ByID(tx, "0list", id, 1)
			return err
		})
		if err == nil {
			err = w.arch.Hide(w.Context(), m, archive.Order{By: "owner"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w.page("/janog/m/1@x.test/", `href="/janog/m/4@x.test/"><small>Newer</small>`)
	if page := w.page("/janog/m/4@x.test/", `href="/janog/m/1@x.test/"><small>Older</small>`); strings.Contains(page, "Newer") {
		t.Error("a hidden message is linked")
	}
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

// TestNewInMonth marks what is new on the pages of a month, and begins where that begins.
func TestNewInMonth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := 1; n <= 60; n++ { // of threads of their own, an hour after one another
		w.add(fmt.Sprintf("%d@x.test", n), fmt.Sprintf("Subject: topic %d\r\n", n), "text")
	}
	w.add("late@x.test", "Subject: Re: topic 3\r\nReferences: <3@x.test>\r\n", "text")
	const path = "/janog/2026-01/"
	badge := func(page string) int { return strings.Count(page, `<span class="badge fresh"`) }
	if page := w.page(path, "61 messages"); badge(page) != 0 || strings.Contains(page, `id="new"`) {
		t.Error("something is new to who asks for nothing")
	}
	page := w.page(path+"?since=m40", `<a class="fresh" href="#new">21 new posts</a>`, `<span class="badge fresh" id="new">`, `href="?p=2&amp;since=m40"`)
	if badge(page) != 11 || strings.Index(page, `id="new"`) < strings.Index(page, "topic 40") || strings.Index(page, `id="new"`) > strings.Index(page, "topic 41")+500 {
		t.Errorf("%d marks on the first page", badge(page))
	}
	if page := w.page(path+"?since=m40&p=2", `<a class="fresh" href="?p=1&amp;since=m40#new">`); badge(page) != 10 || strings.Contains(page, `id="new"`) {
		t.Errorf("%d marks on the second page", badge(page))
	}
	if page := w.page(path+"?since=m55", "topic 60", `href="#new">6 new posts`); strings.Contains(page, "topic 3<") {
		t.Error("it does not begin where the new ones begin")
	}
	if page := w.page(path + "?since=m61"); badge(page) != 0 || strings.Contains(page, "new post") {
		t.Error("something is new where nothing is")
	}
}

// TestPlaceOfSecondMessage leads from each message of an ID to its own place, in a thread of several pages.
func TestPlaceOfSecondMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("0@x.test", "Subject: long\r\n", "text")
	for n := 1; n <= 220; n++ {
		id := fmt.Sprintf("%d@x.test", n)
		if n == 30 || n == 130 || n == 210 {
			id = "twice@x.test"
		}
		w.add(id, "Subject: Re: long\r\nReferences: <0@x.test>\r\n", "text")
	}
	for nth, place := range map[string]string{"": "#m31", "2/": "?p=2#m131", "3/": "?p=3#m211"} {
		w.page("/janog/m/twice@x.test/"+nth, `<h2><a href="/janog/t/twice@x.test/`+nth+`">`)
		if res, _ := w.get("/janog/t/twice@x.test/"+nth, ""); res.StatusCode != http.StatusFound || res.Header.Get("Location") != "/janog/t/0@x.test/"+place {
			t.Errorf("message %q: %d, %s", nth, res.StatusCode, res.Header.Get("Location"))
		}
	}
	for _, none := range []string{"1/", "4/", "x/"} {
		if res, _ := w.get("/janog/t/twice@x.test/"+none, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", none, res.StatusCode)
		}
	}
}
