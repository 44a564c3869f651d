package list

import (
	"testing"

	"kairan/archive"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Every line of a log has a text in English, and names what it says in other languages.
func TestLogInWords(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "janog@lists.test")
	ann := address.Must("ann@people.test")
	update(t, db, func(tx *storage.Tx) error {
		m := Member{List: l.ID, Role: RoleMember, Address: ann, Hide: true, Joined: noon}
		if err := Join(tx, m); err != nil {
			return err
		}
		m.Hide, m.DisplayName = false, "Ann, of Tokyo"
		if err := ChangeMember(tx, m, "olga@people.test", noon); err != nil {
			return err
		}
		if err := NoteMember(tx, l.ID, ann, Event{At: noon, Stage: "join", Text: "as owner", By: "olga@people.test", Word: "role.given", Args: map[string]string{"role": "owner"}}); err != nil {
			return err
		}
		for _, act := range []archive.Act{
			{Do: archive.Hide, ID: "m1@people.test", By: "olga@people.test", Reason: "a flood"},
			{Do: archive.Redact, ID: "m2@people.test", By: ann.String(), Reason: archive.ByAuthor},
			{Do: archive.Join, ID: "m3@people.test", Parent: "m1@people.test", By: ByOperator},
		} {
			if err := LogAct(tx, string(l.ID), act); err != nil {
				return err
			}
		}
		if err := Log(tx, l.ID, Event{Stage: "list", Text: "as it was written before"}); err != nil {
			return err
		}
		want := []string{
			"list: as it was written before",
			"archive: <m3@people.test> is an answer to <m1@people.test> now",
			"archive: <m2@people.test> was withdrawn by its author",
			"archive: <m1@people.test> was hidden in the archive (a flood)",
			"member: ann@people.test was made owner",
			"member: ann@people.test: name: default → Ann, of Tokyo, hidden from the list of members: yes → no",
		}
		n := 0
		for e := range LogOf(tx, l.ID) {
			if got := e.Stage + ": " + e.Text; n >= len(want) || got != want[n] {
				t.Errorf("line %d: %s", n, got)
			}
			n++
		}
		return nil
	})
}
