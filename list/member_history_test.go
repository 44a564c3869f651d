package list

import (
	"fmt"
	"testing"

	"kairan/smtpd/address"
	"kairan/storage"
)

// A history is bounded, in order, and that of one member alone.
func TestMemberHistory(t *testing.T) {
	t.Parallel()
	db := open(t)
	ann, bob := address.Must("ann@people.test"), address.Must("bob@people.test")
	update(t, db, func(tx *storage.Tx) error {
		for i := range 250 {
			if err := NoteMember(tx, "l1", ann, Event{Stage: "bounce", Text: fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		if err := NoteMember(tx, "l1", bob, Event{Stage: "join"}); err != nil {
			return err
		}
		var texts []string
		for e := range MemberHistory(tx, "l1", ann) {
			texts = append(texts, e.Text)
		}
		if len(texts) != 100 || texts[0] != "150" || texts[99] != "249" {
			t.Errorf("history of ann: %d events, from %v", len(texts), texts)
		}
		return nil
	})
}
