package main

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/storage"
)

// The hourly work tells owners of quotas by itself: within an hour of what happened, and of the same not again.
func TestTidyTellsQuotas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := listtest.New(t, nil)
		w.Site.Quotas.Members = 2
		l := w.List("janog", nil)
		w.Join(l, list.RoleOwner, "olga@people.test")
		w.Join(l, list.RoleMember, "ann@people.test")
		w.Run()
		app := &App{Path: w.Path, Subscribe: w.Workflow, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- app.tidy(ctx) }()
		told := func(wait time.Duration, want int) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			if got := len(w.Sink.Inbox("olga@people.test")); got != want {
				t.Errorf("the owner has %d mails, not %d", got, want)
			}
		}
		told(10*time.Minute, 0)
		w.Join(l, list.RoleMember, "bob@people.test") // the list is full, which is more than nearly
		told(40*time.Minute, 0)
		told(time.Hour, 1)
		w.Update(func(tx *storage.Tx) error { return list.TurnedAway(tx, l.ID, list.QuotaMembers, 1) })
		told(time.Hour, 2)
		told(20*time.Hour, 2)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		w.Stop()
	})
}
