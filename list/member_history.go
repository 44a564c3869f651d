package list

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// maxMemberEvents bounds a member's history; the oldest events go first.
const maxMemberEvents = 100

var memberHistory = storage.NewTable[storage.Pair[storage.Pair[ID, string], uint64], Event]("member_history", storage.Pairs(memberPlace, storage.Uints[uint64]()))

// memberPlace is a list and an address key.
var memberPlace = storage.Pairs(listID, text)

// NoteMember appends to what is remembered about an address in a list: joining, bounces, warnings, who changed what.
// Event.Stage is the part of the program that did it; Event.Word is needed, and its words get the parameter address. What somebody else
// did to the member is in the list's log too.
func NoteMember(tx *storage.Tx, l ID, addr address.Address, e Event) error {
	e = e.with("address", addr.String())
	if err := Remember(tx, l, addr, e); err != nil || e.By == "" || e.By == addr.String() {
		return err
	}
	e.Stage, e.Text = "member", ""
	return Log(tx, l, e)
}

// Remember is NoteMember without the list's log, for what is done with many and is there in one line.
func Remember(tx *storage.Tx, l ID, addr address.Address, e Event) error {
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
	return memberHistory.Put(tx, storage.P(at, next), e)
}

// MemberHistory yields what is remembered about an address in a list, oldest first. It stays after the member has left.
func MemberHistory(tx *storage.Tx, l ID, addr address.Address) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, e := range storage.Under(tx, memberHistory, memberPlace, storage.P(l, addr.Key())) {
			if !yield(e.written()) {
				return
			}
		}
	}
}

// ChangeMember is SetMember for what somebody wants: it notes what changed and who did it (an address, or "operator") in the
// member's history. What stays as it is, is not noted.
func ChangeMember(tx *storage.Tx, m Member, by string, now time.Time) error {
	return EditMember(tx, m, Edit{By: by, At: now})
}

// EditMember is ChangeMember with a reason.
func EditMember(tx *storage.Tx, m Member, by Edit) error {
	old, err := GetMember(tx, m.List, m.Role, m.Address)
	if err != nil {
		return err
	}
	if err := SetMember(tx, m); err != nil {
		return err
	}
	changes, err := differences(old, &m)
	if err != nil || len(changes) == 0 {
		return err
	}
	text := strings.Join(changes, ", ")
	e := Event{At: by.At, Stage: "set", Text: text, By: by.By, Word: "member.set", Args: map[string]string{"changes": strings.Join(changes, "\n"), "why": by.Why}}
	if m.Role != RoleMember {
		e.Text = fmt.Sprintf("as %s: %s", m.Role, text)
		e.Word = "member.set-as"
		e = e.with("role", string(m.Role))
	}
	return NoteMember(tx, m.List, m.Address, e)
}

// differences names the fields that differ, as they are stored, but for the secret and for what follows from others: "hide true -> false".
func differences(old, m *Member) (changed []string, err error) {
	before, errB := fields(old)
	after, errA := fields(m)
	if err := errors.Join(errB, errA); err != nil {
		return nil, err
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	delete(all, "token")
	delete(all, "earlier_modes") // what delivery_mode was
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if b, a := words(before[name], after[name]), words(after[name], before[name]); b != a {
			changed = append(changed, name+" "+b+" -> "+a)
		}
	}
	return changed, nil
}

// words is a field in words; other is its value on the other side. What is not stored is false or the default.
func words(v, other json.RawMessage) string {
	switch {
	case v == nil && string(other) == "true":
		return "false"
	case v == nil:
		return "default"
	}
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}
