package archive

import (
	"crypto/sha1"
	"encoding/base32"
	"fmt"

	"kairan/storage"
)

// OldPipermail is the Entry.Old of the message that Mailman's pipermail called n: its page was LIST/2020-May/NNNNNN.html.
func OldPipermail(n uint64) string { return fmt.Sprintf("pipermail/%d", n) }

// ByPipermail returns the message that was number n in pipermail, or storage.ErrNotFound. The
// numbers are known for what was imported with them.
func ByPipermail(tx *storage.Tx, list string, n uint64) (*Message, error) {
	return byName(tx, oldNames, list, OldPipermail(n))
}

// HashID returns the name that Mailman 3 and HyperKitty give a message: the SHA-1 of its Message-ID, without "<>", in base32.
func HashID(id string) string {
	sum := sha1.Sum([]byte(id))
	return base32.StdEncoding.EncodeToString(sum[:])
}

// ByHash returns the first message whose Message-ID has that [HashID], or storage.ErrNotFound.
func ByHash(tx *storage.Tx, list, hash string) (*Message, error) {
	return byName(tx, hashes, list, hash)
}

func byName(tx *storage.Tx, t storage.Table[byText, uint64], list, name string) (*Message, error) {
	if len(name) > 200 {
		return nil, storage.ErrNotFound // longer than any
	}
	seq, err := t.Get(tx, storage.P(list, name))
	if err != nil {
		return nil, err
	}
	return BySeq(tx, list, seq)
}
