package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"kairan/archive/mbox"
	"kairan/smtpd/message"
	"kairan/storage"
)

// copyChunk is how many bytes of a month are copied at a time.
const copyChunk = 4 << 20

// Purge takes a message off the disk: the file of its month is written anew with an empty record in its place, and takes the old
// one's place in one transaction; the old file is deleted, and what lost+found holds of the record. The
// message is hidden from then on, for ever: its addresses, numbers and place stay taken, and an import does not bring it back.
// What others than the archive keep of it is theirs to forget.
func (a *Archive) Purge(ctx context.Context, m *Message, o Order) error {
	w, done, err := a.write(ctx, m.List)
	if err != nil {
		return err
	}
	defer done()
	if err := a.purge(ctx, w, m, o); err != nil {
		return fmt.Errorf("purge message %s: %w", m.ID, err)
	}
	return nil
}

func (a *Archive) purge(ctx context.Context, w *writer, m *Message, o Order) error {
	if err := a.settleAll(ctx, w); err != nil {
		return err
	}
	var generation int
	var month Month
	err := a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if m, err = byPost(tx, m.List, m.Post); err != nil {
			return err
		}
		if err := possible(tx, m, Act{Do: Purge}); err != nil {
			return err
		}
		if month, err = get(tx, months, storage.P(m.List, monthOf(m.File))); err != nil {
			return err
		}
		generation, err = get(tx, generations, storage.P(m.List, monthOf(m.File)))
		return err
	})
	if err != nil {
		return err
	}
	if err := a.settle(ctx, m.List, m.File, nil); err != nil {
		return err
	}
	raw, err := a.original(m)
	if err != nil {
		return err
	}
	act := Act{
		Do: Purge, By: o.By, Reason: o.Reason, Post: m.Post, ID: m.ID,
		Month: monthOf(m.File), Generation: generation + 1, Print: fingerprint(message.Parse(raw)),
	}
	if err := a.rewrite(ctx, m, raw, month.Length, fileOf(m.List, act.Month, act.Generation)); err != nil {
		return fmt.Errorf("write %s anew: %w", m.File, err)
	}
	if err := a.forgetLost(m); err != nil {
		return err
	}
	if err := a.order(ctx, w, act, func(*storage.Tx) error { return nil }); err != nil {
		return err
	}
	return a.deleteOld(ctx, m.List)
}

// rewrite copies the month of m, which is length bytes long, into a new file, with an empty record in place of m's.
func (a *Archive) rewrite(ctx context.Context, m *Message, raw []byte, length int64, file string) error {
	if err := a.DB.Blobs.Delete(file); err != nil { // of a purge that was interrupted
		return err
	}
	old, err := a.DB.Blobs.Open(m.File)
	if err != nil {
		return err
	}
	defer old.Close()
	empty := mbox.Append(nil, mbox.Record{
		Post: m.Post, Number: m.Number, ID: m.ID, Seq: m.Seq, Received: m.Received, Old: m.Old,
		Raw: placeholder(raw, ""),
	})
	end, err := a.copyRange(ctx, file, 0, span{old, 0, m.Offset})
	if err != nil {
		return err
	}
	if err := a.DB.Blobs.Append(file, end, empty); err != nil {
		return err
	}
	_, err = a.copyRange(ctx, file, end+int64(len(empty)), span{old, m.Offset + m.Length, length})
	return err
}

// span is a piece of an open blob.
type span struct {
	from     storage.Blob
	pos, end int64
}

// copyRange appends a piece of a blob to file, which is at bytes long, and returns its new length.
func (a *Archive) copyRange(ctx context.Context, file string, at int64, s span) (int64, error) {
	buf := make([]byte, min(copyChunk, s.end-s.pos))
	for s.pos < s.end {
		if err := ctx.Err(); err != nil {
			return at, err
		}
		n, err := s.from.ReadAt(buf[:min(int64(len(buf)), s.end-s.pos)], s.pos)
		if n == 0 {
			return at, fmt.Errorf("read at %d: %w", s.pos, err)
		}
		if err := a.DB.Blobs.Append(file, at, buf[:n]); err != nil {
			return at, err
		}
		s.pos += int64(n)
		at += int64(n)
	}
	return at, nil
}

// forgetLost deletes the partial records of a message that were set aside when they were written a second time.
func (a *Archive) forgetLost(m *Message) error {
	for name := range a.DB.Blobs.All("lost+found/archive/" + m.List + "/") {
		data, err := storage.ReadBlob(a.DB.Blobs, name)
		if err != nil {
			return err
		}
		if bytes.Contains(data, []byte(m.Post)) || bytes.Contains(data, []byte(m.ID)) {
			if err := a.DB.Blobs.Delete(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// rewritten is a month that was written anew and is not in the index yet.
type rewritten struct {
	file  string
	empty *described // the record in place of what was purged
	moved int64      // bytes by which what follows it moves
}

// newMonth reads what a Purge wrote, or returns nil if the index has it already or does not have the month.
// The old places are those of the index, so what was damaged before stays where it is.
func (a *Archive) newMonth(ctx context.Context, list string, act Act) (*rewritten, error) {
	var month Month
	var m *Message
	err := a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if month, err = get(tx, months, storage.P(list, act.Month)); err != nil {
			return err
		}
		m, err = byPost(tx, list, act.Post)
		return err
	})
	file := fileOf(list, act.Month, act.Generation)
	if errors.Is(err, storage.ErrNotFound) || err == nil && month.File == file {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := a.DB.Blobs.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := &rewritten{file: file, moved: f.Size() - month.Length}
	data := make([]byte, max(0, m.Length+r.moved))
	if n, err := f.ReadAt(data, m.Offset); n < len(data) {
		return nil, fmt.Errorf("%s ends too early: %w", file, err)
	}
	rec, err := mbox.Parse(data)
	if err != nil || !rec.Checked || rec.Post != act.Post {
		return nil, fmt.Errorf("%s has no record of post %s at %d: %w", file, act.Post, m.Offset, errDamaged)
	}
	r.empty = describe(rec, message.Parse(rec.Raw))
	r.empty.place(list, file, m.Offset, data)
	return r, nil
}

// swap makes the new generation of a month the one that counts, and moves its messages there if r is not nil.
func swap(tx *storage.Tx, list string, act Act, r *rewritten) error {
	k := storage.P(list, act.Month)
	generation, err := get(tx, generations, k)
	if err != nil {
		return err
	}
	if err := generations.Put(tx, k, max(generation, act.Generation)); err != nil || r == nil {
		return err
	}
	for m := range monthMembers(tx, list, act.Month) {
		m.File = r.file
		switch {
		case m.Offset > r.empty.Offset:
			m.Offset += r.moved
		case m.Offset == r.empty.Offset:
			m.FromName, m.FromAddr, m.Subject, m.Attached = "", "", "", 0
			m.Length, m.Sum = r.empty.Length, r.empty.Sum
		}
		if err := messages.Put(tx, storage.P(list, m.Seq), *m); err != nil {
			return err
		}
		if m.Offset == r.empty.Offset { // also where it was hidden before
			if err := logChange(tx, Change{List: list, Seq: m.Seq, Gone: true, Purged: true}); err != nil {
				return err
			}
		}
	}
	month, err := get(tx, months, k)
	month.File = r.file
	month.Length += r.moved
	return errors.Join(err, months.Put(tx, k, month))
}

// deleteOld deletes the generations of a list's months that no longer count, and those that a Purge began and did
// not end. The caller has the right to write, and the ledger is settled.
func (a *Archive) deleteOld(ctx context.Context, list string) error {
	files, err := a.months(ctx, list)
	if err != nil {
		return err
	}
	for name := range a.DB.Blobs.All("archive/" + list + "/") {
		if !mboxName.MatchString(name) || files[monthOf(name)] == name || files[monthOf(name)] == "" {
			continue
		}
		if _, err := a.DB.Blobs.Len(files[monthOf(name)]); err != nil {
			continue // never the only one there is
		}
		if err := a.DB.Blobs.Delete(name); err != nil {
			return fmt.Errorf("delete the old %s: %w", name, err)
		}
	}
	return nil
}

// months returns the file of each month of a list, those on disk and those in the index. Of several generations it is the one
// that the ledger names; if that is not on disk, the newest that is.
func (a *Archive) months(ctx context.Context, list string) (map[string]string, error) {
	files, onDisk := map[string]string{}, map[string]int{}
	for name := range a.DB.Blobs.All("archive/" + list + "/") {
		if mboxName.MatchString(name) {
			month := monthOf(name)
			onDisk[month] = max(onDisk[month], generationOf(name))
		}
	}
	err := a.DB.View(ctx, func(tx *storage.Tx) error {
		for month, newest := range onDisk {
			generation, err := get(tx, generations, storage.P(list, month))
			if err != nil {
				return err
			}
			files[month] = fileOf(list, month, generation)
			if _, err := a.DB.Blobs.Len(files[month]); errors.Is(err, storage.ErrNotFound) {
				files[month] = fileOf(list, month, newest)
			}
		}
		for k, m := range storage.Under(tx, months, text, list) {
			if m.File != "" {
				files[k.B] = m.File
			}
		}
		return nil
	})
	return files, err
}

// fileOf is the blob of a list's month: "2026-01.mbox", and "2026-01.2.mbox" for the second generation after it.
func fileOf(list, month string, generation int) string {
	if generation == 0 {
		return "archive/" + list + "/" + month + ".mbox"
	}
	return fmt.Sprintf("archive/%s/%s.%d.mbox", list, month, generation)
}

// monthOf is the month of a blob.
func monthOf(file string) string {
	name := file[strings.LastIndexByte(file, '/')+1:]
	return name[:min(len(name), len("2026-01"))]
}

// generationOf is the generation of a blob.
func generationOf(file string) (n int) {
	fmt.Sscanf(strings.TrimPrefix(file[strings.LastIndexByte(file, '/')+1:], monthOf(file)), ".%d.mbox", &n)
	return n
}
