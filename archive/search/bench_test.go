package search_test

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kairan/archive"
	"kairan/archive/archivetest"
	"kairan/archive/search"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/storage/storagetest"
)

// corpusSize is how many messages the benchmark has: 20,000, or KAIRAN_BENCH_MESSAGES.
func corpusSize() int {
	if n, err := strconv.Atoi(os.Getenv("KAIRAN_BENCH_MESSAGES")); err == nil {
		return n
	}
	return 20_000
}

// rss returns the anonymous memory of the process in MB.
func rss() float64 {
	b, _ := os.ReadFile("/proc/self/status")
	m := regexp.MustCompile(`RssAnon:\s+(\d+)`).FindSubmatch(b)
	if m == nil {
		return 0
	}
	kb, _ := strconv.Atoi(string(m[1]))
	return float64(kb) / 1000
}

// BenchmarkSearch imports a corpus, indexes it, asks it 10,000 queries from 8 readers with the excerpts of a page, and prints what it took.
// The floor is parsing the messages and cutting them into unique words on one core.
func BenchmarkSearch(b *testing.B) {
	for b.Loop() {
		benchmarkSearch(b)
	}
}

func benchmarkSearch(b *testing.B) {
	w := &world{t: b, Archive: &archive.Archive{DB: storagetest.Open(b), Log: slog.New(slog.DiscardHandler)}}
	c := archivetest.NewCorpus(1, "one", "two")
	bytes, n := fill(b, w, c)
	b.ReportMetric(floor(n), "floor_msg/s")

	w.Index = search.New(w.Archive, w.Archive.Log)
	began, peak := time.Now(), 0.0
	w.start()
	defer w.stop()
	for !w.Complete() {
		time.Sleep(50 * time.Millisecond)
		peak = max(peak, rss())
	}
	rate := float64(n) / time.Since(began).Seconds()
	b.ReportMetric(rate, "index_msg/s")
	b.ReportMetric(rate/floor(n), "index/floor")
	b.ReportMetric(peak, "index_MB")
	size := int64(0)
	for _, length := range w.DB.Blobs.All("search/") {
		size += length
	}
	b.ReportMetric(float64(size)/float64(bytes), "index/mail")
	ask(b, w, c)
}

// fill archives the corpus and returns its size.
func fill(b *testing.B, w *world, c *archivetest.Corpus) (bytes int64, n int) {
	n = corpusSize()
	var entries []archive.Entry
	flush := func() {
		var wg sync.WaitGroup
		for _, list := range c.Lists { // syncs of different lists share a commit
			wg.Go(func() {
				for _, e := range entries {
					if e.List != list {
						continue
					}
					if _, err := w.Add(context.Background(), e, nil); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		entries = entries[:0]
	}
	for range n {
		e := c.Next()
		bytes += int64(len(e.Raw))
		if entries = append(entries, e); len(entries) == 1000 {
			flush()
		}
	}
	flush()
	return bytes, n
}

// floor returns how many messages a second can be parsed and cut into unique words on one core.
func floor(n int) float64 {
	c := archivetest.NewCorpus(1)
	var raws [][]byte
	for range min(n, 5000) {
		raws = append(raws, c.Next().Raw)
	}
	began := time.Now()
	for _, raw := range raws {
		words := map[string]bool{}
		for _, word := range strings.Fields(message.Parse(raw).Text()) {
			words[word] = true
		}
	}
	return float64(len(raws)) / time.Since(began).Seconds()
}

// ask puts 10,000 queries from 8 readers.
func ask(b *testing.B, w *world, c *archivetest.Corpus) {
	lists := []search.List{{ID: "one", Name: "one"}, {ID: "two", Name: "two"}}
	queries := make([]string, 10_000)
	for i := range queries {
		queries[i] = c.Query()
	}
	took := make([]time.Duration, len(queries))
	runtime.GC()
	began := time.Now()
	var wg sync.WaitGroup
	for reader := range 8 {
		wg.Go(func() {
			for i := reader; i < len(queries); i += 8 {
				at := time.Now()
				q := search.Parse(queries[i], time.UTC)
				found, err := w.Search(context.Background(), search.Request{Query: q, Lists: lists, Limit: 10})
				if err != nil {
					b.Errorf("%s: %v", queries[i], err)
				}
				for _, hit := range found.Hits {
					excerpt(b, w, q, hit)
				}
				took[i] = time.Since(at)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(len(queries))/time.Since(began).Seconds(), "queries/s")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50_ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99_ms")
	b.ReportMetric(rss(), "serving_MB")
}

// excerpt does what a page does for each hit.
func excerpt(b testing.TB, w *world, q *search.Query, hit search.Hit) {
	var m *archive.Message
	err := w.DB.View(b.Context(), func(tx *storage.Tx) (err error) {
		m, err = archive.BySeq(tx, hit.List, hit.Seq)
		return err
	})
	if err != nil {
		b.Error(err)
		return
	}
	raw, err := w.Raw(m)
	if err != nil {
		b.Error(err)
		return
	}
	search.Excerpt(q, search.Readable(raw, nil))
}
