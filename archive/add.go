package archive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kairan/archive/mbox"
	"kairan/smtpd/message"
	"kairan/storage"
)

// maxRecord is the largest record that is written or read, in bytes.
const maxRecord = 128 << 20

// MaxMessage is the largest message that can be archived, in bytes.
const MaxMessage = maxRecord / 2

// recordHead is about how many bytes a record has before its message.
const recordHead = 512

// writer is the right to write to the archive of a list.
type writer struct {
	list   string
	token  chan struct{}   // holds one element while nobody writes
	unsure map[string]bool // the mboxes whose end a failed Add left in an unknown state
	ledger bool            // the ledger is settled
}

// write waits for the right to write to a list's archive; done gives it back.
func (a *Archive) write(ctx context.Context, list string) (w *writer, done func(), err error) {
	a.mu.Lock()
	w = a.writers[list]
	if w == nil {
		if a.writers == nil {
			a.writers = map[string]*writer{}
		}
		w = &writer{list: list, token: make(chan struct{}, 1), unsure: map[string]bool{}}
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
	if err := a.prepare(ctx, w, a.month(e.Received)); err != nil {
		return nil, err
	}
	there, err := a.current(ctx, &Message{List: e.List, Post: e.Post})
	if err == nil {
		return there, a.DB.Update(ctx, func(tx *storage.Tx) error { return call(within, tx, there) })
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	d := describe(e.record(), message.Parse(e.Raw))
	d.raw = e.Raw
	err = a.store(ctx, w, []*described{d}, func(tx *storage.Tx) error { return call(within, tx, &d.Message) })
	return &d.Message, err
}

func call(within func(*storage.Tx, *Message) error, tx *storage.Tx, m *Message) error {
	if within == nil {
		return nil
	}
	return within(tx, m)
}

// record is the entry as an mbox holds it, but for its Seq.
func (e Entry) record() mbox.Record {
	id := cmp.Or(e.ID, e.Post+"@no-message-id.invalid")
	return mbox.Record{Post: e.Post, Number: e.Number, ID: id, Received: e.Received, Old: e.Old, Raw: e.Raw}
}

// store gives new messages their Seqs, appends them to their months, syncs each file once, and commits them to the index in one transaction.
// The caller has the right to write and has prepared the months.
func (a *Archive) store(ctx context.Context, w *writer, batch []*described, within func(*storage.Tx) error) error {
	var last uint64
	ends := map[string]int64{} // of the files
	err := a.DB.View(ctx, func(tx *storage.Tx) error {
		row, err := get(tx, lists, w.list)
		last = row.Last
		for _, d := range batch {
			k := storage.P(w.list, a.month(d.Received))
			generation, err1 := get(tx, generations, k)
			month, err2 := get(tx, months, k)
			d.File = cmp.Or(month.File, fileOf(w.list, k.B, generation))
			ends[d.File] = month.Length
			err = errors.Join(err, err1, err2)
		}
		return err
	})
	if err != nil {
		return err
	}
	room := map[string]int{}
	for _, d := range batch {
		room[d.File] += len(d.raw) + recordHead
	}
	data := make(map[string][]byte, len(room))
	for file, n := range room {
		data[file] = make([]byte, 0, n)
	}
	for i, d := range batch {
		d.Seq = last + 1 + uint64(i)
		from := len(data[d.File])
		data[d.File] = mbox.Append(data[d.File], d.record())
		d.place(w.list, d.File, ends[d.File]+int64(from), data[d.File][from:])
	}
	for _, file := range slices.Sorted(maps.Keys(data)) {
		w.unsure[file] = true
		if err := a.DB.Blobs.Append(file, ends[file], data[file]); err != nil {
			return err
		}
	}
	err = a.DB.Update(ctx, func(tx *storage.Tx) error {
		for _, d := range batch {
			if err := index(tx, d); err != nil {
				return err
			}
		}
		return within(tx)
	})
	if err != nil {
		return err
	}
	clear(w.unsure)
	a.announce()
	return nil
}

// record is the message as its mbox holds it.
func (d *described) record() mbox.Record {
	return mbox.Record{Post: d.Post, Number: d.Number, ID: d.ID, Seq: d.Seq, Received: d.Received, Old: d.Old, Raw: d.raw}
}

// prepare brings ledger, index and files of a list together, as far as an Add to those months needs it.
func (a *Archive) prepare(ctx context.Context, w *writer, months ...string) error {
	if err := a.settleAll(ctx, w); err != nil {
		return err
	}
	files := map[string]bool{}
	err := a.DB.View(ctx, func(tx *storage.Tx) error {
		for _, month := range months {
			generation, err := get(tx, generations, storage.P(w.list, month))
			if err != nil {
				return err
			}
			files[fileOf(w.list, month, generation)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for file := range files {
		if err := a.settle(ctx, w.list, file, nil); err != nil {
			return err
		}
	}
	return nil
}

// settleAll ends a Reindex that was interrupted, carries out what the ledger says, and deals with the mboxes that an Add left in an unknown state.
func (a *Archive) settleAll(ctx context.Context, w *writer) error {
	if w.list != "" {
		if err := a.finishReindex(ctx, w.list, nil); err != nil {
			return err
		}
	}
	if !w.ledger {
		if err := a.settleLedger(ctx, w.list); err != nil {
			return err
		}
		w.ledger = true
	}
	for file := range w.unsure {
		if err := a.settle(ctx, w.list, file, nil); err != nil {
			return err
		}
		delete(w.unsure, file)
	}
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
	case len(e.Old) > 100:
		return errors.New("the old name is too long")
	case len(e.Raw) > MaxMessage:
		return fmt.Errorf("the message is longer than %d MB", MaxMessage>>20)
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

// place says where the message's record is; data is the record as it lies there.
func (d *described) place(list, file string, offset int64, data []byte) {
	sum := sha256.Sum256(data)
	d.List, d.File, d.Offset, d.Length, d.Sum = list, file, offset, int64(len(data)), sum
}
