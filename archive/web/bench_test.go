package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
