package archive

import (
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"slices"

	"kairan/archive/mbox"
	"kairan/storage"
)

// ByID returns the nth message (1 for the first) of that Message-ID, or storage.ErrNotFound.
func ByID(tx *storage.Tx, list, id string, nth int) (*Message, error) {
	row, err := ids.Get(tx, nthID(list, id, nth))
	if err != nil {
		return nil, err
	}
	return BySeq(tx, list, row.Seq)
}

// ByNumber returns the message with that post number, or storage.ErrNotFound.
func ByNumber(tx *storage.Tx, list string, n uint64) (*Message, error) {
	seq, err := numbers.Get(tx, storage.P(list, n))
	if err != nil {
		return nil, err
	}
	return BySeq(tx, list, seq)
}

// byPost returns the row of the message with that post ID, or storage.ErrNotFound.
func byPost(tx *storage.Tx, list, post string) (*Message, error) {
	seq, err := posts.Get(tx, storage.P(list, post))
	if err != nil {
		return nil, err
	}
	return fetch(tx, list, seq)
}

// BySeq returns the message at that position, or storage.ErrNotFound.
func BySeq(tx *storage.Tx, list string, seq uint64) (*Message, error) {
	m, err := fetch(tx, list, seq)
	if err != nil {
		return nil, err
	}
	if m = newViewer(tx).message(m); m == nil {
		return nil, fmt.Errorf("message %d of list %s is hidden: %w", seq, list, storage.ErrNotFound)
	}
	return m, nil
}

// Months yields the months that have messages, newest first.
func Months(tx *storage.Tx, list string) iter.Seq[Month] {
	return func(yield func(Month) bool) {
		for k, m := range storage.UnderReverse(tx, months, text, list) {
			m.Month = k.B
			if m.Messages > 0 && !yield(m) {
				return
			}
		}
	}
}

// Size returns how many bytes a list's files have, months without a message for readers among them.
func Size(tx *storage.Tx, list string) (bytes int64) {
	for _, m := range storage.Under(tx, months, text, list) {
		bytes += m.Length
	}
	return bytes
}

// MonthsAround returns the months before and after one that have messages, and "" where there is none.
func MonthsAround(tx *storage.Tx, list, month string) (before, after string) {
	first := func(r storage.Range[byText]) string {
		for k, m := range months.Scan(tx, r) {
			if m.Messages > 0 {
				return k.B
			}
		}
		return ""
	}
	from, own, to := storage.P(list, ""), storage.P(list, month), storage.P(list, "~")
	return first(storage.Range[byText]{From: &from, To: &own, Reverse: true}), first(storage.Range[byText]{After: &own, To: &to})
}

// InMonth yields the messages of a month, oldest first.
func InMonth(tx *storage.Tx, list, month string) iter.Seq[*Message] {
	return newViewer(tx).messages(monthMembers(tx, list, month))
}

// Newest yields the messages of a list, the one received last first.
func Newest(tx *storage.Tx, list string) iter.Seq[*Message] {
	return newViewer(tx).messages(func(yield func(*Message) bool) {
		for k := range storage.UnderReverse(tx, monthRows, text, list) {
			if m := load(tx, list, k.B.B.B); m != nil && !yield(m) {
				return
			}
		}
	})
}

// InThread yields the messages of a thread, oldest first.
func InThread(tx *storage.Tx, list string, thread uint64) iter.Seq[*Message] {
	return newViewer(tx).messages(threadMembers(tx, list, thread))
}

// messages yields what readers see of rows.
func (v viewer) messages(rows iter.Seq[*Message]) iter.Seq[*Message] {
	return func(yield func(*Message) bool) {
		for m := range rows {
			if m = v.message(m); m != nil && !yield(m) {
				return
			}
		}
	}
}

// monthSpan is where the messages of a month are.
func monthSpan(list, month string) (from, to monthKey) {
	return storage.P(list, storage.P(month, moment{})), storage.P(list, storage.P(month+"\x00", moment{}))
}

// monthMembers yields the rows of the messages of a month, oldest first.
func monthMembers(tx *storage.Tx, list, month string) iter.Seq[*Message] {
	from, to := monthSpan(list, month)
	return func(yield func(*Message) bool) {
		for k := range monthRows.Scan(tx, storage.Range[monthKey]{From: &from, To: &to}) {
			if m := load(tx, list, k.B.B.B); m != nil && !yield(m) {
				return
			}
		}
	}
}

// threadMembers yields the rows of the messages of a thread, oldest first.
func threadMembers(tx *storage.Tx, list string, thread uint64) iter.Seq[*Message] {
	from, to := threadSpan(list, thread)
	return func(yield func(*Message) bool) {
		for k := range threadRows.Scan(tx, storage.Range[threadKey]{From: &from, To: &to}) {
			if m := load(tx, list, k.B.B.B); m != nil && !yield(m) {
				return
			}
		}
	}
}

// threadSpan returns where the rows of a thread begin, and where those of the next do.
func threadSpan(list string, thread uint64) (from, to threadKey) {
	return storage.P(list, storage.P(thread, moment{})), storage.P(list, storage.P(thread+1, moment{}))
}

// someOf collects at most n messages.
func someOf(rows iter.Seq[*Message], n int) []*Message {
	var some []*Message
	for m := range rows {
		if some = append(some, m); len(some) == n {
			break
		}
	}
	return some
}

// load is fetch for an iterator, which has no error to return: a row that cannot be read fails the transaction. It returns nil for no row.
func load(tx *storage.Tx, list string, seq uint64) *Message {
	m, err := fetch(tx, list, seq)
	if err != nil {
		return nil
	}
	return m
}

// Recent yields the threads of a list, the one with the newest message first.
func Recent(tx *storage.Tx, list string) iter.Seq[*Thread] {
	v := newViewer(tx)
	return func(yield func(*Thread) bool) {
		for k := range storage.UnderReverse(tx, recent, text, list) {
			from, to := storage.P(list, k.B.B), storage.P(list, k.B.B+1)
			for _, t := range threads.Scan(tx, storage.Range[bySeq]{From: &from, To: &to}) {
				t.List, t.Seq = list, k.B.B
				if !yield(v.thread(tx, &t)) {
					return
				}
			}
		}
	}
}

// GetThread returns the summary of a thread, or storage.ErrNotFound.
func GetThread(tx *storage.Tx, list string, thread uint64) (*Thread, error) {
	t, err := threads.Get(tx, storage.P(list, thread))
	if err != nil {
		return nil, err
	}
	t.List, t.Seq = list, thread
	return newViewer(tx).thread(tx, &t), nil
}

// LoadThreads returns the summaries of those of the threads that are there.
func LoadThreads(tx *storage.Tx, list string, seqs []uint64) map[uint64]*Thread {
	v := newViewer(tx)
	some := make(map[uint64]*Thread, len(seqs))
	for _, seq := range seqs {
		t, err := threads.Fetch(tx, storage.P(list, seq)) // any other error than of no row fails tx
		if err == nil {
			t.List, t.Seq = list, seq
			some[seq] = v.thread(tx, t)
		}
	}
	return some
}

// Files yields the mboxes and ledgers and their committed lengths, for a backup.
func Files(tx *storage.Tx) iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for list, row := range ledgers.Scan(tx, storage.Range[string]{}) {
			if !yield(ledgerOf(list), row.Length) {
				return
			}
		}
		for _, m := range months.Scan(tx, storage.Range[byText]{}) {
			if !yield(m.File, m.Length) {
				return
			}
		}
	}
}

// readRecord reads the record of m from its open file and checks it.
func readRecord(f io.ReaderAt, m *Message) (mbox.Record, error) {
	data, err := readSpan(f, m, nil)
	if err != nil {
		return mbox.Record{}, err
	}
	return mbox.Parse(data)
}

// readSpan reads the bytes of the record of m into the memory of buf, if it has room, and checks them.
func readSpan(f io.ReaderAt, m *Message, buf []byte) ([]byte, error) {
	if m.Length <= 0 || m.Length > maxRecord {
		return nil, fmt.Errorf("the record has %d bytes", m.Length)
	}
	data := slices.Grow(buf[:0], int(m.Length))[:m.Length]
	if n, err := f.ReadAt(data, m.Offset); n < len(data) {
		return nil, fmt.Errorf("the file ends too early: %w", err)
	}
	if sha256.Sum256(data) != m.Sum {
		return nil, errDamaged
	}
	return data, nil
}
