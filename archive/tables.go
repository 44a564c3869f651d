package archive

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"kairan/storage"
)

// The first part of each key is the list, so that the rows of a list can be dropped.
type (
	bySeq  = storage.Pair[string, uint64]
	byText = storage.Pair[string, string]
	// idKey is list, hash of the Message-ID, and which message of that ID.
	idKey = storage.Pair[string, storage.Pair[string, uint64]]
	// moment is a time in microseconds since 1970 and a Seq.
	moment = storage.Pair[uint64, uint64]
	// monthKey is list, month, and place in it.
	monthKey = storage.Pair[string, storage.Pair[string, moment]]
	// threadKey is list, thread, and place in it.
	threadKey = storage.Pair[string, storage.Pair[uint64, moment]]
	// recentKey is list, and a thread's last activity and Seq.
	recentKey = storage.Pair[string, moment]
)

// none is the value of a row whose key says all.
type none struct{}

// idRow is where the message of an ID is; the row of the first counts them.
type idRow struct {
	Seq   uint64 `json:"seq"`
	Count int    `json:"count,omitempty"`
}

// ledgerRow is how far a ledger has been read.
type ledgerRow struct {
	Length int64 `json:"length"` // committed bytes
	Acts   int   `json:"acts"`
}

// listRow is the state of a list's archive.
type listRow struct {
	Last    uint64 `json:"last"`              // highest Seq
	Rebuild bool   `json:"rebuild,omitempty"` // Reindex has begun and not ended
	Dropped bool   `json:"dropped,omitempty"` // … and dropped the old rows
	Logged  bool   `json:"logged,omitempty"`  // every message has its change
}

// subjectRow is the thread that last had a base subject.
type subjectRow struct {
	Thread uint64    `json:"thread"`
	Last   time.Time `json:"last"`
}

var (
	text   = storage.Strings[string]()
	number = storage.Uints[uint64]()
	when   = storage.Pairs(number, number)

	lists      = storage.NewTable[string, listRow]("archive_lists", text)
	messages   = storage.NewTable[bySeq, Message]("archive_messages", storage.Pairs(text, number))
	ids        = storage.NewTable[idKey, idRow]("archive_ids", storage.Pairs(text, storage.Pairs(text, number)))
	posts      = storage.NewTable[byText, uint64]("archive_posts", storage.Pairs(text, text))
	numbers    = storage.NewTable[bySeq, uint64]("archive_numbers", storage.Pairs(text, number))
	months     = storage.NewTable[byText, Month]("archive_months", storage.Pairs(text, text))
	monthRows  = storage.NewTable[monthKey, placeRow]("archive_month_messages", storage.Pairs(text, storage.Pairs(text, when)))
	threads    = storage.NewTable[bySeq, Thread]("archive_threads", storage.Pairs(text, number))
	threadRows = storage.NewTable[threadKey, none]("archive_thread_messages", storage.Pairs(text, storage.Pairs(number, when)))
	recent     = storage.NewTable[recentKey, none]("archive_recent", storage.Pairs(text, when))
	// waiting holds the messages that refer to a Message-ID that is not there.
	waiting  = storage.NewTable[byText, []uint64]("archive_waiting", storage.Pairs(text, text))
	subjects = storage.NewTable[byText, subjectRow]("archive_subjects", storage.Pairs(text, text))
	hashes   = storage.NewTable[byText, uint64]("archive_hashes", storage.Pairs(text, text))
	oldNames = storage.NewTable[byText, uint64]("archive_old_names", storage.Pairs(text, text))

	// What the ledgers say: how far they were read, what holds for a post, which generation of a month's file counts, and
	// who is not named. The ledger of the list "" is the site's.
	ledgers     = storage.NewTable[string, ledgerRow]("archive_ledgers", text)
	rulings     = storage.NewTable[byText, ruling]("archive_rulings", storage.Pairs(text, text))
	generations = storage.NewTable[byText, int]("archive_generations", storage.Pairs(text, text))
	people      = storage.NewTable[uint64, Person]("archive_people", number)
)

// hash makes a key of text from outside, which may be long.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}

func firstID(list, id string) idKey { return nthID(list, id, 1) }

func nthID(list, id string, nth int) idKey {
	return storage.P(list, storage.P(hash(strings.ToValidUTF8(id, "\ufffd")), uint64(cmp.Or(nth, 1))))
}

// at is the place of a message or thread in an order by time.
func at(t time.Time, seq uint64) moment { return storage.P(uint64(max(0, t.UnixMicro())), seq) }

func monthRow(m *Message) monthKey {
	return storage.P(m.List, storage.P(monthOf(m.File), at(m.Received, m.Seq)))
}

func threadRow(m *Message) threadKey {
	return storage.P(m.List, storage.P(m.Thread, at(m.Received, m.Seq)))
}

func recentRow(t *Thread) recentKey { return storage.P(t.List, at(t.Last, t.Seq)) }
