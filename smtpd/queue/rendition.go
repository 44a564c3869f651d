package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"kairan/storage"
)

// rendition is the record beside a rendition's text.
type rendition struct {
	Rows     int  `json:"rows"` // that name it
	Sealed   bool `json:"sealed,omitempty"`
	Size     int  `json:"size"`
	EightBit bool `json:"8bit,omitempty"`
	UTF8     bool `json:"utf8,omitempty"` // in the header
}

var (
	renditions = storage.NewTable[string, rendition]("renditions", storage.Strings[string]())
	texts      = storage.NewTable[string, text]("renditiontexts", storage.Strings[string]())
)

// text is a message as a row holds it, behind the version of its form.
type text []byte

const textVersion = 1

// AppendBinary implements [storage.Binary].
func (t text) AppendBinary(b []byte) ([]byte, error) {
	return append(append(b, textVersion), t...), nil
}

// UnmarshalBinary implements [storage.Binary].
func (t *text) UnmarshalBinary(b []byte) error {
	if len(b) == 0 || b[0] != textVersion {
		return errors.New("a rendition's text of an unknown form")
	}
	*t = bytes.Clone(b[1:])
	return nil
}

const (
	blobFolder = "renditions/"
	// inlineText is the largest message, in bytes, whose text is a row; larger ones are blobs.
	inlineText = 64 << 10
)

// Rendition makes a message ready to be one, under an id that may be part of a blob's name: it is there once a transaction has
// committed in which add was called. A large one is on disk at once.
// Line ends that are not CRLF become CRLF (RFC 5321, section 2.3.8).
// A rendition that is stored already stays as it is, so both calls may be repeated.
func (o *Outbox) Rendition(ctx context.Context, id string, message []byte) (add func(*storage.Tx) error, err error) {
	message = canonical(message)
	if len(message) > inlineText {
		return func(*storage.Tx) error { return nil }, o.addLarge(ctx, id, message)
	}
	return func(tx *storage.Tx) error {
		if renditions.Has(tx, id) {
			return nil
		}
		return errors.Join(renditions.Put(tx, id, record(message)), texts.Put(tx, id, message))
	}, nil
}

// AddRendition stores a message as [Outbox.Rendition] does, in a transaction of its own.
func (o *Outbox) AddRendition(ctx context.Context, id string, message []byte) error {
	add, err := o.Rendition(ctx, id, message)
	if err != nil {
		return err
	}
	return o.db.Update(ctx, add)
}

func record(message []byte) rendition {
	header, _, _ := bytes.Cut(message, []byte("\r\n\r\n"))
	return rendition{Size: len(message), EightBit: !ascii(message), UTF8: !ascii(header)}
}

// addLarge stores a rendition whose text is a blob.
func (o *Outbox) addLarge(ctx context.Context, id string, message []byte) error {
	o.blobs.Lock() // against sweep, which must not see the blob without its record
	defer o.blobs.Unlock()
	known := false
	err := o.db.View(ctx, func(tx *storage.Tx) error {
		known = renditions.Has(tx, id)
		return nil
	})
	if err != nil || known {
		return err
	}
	o.stored[id] = true
	if err := o.db.Blobs.Create(blobFolder+id, message); err != nil {
		return fmt.Errorf("store rendition %s: %w", id, err)
	}
	return o.db.Update(ctx, func(tx *storage.Tx) error { return renditions.Put(tx, id, record(message)) })
}

// ReplaceRendition stores another message under an id, in a row whatever its size: copies that have not left yet are made of it. Where the
// rendition is gone it does nothing.
func (o *Outbox) ReplaceRendition(ctx context.Context, id string, message []byte) error {
	o.blobs.Lock()
	defer o.blobs.Unlock()
	defer o.messages.drop(id)
	message = canonical(message)
	err := o.db.Update(ctx, func(tx *storage.Tx) error {
		rec, err := renditions.Get(tx, id)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		next := record(message)
		next.Rows, next.Sealed = rec.Rows, rec.Sealed
		return errors.Join(renditions.Put(tx, id, next), texts.Put(tx, id, message))
	})
	if err == nil {
		err = o.db.Blobs.Delete(blobFolder + id) // of a large one
	}
	if err != nil {
		return fmt.Errorf("replace rendition %s: %w", id, err)
	}
	return nil
}

// Seal says that no more recipients will come: the rendition is removed after its last row.
// Sealing one that is gone is no error.
func (o *Outbox) Seal(tx *storage.Tx, id string) error {
	rec, err := renditions.Get(tx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	rec.Sealed = true
	return putRendition(tx, id, rec)
}

// putRendition stores rec, or deletes it and its text when nothing needs it any more; sweep then finds the blob.
func putRendition(tx *storage.Tx, id string, rec rendition) error {
	if rec.Sealed && rec.Rows <= 0 {
		return errors.Join(renditions.Delete(tx, id), texts.Delete(tx, id))
	}
	return renditions.Put(tx, id, rec)
}

// countRows adds to the number of rows that name renditions.
func countRows(tx *storage.Tx, added map[string]int) error {
	for id, n := range added {
		if n == 0 {
			continue
		}
		rec, err := renditions.Get(tx, id)
		if errors.Is(err, storage.ErrNotFound) {
			continue // its rows must not hold up the others
		}
		if err != nil {
			return err
		}
		rec.Rows += n
		if err := putRendition(tx, id, rec); err != nil {
			return err
		}
	}
	return nil
}

// Blobs returns the names of the blobs that the queue needs.
func (o *Outbox) Blobs(tx *storage.Tx) []string {
	var names []string
	for id := range renditions.Scan(tx, storage.Range[string]{}) {
		if !texts.Has(tx, id) {
			names = append(names, blobFolder+id)
		}
	}
	return names
}

// sweep deletes blobs that no record needs: those of finished renditions, and
// what a crash left between blob and record. It forgets what is in memory of finished ones.
func (o *Outbox) sweep(ctx context.Context) error {
	o.blobs.Lock()
	defer o.blobs.Unlock()
	if !o.listed {
		for name := range o.db.Blobs.All(blobFolder) {
			o.stored[strings.TrimPrefix(name, blobFolder)] = true
		}
		o.listed = true
	}
	var idle []string
	err := o.db.View(ctx, func(tx *storage.Tx) error {
		for id := range o.stored {
			if !renditions.Has(tx, id) || texts.Has(tx, id) {
				idle = append(idle, id)
			}
		}
		o.messages.keep(func(id string) bool { return renditions.Has(tx, id) })
		return nil
	})
	if err != nil {
		return fmt.Errorf("find finished renditions: %w", err)
	}
	for _, id := range idle {
		if failed := o.db.Blobs.Delete(blobFolder + id); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		delete(o.stored, id)
	}
	if err != nil {
		return fmt.Errorf("remove finished renditions: %w", err)
	}
	return nil
}

// canonical returns message with every line ended by CRLF.
func canonical(message []byte) []byte {
	crlf := bytes.Count(message, []byte("\r\n"))
	if crlf == bytes.Count(message, []byte("\n")) && crlf == bytes.Count(message, []byte("\r")) && bytes.HasSuffix(message, []byte("\r\n")) {
		return message
	}
	b := bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	if !bytes.HasSuffix(b, []byte("\n")) {
		b = append(b, '\n')
	}
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
