package archive_test

import (
	"fmt"
	"strings"
	"testing"

	"kairan/archive"
	"kairan/storage"
)

// BenchmarkAdd includes what the disk needs to sync twice; set TMPDIR to a folder in memory to leave that out.
func BenchmarkAdd(b *testing.B) {
	s := newShelf(b)
	body := strings.Repeat("回覧板を回します。\r\n", 100)
	n := 0
	for b.Loop() {
		n++
		e := post(n, fmt.Sprintf("Subject: topic %d", n%500), fmt.Sprintf("References: <m%d@example.jp>", n-n%7))
		e.Received = start
		e.Raw = append(e.Raw, body...)
		s.add(e)
	}
}

func BenchmarkReindex(b *testing.B) {
	s := newShelf(b)
	for n := range 1000 {
		s.add(post(n+1, fmt.Sprintf("References: <m%d@example.jp>", n-n%7)))
	}
	for b.Loop() {
		if err := s.Reindex(b.Context(), "list1", nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRecent reads the first page of a list with many threads.
func BenchmarkRecent(b *testing.B) {
	s := newShelf(b)
	for n := range 2000 {
		s.add(post(n + 1))
	}
	for b.Loop() {
		s.view(func(tx *storage.Tx) {
			n := 0
			for range archive.Recent(tx, "list1") {
				if n++; n == 50 {
					break
				}
			}
		})
	}
}

func BenchmarkPublic(b *testing.B) {
	e := post(1, "Received: from x", "Authentication-Results: lists.example.jp; dkim=pass")
	e.Raw = append(e.Raw, strings.Repeat("回覧板を回します。 https://example.jp/\r\n", 1000)...)
	b.SetBytes(int64(len(e.Raw)))
	for b.Loop() {
		archive.Public(e.Raw)
	}
}
