package list

import (
	"slices"
	"time"

	"kairan/storage"
)

// LastChange is the latest change of one setting.
type LastChange struct {
	Number uint64    `json:"number"` // of the revision
	At     time.Time `json:"at"`
	By     string    `json:"by"`
}

// What pages want to know of all revisions is kept apart, for a revision of a long ban list is long, and there may be thousands of them.
var (
	lastChanges = storage.NewTable[storage.Pair[ID, string], LastChange]("settings_last", storage.Pairs(listID, text)) // by name of the setting
	banOrigins  = storage.NewTable[storage.Pair[ID, string], Banned]("ban_origins", storage.Pairs(listID, text))       // by entry
)

// LastChanges returns the latest change of each setting that was ever changed.
func LastChanges(tx *storage.Tx, id ID) map[string]LastChange {
	last := map[string]LastChange{}
	for k, c := range storage.Under(tx, lastChanges, listID, id) {
		last[k.B] = c
	}
	return last
}

// indexRevision notes the settings that a revision changes, and the entries that it brings to the ban list or takes from it.
func indexRevision(tx *storage.Tx, id ID, r *Revision) error {
	for _, c := range r.Changes {
		if err := lastChanges.Put(tx, storage.P(id, c.Name), LastChange{Number: r.Number, At: r.At, By: r.By}); err != nil {
			return err
		}
		if c.Name != "ban_list" {
			continue
		}
		was, is := stringsIn(c.Was), stringsIn(c.Is)
		for _, entry := range Without(was, is) {
			if err := banOrigins.Delete(tx, storage.P(id, entry)); err != nil {
				return err
			}
		}
		for _, entry := range Without(is, was) {
			if err := banOrigins.Put(tx, storage.P(id, entry), Banned{Entry: entry, At: r.At, By: r.By, Why: r.Why}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Without returns those that are not among others.
func Without(all, others []string) []string {
	among := make(map[string]bool, len(others))
	for _, o := range others {
		among[o] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return among[s] })
}

// indexRevisions is the migration that indexes the revisions that there are.
func indexRevisions(tx *storage.Tx) error {
	for k, r := range revisions.Scan(tx, storage.Range[revisionKey]{}) {
		r.Number = k.B
		if err := indexRevision(tx, k.A, &r); err != nil {
			return err
		}
	}
	return nil
}
