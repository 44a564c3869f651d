package web

import (
	"testing"

	"kairan/archive"
)

// TestPartsOfDownloads: what is too much for one file is cut into several, with every message in one of them.
func TestPartsOfDownloads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		messages int
		length   int64
		want     []int
	}{
		"none":        {0, 0, []int{0}},
		"one":         {partMessages, 10, []int{partMessages}},
		"many":        {2*partMessages + 5, 10, []int{partMessages, partMessages, 5}},
		"large":       {5, partBytes / 2, []int{2, 2, 1}},
		"too large":   {2, partBytes + 1, []int{1, 1}},
		"just fits":   {2, partBytes / 2, []int{2}},
		"fits not by": {2, partBytes/2 + 1, []int{1, 1}},
	} {
		var s selection
		for n := range c.messages {
			s.add(&archive.Message{Seq: uint64(n + 1), Length: c.length})
		}
		next := uint64(1)
		parts := s.parts()
		if len(parts) != len(c.want) {
			t.Errorf("%s: %d parts, want %d", name, len(parts), len(c.want))
			continue
		}
		for i, part := range parts {
			if len(part) != c.want[i] {
				t.Errorf("%s: part %d has %d messages, want %d", name, i+1, len(part), c.want[i])
			}
			for _, p := range part {
				if p.seq != next {
					t.Fatalf("%s: message %d comes where %d should", name, p.seq, next)
				}
				next++
			}
		}
	}
}
