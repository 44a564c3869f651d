package archive

import (
	"iter"
	"math"
	"time"

	"kairan/storage"
)

// maxHidden is how many hidden messages in a row are passed over by who looks for the next one.
const maxHidden = 1000

// Around returns the messages that came before and after m in its list, and nil where there is none.
func Around(tx *storage.Tx, m *Message) (before, after *Message) {
	from, to := storage.P(m.List, storage.P("", moment{})), storage.P(m.List, storage.P("~", moment{}))
	return around(tx, monthRows, m, monthRow(m), storage.Range[monthKey]{From: &from, To: &to})
}

// AroundInThread is [Around] within the thread of m.
func AroundInThread(tx *storage.Tx, m *Message) (before, after *Message) {
	from, to := threadSpan(m.List, m.Thread)
	return around(tx, threadRows, m, threadRow(m), storage.Range[threadKey]{From: &from, To: &to})
}

// ThreadsAround returns the threads that came before and after a thread in its list, and nil where there is none.
func ThreadsAround(tx *storage.Tx, list string, thread uint64) (before, after *Thread) {
	v := newViewer(tx)
	first := func(r storage.Range[bySeq]) *Thread {
		for k, t := range threads.Scan(tx, r) {
			t.List, t.Seq = list, k.B
			return v.thread(tx, &t)
		}
		return nil
	}
	least, own, most := storage.P(list, uint64(0)), storage.P(list, thread), storage.P(list, uint64(math.MaxUint64))
	return first(storage.Range[bySeq]{From: &least, To: &own, Reverse: true}), first(storage.Range[bySeq]{After: &own, To: &most})
}

// Answered returns the message that m answers, if readers see it in the same thread, or nil.
func Answered(tx *storage.Tx, m *Message) *Message {
	if len(m.Parents) == 0 {
		return nil
	}
	parent, err := ByID(tx, m.List, m.Parents[len(m.Parents)-1], 1)
	if err != nil || parent.Thread != m.Thread || parent.Seq == m.Seq {
		return nil
	}
	return parent
}

// placed is the key of a table that has messages in the order of their times, by something.
type placed[A any] = storage.Pair[string, storage.Pair[A, moment]]

// around returns the neighbours within r of m, whose own row is at key own.
func around[A, V any](tx *storage.Tx, t storage.Table[placed[A], V], m *Message, own placed[A], r storage.Range[placed[A]]) (before, after *Message) {
	v := newViewer(tx)
	first := func(r storage.Range[placed[A]]) *Message {
		passed := 0
		for k := range t.Scan(tx, r) {
			if seen := v.load(tx, m.List, k.B.B.B); seen != nil {
				return seen
			}
			if passed++; passed == maxHidden {
				break
			}
		}
		return nil
	}
	return first(storage.Range[placed[A]]{From: r.From, To: &own, Reverse: true}), first(storage.Range[placed[A]]{After: &own, To: r.To})
}

// ThreadKeys yields the time of receipt and the Seq of every message of a thread, oldest first. It reads no message, so it counts
// hidden ones too.
func ThreadKeys(tx *storage.Tx, list string, thread uint64) iter.Seq2[time.Time, uint64] {
	from, to := threadSpan(list, thread)
	return func(yield func(time.Time, uint64) bool) {
		for k := range threadRows.Scan(tx, storage.Range[threadKey]{From: &from, To: &to}) {
			if !yield(time.UnixMicro(int64(k.B.B.A)), k.B.B.B) {
				return
			}
		}
	}
}

// placeRows is what MonthPlaces reads of the rows of messages where their months are of before they told it.
var placeRows = storage.NewTable[bySeq, placeRow](messages.Name(), storage.Pairs(text, number))

// Place is where a message belongs.
type Place struct {
	Received    time.Time
	Seq, Thread uint64
}

// MonthPlaces yields the places of all messages of a month that readers see, oldest first. It reads no more of
// them, which takes a part of the time of [InMonth].
func MonthPlaces(tx *storage.Tx, list, month string) iter.Seq[Place] {
	from, to := monthSpan(list, month)
	return func(yield func(Place) bool) {
		for k, p := range monthRows.Scan(tx, storage.Range[monthKey]{From: &from, To: &to}) {
			at := k.B.B
			if p.thread == 0 {
				p, _ = placeRows.Get(tx, storage.P(list, at.B)) // any other error than of no row fails tx
			}
			if p.thread != 0 && !p.hidden && !yield(Place{time.UnixMicro(int64(at.A)), at.B, p.thread}) {
				return
			}
		}
	}
}

// CountSince returns how many messages of a thread, hidden ones included, came at a moment or after it.
func CountSince(tx *storage.Tx, list string, thread uint64, since time.Time) (n int) {
	_, to := threadSpan(list, thread)
	from := storage.P(list, storage.P(thread, at(since, 0)))
	for range threadRows.Scan(tx, storage.Range[threadKey]{From: &from, To: &to}) {
		n++
	}
	return n
}

// Load returns those of the messages at these positions that readers see.
func Load(tx *storage.Tx, list string, seqs []uint64) []*Message {
	v := newViewer(tx)
	some := make([]*Message, 0, len(seqs))
	for _, seq := range seqs {
		if m := v.load(tx, list, seq); m != nil {
			some = append(some, m)
		}
	}
	return some
}

// load returns the message at that position as readers see it, or nil.
func (v viewer) load(tx *storage.Tx, list string, seq uint64) *Message {
	m := load(tx, list, seq)
	if m == nil {
		return nil
	}
	return v.own(m)
}
