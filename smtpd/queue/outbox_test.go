package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/queue"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

func TestEveryCopyOnce(t *testing.T) {
	t.Parallel()
	sink := smtptest.NewSink(smtptest.Config{Record: true})
	w := newWorld(t, open(t), sink, queue.Options{})
	to := members(250)
	w.post("a", to...)
	w.run()
	w.untilEmpty()
	if c := sink.Counts(); c.Messages != 250 || c.Repeats != 0 || c.BareLines != 0 {
		t.Errorf("counts %+v, want 250 messages, no repeats", c)
	}
	m := sink.Inbox(to[7])[0]
	want := "List-Unsubscribe: <https://lists.example.jp/-/u/7>\r\nX-Rendition: a\r\n" + strings.Replace(post, "<1@", "<a@", 1)
	if diff := cmp.Diff(want, string(m.Data)); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	if m.From != "list-bounces+7@example.jp" {
		t.Errorf("sender %s", m.From)
	}
	for _, a := range to {
		if diff := cmp.Diff([]queue.Status{queue.Delivered}, w.statuses("a", a)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", a, diff)
		}
	}
	w.until("swept", func() bool { return len(texts(w.db)) == 0 })
	if d := w.outbox.Depth(); d.Rows != 0 || d.Copies != 0 || d.Delivered != 250 {
		t.Errorf("depth %+v", d)
	}
}

// texts returns what the store has of messages: the ids of rows, and the names of blobs.
func texts(db *storage.DB) (names []string) {
	for name := range db.Blobs.All("renditions/") {
		names = append(names, name)
	}
	err := db.View(context.Background(), func(tx *storage.Tx) error {
		names = append(names, queue.Texts(tx)...)
		return nil
	})
	if err != nil {
		panic(err)
	}
	return names
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen sync.Map
		first := func(who string) bool {
			_, before := seen.LoadOrStore(who, true)
			return !before
		}
		sink := smtptest.NewSink(smtptest.Config{Record: true, Behave: func(m smtptest.Message) smtptest.Behaviour {
			if m.Stage == smtptest.AtConnect {
				return smtptest.Behaviour{}
			}
			local, _, _ := strings.Cut(m.To[0], "@")
			switch {
			case local == "unknown" && m.Stage == smtptest.AtRcpt:
				return smtptest.Behaviour{Code: 550, Text: "5.1.1 No such user"}
			case local == "grey" && m.Stage == smtptest.AtRcpt && first(local):
				return smtptest.Behaviour{Code: 451, Text: "4.7.1 Come back later"}
			case local == "spam" && m.Stage == smtptest.AtEnd:
				return smtptest.Behaviour{Code: 554, Text: "5.7.1 We do not like it"}
			case local == "busy" && m.Stage == smtptest.AtEnd && first(local):
				return smtptest.Behaviour{Code: 452, Text: "4.3.1 Disk full"}
			case local == "data" && m.Stage == smtptest.AtData:
				return smtptest.Behaviour{Code: 554, Text: "5.5.0 No"}
			}
			return smtptest.Behaviour{}
		}})
		w := newWorld(t, open(t), sink, queue.Options{Connections: 1})
		w.people.skip = map[string]string{"6": "left"}
		w.post("a", "ann@example.com", "unknown@example.com", "grey@example.com", "spam@example.jp", "busy@example.jp", "data@example.jp", "gone@example.jp", "zoe@example.jp")
		w.run()
		w.until("tried", func() bool { return len(w.rows()) == 2 && w.rows()[0].Attempts == 1 })
		if row := w.rows()[1]; len(row.Recipients) != 1 || row.Domain != "example.jp" || !strings.Contains(row.Reply(row.Recipients[0]), "452 4.3.1 Disk full") {
			t.Errorf("row %+v, want the one deferred by the second domain", row)
		}
		time.Sleep(6 * time.Minute)
		w.untilEmpty()
		want := map[string][]queue.Status{
			"ann@example.com": {queue.Delivered}, "unknown@example.com": {queue.Failed}, "grey@example.com": {queue.Deferred, queue.Delivered},
			"spam@example.jp": {queue.Failed}, "busy@example.jp": {queue.Deferred, queue.Delivered}, "data@example.jp": {queue.Failed},
			"gone@example.jp": {queue.Skipped}, "zoe@example.jp": {queue.Delivered},
		}
		for a, s := range want {
			if diff := cmp.Diff(s, w.statuses("a", a)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", a, diff)
			}
		}
		if o := w.outcomes("a", "unknown@example.com")[0]; o.Code != 550 || o.Enhanced != "5.1.1" || o.Text != "No such user" || o.Host != "smarthost.test" {
			t.Errorf("outcome %+v", o)
		}
		if c := sink.Counts(); c.Messages != 4 || c.Repeats != 0 || c.Connections != 2 {
			t.Errorf("counts %+v, want 4 messages on 2 connections", c)
		}
	})
}

func TestFiveDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		sink := smtptest.NewSink(smtptest.Config{Behave: func(m smtptest.Message) smtptest.Behaviour {
			if m.Stage != smtptest.AtRcpt {
				return smtptest.Behaviour{}
			}
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(begin))
			return smtptest.Behaviour{Code: 450, Text: "4.2.2 Mailbox full"}
		}})
		w := newWorld(t, open(t), sink, queue.Options{})
		w.post("a", "ann@example.com")
		w.run()
		time.Sleep(5*24*time.Hour + time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if rows := w.rows(); len(rows) != 0 {
			t.Fatalf("rows %+v, want none after five days", rows)
		}
		pause := 5 * time.Minute
		for n, gap := range gaps(at)[:len(at)-2] {
			if gap < pause*9/10-time.Second || gap > pause*11/10+time.Second {
				t.Errorf("pause %d is %v, want about %v", n, gap, pause)
			}
			pause = min(2*pause, 4*time.Hour)
		}
		if last := at[len(at)-1]; last < 5*24*time.Hour || len(at) < 30 || len(at) > 42 {
			t.Errorf("%d attempts, the last after %v", len(at), last)
		}
		out := w.outcomes("a", "ann@example.com")
		end := out[len(out)-1]
		if len(out) != len(at) || end.Status != queue.Failed || end.Enhanced != "5.4.7" || !strings.Contains(end.Text, "Mailbox full") {
			t.Errorf("%d outcomes, the last %+v", len(out), end)
		}
		if len(texts(w.db)) != 0 {
			t.Error("the message is still there")
		}
	})
}

func gaps(at []time.Duration) (gaps []time.Duration) {
	for n := range at[1:] {
		gaps = append(gaps, at[n+1]-at[n])
	}
	return gaps
}

// A server that hangs up: only who may have got the copy is sent another one.
func TestHangUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stage   smtptest.Stage
		repeats int64
	}{{smtptest.AtRcpt, 0}, {smtptest.AtData, 0}, {smtptest.AtEnd, 1}} {
		t.Run(string(test.stage), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var done atomic.Bool
				sink := smtptest.NewSink(smtptest.Config{Behave: func(m smtptest.Message) smtptest.Behaviour {
					if m.Stage != test.stage || m.To[0] != "member20@example.net" || done.Swap(true) {
						return smtptest.Behaviour{}
					}
					return smtptest.Behaviour{HangUp: true}
				}})
				w := newWorld(t, open(t), sink, queue.Options{Connections: 1})
				w.post("a", members(60)...)
				w.run()
				time.Sleep(time.Hour)
				if rows := w.rows(); len(rows) > 0 {
					t.Errorf("rows %+v", rows)
				}
				if c := sink.Counts(); c.Distinct != 60 || c.Repeats != test.repeats {
					t.Errorf("counts %+v, want 60 and %d repeats", c, test.repeats)
				}
			})
		})
	}
}

func TestRenditionsTakeTurns(t *testing.T) {
	t.Parallel()
	sink := smtptest.NewSink(smtptest.Config{Record: true})
	w := newWorld(t, open(t), sink, queue.Options{Connections: 1})
	big := make([]string, 3000)
	for n := range big {
		big[n] = fmt.Sprintf("member%d@example.com", n)
	}
	w.post("big", big...)
	w.post("small", "ann@example.com", "ben@example.jp")
	w.run()
	w.untilEmpty()
	at := slices.IndexFunc(sink.Messages(), func(m smtptest.Message) bool { return m.To[0] == "ann@example.com" })
	if at < 0 || at > 300 {
		t.Errorf("the small post went out after %d copies of the big one", at)
	}
}

func TestRetryAndDrop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var room atomic.Bool
		sink := smtptest.NewSink(smtptest.Config{Behave: func(m smtptest.Message) smtptest.Behaviour {
			if m.Stage == smtptest.AtRcpt && !room.Load() {
				return smtptest.Behaviour{Code: 452, Text: "4.3.1 Full"}
			}
			return smtptest.Behaviour{}
		}})
		w := newWorld(t, open(t), sink, queue.Options{})
		w.post("a", "ann@example.com")
		w.post("b", "ben@example.com")
		w.run()
		w.until("deferred", func() bool {
			return !slices.ContainsFunc(w.rows(), func(r queue.Row) bool { return r.Attempts == 0 })
		})
		room.Store(true)
		w.update(func(tx *storage.Tx) error {
			id := slices.Collect(w.outbox.Rows(tx))[0].ID
			n, err := w.outbox.Drop(tx, queue.Filter{ID: id}, "dropped by the administrator")
			if n != 1 {
				t.Errorf("dropped %d rows, want 1", n)
			}
			return err
		})
		w.update(func(tx *storage.Tx) error {
			n, err := w.outbox.Retry(tx, queue.Filter{Domain: "example.com"})
			if n != 1 {
				t.Errorf("chose %d rows, want 1", n)
			}
			return err
		})
		begin := time.Now()
		w.outbox.Wake()
		w.untilEmpty()
		if d := time.Since(begin); d > time.Second {
			t.Errorf("retried after %v, want at once", d)
		}
		if diff := cmp.Diff([]queue.Status{queue.Deferred, queue.Failed}, w.statuses("a", "ann@example.com")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]queue.Status{queue.Deferred, queue.Delivered}, w.statuses("b", "ben@example.com")); diff != "" {
			t.Error(diff)
		}
		w.until("swept", func() bool { return len(texts(w.db)) == 0 })
	})
}

func TestRenditions(t *testing.T) {
	t.Parallel()
	small, large := "Subject: a\n\nbare\rreturn", "Subject: a\n\nbare\rreturn"+strings.Repeat("\n0123456789", 10_000)
	t.Run("small", func(t *testing.T) { t.Parallel(); testRendition(t, small, "a") })
	t.Run("large", func(t *testing.T) { t.Parallel(); testRendition(t, large, "renditions/a") })
}

// testRendition stores a text, which goes where, sends it and sees it go.
func testRendition(t *testing.T, text, where string) {
	ctx := t.Context()
	db := open(t)
	sink := smtptest.NewSink(smtptest.Config{Record: true})
	w := newWorld(t, db, sink, queue.Options{})
	if err := db.Blobs.Create("renditions/orphan", []byte("left by a crash")); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{text, "Subject: another text\r\n\r\n"} { // the first one stays
		if err := w.outbox.AddRendition(ctx, "a", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	w.run()
	w.until("swept", func() bool { return cmp.Equal(texts(db), []string{where}) })
	// Its first recipients have it, and more are to come: it stays.
	w.update(func(tx *storage.Tx) error {
		return w.outbox.Enqueue(tx, "a", []queue.Recipient{recipient(0, "ann@example.com")})
	})
	w.outbox.Wake()
	w.untilEmpty()
	want := strings.NewReplacer("\n", "\r\n", "\r", "\r\n").Replace(text) + "\r\n"
	if got := sink.Messages(); len(got) != 1 || !strings.HasSuffix(string(got[0].Data), want) {
		t.Errorf("%d messages; want one that ends in %q", len(got), want[:40])
	}
	if got := texts(db); !cmp.Equal(got, []string{where}) {
		t.Errorf("the store has %q", got)
	}
	w.update(func(tx *storage.Tx) error {
		if got := w.outbox.Blobs(tx); (len(got) == 1) != strings.HasPrefix(where, "renditions/") {
			t.Errorf("blobs %q", got)
		}
		return w.outbox.Seal(tx, "a")
	})
	w.outbox.Wake()
	w.until("swept", func() bool { return len(texts(db)) == 0 })
	err := db.Update(context.Background(), func(tx *storage.Tx) error { return w.outbox.Enqueue(tx, "a", nil) })
	if err == nil {
		t.Error("recipients were added to a rendition that is gone")
	}
}

// TestReplaceRendition stores another text for copies that have not left yet: of the first nothing stays.
func TestReplaceRendition(t *testing.T) {
	t.Parallel()
	db := open(t)
	sink := smtptest.NewSink(smtptest.Config{Record: true})
	w := newWorld(t, db, sink, queue.Options{})
	first := "Subject: a\r\n\r\n" + strings.Repeat("secret\r\n", 10_000)
	if err := w.outbox.AddRendition(t.Context(), "a", []byte(first)); err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *storage.Tx) error {
		return w.outbox.Enqueue(tx, "a", []queue.Recipient{recipient(0, "ann@example.com")})
	})
	for _, id := range []string{"a", "b"} { // b is not there, and does not come by it
		if err := w.outbox.ReplaceRendition(t.Context(), id, []byte("Subject: a\r\n\r\nsomething else\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	if got := texts(db); !cmp.Equal(got, []string{"a"}) {
		t.Errorf("the store has %q", got)
	}
	w.run()
	w.untilEmpty()
	if got := sink.Messages(); len(got) != 1 || !strings.HasSuffix(string(got[0].Data), "\r\n\r\nsomething else\r\n") {
		t.Errorf("%d messages, not the one that was put in its place", len(got))
	}
}
