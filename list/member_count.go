package list

import (
	"errors"
	"fmt"
	"iter"

	"kairan/storage"
)

// memberCounts has how many members of a role a list has, so that a page can say it without reading them all. It is kept by what puts and
// deletes rows of members, in the same transaction; [CheckMembers] compares both.
var memberCounts = storage.NewTable[storage.Pair[ID, Role], int]("member_counts", place)

// memberKeys is the table of members without its values.
var memberKeys = storage.NewTable[memberKey, struct{}](members.Name(), storage.Pairs(place, text))

// CountMembers returns how many members of a role a list has.
func CountMembers(tx *storage.Tx, l ID, r Role) (int, error) {
	n, err := memberCounts.Get(tx, storage.P(l, r))
	if errors.Is(err, storage.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

// countMembers notes that there are n more members in a place.
func countMembers(tx *storage.Tx, at storage.Pair[ID, Role], n int) error {
	was, err := CountMembers(tx, at.A, at.B)
	if err != nil || n == 0 {
		return err
	}
	if was+n == 0 {
		return memberCounts.Delete(tx, at)
	}
	return memberCounts.Put(tx, at, was+n)
}

// realCounts counts the rows.
func realCounts(tx *storage.Tx) map[storage.Pair[ID, Role]]int {
	real := map[storage.Pair[ID, Role]]int{}
	for k := range memberKeys.Scan(tx, storage.Range[memberKey]{}) {
		real[k.A]++
	}
	return real
}

// recountMembers makes the counts anew.
func recountMembers(tx *storage.Tx) error {
	for at := range memberCounts.Scan(tx, storage.Range[storage.Pair[ID, Role]]{}) {
		if err := memberCounts.Delete(tx, at); err != nil {
			return err
		}
	}
	for at, n := range realCounts(tx) {
		if err := memberCounts.Put(tx, at, n); err != nil {
			return err
		}
	}
	return nil
}

// CheckMembers yields a sentence for each list and role whose members are miscounted.
func CheckMembers(tx *storage.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		real := realCounts(tx)
		for at, n := range memberCounts.Scan(tx, storage.Range[storage.Pair[ID, Role]]{}) {
			if was := real[at]; was != n && !yield(fmt.Sprintf("List %s has %d in the role %s, and %d are counted.", at.A, was, at.B, n)) {
				return
			}
			delete(real, at)
		}
		for at, n := range real {
			if !yield(fmt.Sprintf("List %s has %d in the role %s, and none are counted.", at.A, n, at.B)) {
				return
			}
		}
	}
}
