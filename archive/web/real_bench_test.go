package web

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/archive/ingest"
	"kairan/archive/search"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// BenchmarkReal reads pages of the mbox of real mail that KAIRAN_BENCH_MBOX names: of messages drawn uniformly, of their threads and months, and
// of what is found for words of theirs.
func BenchmarkReal(b *testing.B) {
	path := os.Getenv("KAIRAN_BENCH_MBOX")
	if path == "" {
		b.Skip("NO REAL MAIL IS MEASURED: KAIRAN_BENCH_MBOX names no mbox")
	}
	w := newWorld(b)
	o := ingest.Options{List: "0list", Names: []string{"janog"}, Sources: []ingest.Source{{Path: path, Limit: archive.MaxMessage}}}
	if _, err := ingest.Run(b.Context(), w.arch, o); err != nil {
		b.Fatal(err)
	}
	paths := w.drawn(2000)
	pages := http.NewServeMux()
	pages.Handle("/", w.handler)
	pages.Handle("/janog/search", w.searched())
	for _, kind := range []string{"message", "thread", "month", "search"} {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				d := &discard{header: http.Header{}}
				r := httptest.NewRequest("GET", paths[kind][i%len(paths[kind])], nil)
				if pages.ServeHTTP(d, r); d.status != http.StatusOK {
					b.Fatal(r.URL, d.status)
				}
			}
		})
	}
}

// searched indexes what there is and returns the pages that search.
func (w *world) searched() http.Handler {
	index := search.New(w.arch, w.arch.Log)
	go index.Run(w.Context())
	for !index.Complete() {
		time.Sleep(10 * time.Millisecond)
	}
	set, err := templates.New()
	if err != nil {
		w.Fatal(err)
	}
	return Search{Index: index, Archive: w.arch, Access: oneList{}, Templates: set, Location: tokyo}.Handler()
}

// drawn returns paths of n messages, of their threads and months, and of searches for words in them.
func (w *world) drawn(n int) map[string][]string {
	var all []*archive.Message
	err := w.arch.DB.View(w.Context(), func(tx *storage.Tx) error {
		all = slices.Collect(archive.Newest(tx, "0list"))
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	paths := map[string][]string{}
	for range n {
		m := all[r.IntN(len(all))]
		id := archive.EscapeSegment(m.ID)
		paths["message"] = append(paths["message"], "/janog/m/"+id+"/")
		paths["month"] = append(paths["month"], "/janog/"+m.Received.In(tokyo).Format("2006-01")+"/")
		thread := "/janog/t/" + id + "/"
		d := &discard{header: http.Header{}}
		w.handler.ServeHTTP(d, httptest.NewRequest("GET", thread, nil))
		if to, _, _ := strings.Cut(d.header.Get("Location"), "#"); to != "" {
			thread = to
		}
		paths["thread"] = append(paths["thread"], thread)
		raw, err := w.arch.Raw(m)
		if err != nil {
			w.Fatal(err)
		}
		if words := strings.Fields(message.Parse(raw).Text()); len(words) > 1 {
			at := r.IntN(len(words) - 1)
			q := []string{words[at], words[at] + " " + words[at+1], `"` + words[at] + " " + words[at+1] + `"`}[r.IntN(3)]
			paths["search"] = append(paths["search"], "/janog/search?q="+url.QueryEscape(q))
		}
	}
	return paths
}
