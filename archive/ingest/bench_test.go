package ingest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"kairan/archive/ingest"
	"kairan/storage/storagetest"
)

// BenchmarkImport imports 5,000 messages; set TMPDIR to a folder on the disk that is meant.
func BenchmarkImport(b *testing.B) {
	const n = 5000
	var mbox bytes.Buffer
	if err := synthetic(&mbox, n); err != nil {
		b.Fatal(err)
	}
	name := filepath.Join(b.TempDir(), "old.mbox")
	if err := os.WriteFile(name, mbox.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
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
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
