package ingest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kairan/archive/ingest"
	"kairan/smtpd/message"
	"kairan/storage/storagetest"
)

// BenchmarkImport imports 5,000 messages and compares that with a floor: reading the MIME of each on one core, and writing and syncing the same
// bytes, 250 messages at a time. Set TMPDIR to a folder on the disk that is meant.
func BenchmarkImport(b *testing.B) {
	const n, batch = 5000, 250
	var mbox bytes.Buffer
	if err := synthetic(&mbox, n); err != nil {
		b.Fatal(err)
	}
	name := filepath.Join(b.TempDir(), "old.mbox")
	if err := os.WriteFile(name, mbox.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	floor := lowest(b, mbox.Bytes(), batch)
	b.SetBytes(int64(mbox.Len()))
	for b.Loop() {
		b.StopTimer()
		a := newArchive(b, storagetest.Open(b))
		b.StartTimer()
		r, err := ingest.Run(b.Context(), a, ingest.Options{List: "list1", Names: []string{"janog"}, Sources: []ingest.Source{{Path: name, Limit: 1 << 20}}})
		if err != nil || r.Added != n {
			b.Fatal(r, err)
		}
	}
	each := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(n/each.Seconds(), "messages/s")
	b.ReportMetric(n/floor.Seconds(), "floor/s")
	b.ReportMetric(each.Seconds()/floor.Seconds(), "floors")
	b.ReportMetric(rssAnon(b), "MB-RssAnon")
}

// lowest is the time of the floor.
func lowest(b *testing.B, mbox []byte, batch int) time.Duration {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	begin := time.Now()
	for i, record := range bytes.SplitAfter(mbox, []byte("\n\nFrom ")) {
		for _, p := range message.Parse(record).Parts() {
			p.Decode()
		}
		if _, err := f.Write(record); err != nil {
			b.Fatal(err)
		}
		if i%batch == 0 {
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
	}
	return time.Since(begin)
}

// rssAnon is the memory of this process's own, in MB; 0 where there is no /proc.
func rssAnon(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1000
}
