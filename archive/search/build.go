package search

import (
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"kairan/archive"
)

// analysed is a message cut into terms.
type analysed struct {
	list   string
	seq    uint32
	minute uint32
	length int
	flags  uint8
	terms  []termOf
}

// termOf is a term of a message with its positions as distances.
type termOf struct {
	term string
	freq int
	pos  []byte
}

// gap is how far apart the parts of a message are, so that no phrase goes over the border.
const gap = 16

// analyse cuts what readers see of a message into terms.
func analyse(m *archive.Message, raw []byte) analysed {
	body, attachments := readable(raw, nil)
	type at struct {
		term string
		pos  uint32
	}
	var all []at
	pos := uint32(0)
	known := map[string]string{} // one copy of each term
	add := func(field, text string) {
		pos = cut(text, pos, func(t token) {
			s, ok := known[string(t.term)]
			if !ok {
				s = string(t.term)
				known[s] = s
			}
			all = append(all, at{s, t.pos})
			if field != "" {
				all = append(all, at{field + s, t.pos})
			}
		}) + gap
	}
	add(subject, m.Subject)
	add(author, m.FromName+" "+m.FromAddr)
	for _, a := range attachments {
		add("", a.Name)
	}
	add("", body)
	slices.SortStableFunc(all, func(a, b at) int { return cmp.Compare(a.term, b.term) })
	doc := analysed{list: m.List, seq: uint32(m.Seq), minute: minute(m.Date), length: len(all)}
	if len(attachments) > 0 {
		doc.flags = hasAttachment
	}
	for i := 0; i < len(all); {
		t := termOf{term: all[i].term}
		last := uint32(0)
		for ; i < len(all) && all[i].term == t.term; i++ {
			t.pos = binary.AppendUvarint(t.pos, uint64(all[i].pos-last))
			last = all[i].pos
			t.freq++
		}
		doc.terms = append(doc.terms, t)
	}
	return doc
}

func minute(t time.Time) uint32 { return uint32(min(max(0, t.Unix()/60), math.MaxUint32)) }

// build makes a segment in memory.
func build(docs []analysed) (*segment, error) {
	type posting struct {
		doc uint32
		t   *termOf
	}
	terms := map[string][]posting{}
	names := newNames()
	rows := make([]doc, len(docs))
	for i := range docs {
		d := &docs[i]
		rows[i] = doc{list: names.number(d.list), flags: d.flags, length: uint16(min(d.length, math.MaxUint16)), seq: d.seq, minute: d.minute}
		for j := range d.terms {
			t := &d.terms[j]
			terms[t.term] = append(terms[t.term], posting{uint32(i), t})
		}
	}
	sorted := make([]string, 0, len(terms))
	for t := range terms {
		sorted = append(sorted, t)
	}
	slices.Sort(sorted)
	var b bytes.Buffer
	w := writer{out: func(p []byte) error { b.Write(p); return nil }}
	var e encoder
	for _, t := range sorted {
		e.reset()
		for _, p := range terms[t] {
			e.add(p.doc, p.t.freq, p.t.pos)
		}
		w.term([]byte(t), &e)
	}
	if _, err := w.end(names.all, rows); err != nil {
		return nil, err
	}
	return inMemory(b.Bytes())
}

// names numbers lists.
type names struct {
	all   []string
	known map[string]uint16
}

func newNames() *names { return &names{known: map[string]uint16{}} }

func (n *names) number(list string) uint16 {
	i, ok := n.known[list]
	if !ok {
		i = uint16(len(n.all))
		n.known[list], n.all = i, append(n.all, list)
	}
	return i
}

// source is a segment that is merged: its terms in order.
type source struct {
	*segment
	gone    []uint64 // as the merge sees them
	renamed []uint32 // documents in the new segment, or none
	block   int
	entries []entry // of the block that is read
	names   []byte
}

// next makes the next entry the first, and reports whether there is one.
func (s *source) next() (bool, error) {
	if len(s.entries) > 1 {
		s.entries = s.entries[1:]
		return true, nil
	}
	s.entries = nil
	if s.block == len(s.blocks) {
		return false, nil
	}
	stop := ""
	if s.block+1 < len(s.blocks) {
		stop = s.blocks[s.block+1].term
	}
	err := s.terms(s.blocks[s.block].term, func(e entry) bool {
		if stop != "" && string(e.term) >= stop {
			return false
		}
		e.term = slices.Clone(e.term)
		s.entries = append(s.entries, e)
		return true
	})
	s.block++
	return len(s.entries) > 0, err
}

// queue orders sources by their first terms, and then by age.
type queue []*source

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	c := bytes.Compare(q[i].entries[0].term, q[j].entries[0].term)
	return c < 0 || c == 0 && q[i].renamed[0] < q[j].renamed[0]
}
func (q *queue) Push(x any) { *q = append(*q, x.(*source)) }
func (q *queue) Pop() any {
	s := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return s
}

// merge writes one segment of several; what is gone is left out. It returns the sources, which know where each document went.
func merge(segments []*segment, out func([]byte) error) ([]*source, int64, error) {
	names := newNames()
	var docs []doc
	var sources []*source
	var q queue
	for _, s := range segments {
		src := &source{segment: s, gone: s.snapshot(), renamed: make([]uint32, len(s.docs)+1)}
		src.renamed[0] = uint32(len(docs))
		for i, d := range s.docs {
			src.renamed[i+1] = none
			if src.gone[i/64]&(1<<(i%64)) == 0 {
				src.renamed[i+1] = uint32(len(docs))
				d.list = names.number(s.lists[d.list])
				docs = append(docs, d)
			}
		}
		sources = append(sources, src)
		more, err := src.next()
		if err != nil {
			return nil, 0, err
		}
		if more {
			q = append(q, src)
		}
	}
	heap.Init(&q)
	w := writer{out: out}
	if err := mergeTerms(&w, &q); err != nil {
		return nil, 0, err
	}
	n, err := w.end(names.all, docs)
	return sources, n, err
}

func mergeTerms(w *writer, q *queue) error {
	var e encoder
	for q.Len() > 0 && w.err == nil {
		term := (*q)[0].entries[0].term
		e.reset()
		for q.Len() > 0 && bytes.Equal((*q)[0].entries[0].term, term) {
			src := (*q)[0]
			data, err := src.read(src.entries[0].at, src.entries[0].length)
			if err != nil {
				return err
			}
			p := newPostings(data)
			for d := p.seek(0); d != none; d = p.seek(d + 1) {
				if int(d) >= len(src.docs) {
					return errDamaged
				}
				if to := src.renamed[d+1]; to != none {
					e.add(to, p.freq(), p.raw())
				}
			}
			more, err := src.next()
			if err != nil {
				return err
			}
			if more {
				heap.Fix(q, 0)
			} else {
				heap.Pop(q)
			}
		}
		w.term(term, &e)
	}
	return w.err
}
