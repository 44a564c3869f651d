package posting_test

import (
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
)

// A post that cannot be read keeps no other from going out.
func TestBrokenPost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := listtest.New(t, nil)
		l := w.List("janog", nil)
		w.Join(l, list.RoleMember, "ann@people.test")
		w.Run()
		post(t, w, 250, fromAnn(l, "1@people.test"))
		time.Sleep(time.Second)
		bad := w.Posts("1@people.test")[0]
		w.Update(func(tx *storage.Tx) error { return list.SetProgress(tx, bad.ID, list.Progress{}) }) // as if the daemon had stopped half-way
		w.Break("posts", string(bad.ID))
		post(t, w, 250, fromAnn(l, "2@people.test"))
		time.Sleep(5 * time.Minute)
		if n := w.Sink.Counts().Messages; n != 2 {
			t.Errorf("%d copies went out", n)
		}
		w.Stop()
	})
}
