package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"kairan/storage"
)

// Check reads every record and compares it with the index; it yields a sentence for each thing that is wrong.
// It changes nothing, and may run while posts arrive.
func (a *Archive) Check(ctx context.Context) iter.Seq[string] {
	return func(yield func(string) bool) {
		files, err := a.files(ctx)
		if err != nil {
			yield(fmt.Sprintf("The index cannot be read: %v.", err))
			return
		}
		c := checker{a: a, ctx: ctx, yield: yield}
		for _, list := range slices.Sorted(maps.Keys(files)) {
			for _, file := range slices.Sorted(maps.Keys(files[list])) {
				c.month(list, file)
			}
			c.threads(list)
			if c.stopped || ctx.Err() != nil {
				return
			}
		}
	}
}

type checker struct {
	a       *Archive
	ctx     context.Context
	yield   func(string) bool
	stopped bool
}

func (c *checker) report(format string, args ...any) {
	if !c.stopped {
		c.stopped = !c.yield(fmt.Sprintf(format, args...))
	}
}

// month compares an mbox with the rows of its messages.
func (c *checker) month(list, file string) {
	var month Month
	var rows []*Message
	err := c.a.DB.View(c.ctx, func(tx *storage.Tx) (err error) {
		rows = nil
		for m := range InMonth(tx, list, monthOf(file)) {
			rows = append(rows, m)
			c.keys(tx, m)
		}
		month, err = get(tx, months, storage.P(list, monthOf(file)))
		return err
	})
	if err != nil {
		c.report("The index of %s cannot be read: %v.", file, err)
		return
	}
	if len(rows) != month.Messages {
		c.report("The index counts %d messages in %s and has %d.", month.Messages, file, len(rows))
	}
	f, err := c.a.DB.Blobs.Open(file)
	if err != nil {
		c.report("%s cannot be opened: %v.", file, err)
		return
	}
	defer f.Close()
	if f.Size() < month.Length {
		c.report("%s has %d bytes and the index knows %d.", file, f.Size(), month.Length)
	}
	c.records(f, rows, month.Length)
}

// records reads the records of one mbox in the order of the file.
func (c *checker) records(f storage.Blob, rows []*Message, length int64) {
	slices.SortFunc(rows, func(a, b *Message) int { return cmp.Compare(a.Offset, b.Offset) })
	end := int64(0)
	for _, m := range rows {
		if c.stopped || c.ctx.Err() != nil {
			return
		}
		if m.Offset != end {
			c.report("%s: no message of the index is at %d to %d.", m.File, end, m.Offset)
		}
		end = m.Offset + m.Length
		rec, err := readRecord(f, m)
		switch {
		case err != nil:
			c.report("%s: message %d (%s) at %d: %v.", m.File, m.Seq, m.ID, m.Offset, err)
		case !rec.Checked || rec.Post != m.Post || rec.Number != m.Number:
			c.report("%s: the record at %d says post %q with number %d, the index %q with number %d.", m.File, m.Offset, rec.Post, rec.Number, m.Post, m.Number)
		}
	}
	if end != length && len(rows) > 0 {
		c.report("%s: the last message ends at %d, the index says %d.", rows[0].File, end, length)
	}
}

// keys checks that a message is found under each of its names.
func (c *checker) keys(tx *storage.Tx, m *Message) {
	found := func(name string, other *Message, err error) {
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			c.report("List %s: message %d cannot be read by its %s: %v.", m.List, m.Seq, name, err)
		} else if err != nil || other.Seq != m.Seq {
			c.report("List %s: message %d (%s) is not found by its %s.", m.List, m.Seq, m.ID, name)
		}
	}
	other, err := ByID(tx, m.List, m.ID, m.Nth)
	found("Message-ID", other, err)
	other, err = byPost(tx, m.List, m.Post)
	found("post", other, err)
	if m.Number != 0 {
		other, err = ByNumber(tx, m.List, m.Number)
		found("number", other, err)
	}
	if !threads.Has(tx, storage.P(m.List, m.Thread)) {
		c.report("List %s: message %d (%s) belongs to thread %d, which is not there.", m.List, m.Seq, m.ID, m.Thread)
	}
}

// threads checks that the summaries count what is there, and that each stands once in the order of activity.
func (c *checker) threads(list string) {
	err := c.a.DB.View(c.ctx, func(tx *storage.Tx) error {
		for k := range storage.Under(tx, recent, text, list) {
			t, err := GetThread(tx, list, k.B.B)
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			if err != nil || recentRow(t) != k {
				c.report("List %s: thread %d stands in the order of activity where it does not belong.", list, k.B.B)
				continue
			}
			count := 0
			for range InThread(tx, list, t.Seq) {
				count++
			}
			if count != t.Count {
				c.report("List %s: thread %d (%s) counts %d messages and has %d.", list, t.Seq, t.ID, t.Count, count)
			}
			if c.stopped || c.ctx.Err() != nil {
				break
			}
		}
		return nil
	})
	if err != nil {
		c.report("List %s: the threads cannot be read: %v.", list, err)
	}
}
