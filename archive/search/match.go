package search

import (
	"context"
	"slices"
	"strings"
)

// cursor goes through the documents of a clause in their order.
type cursor interface {
	// seek returns the first document at or after d, or none. d never falls.
	seek(d uint32) uint32
	freq() int
	// positions appends those in the document that seek returned.
	positions(to []uint32) []uint32
}

// union is any of several terms.
type union struct {
	of  []*postings
	doc uint32
}

func (u *union) seek(d uint32) uint32 {
	u.doc = none
	for _, p := range u.of {
		u.doc = min(u.doc, p.seek(d))
	}
	return u.doc
}

func (u *union) freq() (n int) {
	for _, p := range u.of {
		if p.seek(u.doc) == u.doc {
			n += p.freq()
		}
	}
	return n
}

func (u *union) positions(to []uint32) []uint32 {
	for _, p := range u.of {
		if p.seek(u.doc) == u.doc {
			to = p.positions(to)
		}
	}
	slices.Sort(to)
	return to
}

// counted is the union of many terms, added up beforehand; it has no positions.
type counted struct {
	freqs []uint16 // by document
	doc   uint32
}

func (c *counted) add(p *postings) {
	for d := p.seek(0); d < uint32(len(c.freqs)); d = p.seek(d + 1) {
		c.freqs[d] = uint16(min(int(c.freqs[d])+p.freq(), 1<<16-1))
	}
}

func (c *counted) seek(d uint32) uint32 {
	for ; d < uint32(len(c.freqs)); d++ {
		if c.freqs[d] > 0 {
			c.doc = d
			return d
		}
	}
	return none
}

func (c *counted) freq() int                      { return int(c.freqs[c.doc]) }
func (c *counted) positions(to []uint32) []uint32 { return to } // unreachable: it stands in no phrase

// phrase is several terms at their distances.
type phrase struct {
	parts   []cursor
	at      []uint32
	n       int // how often it is in the current document
	a, b, c []uint32
}

func (p *phrase) seek(d uint32) uint32 {
	for {
		if d = together(p.parts, d); d == none {
			return none
		}
		if p.n = p.match(); p.n > 0 {
			return d
		}
		d++
	}
}

// together returns the first document at or after d that all cursors have.
func together(parts []cursor, d uint32) uint32 {
	for i := 0; i < len(parts); {
		next := parts[i].seek(d)
		switch {
		case next == none:
			return none
		case next > d:
			d, i = next, 0
			if parts[0].seek(d) == d {
				i = 1
			}
		default:
			i++
		}
	}
	return d
}

// match counts the places in the current document at which all parts are where they belong.
func (p *phrase) match() int {
	p.a = p.parts[0].positions(p.a[:0])
	for i, part := range p.parts[1:] {
		p.b = part.positions(p.b[:0])
		p.c = p.c[:0]
		j := 0
		for _, at := range p.a {
			if at+p.at[i+1] < p.at[0] { // the phrase would begin before the text
				continue
			}
			want := at + p.at[i+1] - p.at[0]
			for j < len(p.b) && p.b[j] < want {
				j++
			}
			if j < len(p.b) && p.b[j] == want {
				p.c = append(p.c, at)
			}
		}
		if p.a, p.c = p.c, p.a; len(p.a) == 0 {
			return 0
		}
	}
	return len(p.a)
}

func (p *phrase) freq() int                      { return p.n }
func (p *phrase) positions(to []uint32) []uint32 { return append(to, p.a...) }

// effort bounds what one query may read.
type effort struct {
	ctx   context.Context
	left  int64 // bytes of postings
	whole bool  // local parts of addresses are looked at too
}

// postings reads those of an entry.
func (e *effort) postings(s *segment, found entry) (*postings, error) {
	if e.left -= found.length; e.left < 0 {
		return nil, ErrSlow
	}
	if err := e.ctx.Err(); err != nil {
		return nil, err
	}
	data, err := s.read(found.at, found.length)
	if err != nil {
		return nil, err
	}
	return newPostings(data), nil
}

// entriesOf looks up the entries of a term of a clause.
func (s *segment) entriesOf(e *effort, t phraseTerm) (found []entry, err error) {
	if found, err = s.entriesWith(e.ctx, t); err != nil || !e.whole {
		return found, err
	}
	t.term = local + t.term
	more, err := s.entriesWith(e.ctx, t)
	return append(found, more...), err
}

// entriesWith looks up the entries of a term, or of all terms that begin with it.
func (s *segment) entriesWith(ctx context.Context, t phraseTerm) (found []entry, err error) {
	if !t.prefix {
		e, err := s.find(t.term)
		if err == nil && e.docs > 0 {
			found = append(found, e)
		}
		return found, err
	}
	err = s.terms(t.term, func(e entry) bool {
		if !strings.HasPrefix(string(e.term), t.term) || ctx.Err() != nil {
			return false
		}
		e.term = nil // it changes with the next
		found = append(found, e)
		return true
	})
	return found, err
}

// cursor returns the documents of a clause in the segment, or nil if there are none, and how many have its rarest term at the most.
func (s *segment) cursor(e *effort, c clause) (found cursor, docs int, err error) {
	p := &phrase{}
	var sizes []int
	docs = len(s.docs)
	for _, t := range c.terms {
		entries, err := s.entriesOf(e, t)
		if err != nil || len(entries) == 0 {
			return nil, 0, err
		}
		n := 0
		for _, found := range entries {
			n += found.docs
		}
		docs = min(docs, n)
		part, err := s.part(e, entries, t.prefix && len(c.terms) == 1)
		if err != nil {
			return nil, 0, err
		}
		i, _ := slices.BinarySearch(sizes, n) // the rarest comes first
		sizes = slices.Insert(sizes, i, n)
		p.parts, p.at = slices.Insert(p.parts, i, part), slices.Insert(p.at, i, t.at)
	}
	if len(p.parts) == 1 {
		return p.parts[0], docs, nil
	}
	return p, docs, nil
}

// part returns the documents that have any of the entries; alone says that their positions do not matter.
func (s *segment) part(e *effort, entries []entry, alone bool) (cursor, error) {
	sum := &counted{}
	if alone {
		sum.freqs = make([]uint16, len(s.docs))
	}
	var of []*postings
	for _, found := range entries {
		p, err := e.postings(s, found)
		if err != nil {
			return nil, err
		}
		if alone {
			sum.add(p)
		} else {
			of = append(of, p)
		}
	}
	switch {
	case alone:
		return sum, nil
	case len(of) == 1:
		return of[0], nil
	}
	return &union{of: of}, nil
}
