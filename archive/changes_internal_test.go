package archive

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"kairan/storage"
	"kairan/storage/storagetest"
)

// TestChangesOfOldArchive makes an archive as it was before there was a log.
func TestChangesOfOldArchive(t *testing.T) {
	t.Parallel()
	a := &Archive{DB: storagetest.Open(t), Log: slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil))}
	for _, post := range []string{"p1", "p2", "p3"} {
		e := Entry{List: "list1", Post: post, Received: time.Unix(1e9, 0), Raw: []byte("Subject: x\r\n\r\n")}
		if _, err := a.Add(t.Context(), e, nil); err != nil {
			t.Fatal(err)
		}
	}
	update := func(fn func(*storage.Tx) error) {
		t.Helper()
		if err := a.DB.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx *storage.Tx) error {
		for k := range changes.Scan(tx, storage.Range[uint64]{}) {
			changes.Delete(tx, k)
		}
		for k := range changed.Scan(tx, storage.Range[bySeq]{}) {
			changed.Delete(tx, k)
		}
		return lists.Put(tx, "list1", listRow{Last: 3})
	})
	update(func(tx *storage.Tx) error { return logChange(tx, Change{List: "list1", Seq: 2, Gone: true}) })
	for range 2 {
		if err := a.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx *storage.Tx) error {
		var got []Change
		for _, c := range Changes(tx, 0) {
			got = append(got, c)
		}
		if len(got) != 3 || got[0] != (Change{List: "list1", Seq: 2, Gone: true}) || got[2] != (Change{List: "list1", Seq: 3}) {
			t.Errorf("%v", got)
		}
		return nil
	})
}
