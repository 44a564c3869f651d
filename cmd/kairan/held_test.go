package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/smtpd/address"
	"kairan/storage"
)

// TestHeldUndo takes back what a moderator decided on a page, and not what the command line did.
func TestHeldUndo(t *testing.T) {
	t.Parallel()
	d, _ := startDemo(t, t.TempDir())
	var ids []string
	press := func(word, name, id string) {
		t.Helper()
		err := d.app.DB.Update(t.Context(), func(tx *storage.Tx) error {
			l, err := list.ByName(tx, name)
			if err == nil {
				_, err = d.app.Moderation.Command(tx, l, moderation.Order{ID: id, Word: word, By: address.Must("haruka@example.jp"), Lang: "en", Now: time.Now(), Undo: true})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(d.cli(t, "held", "ls", exampleList)) {
		ids = append(ids, strings.Fields(line)[0])
	}
	press("accept", "netops", ids[0])
	press("discard", "wg-dns", "tsumugi@newcomer.test")
	if held := d.cli(t, "held", "ls"); strings.Contains(held, ids[0]) || strings.Contains(held, "tsumugi") {
		t.Errorf("decided:\n%s", held)
	}
	d.cli(t, "held", "undo", ids[0], "tsumugi@newcomer.test")
	if held := d.cli(t, "held", "ls"); !strings.Contains(held, ids[0]) || !strings.Contains(held, "tsumugi") {
		t.Errorf("taken back:\n%s", held)
	}
	d.cli(t, "held", "discard", ids[0])
	var out bytes.Buffer
	if code := run(t.Context(), []string{"-c", d.configFile(), "held", "undo", ids[0]}, streams{out: &out, err: &out}); code != 1 || !strings.Contains(out.String(), "can no longer be taken back") {
		t.Errorf("undo of the command line's own: %d %s", code, &out)
	}
}
