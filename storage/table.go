package storage

import (
	"encoding"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"

	jsonv1 "github.com/go-json-experiment/json/v1" // means the same as encoding/json, in half the time
)

// Table is a named table whose keys are K and whose values are the JSON of V, or, where *V is a [Binary], what that makes of itself.
// A Table holds no state; declare it once as a package variable.
type Table[K, V any] struct {
	name string
	key  Codec[K]
}

// Binary is a value with a form of its own, for rows that pages read by the hundred: JSON takes some ten times as long.
// The form begins with its version, and UnmarshalBinary reads every version that was ever written, JSON too where rows began so. It
// copies what it keeps.
type Binary interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// decode reads a value.
func decode[V any](b []byte, v *V) error {
	if binary, ok := any(v).(Binary); ok {
		return binary.UnmarshalBinary(b)
	}
	return jsonv1.Unmarshal(b, v)
}

// encode writes a value.
func encode[V any](v *V) ([]byte, error) {
	if binary, ok := any(v).(Binary); ok {
		return binary.AppendBinary(nil)
	}
	return json.Marshal(v)
}

// NewTable declares the table of that name. Names are for ever: they are on disk.
func NewTable[K, V any](name string, key Codec[K]) Table[K, V] {
	return Table[K, V]{name: name, key: key}
}

// Name returns the table's name.
func (t Table[K, V]) Name() string { return t.name }

// Get returns the value of k, or an error that is ErrNotFound.
// After any other error the transaction fails whatever its function returns.
func (t Table[K, V]) Get(tx *Tx, k K) (V, error) {
	v, err := t.Fetch(tx, k)
	if err != nil {
		var none V
		return none, err
	}
	return *v, nil
}

// Fetch is Get for values that are large.
func (t Table[K, V]) Fetch(tx *Tx, k K) (*V, error) {
	v := new(V)
	var space [64]byte
	b, err := tx.e.Get(t.name, t.key.Append(space[:0], k))
	if err == nil {
		err = decode(b, v)
	}
	if err != nil {
		err = fmt.Errorf("%s %v: %w", t.name, k, err)
		tx.failUnlessNotFound(err)
		return nil, err
	}
	return v, nil
}

// Has reports whether the table has k. When that cannot be told the transaction fails.
func (t Table[K, V]) Has(tx *Tx, k K) bool {
	_, err := tx.e.Get(t.name, t.key.Append(nil, k))
	tx.failUnlessNotFound(err)
	return err == nil
}

// Put sets k to v.
func (t Table[K, V]) Put(tx *Tx, k K, v V) error {
	b, err := encode(&v)
	if err != nil {
		return fmt.Errorf("%s %v: %w", t.name, k, err)
	}
	if err := tx.e.Put(t.name, t.key.Append(nil, k), b); err != nil {
		return fmt.Errorf("%s %v: %w", t.name, k, err)
	}
	return nil
}

// Delete removes k; a key that is not there is no error.
func (t Table[K, V]) Delete(tx *Tx, k K) error {
	if err := tx.e.Delete(t.name, t.key.Append(nil, k)); err != nil {
		return fmt.Errorf("delete %s %v: %w", t.name, k, err)
	}
	return nil
}

// Range is what a scan covers: from From (or after After) up to and without To.
// Nil pointers are open ends, so the zero value is the whole table.
type Range[K any] struct {
	From, After, To *K
	Reverse         bool
}

// Scan yields the rows of r in key order.
// A row that cannot be read ends the scan, and the transaction then fails with
// that error whatever its function returns, so callers need not check.
func (t Table[K, V]) Scan(tx *Tx, r Range[K]) iter.Seq2[K, V] {
	var span Span
	span.Reverse = r.Reverse
	switch {
	case r.After != nil:
		span.From = append(t.key.Append(nil, *r.After), 0)
	case r.From != nil:
		span.From = t.key.Append(nil, *r.From)
	}
	if r.To != nil {
		span.To = t.key.Append(nil, *r.To)
	}
	return t.scan(tx, span)
}

// Keys yields the keys of r in order. It reads no values, so a row that cannot be read ends nothing.
func (t Table[K, V]) Keys(tx *Tx, r Range[K]) iter.Seq[K] {
	return func(yield func(K) bool) {
		for k := range (Table[K, struct{}]{t.name, t.key}).Scan(tx, r) {
			if !yield(k) {
				return
			}
		}
	}
}

// Under yields the rows whose key starts with the first part a, in order.
func Under[A, B, V any](tx *Tx, t Table[Pair[A, B], V], first Codec[A], a A) iter.Seq2[Pair[A, B], V] {
	return t.scan(tx, under(first.Append(nil, a)))
}

// UnderReverse is Under from the last row to the first.
func UnderReverse[A, B, V any](tx *Tx, t Table[Pair[A, B], V], first Codec[A], a A) iter.Seq2[Pair[A, B], V] {
	span := under(first.Append(nil, a))
	span.Reverse = true
	return t.scan(tx, span)
}

// UnderAfter yields the rows under the first part of k that come after k.
func UnderAfter[A, B, V any](tx *Tx, t Table[Pair[A, B], V], first Codec[A], k Pair[A, B]) iter.Seq2[Pair[A, B], V] {
	span := under(first.Append(nil, k.A))
	span.From = append(t.key.Append(nil, k), 0)
	return t.scan(tx, span)
}

// Within yields the rows under the first part a whose second part is in r.
func Within[A, B, V any](tx *Tx, t Table[Pair[A, B], V], first Codec[A], a A, r Range[B]) iter.Seq2[Pair[A, B], V] {
	span := under(first.Append(nil, a))
	span.Reverse = r.Reverse
	switch {
	case r.After != nil:
		span.From = append(t.key.Append(nil, P(a, *r.After)), 0)
	case r.From != nil:
		span.From = t.key.Append(nil, P(a, *r.From))
	}
	if r.To != nil {
		span.To = t.key.Append(nil, P(a, *r.To))
	}
	return t.scan(tx, span)
}

func (t Table[K, V]) scan(tx *Tx, span Span) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		empty := reflect.TypeFor[V]().Size() == 0 // the key says all
		err := tx.e.Scan(t.name, span, func(kb, vb []byte) bool {
			k, rest, err := t.key.Parse(kb)
			if err == nil && len(rest) > 0 {
				err = errKey
			}
			var v V
			if err == nil && !empty {
				err = decode(vb, &v)
			}
			if err != nil {
				tx.fail(fmt.Errorf("%s %x: %w", t.name, kb, err))
				return false
			}
			return yield(k, v)
		})
		if err != nil {
			tx.fail(fmt.Errorf("scan %s: %w", t.name, err))
		}
	}
}
