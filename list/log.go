package list

import (
	"iter"

	"kairan/storage"
)

// Who did what nobody did on a page or by mail: Event.By, Edit.By.
const (
	ByOperator = "operator"      // on the command line
	ByTimer    = "confirm timer" // what nobody confirmed
)

// maxLog bounds the log of a list; the oldest entries go first.
const maxLog = 10_000

var listLog = storage.NewTable[storage.Pair[ID, uint64], Event]("list_log", storage.Pairs(listID, storage.Uints[uint64]()))

// Log appends to the log of a list, or with "" to the site's: what people decided about it and its members, and who they were.
// Event.Stage is what it is about: settings, list, role, member, held, archive, words.
func Log(tx *storage.Tx, id ID, e Event) error {
	var next uint64
	for k := range storage.UnderReverse(tx, listLog, listID, id) {
		next = k.B + 1
		break
	}
	if next >= maxLog {
		if err := listLog.Delete(tx, storage.P(id, next-maxLog)); err != nil {
			return err
		}
	}
	return listLog.Put(tx, storage.P(id, next), e)
}

// LogOf yields the log of a list, or with "" of the site, the latest entry first.
func LogOf(tx *storage.Tx, id ID) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, e := range storage.UnderReverse(tx, listLog, listID, id) {
			if !yield(e) {
				return
			}
		}
	}
}
