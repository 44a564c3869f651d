package archive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"kairan/archive/mbox"
	"kairan/storage"
)

// maxRecord is the largest record that is written or read, in bytes.
const maxRecord = 128 << 20

// writer is the right to write to the archive of a list.
type writer struct {
	token  chan struct{} // holds one element while nobody writes
	unsure string        // the mbox whose end a failed Add left in an unknown state
}

// write waits for the right to write to a list's archive; done gives it back.
func (a *Archive) write(ctx context.Context, list string) (w *writer, done func(), err error) {
	a.mu.Lock()
	w = a.writers[list]
	if w == nil {
		if a.writers == nil {
			a.writers = map[string]*writer{}
		}
		w = &writer{token: make(chan struct{}, 1)}
		w.token <- struct{}{}
		a.writers[list] = w
	}
	a.mu.Unlock()
	select {
	case <-w.token:
		return w, func() { w.token <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// Add appends the entry to its month, syncs, and commits it to the index in one transaction with what within does (nil for nothing).
// A post that is there already is not added again, but within still runs. Within may run more than once.
// What a crash left behind the committed length is dealt with first: whole records are indexed, a partial one moves to lost+found and is reported.
// After an error nothing is lost and Add may be called again.
func (a *Archive) Add(ctx context.Context, e Entry, within func(*storage.Tx, *Message) error) (*Message, error) {
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("archive post %q: %w", e.Post, err)
	}
	e.ID = cmp.Or(e.ID, e.Post+"@no-message-id.invalid")
	w, done, err := a.write(ctx, e.List)
	if err != nil {
		return nil, fmt.Errorf("archive post %s: %w", e.Post, err)
	}
	defer done()
	m, err := a.add(ctx, w, e, within)
	if err != nil {
		return nil, fmt.Errorf("archive post %s: %w", e.Post, err)
	}
	return m, nil
}

func (a *Archive) add(ctx context.Context, w *writer, e Entry, within func(*storage.Tx, *Message) error) (*Message, error) {
	file := fileOf(e.List, a.month(e.Received))
	if err := a.prepare(ctx, w, e.List, file); err != nil {
		return nil, err
	}
	var there *Message
	var seq uint64
	var offset int64
	err := a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if there, err = byPost(tx, e.List, e.Post); !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		there = nil
		row, err := get(tx, lists, e.List)
		seq = row.Last + 1
		month, monthErr := get(tx, months, storage.P(e.List, monthOf(file)))
		offset = month.Length
		return errors.Join(err, monthErr)
	})
	if err != nil {
		return nil, err
	}
	if there != nil {
		return there, a.DB.Update(ctx, func(tx *storage.Tx) error { return call(within, tx, there) })
	}
	rec := mbox.Record{Post: e.Post, Number: e.Number, ID: e.ID, Seq: seq, Received: e.Received, Raw: e.Raw}
	data := mbox.Append(make([]byte, 0, len(e.Raw)+1024), rec)
	d := describe(rec)
	d.place(e.List, file, offset, data)
	w.unsure = file
	if err := a.DB.Blobs.Append(file, offset, data); err != nil {
		return nil, err
	}
	err = a.DB.Update(ctx, func(tx *storage.Tx) error {
		if err := index(tx, d); err != nil {
			return err
		}
		return call(within, tx, &d.Message)
	})
	if err != nil {
		return nil, err
	}
	w.unsure = ""
	return &d.Message, nil
}

func call(within func(*storage.Tx, *Message) error, tx *storage.Tx, m *Message) error {
	if within == nil {
		return nil
	}
	return within(tx, m)
}

// prepare brings index and files of a list together, as far as an Add to file needs it.
func (a *Archive) prepare(ctx context.Context, w *writer, list, file string) error {
	if err := a.finishReindex(ctx, list, nil); err != nil {
		return err
	}
	if w.unsure != "" && w.unsure != file {
		if err := a.settle(ctx, list, w.unsure, nil); err != nil {
			return err
		}
	}
	if err := a.settle(ctx, list, file, nil); err != nil {
		return err
	}
	w.unsure = ""
	return nil
}

func (e Entry) check() error {
	switch {
	case e.List == "" || strings.ContainsAny(e.List, "/\x00"):
		return fmt.Errorf("list ID %q", e.List)
	case e.Post == "" || len(e.Post) > 200:
		return errors.New("it has no usable post ID")
	case e.Received.Year() < 1970 || e.Received.Year() > 9998:
		return fmt.Errorf("received at %v", e.Received)
	case len(e.ID) > 2<<10:
		return errors.New("the Message-ID is too long")
	case len(e.Raw) > maxRecord/2:
		return fmt.Errorf("the message is longer than %d MB", maxRecord/2>>20)
	}
	return nil
}

// month is the month of the site in which t lies.
func (a *Archive) month(t time.Time) string {
	if a.Location == nil {
		return t.UTC().Format("2006-01")
	}
	return t.In(a.Location).Format("2006-01")
}

// fileOf is the blob of a list's month.
func fileOf(list, month string) string { return "archive/" + list + "/" + month + ".mbox" }

// monthOf is the month of a blob.
func monthOf(file string) string { return strings.TrimSuffix(path.Base(file), ".mbox") }

// place says where the message's record is; data is the record as it lies there.
func (d *described) place(list, file string, offset int64, data []byte) {
	sum := sha256.Sum256(data)
	d.List, d.File, d.Offset, d.Length, d.Sum = list, file, offset, int64(len(data)), hex.EncodeToString(sum[:])
}
