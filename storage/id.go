package storage

import (
	"crypto/rand"
	"encoding/base32"
	"time"
)

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID returns 16 lower-case characters that are unique for ever: 48 bits of
// milliseconds, so that identifiers sort by age, and 32 random bits.
// It is a name, not a secret.
func NewID(now time.Time) string {
	ms := uint64(now.UnixMilli())
	b := [10]byte{byte(ms >> 40), byte(ms >> 32), byte(ms >> 24), byte(ms >> 16), byte(ms >> 8), byte(ms)}
	rand.Read(b[6:])
	return idEncoding.EncodeToString(b[:])
}

// IDTime returns when NewID made an identifier, to the millisecond; the zero time for another text.
func IDTime(id string) time.Time {
	b, err := idEncoding.DecodeString(id)
	if err != nil || len(b) != 10 {
		return time.Time{}
	}
	ms := uint64(0)
	for _, c := range b[:6] {
		ms = ms<<8 | uint64(c)
	}
	return time.UnixMilli(int64(ms))
}
