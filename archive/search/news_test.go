package search_test

import (
	"testing"
	"testing/synctest"

	"kairan/storage/storagetest"
)

// TestNewsAtOnce finds a new post without the time that passes until the index looks by itself.
func TestNewsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, storagetest.Open(t))
		defer w.stop()
		w.want("routers", "")
		w.add("one", 1, "Subject: news\n", "routers")
		synctest.Wait()
		if got := w.now("routers"); got != "one.1" {
			t.Errorf("found at once: %q", got)
		}
		w.add("one", 2, "Subject: more news\n", "routers") // soon after the first
		w.want("routers", "one.1 one.2")
	})
}

// TestNoNews finds what another process archives, of which nobody tells.
func TestNoNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := storagetest.Open(t)
		w := begin(t, db)
		defer w.stop()
		other := begin(t, db)
		other.stop()
		other.add("one", 1, "Subject: news\n", "routers")
		w.want("routers", "one.1")
	})
}
