package search

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The postings of a term are blocks of up to 128 documents:
//
//	first document, less the last one of the block before, + 1
//	last document, less the first
//	number of documents, bytes of documents, bytes of positions
//	documents: distance from the one before (0 for the first) * 2, + 1 if the term occurs once; else how often
//	positions: for each document, distance from the one before
const none = math.MaxUint32 // no document

// encoder writes the postings of one term.
type encoder struct {
	out         []byte
	docs        int
	end         uint32 // last document of the blocks that are written, + 1
	n           int
	first, last uint32
	ids, pos    []byte
}

func (e *encoder) reset() {
	*e = encoder{out: e.out[:0], ids: e.ids[:0], pos: e.pos[:0]}
}

// add takes the next document with its positions, already as distances.
func (e *encoder) add(d uint32, freq int, pos []byte) {
	if e.n == 0 {
		e.first, e.last = d, d
	}
	distance := uint64(d-e.last) * 2
	if freq == 1 {
		e.ids = binary.AppendUvarint(e.ids, distance+1)
	} else {
		e.ids = binary.AppendUvarint(binary.AppendUvarint(e.ids, distance), uint64(freq))
	}
	e.pos = append(e.pos, pos...)
	e.last = d
	e.n++
	if e.n == docsPerBlock {
		e.flush()
	}
}

func (e *encoder) flush() {
	if e.n == 0 {
		return
	}
	for _, v := range [...]int{int(e.first) - int(e.end), int(e.last - e.first), e.n, len(e.ids), len(e.pos)} {
		e.out = binary.AppendUvarint(e.out, uint64(v))
	}
	e.out = append(append(e.out, e.ids...), e.pos...)
	e.docs += e.n
	e.end = e.last + 1
	e.n, e.ids, e.pos = 0, e.ids[:0], e.pos[:0]
}

// postings reads the documents of a term in their order.
type postings struct {
	rest reader
	end  uint32 // last document of the blocks that were read, + 1

	docs  [docsPerBlock]uint32
	freqs [docsPerBlock]uint32
	n, i  int
	pos   []byte // positions of the block
	at    int    // in pos: those of document read
	read  int    // documents whose positions were passed
}

func newPostings(data []byte) *postings {
	p := &postings{}
	p.reset(data)
	return p
}

// reset begins with the postings of another term.
func (p *postings) reset(data []byte) {
	p.rest, p.end, p.n, p.i = reader{b: data}, 0, 0, 0
}

// seek returns the first document at or after d that has the term, or none.
func (p *postings) seek(d uint32) uint32 {
	for {
		for p.i < p.n {
			if p.docs[p.i] >= d {
				return p.docs[p.i]
			}
			p.i++
		}
		if !p.block(d) {
			return none
		}
	}
}

// block reads the next block that may hold d or a later document.
func (p *postings) block(d uint32) bool {
	for len(p.rest.b) > 0 {
		first := p.end + uint32(p.rest.number())
		last := first + uint32(p.rest.number())
		n, ids, pos := p.rest.number(), p.rest.number(), p.rest.number()
		if p.rest.bad || n > docsPerBlock || ids > uint64(len(p.rest.b)) || pos > uint64(len(p.rest.b))-ids {
			break
		}
		body := p.rest.b[:ids]
		p.pos, p.at = p.rest.b[ids:ids+pos], 0
		p.rest.b = p.rest.b[ids+pos:]
		p.end = last + 1
		if last < d {
			continue
		}
		p.decode(body, first, int(n))
		return true
	}
	p.rest.b, p.n, p.i = nil, 0, 0
	return false
}

func (p *postings) decode(b []byte, d uint32, n int) {
	at := 0
	next := func() (v uint64) {
		if at < len(b) && b[at] < 0x80 {
			at++
			return uint64(b[at-1])
		}
		v, size := binary.Uvarint(b[min(at, len(b)):])
		at += max(size, 0)
		return v
	}
	for i := range n {
		v := next()
		d += uint32(v / 2)
		p.docs[i], p.freqs[i] = d, 1
		if v&1 == 0 {
			p.freqs[i] = uint32(next())
		}
	}
	p.n, p.i, p.read = n, 0, 0
}

// freq returns how often the term is in the current document.
func (p *postings) freq() int { return int(p.freqs[p.i]) }

// pass goes on to the positions in the current document.
func (p *postings) pass() {
	n := uint32(0)
	for ; p.read < p.i; p.read++ {
		n += p.freqs[p.read]
	}
	p.at += span(p.pos[p.at:], n)
}

// raw returns the positions in the current document as they are written.
func (p *postings) raw() []byte {
	p.pass()
	return p.pos[p.at : p.at+span(p.pos[p.at:], p.freqs[p.i])]
}

// span returns how many bytes hold the next n numbers. A number ends in a byte without the highest bit; eight bytes are counted at once.
func span(b []byte, n uint32) int {
	i := 0
	for ; n > 8 && i+8 <= len(b); i += 8 {
		n -= uint32(bits.OnesCount64(^binary.LittleEndian.Uint64(b[i:]) & 0x8080808080808080))
	}
	for ; n > 0 && i < len(b); i++ {
		if b[i] < 0x80 {
			n--
		}
	}
	return i
}

// positions appends those in the current document.
func (p *postings) positions(to []uint32) []uint32 {
	p.pass()
	n, at, v, shift := p.freqs[p.i], uint32(0), uint32(0), 0
	for _, c := range p.pos[p.at:] {
		v |= uint32(c&0x7f) << shift
		shift += 7
		if c < 0x80 {
			at += v
			to = append(to, at)
			if n--; n == 0 {
				break
			}
			v, shift = 0, 0
		}
	}
	return to
}
