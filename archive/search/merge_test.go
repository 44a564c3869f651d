package search

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// some makes documents from..to of a list; each has its number, and "all" as often as its number modulo 3, + 1.
func (b *builder) some(list string, from, to int) *builder {
	for n := from; n < to; n++ {
		b.put("", fmt.Appendf(nil, "n%04d", n), 7)
		for _, pos := range []uint32{0, 200, 205}[:n%3+1] {
			b.put("", []byte("all"), pos)
		}
		b.docs = append(b.docs, doc{list: b.names.number(list), seq: uint32(n), minute: uint32(n)})
	}
	return b
}

func (s *segment) dump(t *testing.T) (out []string) {
	err := s.terms("", func(e entry) bool {
		data, err := s.read(e.at, e.length)
		if err != nil {
			t.Fatal(err)
		}
		p := newPostings(data)
		for d := p.seek(0); d != none; d = p.seek(d + 1) {
			row := s.docs[d]
			out = append(out, fmt.Sprintf("%s: %s.%d at %d: %d times at %d", e.term, s.lists[row.list], row.seq, row.minute, p.freq(), p.positions(nil)))
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestMerge compares a segment merged of several with one that was built of the same documents.
func TestMerge(t *testing.T) {
	t.Parallel()
	must := func(b *builder) *segment {
		s, err := b.segment()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b, c := must(newBuilder().some("one", 1, 300)), must(newBuilder().some("two", 1, 2)), must(newBuilder().some("one", 300, 700))
	for n := range 300 {
		if n%10 == 0 && n > 0 {
			if !a.remove("one", uint32(n)) || !a.remove("one", uint32(n)) || a.dead != n/10 {
				t.Errorf("document %d is removed once", n)
			}
		}
	}
	if a.remove("two", 1) || a.remove("one", 300) {
		t.Error("a document was removed that is not there")
	}
	var w writer
	if err := merge(&w, []*segment{a, b, c}); err != nil {
		t.Fatal(err)
	}
	got, err := inMemory(w.buf)
	if err != nil {
		t.Fatal(err)
	}
	all := newBuilder()
	for n := 1; n < 300; n++ {
		if n%10 != 0 {
			all.some("one", n, n+1)
		}
	}
	all.some("two", 1, 2).some("one", 300, 700)
	if diff := cmp.Diff(must(all).dump(t), got.dump(t)); diff != "" {
		t.Error(diff)
	}
	e, err := got.entriesOf(&effort{ctx: context.Background()}, phraseTerm{term: "n00", prefix: true})
	if err != nil || len(e) != 90 {
		t.Errorf("%d terms begin with n00, %v; want 90", len(e), err)
	}
	if _, err := inMemory(w.buf[:len(w.buf)-1]); err == nil {
		t.Error("a segment that was cut opens")
	}
}
