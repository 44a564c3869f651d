package search

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestSpan counts numbers of one to five bytes, and finds no more bytes than there are.
func TestSpan(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var b []byte
	ends := []int{0}
	for range 1000 {
		b = binary.AppendUvarint(b, uint64(r.Uint32()>>r.IntN(32)))
		ends = append(ends, len(b))
	}
	for from := 0; from < len(ends); from += 7 {
		for n := 0; from+n < len(ends); n++ {
			if got, want := span(b[ends[from]:], uint32(n)), ends[from+n]-ends[from]; got != want {
				t.Fatalf("%d numbers after %d have %d bytes, want %d", n, from, got, want)
			}
		}
	}
	if got := span(b, 5000); got != len(b) {
		t.Errorf("of %d bytes %d were passed", len(b), got)
	}
}
