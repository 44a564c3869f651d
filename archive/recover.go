package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"

	"kairan/archive/mbox"
	"kairan/smtpd/message"
	"kairan/storage"
)

var errDamaged = errors.New("the record is not the one that was archived")

// chunk is how many records are indexed in one transaction.
const chunk = 200

// mboxName is what the files of the months are called, and ledgerName the ledgers of lists.
var (
	mboxName   = regexp.MustCompile(`^archive/([^/]+)/[0-9]{4}-[0-9]{2}(\.[1-9][0-9]{0,8})?\.mbox$`)
	ledgerName = regexp.MustCompile(`^archive/([^/]+)/ledger\.jsonl$`)
)

// Recover does for every list what Add does first. It is called at start.
// It goes on after an error and returns all of them.
func (a *Archive) Recover(ctx context.Context) error {
	names, err := a.lists(ctx)
	if err != nil {
		return fmt.Errorf("recover the archive: %w", err)
	}
	errs := []error{a.recoverSite(ctx)}
	for _, list := range names {
		if err := a.recoverList(ctx, list); err != nil {
			errs = append(errs, fmt.Errorf("recover the archive of list %s: %w", list, err))
		}
	}
	return errors.Join(errs...)
}

// lists returns the lists that have an archive, on disk or in the index.
func (a *Archive) lists(ctx context.Context) ([]string, error) {
	known := map[string]bool{}
	for name := range a.DB.Blobs.All("archive/") {
		for _, form := range []*regexp.Regexp{mboxName, ledgerName} {
			if found := form.FindStringSubmatch(name); found != nil {
				known[found[1]] = true
			}
		}
	}
	err := a.DB.View(ctx, func(tx *storage.Tx) error {
		for list := range lists.Scan(tx, storage.Range[string]{}) {
			known[list] = true
		}
		return nil
	})
	return slices.Sorted(maps.Keys(known)), err
}

// recoverSite carries out what the site's ledger says.
func (a *Archive) recoverSite(ctx context.Context) error {
	w, done, err := a.write(ctx, "")
	if err != nil {
		return err
	}
	defer done()
	if err := a.settleAll(ctx, w); err != nil {
		return fmt.Errorf("recover the site's ledger: %w", err)
	}
	return nil
}

func (a *Archive) recoverList(ctx context.Context, list string) error {
	w, done, err := a.write(ctx, list)
	if err != nil {
		return err
	}
	defer done()
	if err := a.settleAll(ctx, w); err != nil {
		return err
	}
	if err := a.logOld(ctx, list); err != nil {
		return fmt.Errorf("log old messages: %w", err)
	}
	files, err := a.months(ctx, list)
	if err != nil {
		return err
	}
	var errs []error
	for month, name := range files {
		errs = append(errs, a.adopt(ctx, list, month, name), a.settle(ctx, list, name, nil))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	clear(w.unsure)
	return a.deleteOld(ctx, list)
}

// adopt notes the generation of a month's file, for a ledger that was lost.
func (a *Archive) adopt(ctx context.Context, list, month, file string) error {
	k := storage.P(list, month)
	var known int
	err := a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		known, err = get(tx, generations, k)
		return err
	})
	if err != nil || known == generationOf(file) {
		return err
	}
	a.Log.Warn("archive: the ledger does not know this file; it is taken as it is", "file", file)
	return a.DB.Update(ctx, func(tx *storage.Tx) error { return generations.Put(tx, k, generationOf(file)) })
}

// settle makes the committed length of an mbox its length: whole records behind it are indexed, what is
// left moves to lost+found. The caller has the right to write. progress is called with the number of messages so far.
func (a *Archive) settle(ctx context.Context, list, file string, progress func(int)) error {
	var month Month
	err := a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		month, err = get(tx, months, storage.P(list, monthOf(file)))
		return err
	})
	if err != nil {
		return err
	}
	length, err := a.DB.Blobs.Len(file)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	switch {
	case length == month.Length:
		return nil
	case length < month.Length:
		return fmt.Errorf("%s has %d bytes and the index knows %d: restore the file from a backup, or reindex the list", file, length, month.Length)
	}
	f, err := a.DB.Blobs.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	t := tail{a: a, list: list, file: file, blob: f, progress: progress, end: month.Length}
	if err := t.read(ctx, length); err != nil {
		return fmt.Errorf("read the end of %s: %w", file, err)
	}
	if t.end == length {
		return nil
	}
	return a.setAside(file, f, t.end, length)
}

// tail indexes what lies behind the committed length of an mbox.
type tail struct {
	a          *Archive
	list, file string
	blob       storage.Blob
	progress   func(int)

	end   int64 // of the last whole record
	batch []*described
	count int
}

// read indexes the whole records up to length. What is no whole record is skipped if one follows.
func (t *tail) read(ctx context.Context, length int64) error {
	base := t.end
	r := mbox.NewReader(io.NewSectionReader(t.blob, base, length-base), maxRecord)
	for {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil && !errors.Is(err, mbox.ErrJunk) && !errors.Is(err, mbox.ErrTooLong) {
			return err
		}
		if err != nil || !rec.Checked {
			continue
		}
		start, end := base, base
		from, to := r.Span()
		start, end = start+from, end+to
		if start > t.end {
			t.a.Log.Error("archive: a damaged record is not indexed; the file is left as it is", "file", t.file, "offset", t.end, "bytes", start-t.end)
		}
		if err := t.take(rec, start, end); err != nil {
			return err
		}
		if len(t.batch) >= chunk {
			if err := t.flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	if t.progress == nil && t.count > 0 {
		t.a.Log.Warn("archive: indexed what an interruption had left behind", "file", t.file, "messages", t.count)
	}
	return nil
}

func (t *tail) take(rec mbox.Record, start, end int64) error {
	data := make([]byte, end-start)
	if n, err := t.blob.ReadAt(data, start); n < len(data) {
		return err
	}
	d := describe(rec, message.Parse(rec.Raw))
	d.place(t.list, t.file, start, data)
	t.batch = append(t.batch, d)
	t.end = end
	return nil
}

// flush indexes the batch. A record keeps the Seq it was written with, unless that is taken.
func (t *tail) flush(ctx context.Context) error {
	if len(t.batch) == 0 {
		return nil
	}
	err := t.a.DB.Update(ctx, func(tx *storage.Tx) error {
		for _, d := range t.batch {
			row, err := get(tx, lists, t.list)
			if err != nil {
				return err
			}
			if d.Seq == 0 || messages.Has(tx, storage.P(t.list, d.Seq)) {
				d.Seq = row.Last + 1
			}
			if err := index(tx, d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.count += len(t.batch)
	t.batch = t.batch[:0]
	if t.progress != nil {
		t.progress(t.count)
	}
	return nil
}

// setAside moves the bytes of file from offset from to its end to lost+found.
// The name holds a sum of them, so doing it again after a crash does it once.
func (a *Archive) setAside(file string, f io.ReaderAt, from, to int64) error {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, from, to-from)); err != nil {
		return fmt.Errorf("read the end of %s: %w", file, err)
	}
	name := fmt.Sprintf("lost+found/%s.%d-%s", file, from, hex.EncodeToString(h.Sum(nil)[:8]))
	if err := a.copyTo(name, f, from, to); err != nil {
		return fmt.Errorf("move the end of %s to %s: %w", file, name, err)
	}
	if err := a.DB.Blobs.Truncate(file, from); err != nil {
		return fmt.Errorf("cut %s at %d: %w", file, from, err)
	}
	a.Log.Error("archive: a partial record was cut off; whoever wrote it will write it again", "file", file, "offset", from, "bytes", to-from, "kept", name)
	return nil
}

func (a *Archive) copyTo(name string, f io.ReaderAt, from, to int64) error {
	if err := a.DB.Blobs.Delete(name); err != nil {
		return err
	}
	buf := make([]byte, min(1<<20, to-from))
	for at := from; at < to; {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), to-at)], at)
		if n == 0 {
			return err
		}
		if err := a.DB.Blobs.Append(name, at-from, buf[:n]); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}
