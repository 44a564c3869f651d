package search

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// some makes documents from..to of a list; each has its number, and "all" as often as its number modulo 3, + 1.
func some(list string, from, to int) (docs []analysed) {
	for n := from; n < to; n++ {
		d := analysed{list: list, seq: uint32(n), minute: uint32(n)}
		d.terms = append(d.terms, termOf{"all", n%3 + 1, []byte{0, 200, 1, 5}[:[]int{1, 3, 4}[n%3]]}, termOf{fmt.Sprintf("n%04d", n), 1, []byte{7}})
		docs = append(docs, d)
	}
	return docs
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
	must := func(docs []analysed) *segment {
		s, err := build(docs)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b, c := must(some("one", 1, 300)), must(some("two", 1, 2)), must(some("one", 300, 700))
	for n := range 300 {
		if n%10 == 0 && n > 0 {
			if !a.remove("one", uint32(n)) || a.remove("one", uint32(n)) {
				t.Errorf("document %d is removed once", n)
			}
		}
	}
	if a.remove("two", 1) || a.remove("one", 300) {
		t.Error("a document was removed that is not there")
	}
	var data []byte
	if _, _, err := merge([]*segment{a, b, c}, func(p []byte) error { data = append(data, p...); return nil }); err != nil {
		t.Fatal(err)
	}
	got, err := inMemory(data)
	if err != nil {
		t.Fatal(err)
	}
	var all []analysed
	for _, d := range some("one", 1, 300) {
		if d.seq%10 != 0 {
			all = append(all, d)
		}
	}
	all = append(append(all, some("two", 1, 2)...), some("one", 300, 700)...)
	if diff := cmp.Diff(must(all).dump(t), got.dump(t)); diff != "" {
		t.Error(diff)
	}
	e, err := got.entriesOf(context.Background(), phraseTerm{term: "n00", prefix: true})
	if err != nil || len(e) != 90 {
		t.Errorf("%d terms begin with n00, %v; want 90", len(e), err)
	}
	if _, err := inMemory(data[:len(data)-1]); err == nil {
		t.Error("a segment that was cut opens")
	}
}
