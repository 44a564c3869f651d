package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/archive/archivetest"
	"kairan/storage"
	"kairan/templates"
)

// discard is a ResponseWriter that keeps only the status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

func BenchmarkPages(b *testing.B) {
	w := newWorld(b)
	w.add("0@x.test", "Subject: Start\r\n", "Start.\r\n")
	for n := 1; n <= 12; n++ {
		w.add(fmt.Sprintf("%d@x.test", n), "Subject: Re: Start\r\nReferences: <0@x.test>\r\n",
			strings.Repeat("> what was quoted, at length\r\n", 20)+strings.Repeat("A line of an ordinary message.\r\n", 60))
	}
	for name, path := range map[string]string{"message": "/janog/m/6@x.test/", "thread": "/janog/t/0@x.test/", "month": "/janog/2026-01/"} {
		for _, encoding := range []string{"plain", "gzip"} {
			b.Run(name+"/"+encoding, func(b *testing.B) {
				b.ReportAllocs()
				r := httptest.NewRequest("GET", path, nil)
				r.Header.Set("Accept-Encoding", encoding)
				for b.Loop() {
					d := &discard{header: http.Header{}}
					if w.handler.ServeHTTP(d, r); d.status != http.StatusOK {
						b.Fatal(d.status)
					}
				}
			})
		}
	}
}

// BenchmarkPost reads messages of a corpus and makes of them what the page of a thread shows.
func BenchmarkPost(b *testing.B) {
	w := newWorld(b)
	c := archivetest.NewCorpus(1, "0list")
	var all []archive.Entry
	for range 500 {
		all = append(all, c.Next())
	}
	w.fill(all)
	var messages []*archive.Message
	err := w.arch.DB.View(b.Context(), func(tx *storage.Tx) error {
		messages = slices.Collect(archive.Newest(tx, "0list"))
		return nil
	})
	set, setErr := templates.New()
	if err := errors.Join(err, setErr); err != nil || len(messages) != len(all) {
		b.Fatal(err, len(messages))
	}
	h := newHandler(w.arch, oneList{}, set, tokyo)
	q := &request{r: httptest.NewRequest("GET", "/", nil), list: archive.Info{ID: "0list", Name: "janog", Address: "janog@lists.example.jp"}, frame: templates.Frame{Lang: "en"}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := &strand{Thread: &archive.Thread{}, nodes: []node{{Message: messages[i%len(messages)]}}}
		if _, err := h.posts(q, s, make([]templates.OutlineRow, len(s.nodes))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLongThread reads the first and the last page of a thread of 5,000 messages, and a message of it.
func BenchmarkLongThread(b *testing.B) {
	w := newWorld(b)
	var all []archive.Entry
	for n := range 5000 {
		all = append(all, entry("long", n, time.Date(2026, 1, 5, 9, n, 0, 0, tokyo)))
	}
	w.fill(all)
	for name, path := range map[string]string{"first": "/janog/t/long@x.test/", "last": "/janog/t/long@x.test/?p=50", "time": "/janog/t/long@x.test/?p=50&order=time", "message": "/janog/m/long-4999@x.test/"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest("GET", path, nil)
			for b.Loop() {
				d := &discard{header: http.Header{}}
				if w.handler.ServeHTTP(d, r); d.status != http.StatusOK {
					b.Fatal(d.status)
				}
			}
		})
	}
}

// BenchmarkFront makes what the page of a list of 20,000 messages shows of its archive.
func BenchmarkFront(b *testing.B) {
	w := newWorld(b)
	var all []archive.Entry
	start := time.Date(2006, 1, 1, 0, 0, 0, 0, tokyo)
	for n := range 20_000 {
		all = append(all, entry(fmt.Sprint("t", n/5), n%5, start.Add(time.Duration(n)*9*time.Hour)))
	}
	w.fill(all)
	set, err := templates.New()
	if err != nil {
		b.Fatal(err)
	}
	f := Front{List: archive.Info{ID: "0list", Name: "janog", Address: "janog@lists.example.jp"}, Frame: templates.Frame{Lang: "ja"}, Templates: set, Location: tokyo, Now: start.Add(20_000 * 9 * time.Hour)}
	b.ReportAllocs()
	for b.Loop() {
		err := w.arch.DB.View(b.Context(), func(tx *storage.Tx) error {
			return set.Page(io.Discard, "list", f.Frame, templates.List{ArchiveShown: true, Front: f.View(tx)})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
