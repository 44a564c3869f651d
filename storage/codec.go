package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Codec turns a key into bytes whose order is the key's order, and back.
type Codec[K any] struct {
	// Append appends the encoding of k to b. No encoding is a prefix of another.
	Append func(b []byte, k K) []byte
	// Parse decodes the key at the start of b and returns what follows it.
	Parse func(b []byte) (k K, rest []byte, err error)
}

var errKey = errors.New("malformed key")

// Strings is the codec of a string type. A zero byte is escaped, and 00 01 ends the string.
func Strings[S ~string]() Codec[S] {
	return Codec[S]{
		Append: func(b []byte, s S) []byte {
			if strings.IndexByte(string(s), 0) < 0 {
				return append(append(b, s...), 0, 1)
			}
			for i := range len(s) {
				if b = append(b, s[i]); s[i] == 0 {
					b = append(b, 0xff)
				}
			}
			return append(b, 0, 1)
		},
		Parse: func(b []byte) (S, []byte, error) {
			if i := bytes.IndexByte(b, 0); i >= 0 && i+1 < len(b) && b[i+1] == 1 { // no zero byte in it, as almost always
				return S(b[:i]), b[i+2:], nil
			}
			var s []byte
			for i := 0; i+1 < len(b); i++ {
				if b[i] != 0 {
					s = append(s, b[i])
					continue
				}
				i++
				switch b[i] {
				case 1:
					return S(s), b[i+1:], nil
				case 0xff:
					s = append(s, 0)
				default:
					return "", nil, errKey
				}
			}
			return "", nil, errKey
		},
	}
}

// Uints is the codec of an unsigned integer type: eight bytes, big endian.
func Uints[U ~uint64]() Codec[U] {
	return Codec[U]{
		Append: func(b []byte, u U) []byte { return binary.BigEndian.AppendUint64(b, uint64(u)) },
		Parse: func(b []byte) (U, []byte, error) {
			if len(b) < 8 {
				return 0, nil, errKey
			}
			return U(binary.BigEndian.Uint64(b)), b[8:], nil
		},
	}
}

// Pair is a key of two parts, ordered by A and then by B.
type Pair[A, B any] struct {
	A A
	B B
}

// P returns the pair of a and b.
func P[A, B any](a A, b B) Pair[A, B] { return Pair[A, B]{A: a, B: b} }

// Pairs is the codec of a pair.
func Pairs[A, B any](a Codec[A], b Codec[B]) Codec[Pair[A, B]] {
	return Codec[Pair[A, B]]{
		Append: func(buf []byte, k Pair[A, B]) []byte { return b.Append(a.Append(buf, k.A), k.B) },
		Parse: func(buf []byte) (k Pair[A, B], rest []byte, err error) {
			if k.A, rest, err = a.Parse(buf); err != nil {
				return k, nil, fmt.Errorf("first part: %w", err)
			}
			if k.B, rest, err = b.Parse(rest); err != nil {
				return k, nil, fmt.Errorf("second part: %w", err)
			}
			return k, rest, nil
		},
	}
}

// under returns the span of all keys that start with prefix.
func under(prefix []byte) Span {
	to := append([]byte(nil), prefix...)
	for i := len(to) - 1; i >= 0; i-- {
		if to[i]++; to[i] != 0 {
			return Span{From: prefix, To: to[:i+1]}
		}
	}
	return Span{From: prefix}
}
