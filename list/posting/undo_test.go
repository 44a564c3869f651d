package posting_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
)

// events are the lines of a post's history in one stage.
func events(t *testing.T, w *listtest.World, id list.PostID, stage string) (lines []string) {
	t.Helper()
	w.Update(func(tx *storage.Tx) error {
		lines = nil
		for e := range list.History(tx, id) {
			if e.Stage == stage {
				lines = append(lines, strings.TrimSpace(e.Text+" "+e.By))
			}
		}
		return nil
	})
	return lines
}

// A post waits for as long as its list says, those of other lists do not, and its author can take it back meanwhile and not later.
func TestUndoWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := listtest.New(t, nil)
		l := w.List("slow", func(s *list.Settings) { s.UndoSeconds = 60 })
		quick := w.List("quick", nil)
		for _, l := range []*list.List{l, quick} {
			w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		}
		w.Run()
		post(t, w, 250, fromAnn(l, "kept@id.test"))
		post(t, w, 250, fromAnn(l, "undone@id.test"))
		post(t, w, 250, fromAnn(quick, "quick@id.test"))
		arrived := func(after time.Duration, want int64) {
			t.Helper()
			listtest.Rest(after)
			if got := w.Sink.Counts().Messages; got != want {
				t.Fatalf("%d copies, want %d", got, want)
			}
		}
		arrived(59*time.Second, 2) // of the quick list
		kept, undone := w.Posts("kept@id.test")[0], w.Posts("undone@id.test")[0]
		if !kept.Recallable(time.Now()) || kept.Number != 0 {
			t.Fatalf("waits: %+v", kept)
		}
		if err := w.Path.Publish(t.Context(), kept.ID); err != nil || w.Posts("kept@id.test")[0].Number != 0 {
			t.Errorf("published before its time: %v", err)
		}
		w.Update(func(tx *storage.Tx) error {
			_, err := list.Recall(tx, undone.ID, "ann@people.test", time.Now())
			return err
		})
		arrived(2*time.Second, 4)
		if p := w.Posts("undone@id.test")[0]; p.Verdict.Action != list.Discard || p.Verdict.By != "ann@people.test" || p.Number != 0 {
			t.Errorf("taken back: %+v", p)
		}
		if h := events(t, w, undone.ID, "decide"); len(h) != 2 || h[1] != "discard: taken back before it left ann@people.test" {
			t.Errorf("trace: %q", h)
		}
		if h := events(t, w, kept.ID, "record"); len(h) != 1 || !strings.Contains(h[0], "it leaves in 1m0s") {
			t.Errorf("trace: %q", h)
		}
		err := w.DB.Update(context.Background(), func(tx *storage.Tx) error {
			_, err := list.Recall(tx, kept.ID, "ann@people.test", time.Now())
			return err
		})
		if err == nil {
			t.Error("what has left was taken back")
		}
		post(t, w, 250, fromAnn(l, "undone@id.test")) // is no duplicate
		arrived(61*time.Second, 6)
	})
}

// A window that ends while the program is down ends all the same; what was taken back stays so.
func TestUndoWindowAndCrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := listtest.New(t, nil)
		l := w.List("slow", func(s *list.Settings) { s.UndoSeconds = 600 })
		w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		w.Run()
		post(t, w, 250, fromAnn(l, "1@id.test"))
		post(t, w, 250, fromAnn(l, "2@id.test"))
		w.Update(func(tx *storage.Tx) error {
			_, err := list.Recall(tx, w.Posts("2@id.test")[0].ID, "ann@people.test", time.Now())
			return err
		})
		w.Crash()
		w.Run()
		listtest.Rest(500 * time.Second)
		if n := w.Sink.Counts().Messages; n != 0 {
			t.Fatalf("%d copies before the window ended", n)
		}
		w.Crash()
		time.Sleep(500 * time.Second)
		w.Run()
		listtest.Rest(time.Second)
		if n := w.Sink.Counts().Messages; n != 2 {
			t.Errorf("%d copies, want 2", n)
		}
		for _, id := range []string{"1@id.test", "2@id.test"} {
			t.Log(id, w.Posts(id)[0].Verdict, w.Posts(id)[0].Number)
		}
	})
}
