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
		names, err := a.lists(ctx)
		if err != nil {
			yield(fmt.Sprintf("The index cannot be read: %v.", err))
			return
		}
		c := checker{a: a, ctx: ctx, yield: yield}
		c.ledger("")
		for _, list := range names {
			c.ledger(list)
			files, err := a.months(ctx, list)
			if err != nil {
				c.report("The index of list %s cannot be read: %v.", list, err)
			}
			for _, month := range slices.Sorted(maps.Keys(files)) {
				c.month(list, files[month])
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

// ledger reads a ledger, and compares what it says about messages with the index.
func (c *checker) ledger(list string) {
	sum := map[string]ruling{}
	for act, err := range c.a.Ledger(c.ctx, list) {
		if err != nil {
			c.report("The ledger cannot be read: %v.", err)
			return
		}
		r := sum[act.Post]
		r.add(act)
		sum[act.Post] = r
	}
	if list == "" {
		return
	}
	err := c.a.DB.View(c.ctx, func(tx *storage.Tx) error {
		for post, want := range sum {
			m, err := byPost(tx, list, post)
			if errors.Is(err, storage.ErrNotFound) {
				continue // not archived, or not any more
			}
			if err != nil {
				return err
			}
			if m.Hidden != want.Hidden || m.Redacted != want.Redacted {
				c.report("List %s: message %d (%s) is not shown as the ledger says.", list, m.Seq, m.ID)
			}
		}
		return nil
	})
	if err != nil {
		c.report("List %s: the ledger cannot be compared: %v.", list, err)
	}
}

// month compares an mbox with the rows of its messages.
func (c *checker) month(list, file string) {
	var month Month
	var rows []*Message
	err := c.a.DB.View(c.ctx, func(tx *storage.Tx) (err error) {
		rows = nil
		for m := range monthMembers(tx, list, monthOf(file)) {
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
	hidden := len(slices.DeleteFunc(slices.Clone(rows), func(m *Message) bool { return !m.Hidden }))
	if len(rows)-hidden != month.Messages || hidden != month.Hidden {
		c.report("The index counts %d messages and %d hidden ones in %s and has %d and %d.", month.Messages, month.Hidden, file, len(rows)-hidden, hidden)
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
	other, err := Find(tx, m.List, m.ID, m.Nth)
	found("Message-ID", other, err)
	other, err = byPost(tx, m.List, m.Post)
	found("post", other, err)
	if seq, err := get(tx, numbers, storage.P(m.List, m.Number)); m.Number != 0 && (err != nil || seq == 0) {
		c.report("List %s: no message is found by the number of message %d (%s): %v.", m.List, m.Seq, m.ID, err)
	}
	if p, err := get(tx, monthRows, monthRow(m)); err != nil || p.thread != 0 && p != placeOf(m) {
		c.report("List %s: message %d (%s) stands in its month as of thread %d, and belongs to %d: %v.", m.List, m.Seq, m.ID, p.thread, m.Thread, err)
	}
	if !m.Hidden && !threads.Has(tx, storage.P(m.List, m.Thread)) {
		c.report("List %s: message %d (%s) belongs to thread %d, which is not there.", m.List, m.Seq, m.ID, m.Thread)
	}
}

// threads checks that the summaries count what is there, and that each stands once in the order of activity.
func (c *checker) threads(list string) {
	err := c.a.DB.View(c.ctx, func(tx *storage.Tx) error {
		for k := range storage.Under(tx, recent, text, list) {
			t, err := threads.Get(tx, storage.P(list, k.B.B))
			t.List, t.Seq = list, k.B.B
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			if err != nil || recentRow(&t) != k {
				c.report("List %s: thread %d stands in the order of activity where it does not belong.", list, k.B.B)
				continue
			}
			count := 0
			for m := range threadMembers(tx, list, t.Seq) {
				if m.Sight() != None {
					count++
				}
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
