package search_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kairan/archive"
	"kairan/archive/archivetest"
	"kairan/archive/search"
	"kairan/storage"
	"kairan/storage/storagetest"
)

var start = time.Date(2026, 1, 30, 12, 0, 0, 0, time.UTC)

// world is an archive with its index; each test runs it in a bubble, so that waiting for the index takes no time.
type world struct {
	*archive.Archive
	*search.Index
	t    testing.TB
	log  *bytes.Buffer
	stop func()
}

func begin(t testing.TB, db *storage.DB) *world {
	w := &world{t: t, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	w.Archive = &archive.Archive{DB: db, Log: log}
	w.Index = search.New(w.Archive, log)
	w.start()
	return w
}

func (w *world) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Index.Run(ctx) }()
	w.stop = func() { cancel(); <-done }
}

// add archives a message of the list; text begins after the header.
func (w *world) add(list string, n int, header, text string) *archive.Message {
	w.t.Helper()
	id := fmt.Sprintf("%s.%d@example.jp", list, n)
	raw := "Message-ID: <" + id + ">\n" + header + "Content-Type: text/plain; charset=utf-8\n\n" + text + "\n"
	m, err := w.Add(w.t.Context(), archive.Entry{
		List: list, Post: id, Number: uint64(n), ID: id,
		Received: start.AddDate(0, 0, n), Raw: []byte(strings.ReplaceAll(raw, "\n", "\r\n")),
	}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// find waits as long as a new post may take, and returns what the query finds in lists one and two: "one.1 two.4".
func (w *world) find(query string, lists ...string) string {
	w.t.Helper()
	time.Sleep(time.Second)
	return w.now(query, lists...)
}

// now is find without waiting.
func (w *world) now(query string, lists ...string) string {
	w.t.Helper()
	return w.ask(search.Request{Query: search.Parse(query, time.UTC), Whole: true}, query, lists...)
}

// stranger is now for a reader who sees addresses shortened.
func (w *world) stranger(query string) string {
	w.t.Helper()
	return w.ask(search.Request{Query: search.Parse(query, time.UTC)}, query)
}

func (w *world) ask(r search.Request, query string, lists ...string) string {
	w.t.Helper()
	if lists == nil {
		lists = []string{"one", "two"}
	}
	r.Limit = search.MaxHits
	for _, l := range lists {
		r.Lists = append(r.Lists, search.List{ID: l, Name: "L-" + l})
	}
	result, err := w.Search(w.t.Context(), r)
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	var found []string
	for _, h := range result.Hits {
		found = append(found, fmt.Sprintf("%s.%d", h.List, h.Seq))
	}
	if min(result.Total, search.MaxHits) != len(found) {
		w.t.Errorf("%s: total %d, %d hits", query, result.Total, len(found))
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

func (w *world) want(query, want string) {
	w.t.Helper()
	if got := w.find(query); got != want {
		w.t.Errorf("%s\ngot  %q\nwant %q", query, got, want)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, storagetest.Open(t))
		defer w.stop()
		w.add("one", 1, "From: Ann Example <ann@example.jp>\nSubject: Routing in Tokyo\n", "東京都の回線がﾈｯﾄﾜｰｸ障害です。\n\n> 経路の制\n> 御を確認。\n\nサーバーを交換、害が出た。AS番号はAS64500です。")
		w.add("one", 2, "From: 髙橋 <bob@example.com>\nSubject: 京都\n", "東京と京都。the routers announced 192.0.2.10 and 2001:0DB8:0:0::1/48 via www.example.net, caf\u00e9. AS 64501")
		two := "From: Carol <carol@isp.test>\nSubject: files\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\nX-Rest: "
		w.add("two", 3, two, "--b\n\nsee the file\n--b\nContent-Type: application/pdf; name=\"topology-plan.pdf\"\nContent-Disposition: attachment; filename=\"topology-plan.pdf\"\n\nx\n--b--")
		for query, want := range map[string]string{
			"東京": "one.1 one.2", "東京都": "one.1", "京都": "one.1 one.2", "害": "one.1", "害が": "one.1", "御": "one.1",
			"ネットワーク": "one.1", "ねっとわーく": "one.1", "ﾈｯﾄﾜｰｸ": "one.1", "経路の制御": "one.1", "サーバ": "one.1", "サーバー": "one.1",
			"AS64500": "one.1", "64500": "one.1", "as64501": "one.2", "AS番号": "one.1", "番": "one.1", "ＡＳ６４５００": "one.1",
			"192.0.2.10": "one.2", "192.0.2": "one.2", "192.0.2.1": "", "2001:db8::1": "one.2", "2001:db8::": "one.2", "2001:DB8:0::1": "one.2",
			"example.net": "one.2", "www.example.net": "one.2", "cafe": "one.2", "CAFÉ": "one.2", "router": "one.2", "announces": "one.2", "route": "one.1", "routing": "one.1",
			`"routers announced"`: "one.2", `"announced routers"`: "", "announced routers": "one.2", "“the routers”": "one.2",
			"東京 -京都": "", "回線 -cafe": "one.1", "-東京": "two.1", "subject:京都": "one.2", "subject:東京": "", "from:ann": "one.1", "from:高橋": "one.2", "from:example.com": "one.2", `from:"Ann Example"`: "one.1",
			"Carol": "two.1", "topology": "two.1", "topology-plan.pdf": "two.1", "has:attachment": "two.1", "-has:attachment": "one.1 one.2", "list:l-two": "two.1", "-list:L-TWO": "one.1 one.2", "list:none": "",
			"date:2026-02-01": "one.2", "date:2026/2/1": "one.2", "date:2026-02": "one.2 two.1", "date:2026": "one.1 one.2 two.1", "before:2026-02-01": "one.1", "after:2026-02-02": "two.1", "after:2026-02-01 before:2026-02-02": "one.2",
			"nowhere": "", "東京。都": "", "ann example routing": "one.1", "　東京　障害": "one.1",
		} {
			w.want(query, want)
		}
		if got := w.find("-nowhere", "two"); got != "two.1" {
			t.Errorf("other lists than those passed were searched: %q", got)
		}
	})
}

// A phrase is found also where its last word is the very first of the message.
func TestPhraseWhoseLastWordBegins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, storagetest.Open(t))
		defer w.stop()
		w.add("one", 1, "Subject: the answer\n", "on the path of the router")
		w.add("one", 2, "Subject: of\n", "of a router")
		w.want(`"of the"`, "one.1")
		w.want(`"path of the router"`, "one.1")
		w.want(`"router of the"`, "")
	})
}

// TestAddressesOfNetworks finds addresses, prefixes, AS numbers and host names, whole and in part, and nothing that only looks alike.
func TestAddressesOfNetworks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, storagetest.Open(t))
		defer w.stop()
		for n, text := range []string{
			"announced 192.0.2.0/24 today",
			"announced 192.0.2.0/25 today",
			"ping 192.0.2.17 (from AS64500)",
			"prefix 2001:0db8:0:0::/32, AS 64501",
			"via ge-0-1.core1.tokyo.example.net [198.51.100.24]",
			"ＡＳ６４５０２からの経路",
			"24 hours, 192 hosts, 64500 bytes",
		} {
			w.add("one", n+1, "Subject: topic\n", text)
		}
		for query, want := range map[string]string{
			"192.0.2.0/24": "one.1", "192.0.2.0/25": "one.2", "192.0.2.0": "one.1 one.2", "192.0.2": "one.1 one.2 one.3", "192.0": "one.1 one.2 one.3",
			"0.2.17": "one.3", "192.0.2.1": "", "192.0.2.17/32": "", "/24": "one.1 one.5 one.7", `"192.0.2.0/24 today"`: "one.1",
			"2001:db8::/32": "one.4", "2001:DB8::": "one.4", "2001:db8:0:0:0:0:0:0": "one.4", "2001:db8::1": "",
			"AS64500": "one.3", "as 64500": "one.3", "64500": "one.3 one.7", "AS64501": "one.4", "AS64502": "one.6", "AS6450": "",
			"core1.tokyo.example.net": "one.5", "tokyo.example": "one.5", "core1": "one.5", "example.net": "one.5", "ge-0-1": "one.5", "core1.example.net": "",
		} {
			w.want(query, want)
		}
	})
}

// TestStrangersFindWhatTheySee asks for an address in every way that could tell that it occurs.
func TestStrangersFindWhatTheySee(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, storagetest.Open(t))
		defer w.stop()
		w.add("one", 1, "From: Somebody <zoe.quist@mail.example.jp>\nSubject: ask zoe.quist@example.org\n", "write to zoe.quist@example.jp or\n> <zoe.quist@example.com>.\n\n連絡先はquist@example.net、以上")
		w.add("one", 2, "From: Zoe <x@example.jp>\nSubject: topic\n", "Zoe has no address here, nor has zo@example.jp")
		const both = "one.1 one.2"
		for query, seen := range map[string]struct{ member, stranger string }{
			"zoe.quist@example.jp": {"one.1", ""}, `"zoe.quist@example.com"`: {"one.1", ""}, "zoe.quist": {"one.1", ""}, "quist": {"one.1", ""},
			"from:zoe.quist@mail.example.jp": {"one.1", ""}, "from:quist": {"one.1", ""}, "subject:zoe.quist@example.org": {"one.1", ""}, "subject:quist": {"one.1", ""},
			"quist@example.net": {"one.1", ""}, "先は": {"one.1", ""}, "は": {"one.1", ""},
			"-quist": {"one.2", both}, "-zoe.quist@example.jp": {"one.2", both}, "-from:quist": {"one.2", both},
			"zoe": {both, "one.2"}, "from:zoe": {both, "one.2"},
			"zo…@example.jp": {both, "one.1"}, "zo": {both, "one.1"}, "from:zo…@mail.example.jp": {"one.1", "one.1"}, "連絡": {"one.1", "one.1"}, "連絡…@example.net": {"one.1", "one.1"},
			"example.jp": {both, both}, "from:example.jp": {both, both}, "from:somebody": {"one.1", "one.1"}, "以上": {"one.1", "one.1"},
			"x@example.jp": {"one.2", ""}, "z…@example.jp": {"one.2", "one.2"},
		} {
			w.want(query, seen.member)
			if got := w.stranger(query); got != seen.stranger {
				t.Errorf("a stranger who asks for %s finds %q, want %q", query, got, seen.stranger)
			}
		}
	})
}

// TestKnownAnswer has a word in six of ten messages, each time in another place and another charset or width of the line.
func TestKnownAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, storagetest.Open(t))
		defer w.stop()
		with := []string{"日程", "次回の日程について", "新日程表です。", "会議日\n程を決めます", "> 前回の日程\n了解です", "（日程）"}
		for n, text := range with {
			w.add("one", n+1, "Subject: topic\n", text)
		}
		for n, text := range []string{"日と程", "程日", "本日、程なく", "日課と工程"} {
			w.add("one", n+7, "Subject: topic\n", text)
		}
		w.want("日程", "one.1 one.2 one.3 one.4 one.5 one.6")
		for n, text := range with {
			if got := flat(search.Excerpt(search.Parse("日程", time.UTC), text)); !strings.Contains(strings.ReplaceAll(got, " ", ""), "[日程]") {
				t.Errorf("the excerpt of message %d marks no match: %s", n+1, got)
			}
		}
	})
}

func flat(pieces []search.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Mark {
			p.Text = "[" + p.Text + "]"
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// TestOrder ranks by subject, rarity and length, and by date.
func TestOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, storagetest.Open(t))
		defer w.stop()
		w.add("one", 1, "Subject: the outage of the core\n", "short")
		w.add("one", 2, "Subject: lunch\n", strings.Repeat("many other words ", 100)+"outage")
		w.add("one", 3, "Subject: lunch\n", "outage outage outage")
		w.want("outage", "one.1 one.2 one.3")
		for order, want := range map[search.Order]string{search.ByRelevance: "1 3 2", search.ByDate: "3 2 1"} {
			r, err := w.Search(t.Context(), search.Request{Query: search.Parse("outage", time.UTC), Lists: []search.List{{ID: "one"}}, Order: order, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range r.Hits {
				got = append(got, fmt.Sprint(h.Seq))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("order %d: %s, want %s", order, got, want)
			}
		}
	})
}

// TestEffort gives up on queries that would read too much, and lets none wait for ever.
func TestEffort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, storagetest.Open(t))
		defer w.stop()
		w.add("one", 1, "Subject: x\n", "のはをにが の は を に が")
		ask := func(query string) error {
			_, err := w.Search(t.Context(), search.Request{Query: search.Parse(query, time.UTC), Lists: []search.List{{ID: "one"}}, Limit: 10})
			return err
		}
		w.want(`"の は を に が"`, "one.1")
		w.ReadAtMost(40)
		for _, query := range []string{`"の は を に が"`, "の は を に が"} {
			if err := ask(query); !errors.Is(err, search.ErrSlow) {
				t.Errorf("%s: %v", query, err)
			}
		}
		if err := ask("は"); err != nil {
			t.Error(err)
		}
		release := w.Occupy()
		if err := ask("は"); !errors.Is(err, search.ErrSlow) {
			t.Errorf("while others search: %v", err)
		}
		release()
		if err := ask("は"); err != nil {
			t.Error(err)
		}
	})
}

func TestFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, storagetest.Open(t))
		w.add("one", 1, "Subject: alpha\n", "bravo https://lists.example.jp/-/u/secrettoken")
		m := w.add("one", 2, "Subject: charlie\n", "bravo")
		w.want("bravo", "one.1 one.2")
		w.want("secrettoken", "")
		order := archive.Order{By: "ann"}
		if err := w.Hide(t.Context(), m, order); err != nil {
			t.Fatal(err)
		}
		w.want("bravo", "one.1")
		if err := w.Unhide(t.Context(), m, order); err != nil {
			t.Fatal(err)
		}
		w.want("bravo", "one.1 one.2")
		if err := w.Redact(t.Context(), m, order); err != nil {
			t.Fatal(err)
		}
		w.want("charlie", "")
		if err := w.Reindex(t.Context(), "one", nil); err != nil {
			t.Fatal(err)
		}
		w.want("bravo", "one.1")
		if err := w.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.want("bravo", "one.1")
		w.stop()
		w.start()
		w.want("bravo", "one.1")
		w.stop()
	})
}

// TestPurge looks for the words of purged messages in the files of the index: of one that was there, one that was hidden before, and one that was
// purged while the index did not run.
func TestPurge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, storagetest.Open(t))
		w.SaveEvery(1)
		order := archive.Order{By: "ann"}
		var messages []*archive.Message
		for n, word := range []string{"albatross", "bittern", "cormorant", "dotterel", "egret", "fulmar"} {
			messages = append(messages, w.add("one", n+1, "", word))
			w.want(word, fmt.Sprintf("one.%d", n+1))
		}
		onDisk := func() (all string) {
			for name := range w.DB.Blobs.All("search/") {
				b, err := storage.ReadBlob(w.DB.Blobs, name)
				if err != nil {
					t.Fatal(err)
				}
				all += string(b)
			}
			return all
		}
		words := func(want ...string) {
			t.Helper()
			for word, there := range map[string]bool{"albatross": false, "bittern": false, "cormorant": false, "dotterel": false, "egret": true, "fulmar": true} {
				there = there || slices.Contains(want, word)
				if got := strings.Contains(onDisk(), word); got != there {
					t.Errorf("%s is in the files: %v, want %v", word, got, there)
				}
			}
		}
		words("albatross", "bittern", "cormorant", "dotterel")
		purge := func(m *archive.Message) {
			t.Helper()
			if err := w.Archive.Purge(t.Context(), m, order); err != nil {
				t.Fatal(err)
			}
		}
		purge(messages[0])
		w.want("albatross", "")
		words("bittern", "cormorant", "dotterel")
		if err := w.Hide(t.Context(), messages[1], order); err != nil {
			t.Fatal(err)
		}
		w.want("bittern", "")
		words("bittern", "cormorant", "dotterel")
		purge(messages[1])
		w.want("bittern", "")
		words("cormorant", "dotterel")
		w.stop()
		purge(messages[2])
		if err := w.Hide(t.Context(), messages[3], order); err != nil {
			t.Fatal(err)
		}
		purge(messages[3])
		w.start()
		w.want("egret", "one.5")
		words()
		w.stop()
	})
}

// TestReopen stops the index every now and then, which saves nothing, like a kill; then it damages what is on disk, and
// compares what is found with what an index finds that was made from the archive alone.
func TestReopen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := storagetest.Open(t)
		w := begin(t, db)
		c := archivetest.NewCorpus(1, "one", "two")
		for n := range 2600 {
			if n%617 == 616 {
				w.stop()
				w.Index = search.New(w.Archive, slog.New(slog.NewTextHandler(w.log, nil)))
				w.start()
			}
			if _, err := w.Add(t.Context(), c.Next(), nil); err != nil {
				t.Fatal(err)
			}
		}
		queries := []string{"-nowhere", "東京", "network", `"the network"`, "経路制御", "路", "192.0.2.7", "from:ann", "subject:router"}
		before := map[string]string{}
		for _, q := range queries {
			if before[q] = w.find(q); before[q] == "" && !strings.HasPrefix(q, "192") {
				t.Errorf("%s finds nothing", q)
			}
		}
		w.stop()
		parts := 0
		for name := range db.Blobs.All("search/") {
			parts++
			if err := db.Blobs.Truncate(name, 100); err != nil {
				t.Fatal(err)
			}
		}
		if parts == 0 {
			t.Error("nothing of the index is on disk")
		}
		w.start()
		time.Sleep(time.Minute)
		for _, q := range queries {
			if got := w.find(q); got != before[q] {
				t.Errorf("%s: the index that was made anew finds something else", q)
			}
		}
		if !strings.Contains(w.log.String(), "made anew") {
			t.Error("nothing was said of the damaged index")
		}
		w.stop()
	})
}
