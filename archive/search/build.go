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
	"kairan/smtpd/message"
)

// builder makes segments of messages, in memory, one after another: it keeps the room that it needed.
type builder struct {
	names   *names
	docs    []doc
	ids     map[string]uint32 // of terms
	terms   []string          // by ID
	counts  []uint32          // how often each is there
	found   []occurrence      // in the order of documents and positions
	byTerm  []spot            // the same, in the order of terms
	out     []byte            // the segment
	scratch []byte
}

// occurrence is a term at a place.
type occurrence struct {
	term uint32
	spot
}

// spot is a place in the documents.
type spot struct{ doc, pos uint32 }

func newBuilder() *builder { return &builder{names: newNames(), ids: map[string]uint32{}} }

// reset forgets the messages.
func (b *builder) reset() {
	clear(b.ids)
	clear(b.terms)
	*b = builder{names: newNames(), docs: b.docs[:0], ids: b.ids, terms: b.terms[:0], counts: b.counts[:0],
		found: b.found[:0], byTerm: b.byTerm, out: b.out[:0], scratch: b.scratch}
}

// gap is how far apart the parts of a message are, so that no phrase goes over the border.
const gap = 16

// add cuts what readers see of a message into terms.
func (b *builder) add(m *archive.Message, raw []byte) {
	body, attachments, _ := readable(message.Parse(raw), nil, 0)
	d := doc{list: b.names.number(m.List), seq: uint32(m.Seq), minute: minute(m.Date)}
	if len(attachments) > 0 {
		d.flags = hasAttachment
	}
	before, pos := len(b.found), uint32(0)
	field := func(prefix, text string) { pos = b.field(prefix, text, pos) + gap }
	field(subject, m.Subject)
	field(author, m.FromName+" "+m.FromAddr)
	for _, name := range attachments {
		field("", name)
	}
	field("", body)
	d.length = uint16(min(len(b.found)-before, math.MaxUint16))
	b.docs = append(b.docs, d)
}

// field cuts a text into terms, which are those of a field too if it has a prefix, and returns the position behind the last.
func (b *builder) field(prefix, text string, pos uint32) uint32 {
	put := func(hidden string, term []byte, pos uint32) {
		b.put(hidden, term, pos)
		if prefix != "" {
			b.put(hidden+prefix, term, pos)
		}
	}
	hidden := localParts(text)
	first := pos // of the local part
	return cut(text, pos, func(t token) {
		for len(hidden) > 0 && t.from >= hidden[0].at {
			for i, term := range hidden[0].seen { // as pages show it, before the domain
				if at := t.pos - uint32(len(hidden[0].seen)-i); at >= first && at < t.pos {
					put("", term, at)
				}
			}
			hidden = hidden[1:]
		}
		if len(hidden) == 0 || t.to <= hidden[0].from {
			put("", t.term, t.pos)
			first = t.pos + 1
			return
		}
		put(local, t.term, t.pos)
	})
}

// put notes that a term of the next document is at a position; positions do not fall.
func (b *builder) put(prefix string, term []byte, pos uint32) {
	b.scratch = append(append(b.scratch[:0], prefix...), term...)
	id, ok := b.ids[string(b.scratch)]
	if !ok {
		id = uint32(len(b.terms))
		s := string(b.scratch)
		b.ids[s], b.terms, b.counts = id, append(b.terms, s), append(b.counts, 0)
	}
	b.counts[id]++
	b.found = append(b.found, occurrence{id, spot{uint32(len(b.docs)), pos}})
}

func minute(t time.Time) uint32 { return uint32(min(max(0, t.Unix()/60), math.MaxUint32)) }

// segment makes the segment of the messages that were added.
func (b *builder) segment() (*segment, error) {
	ends := make([]uint32, len(b.terms)) // of the places of each term, which go to byTerm
	end := uint32(0)
	for id, n := range b.counts {
		ends[id] = end
		end += n
	}
	b.byTerm = slices.Grow(b.byTerm[:0], len(b.found))[:len(b.found)]
	for _, o := range b.found {
		b.byTerm[ends[o.term]] = o.spot
		ends[o.term]++
	}
	order := make([]uint32, len(b.terms))
	for id := range order {
		order[id] = uint32(id)
	}
	slices.SortFunc(order, func(x, y uint32) int { return cmp.Compare(b.terms[x], b.terms[y]) })
	w := writer{buf: b.out[:0]}
	var e encoder
	var positions []byte
	for _, id := range order {
		e.reset()
		places := b.byTerm[ends[id]-b.counts[id] : ends[id]]
		for len(places) > 0 {
			d, n, last := places[0].doc, 0, uint32(0)
			positions = positions[:0]
			for ; n < len(places) && places[n].doc == d; n++ {
				positions = binary.AppendUvarint(positions, uint64(places[n].pos-last))
				last = places[n].pos
			}
			e.add(d, n, positions)
			places = places[n:]
		}
		w.term([]byte(b.terms[id]), &e)
	}
	if err := w.end(b.names.all, b.docs); err != nil {
		return nil, err
	}
	b.out = w.buf
	return inMemory(slices.Clone(b.out))
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
	names   []byte  // their terms
	at      int64   // where data is in the segment
	data    []byte  // the block, with the postings before it unless they are large
}

// largePostings is how many bytes of postings are read a term at a time.
const largePostings = 1 << 20

// next makes the next entry the first, and reports whether there is one. What it returned before is not to be used any more.
func (s *source) next() (bool, error) {
	if len(s.entries) > 1 {
		s.entries = s.entries[1:]
		return true, nil
	}
	s.entries, s.names = make([]entry, 0, termsPerBlock), s.names[:0]
	if s.block == len(s.blocks) {
		return false, nil
	}
	b := s.blocks[s.block]
	s.block++
	switch s.at = b.postings; {
	case b.block < b.postings:
		return false, errDamaged
	case b.block-b.postings > largePostings:
		s.at = b.block
	}
	var err error
	if s.data, err = s.readInto(s.data, s.at, b.block+b.length-s.at); err != nil {
		return false, err
	}
	err = b.entries(s.data[b.block-s.at:], func(e entry) bool {
		s.names = append(s.names, e.term...)
		e.term = s.names[len(s.names)-len(e.term) : len(s.names) : len(s.names)]
		s.entries = append(s.entries, e)
		return true
	})
	return len(s.entries) > 0, err
}

// postings returns those of the first entry.
func (s *source) postings() ([]byte, error) {
	e := s.entries[0]
	if from := e.at - s.at; from >= 0 && e.length >= 0 && e.length <= int64(len(s.data))-from {
		return s.data[from : from+e.length], nil
	}
	return s.read(e.at, e.length)
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

// merge writes one segment of several; what is gone is left out.
func merge(w *writer, segments []*segment) error {
	names := newNames()
	var docs []doc
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
		more, err := src.next()
		if err != nil {
			return err
		}
		if more {
			q = append(q, src)
		}
	}
	heap.Init(&q)
	if err := mergeTerms(w, &q); err != nil {
		return err
	}
	return w.end(names.all, docs)
}

func mergeTerms(w *writer, q *queue) error {
	var e encoder
	var p postings
	var term []byte
	for q.Len() > 0 && w.err == nil {
		term = append(term[:0], (*q)[0].entries[0].term...)
		e.reset()
		for q.Len() > 0 && bytes.Equal((*q)[0].entries[0].term, term) {
			src := (*q)[0]
			data, err := src.postings()
			if err != nil {
				return err
			}
			p.reset(data)
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
