package list

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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

// Who changes settings, by whatever way, stands in the history with what was before; what stays as it is does not.
func TestChangeMember(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "janog@lists.example.jp")
	ann, new := address.Must("ann@people.test"), address.Must("ann@new.test")
	update(t, db, func(tx *storage.Tx) error {
		if err := Join(tx, Member{List: l.ID, Role: RoleMember, Address: ann, Hide: true, Joined: noon}); err != nil {
			return err
		}
		m, err := GetMember(tx, l.ID, RoleMember, ann)
		if err != nil {
			return err
		}
		m.Language, m.Hide, m.DeliveryStatus, m.OffUntil = "en", false, DeliveryByUser, noon.AddDate(0, 1, 0)
		for range 2 {
			if err := ChangeMember(tx, *m, "ann@people.test", noon); err != nil {
				return err
			}
		}
		m.ModerationAction, m.Token = Hold, "anything"
		if err := ChangeMember(tx, *m, "olga@people.test", noon); err != nil {
			return err
		}
		if err := Readdress(tx, l.ID, ann, new, noon); err != nil {
			return err
		}
		for who, want := range map[address.Address][]string{
			ann: {
				"set delivery_status default -> by_user, hide true -> false, language default -> en, off_until default -> 2026-12-01T12:00:00Z by ann@people.test",
				"set moderation_action default -> hold by olga@people.test",
				"chaddr is now ann@new.test by ann@people.test",
			},
			new: {"chaddr was ann@people.test by ann@people.test"},
		} {
			var got []string
			for e := range MemberHistory(tx, l.ID, who) {
				got = append(got, e.Stage+" "+e.Text+" by "+e.By)
			}
			if !slices.Equal(got, want) {
				t.Errorf("history of %s:\n%s\nwant\n%s", who, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		bob := Member{List: l.ID, Role: RoleMember, Address: address.Must("bob@people.test")}
		if err := ChangeMember(tx, bob, "operator", noon); !errors.Is(err, ErrNotMember) {
			t.Errorf("of nobody: %v", err)
		}
		return nil
	})
}
