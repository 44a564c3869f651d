package search

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// A segment is a part of the index that never changes. Its bytes are
//
//	postings of up to 64 terms, then the block of the dictionary that names them, and so on
//	tail: the lists, a row for each document, and the first term of each block
//	footer: length and CRC-32 of the tail, and the format
//
// The tail is in memory, the rest is read when a query needs it. All numbers in it are varints.
const (
	termsPerBlock   = 64
	docsPerBlock    = 128
	footerLength    = 16
	format          = 3 // of segments and of what cut makes; another one in the store is built anew
	maxTail         = 1 << 30
	hasAttachment   = 1
	subject, author = "\x01", "\x02" // before terms of a field
	local           = "\x03"         // before these: a term that strangers do not see, in the local part of an address
)

var errDamaged = errors.New("the segment is damaged")

// doc is what a segment knows of a document beside its terms.
type doc struct {
	list   uint16 // in segment.lists
	flags  uint8
	length uint16 // in terms
	seq    uint32
	minute uint32 // since 1970
}

// place is where a block of the dictionary is: behind the postings of its terms.
type place struct {
	term     string // the first of the block
	postings int64
	block    int64
	length   int64
}

type segment struct {
	name   string // blob, "" in memory
	size   int64
	data   io.ReaderAt
	lists  []string
	docs   []doc
	blocks []place

	mu     sync.RWMutex
	gone   []uint64 // a bit for each document that is no longer there
	dead   int
	purged bool     // of one of its documents nothing may stay
	orders []uint32 // documents by list and seq, made when first needed

	refs  atomic.Int32
	close func() error
}

// release gives up a use of the segment; the last one closes it.
func (s *segment) release() {
	if s.refs.Add(-1) == 0 && s.close != nil {
		s.close()
	}
}

// open reads the tail of a segment.
func open(name string, data io.ReaderAt, size int64) (*segment, error) {
	var footer [footerLength]byte
	if size < footerLength {
		return nil, errDamaged
	}
	if n, err := data.ReadAt(footer[:], size-footerLength); n < footerLength {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint64(footer[:]))
	if length < 0 || length > min(maxTail, size-footerLength) || binary.LittleEndian.Uint32(footer[12:]) != format {
		return nil, errDamaged
	}
	tail := make([]byte, length)
	if n, err := data.ReadAt(tail, size-footerLength-length); int64(n) < length {
		return nil, err
	}
	if crc32.ChecksumIEEE(tail) != binary.LittleEndian.Uint32(footer[8:]) {
		return nil, errDamaged
	}
	s := &segment{name: name, size: size, data: data}
	s.refs.Store(1)
	r := reader{b: tail}
	for range r.count() {
		s.lists = append(s.lists, string(r.bytes()))
	}
	s.docs = make([]doc, r.count())
	for i := range s.docs {
		s.docs[i] = doc{list: uint16(r.number()), flags: uint8(r.number()), length: uint16(r.number()), seq: uint32(r.number()), minute: uint32(r.number())}
		if int(s.docs[i].list) >= len(s.lists) {
			return nil, errDamaged
		}
	}
	s.blocks = make([]place, r.count())
	for i := range s.blocks {
		s.blocks[i] = place{term: string(r.bytes()), postings: int64(r.number()), block: int64(r.number()), length: int64(r.number())}
	}
	if r.bad {
		return nil, errDamaged
	}
	s.gone = make([]uint64, (len(s.docs)+63)/64)
	return s, nil
}

// entry is a term of the dictionary.
type entry struct {
	term   []byte
	docs   int
	at     int64 // its postings
	length int64
}

// terms calls yield for the terms from a first one on, in order, until it returns false.
func (s *segment) terms(from string, yield func(entry) bool) error {
	i := sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i].term > from }) - 1
	for i = max(i, 0); i < len(s.blocks); i++ {
		b := s.blocks[i]
		data, err := s.read(b.block, b.length)
		if err != nil {
			return err
		}
		more := true
		err = b.entries(data, func(e entry) bool {
			more = string(e.term) < from || yield(e)
			return more
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// entries calls yield for the terms in the bytes of a block, in order, until it returns false. A term is good until the next one.
func (b place) entries(data []byte, yield func(entry) bool) error {
	r, at := reader{b: data}, b.postings
	var term []byte
	for len(r.b) > 0 {
		keep := int(r.number())
		if keep > len(term) {
			return errDamaged
		}
		term = append(term[:keep], r.bytes()...)
		e := entry{term: term, docs: int(r.number()), at: at, length: int64(r.number())}
		if r.bad {
			return errDamaged
		}
		at += e.length
		if !yield(e) {
			return nil
		}
	}
	return nil
}

// find returns the entry of a term; its docs are 0 if it is not there.
func (s *segment) find(term string) (found entry, err error) {
	err = s.terms(term, func(e entry) bool {
		if string(e.term) == term {
			found = e
		}
		return false
	})
	return found, err
}

func (s *segment) read(at, length int64) ([]byte, error) { return s.readInto(nil, at, length) }

// readInto is read into the room of b.
func (s *segment) readInto(b []byte, at, length int64) ([]byte, error) {
	if at < 0 || length < 0 || at+length > s.size {
		return nil, errDamaged
	}
	b = slices.Grow(b[:0], int(length))[:length]
	if n, err := s.data.ReadAt(b, at); int64(n) < length {
		return nil, fmt.Errorf("read %s: %w", s.name, err)
	}
	return b, nil
}

// isGone reports whether a document was taken away.
func (s *segment) isGone(d uint32) bool { return s.gone[d/64]&(1<<(d%64)) != 0 }

// remove takes a document away, and reports whether the segment has it, be it gone or not.
func (s *segment) remove(list string, seq uint32) (found bool) {
	n := slices.Index(s.lists, list)
	if n < 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	less := func(d doc) int {
		if d.list != uint16(n) {
			return int(d.list) - n
		}
		return int(int64(d.seq) - int64(seq))
	}
	if s.orders == nil {
		s.orders = make([]uint32, len(s.docs))
		for i := range s.orders {
			s.orders[i] = uint32(i)
		}
		slices.SortFunc(s.orders, func(a, b uint32) int {
			x, y := s.docs[a], s.docs[b]
			if x.list != y.list {
				return int(x.list) - int(y.list)
			}
			return int(int64(x.seq) - int64(y.seq))
		})
	}
	found = false
	i := sort.Search(len(s.orders), func(i int) bool { return less(s.docs[s.orders[i]]) >= 0 })
	for ; i < len(s.orders) && less(s.docs[s.orders[i]]) == 0; i++ {
		found = true
		if d := s.orders[i]; !s.isGone(d) {
			s.gone[d/64] |= 1 << (d % 64)
			s.dead++
		}
	}
	return found
}

// snapshot returns which documents are gone, as they are now.
func (s *segment) snapshot() []uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.gone)
}

// reader reads numbers from bytes that may be damaged.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count is a number of things that need at least a byte each.
func (r *reader) count() int {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return 0
	}
	return int(n)
}

func (r *reader) bytes() []byte {
	n := r.count()
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// writer writes a segment.
type writer struct {
	out     func([]byte) error // takes the bytes in their order; nil keeps them in buf
	buf     []byte
	written int64
	err     error

	blocks []place
	block  []byte
	last   []byte // term
	count  int    // terms in the block
	begin  int64  // of the postings of the block
}

// flushAt is how many bytes are written at once.
const flushAt = 4 << 20

func (w *writer) write(b []byte) {
	w.buf = append(w.buf, b...)
	if len(w.buf) >= flushAt && w.out != nil {
		w.flush()
	}
}

func (w *writer) flush() {
	if w.err == nil && len(w.buf) > 0 {
		w.err = w.out(w.buf)
	}
	w.written += int64(len(w.buf))
	w.buf = w.buf[:0]
}

func (w *writer) at() int64 { return w.written + int64(len(w.buf)) }

// term writes the postings of the next term.
func (w *writer) term(term []byte, p *encoder) {
	p.flush()
	if p.docs == 0 {
		return
	}
	if w.count == termsPerBlock {
		w.endBlock()
	}
	if w.count == 0 {
		w.begin = w.at()
		w.blocks = append(w.blocks, place{term: string(term), postings: w.begin})
		w.last = w.last[:0]
	}
	keep := 0
	for keep < len(w.last) && keep < len(term) && w.last[keep] == term[keep] {
		keep++
	}
	w.block = binary.AppendUvarint(w.block, uint64(keep))
	w.block = binary.AppendUvarint(w.block, uint64(len(term)-keep))
	w.block = append(w.block, term[keep:]...)
	w.block = binary.AppendUvarint(w.block, uint64(p.docs))
	w.block = binary.AppendUvarint(w.block, uint64(len(p.out)))
	w.write(p.out)
	w.last = append(w.last[:0], term...)
	w.count++
}

func (w *writer) endBlock() {
	if w.count == 0 {
		return
	}
	b := &w.blocks[len(w.blocks)-1]
	b.block, b.length = w.at(), int64(len(w.block))
	w.write(w.block)
	w.block, w.count = w.block[:0], 0
}

// end writes the tail.
func (w *writer) end(lists []string, docs []doc) error {
	w.endBlock()
	tail := binary.AppendUvarint(nil, uint64(len(lists)))
	for _, l := range lists {
		tail = append(binary.AppendUvarint(tail, uint64(len(l))), l...)
	}
	tail = binary.AppendUvarint(tail, uint64(len(docs)))
	for _, d := range docs {
		for _, v := range [...]uint64{uint64(d.list), uint64(d.flags), uint64(d.length), uint64(d.seq), uint64(d.minute)} {
			tail = binary.AppendUvarint(tail, v)
		}
	}
	tail = binary.AppendUvarint(tail, uint64(len(w.blocks)))
	for _, b := range w.blocks {
		tail = append(binary.AppendUvarint(tail, uint64(len(b.term))), b.term...)
		for _, v := range [...]int64{b.postings, b.block, b.length} {
			tail = binary.AppendUvarint(tail, uint64(v))
		}
	}
	w.write(tail)
	var footer [footerLength]byte
	binary.LittleEndian.PutUint64(footer[:], uint64(len(tail)))
	binary.LittleEndian.PutUint32(footer[8:], crc32.ChecksumIEEE(tail))
	binary.LittleEndian.PutUint32(footer[12:], format)
	w.write(footer[:])
	if w.out != nil {
		w.flush()
	}
	return w.err
}

// inMemory opens a segment that was written into memory.
func inMemory(data []byte) (*segment, error) {
	return open("", bytes.NewReader(data), int64(len(data)))
}
