package list

import (
	"errors"
	"testing"

	"kairan/storage"
	"kairan/templates"
)

// A list's words hold before the site's, and those before the built-in ones. Words that do not fit any more stop no mail.
func TestWordings(t *testing.T) {
	t.Parallel()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	db := open(t)
	l, other := create(t, db, "janog@lists.test"), create(t, db, "other@lists.test")
	args := map[string]string{"list": "JANOG", "who": "ann@people.test"}
	written := func(l *List) (subject string) {
		t.Helper()
		update(t, db, func(tx *storage.Tx) (err error) {
			subject, _, err = Write(tx, set, l, "member-joined", "en", args)
			return err
		})
		return subject
	}
	builtIn := written(l)
	put := func(id ID, subject string) {
		t.Helper()
		update(t, db, func(tx *storage.Tx) error {
			return SetWording(tx, set, Wording{List: id, Name: "member-joined", Lang: "en", Subject: subject, Body: "{who} is there.\n", By: "owner", At: noon})
		})
	}
	put("", "Somebody joined {list}")
	if a, b := written(l), written(other); a != "Somebody joined JANOG" || b != a {
		t.Errorf("with the site's words: %q and %q", a, b)
	}
	put(l.ID, "New here: {who}")
	if a, b := written(l), written(other); a != "New here: ann@people.test" || b != "Somebody joined JANOG" {
		t.Errorf("with the list's words: %q and %q", a, b)
	}
	update(t, db, func(tx *storage.Tx) error { // as an older program may have left it
		return wordings.Put(tx, storage.P(l.ID, storage.P("member-joined", "en")), Wording{Subject: "{gone}", Body: "{who}"})
	})
	if got := written(l); got != builtIn {
		t.Errorf("with words that do not fit: %q, want %q", got, builtIn)
	}
	update(t, db, func(tx *storage.Tx) error { return Remove(tx, l.ID, Edit{At: noon}) })
	update(t, db, func(tx *storage.Tx) error {
		for w := range Wordings(tx, l.ID) {
			t.Errorf("a closed list has words: %+v", w)
		}
		if err := UnsetWording(tx, Wording{List: l.ID, Name: "member-joined", Lang: "en"}); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("took away what is not there: %v", err)
		}
		return nil
	})
}
