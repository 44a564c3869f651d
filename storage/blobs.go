package storage

import (
	"errors"
	"io"
	"iter"
)

// ErrLength says that a blob is not as long as the caller expected.
var ErrLength = errors.New("the blob has another length")

// Blobs keeps what is too large for a row. A name is a slash-separated relative
// path of letters, digits and "-._@+=", such as "archive/0abc/2026-01.mbox"; no
// part of it starts with a dot, and no name is a folder of another.
// What a method returned nil for is durable. Methods may be called concurrently.
type Blobs interface {
	// Create writes a new blob whole; it replaces one of that name in one step.
	Create(name string, data []byte) error
	// Append adds data at offset at, which must be the blob's length (0 for a
	// new one), else ErrLength. Of two appends at one offset one succeeds.
	Append(name string, at int64, data []byte) error
	// Open returns a reader of the blob as it is now, or ErrNotFound.
	Open(name string) (Blob, error)
	// Len returns the blob's length, or ErrNotFound.
	Len(name string) (int64, error)
	// Truncate cuts the blob to length n, at most its length, else ErrLength.
	Truncate(name string, n int64) error
	// Delete removes the blob; one that is not there is no error.
	Delete(name string) error
	// All yields name and length of each blob under prefix, in the byte order
	// of names. A length of -1 stands for what could not be read.
	All(prefix string) iter.Seq2[string, int64]
}

// Blob is an open blob.
type Blob interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// ReadBlob returns the whole blob, or ErrNotFound.
func ReadBlob(b Blobs, name string) ([]byte, error) {
	f, err := b.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
}
