package bolt

import (
	"bytes"
	"slices"

	"go.etcd.io/bbolt"

	"kairan/storage"
)

// scan yields the rows of a span as they were when it began. It reads them one
// by one; a write ahead of it, in the same transaction, first leaves the old row with it.
type scan struct {
	table string
	span  storage.Span
	walk  walk

	last []byte // the key yielded last
	// moved says that the cursor does not stand on last: at the start, and
	// because a write to a table makes bbolt's cursors in it invalid.
	moved bool
	kept  []row // rows as they were, in key order; a nil value was not there
}

type row struct{ key, value []byte }

// before keeps the row of key, which is about to change, if it is still to come.
func (s *scan) before(key, old []byte) {
	s.moved = true
	if !s.ahead(key) {
		return
	}
	if i, found := s.find(key); !found {
		s.kept = slices.Insert(s.kept, i, row{key: key, value: old})
	}
}

func (s *scan) find(key []byte) (int, bool) {
	return slices.BinarySearchFunc(s.kept, key, func(r row, key []byte) int { return bytes.Compare(r.key, key) })
}

// ahead reports whether a row of that key would be yielded after the last one.
func (s *scan) ahead(key []byte) bool {
	if bytes.Compare(key, s.span.From) < 0 || s.span.To != nil && bytes.Compare(key, s.span.To) >= 0 {
		return false
	}
	return s.last == nil || s.sooner(s.last, key)
}

// sooner reports whether a comes before b in the scan's direction.
func (s *scan) sooner(a, b []byte) bool {
	if s.span.Reverse {
		a, b = b, a
	}
	return bytes.Compare(a, b) < 0
}

// next returns the next row, or nil.
func (s *scan) next() (k, v []byte) {
	k, v = s.nextLive()
	if r := s.nextKept(); r.key != nil && (k == nil || s.sooner(r.key, k)) {
		k, v = r.key, r.value
		s.moved = true // the cursor is on a later row
	}
	s.last = k
	return k, v
}

// nextLive moves the cursor to the next row that did not change since the start.
func (s *scan) nextLive() (k, v []byte) {
	switch {
	case s.last == nil:
		k, v = s.walk.start(s.span)
	case s.moved:
		k, v = s.walk.after(s.last, s.span.Reverse)
	default:
		k, v = s.walk.step(s.last, s.span.Reverse)
	}
	s.moved = false
	for k != nil && s.ahead(k) {
		if _, changed := s.find(k); !changed {
			return k, v
		}
		k, v = s.walk.step(k, s.span.Reverse)
	}
	return nil, nil
}

// nextKept returns the next row that changed since the start and was there then.
func (s *scan) nextKept() row {
	if s.span.Reverse {
		for len(s.kept) > 0 && !s.ahead(s.kept[len(s.kept)-1].key) {
			s.kept = s.kept[:len(s.kept)-1]
		}
		for _, r := range slices.Backward(s.kept) {
			if r.value != nil {
				return r
			}
		}
		return row{}
	}
	for len(s.kept) > 0 && !s.ahead(s.kept[0].key) {
		s.kept = s.kept[1:]
	}
	for _, r := range s.kept {
		if r.value != nil {
			return r
		}
	}
	return row{}
}

// walk moves a cursor in both directions.
type walk struct {
	b *bbolt.Bucket
	c *bbolt.Cursor
}

// start moves to the first row of span in its direction; it may be outside.
func (w walk) start(span storage.Span) (k, v []byte) {
	switch {
	case !span.Reverse:
		return w.c.Seek(span.From)
	case span.To == nil:
		return w.c.Last()
	}
	return w.after(span.To, true)
}

// after moves to the row after key, which need not exist and where the cursor need not stand.
func (w walk) after(key []byte, reverse bool) (k, v []byte) {
	k, v = w.c.Seek(key)
	switch {
	case reverse && k == nil:
		return w.c.Last()
	case reverse:
		return w.step(k, true)
	case bytes.Equal(k, key):
		return w.c.Next()
	}
	return k, v
}

// step moves from the row of key, where the cursor stands, to the next one.
func (w walk) step(key []byte, reverse bool) (k, v []byte) {
	if !reverse {
		return w.c.Next()
	}
	k, v = w.c.Prev()
	if k != nil {
		return k, v
	}
	// QUIRK: bbolt 1.5's Prev returns nil not only before the first row but also
	// on a page whose rows this transaction deleted; it goes on when called again.
	first, _ := w.b.Cursor().First()
	for k == nil && first != nil && bytes.Compare(first, key) < 0 {
		k, v = w.c.Prev()
	}
	return k, v
}
