package list

import (
	"iter"

	"kairan/archive"
	"kairan/storage"
)

// Who did what nobody did on a page or by mail: Event.By, Edit.By.
const (
	ByOperator = "operator"      // on the command line
	ByTimer    = "confirm timer" // what nobody confirmed
	ByTime     = "time"          // what nobody decided about
)

// Why something was done that nobody gave a reason for: Edit.Why, archive.Order.Reason. Pages say it in the reader's language.
const (
	WhyUnconfirmed = "revision %d was not confirmed" // with its number
	WhyDiscarded   = "discard and ban"               // of a ban, with a held post
	WhyErased      = "asked for by the person"       // of what names nobody any more
	WhyGivenUp     = "given up by the administrator" // of recipients in the queue
)

// maxLog bounds the log of a list; the oldest entries go first.
const maxLog = 10_000

var listLog = storage.NewTable[storage.Pair[ID, uint64], Event]("list_log", storage.Pairs(listID, storage.Uints[uint64]()))

// Log appends to the log of a list, or with "" to the site's: what people decided about it and its members, and who they were.
// Event.Stage is what it is about: settings, list, role, member, held, archive, words, and in the site's person, ban and queue.
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
	return listLog.Put(tx, storage.P(id, next), e.written())
}

// LogPerson appends to the site's log what somebody did to a person, whose preferred address is the parameter address of its words.
// What people do with their own is in no log.
func LogPerson(tx *storage.Tx, p *Person, e Event) error {
	if p.Did(e.By) {
		return nil
	}
	e.Stage = "person"
	return Log(tx, "", e.with("address", p.Preferred().String()))
}

// LogAct appends an act about a list's archive to its log, or with "" to the site's; it is what archive.Archive.Acted calls.
// A person who is to be named nowhere is not named there.
func LogAct(tx *storage.Tx, id string, act archive.Act) error {
	e := Event{At: act.At, Stage: "archive", By: act.By, Word: "archive." + string(act.Do)}
	e.Args = map[string]string{"id": act.ID, "parent": act.Parent, "why": act.Reason}
	if act.Reason == archive.ByAuthor {
		e.Word = "archive.withdraw"
		delete(e.Args, "why")
	}
	return Log(tx, ID(id), e)
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
