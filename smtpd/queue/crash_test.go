package queue_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kairan/smtpd/queue"
	"kairan/smtpd/smtptest"
	"kairan/storage"
	"kairan/storage/bolt"
)

// store opens the store in dir; the caller closes it.
func store(t *testing.T, dir string) *storage.DB {
	engine, files, err := bolt.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := storage.New(context.Background(), engine, files, nil)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// The program dies while outcomes wait to be committed: after it starts again everybody
// has the post, and only those whose outcome was not on disk have it twice.
func TestKillAndReopen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 600
		dir := t.TempDir()
		sink := smtptest.NewSink(smtptest.Config{
			Behave: func(m smtptest.Message) smtptest.Behaviour {
				if m.Stage == smtptest.AtEnd {
					return smtptest.Behaviour{Delay: time.Millisecond}
				}
				return smtptest.Behaviour{}
			},
		})
		db := store(t, dir)
		opts := queue.Options{Connections: 1}
		w := newWorld(t, db, sink, opts)
		var committed atomic.Int64
		w.people.after = func(o []queue.Outcome) error {
			if committed.Load() >= n/3 {
				return errors.New("killed")
			}
			committed.Add(int64(len(o)))
			return nil
		}
		w.post("a", members(n)...)
		w.run()
		w.until("stalled", func() bool { return committed.Load() >= n/3 && w.outbox.Depth().Sending == 0 })
		sent := sink.Counts().Messages
		time.Sleep(time.Hour)
		if more := sink.Counts().Messages - sent; more != 0 {
			t.Errorf("%d copies were sent while outcomes could not be committed", more)
		}
		if err := w.stop(); err == nil {
			t.Error("Run ended without an error although outcomes were lost")
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}

		db = store(t, dir)
		defer db.Close()
		again := newWorld(t, db, sink, opts)
		again.run()
		again.untilEmpty()
		if c := sink.Counts(); c.Distinct != n || c.Repeats != sent-committed.Load() || c.Repeats == 0 || c.Repeats > 150 {
			t.Errorf("counts %+v, want %d, and repeats of the %d that were sent and not committed", c, n, sent-committed.Load())
		}
		for _, a := range members(n) {
			if s := again.statuses("a", a); len(s) != 1 || s[0] != queue.Delivered {
				t.Errorf("%s was told %v", a, s)
			}
		}
		again.stop()
	})
}

// Run is told to end: copies in flight come to their end and are not sent again.
func TestShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := smtptest.NewSink(smtptest.Config{Behave: func(m smtptest.Message) smtptest.Behaviour {
			if m.Stage == smtptest.AtEnd {
				return smtptest.Behaviour{Delay: time.Second}
			}
			return smtptest.Behaviour{}
		}})
		db := open(t)
		w := newWorld(t, db, sink, queue.Options{Connections: 3})
		w.post("a", members(400)...)
		w.run()
		time.Sleep(10*time.Second + 500*time.Millisecond)
		begin := time.Now()
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if d := time.Since(begin); d > 3*time.Second {
			t.Errorf("the end took %v", d)
		}
		sent := sink.Counts().Messages
		if sent < 30 || sent > 40 {
			t.Errorf("%d copies before the end, want about 33", sent)
		}
		if left := recipients(w.rows()); left != 400-int(sent) {
			t.Errorf("%d recipients left, want %d", left, 400-sent)
		}
		for _, r := range w.rows() {
			if r.Attempts != 0 {
				t.Errorf("row %d counts %d attempts, want none", r.ID, r.Attempts)
			}
		}
		again := newWorld(t, db, sink, queue.Options{Connections: 3}) // its listener is another one of the same sink
		again.run()
		time.Sleep(10 * time.Minute)
		if c := sink.Counts(); c.Messages != 400 || c.Repeats != 0 {
			t.Errorf("counts %+v, want 400 and no repeats", c)
		}
		again.stop()
	})
}

func recipients(rows []queue.Row) (n int) {
	for _, r := range rows {
		n += len(r.Recipients)
	}
	return n
}

// A server that never answers is cut off after Grace.
func TestShutdownOfATarpit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := smtptest.NewSink(smtptest.Config{Behave: func(m smtptest.Message) smtptest.Behaviour {
			return smtptest.Behaviour{Delay: time.Hour}
		}})
		w := newWorld(t, open(t), sink, queue.Options{})
		w.post("a", "ann@example.com")
		w.run()
		time.Sleep(time.Minute)
		begin := time.Now()
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if d := time.Since(begin); d != 30*time.Second {
			t.Errorf("the end took %v, want the 30s of grace", d)
		}
		if n := recipients(w.rows()); n != 1 {
			t.Errorf("%d recipients left, want 1", n)
		}
	})
}

// The disk is full for an hour: nothing is sent meanwhile, then all goes on by itself, and nobody gets a copy twice.
func TestStallAndRecovery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := smtptest.NewSink(smtptest.Config{Behave: func(m smtptest.Message) smtptest.Behaviour {
			if m.Stage == smtptest.AtEnd {
				return smtptest.Behaviour{Delay: 10 * time.Millisecond}
			}
			return smtptest.Behaviour{}
		}})
		w := newWorld(t, open(t), sink, queue.Options{Connections: 2})
		full := time.Now().Add(time.Second)
		w.people.after = func([]queue.Outcome) error {
			if now := time.Now(); now.After(full) && now.Before(full.Add(time.Hour)) {
				return errors.New("the disk is full")
			}
			return nil
		}
		w.post("a", members(1000)...)
		w.run()
		time.Sleep(time.Minute)
		sent := sink.Counts().Messages
		time.Sleep(30 * time.Minute)
		if more := sink.Counts().Messages - sent; more != 0 || sent < 100 || sent > 300 {
			t.Errorf("%d copies before the disk was full, %d after", sent, more)
		}
		time.Sleep(time.Hour)
		if c := sink.Counts(); c.Messages != 1000 || c.Repeats != 0 {
			t.Errorf("counts %+v, want 1000 and no repeats", c)
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}
