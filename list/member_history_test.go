package list

import (
	"fmt"
	"slices"
	"testing"

	"kairan/smtpd/address"
	"kairan/storage"
)

// A switch of the delivery mode holds from the next post on: no post is in both modes, and none in neither.
func TestModeSwitch(t *testing.T) {
	t.Parallel()
	db := open(t)
	l, addr := create(t, db, "talk@lists.test"), address.Must("ann@people.test")
	update(t, db, func(tx *storage.Tx) error {
		m := Member{List: l.ID, Role: RoleMember, Address: addr}
		if err := Join(tx, m); err != nil {
			return err
		}
		for _, mode := range []DeliveryMode{DeliveryMIMEDigests, DeliveryRegular, DeliveryPlaintextDigests} {
			for range 2 {
				if _, err := NextNumber(tx, l.ID); err != nil {
					return err
				}
			}
			if err := SetMode(tx, &m, mode); err != nil {
				return err
			}
		}
		got, err := GetMember(tx, l.ID, RoleMember, addr)
		if err != nil {
			return err
		}
		var modes []DeliveryMode
		for n := range uint64(8) {
			modes = append(modes, got.ModeFor(n+1))
		}
		want := []DeliveryMode{"regular", "regular", "mime_digests", "mime_digests", "regular", "regular", "plaintext_digests", "plaintext_digests"}
		if !slices.Equal(modes, want) || got.Mode() != "plaintext_digests" {
			t.Errorf("modes of posts 1 to 8: %v, want %v", modes, want)
		}
		return nil
	})
}

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
