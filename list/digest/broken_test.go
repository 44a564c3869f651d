package digest_test

import (
	"testing"

	"kairan/list"
)

// A list that cannot be read keeps no other list's digests back.
func TestBrokenList(t *testing.T) {
	story(t, nil, func(w *world) {
		good := w.l
		w.l = w.List("broken", nil)
		w.Join(w.l, list.RoleMember, "ann@people.test", "zoe@people.test")
		w.mode("zoe@people.test", list.DeliveryMIMEDigests)
		w.post(0)
		w.Break("lists", string(w.l.ID))
		w.l = good
		a := w.post(0)
		w.sleep(day)
		same(t, "mim", w.got("mim@people.test").all(), []string{a})
	})
}
