package listtest

import (
	"testing"
	"testing/synctest"
	"time"
)

// Story runs fn in a bubble of time, with a world that runs.
func Story(t *testing.T, fn func(t *testing.T, w *World)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := New(t, nil)
		w.Run()
		fn(t, w)
	})
}

// Rest lets some time of the bubble pass, and nothing moves any more.
func Rest(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
