package search_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kairan/archive"
	"kairan/archive/archivetest"
	"kairan/archive/ingest"
	"kairan/archive/search"
	"kairan/storage/storagetest"
)

// BenchmarkIntake imports an mbox, that of KAIRAN_BENCH_MBOX or one of 3,000 messages, into an archive whose index follows, until all of it is found. It tells how
// much of the processors a message takes. Set TMPDIR to a folder on the disk that is meant.
func BenchmarkIntake(b *testing.B) {
	name := cmp.Or(os.Getenv("KAIRAN_BENCH_MBOX"), filepath.Join(b.TempDir(), "old.mbox"))
	if os.Getenv("KAIRAN_BENCH_MBOX") == "" {
		writeMbox(b, name, 3000)
	}
	var imported time.Duration
	n := 0
	before := processorTime(b)
	for b.Loop() {
		a := &archive.Archive{DB: storagetest.Open(b), Log: slog.New(slog.DiscardHandler)}
		x := search.New(a, a.Log)
		ctx, cancel := context.WithCancel(b.Context())
		var running sync.WaitGroup
		running.Go(func() { x.Run(ctx) })
		begin := time.Now()
		r, err := ingest.Run(ctx, a, ingest.Options{List: "list1", Sources: []ingest.Source{{Path: name, Limit: archive.MaxMessage}}})
		if err != nil {
			b.Fatal(r, err)
		}
		imported += time.Since(begin)
		n += r.Added
		for q := search.Parse("-zqxwv", nil); ; time.Sleep(10 * time.Millisecond) {
			found, err := x.Search(ctx, search.Request{Query: q, Lists: []search.List{{ID: "list1"}}, Limit: 1})
			if err != nil {
				b.Fatal(err)
			}
			if found.Total == r.Added {
				break
			}
		}
		cancel()
		running.Wait()
	}
	each := float64(n)
	b.ReportMetric(each/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(each/imported.Seconds(), "imported/s")
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/each, "cpu-µs/message")
}

// writeMbox writes the corpus as an mboxo.
func writeMbox(b *testing.B, name string, n int) {
	var out bytes.Buffer
	c := archivetest.NewCorpus(1)
	for range n {
		e := c.Next()
		fmt.Fprintf(&out, "From sender@example.jp %s\n%s\n", e.Received.Format(time.ANSIC), strings.ReplaceAll(string(e.Raw), "\r\n", "\n"))
	}
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
}

// processorTime is that of this process.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
