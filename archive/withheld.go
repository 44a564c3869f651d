package archive

import (
	"context"
	"errors"
	"slices"

	"kairan/storage"
)

// Withheld is a message that readers do not see whole, and the decision that made it so.
type Withheld struct {
	Act     Act      // Hide or Redact
	Message *Message // as it was archived
}

// Withheld returns the messages of a list that are hidden or redacted, the latest decision first. Those that were purged are not among them:
// nothing of them could be shown again.
func (a *Archive) Withheld(ctx context.Context, list string) (all []Withheld, err error) {
	acts := map[string]Act{}
	for act, err := range a.Ledger(ctx, list) {
		if err != nil {
			return nil, err
		}
		switch act.Do {
		case Hide, Redact:
			acts[act.Post] = act
		case Unhide, Purge:
			delete(acts, act.Post)
		}
	}
	err = a.DB.View(ctx, func(tx *storage.Tx) error {
		all = nil
		for post, act := range acts {
			m, err := byPost(tx, list, post)
			if errors.Is(err, storage.ErrNotFound) {
				continue // its record is read later
			}
			if err != nil {
				return err
			}
			if m.Sight() != Whole {
				all = append(all, Withheld{Act: act, Message: m})
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Withheld) int { return b.Act.At.Compare(a.Act.At) })
	return all, err
}
