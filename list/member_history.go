package list

import (
	"iter"
	"strings"

	"kairan/smtpd/address"
	"kairan/storage"
)

// maxMemberEvents bounds a member's history; the oldest events go first.
const maxMemberEvents = 100

var memberHistory = storage.NewTable[storage.Pair[storage.Pair[ID, string], uint64], Event]("member_history", storage.Pairs(memberPlace, storage.Uints[uint64]()))

// memberPlace is a list and an address key.
var memberPlace = storage.Pairs(listID, text)

// NoteMember appends to what is remembered about an address in a list: joining, bounces, warnings, who changed what.
// Event.Stage is the part of the program that did it. What somebody else did to the member is in the list's log too.
func NoteMember(tx *storage.Tx, l ID, addr address.Address, e Event) error {
	at := storage.P(l, addr.Key())
	var n int
	var next uint64
	for k := range storage.UnderReverse(tx, memberHistory, memberPlace, at) {
		if next = max(next, k.B+1); n >= maxMemberEvents-1 {
			if err := memberHistory.Delete(tx, k); err != nil {
				return err
			}
		}
		n++
	}
	if err := memberHistory.Put(tx, storage.P(at, next), e); err != nil || e.By == "" || e.By == addr.String() {
		return err
	}
	return Log(tx, l, Event{At: e.At, Stage: "member", Text: strings.TrimSpace(addr.String() + " " + e.Stage + " " + e.Text), By: e.By})
}

// MemberHistory yields what is remembered about an address in a list, oldest first. It stays after the member has left.
func MemberHistory(tx *storage.Tx, l ID, addr address.Address) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, e := range storage.Under(tx, memberHistory, memberPlace, storage.P(l, addr.Key())) {
			if !yield(e) {
				return
			}
		}
	}
}
