package queue_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/queue"
	"kairan/smtpd/relay"
	"kairan/smtpd/smtptest"
	"kairan/storage"
	"kairan/storage/storagetest"
)

const post = "From: Ann <ann@example.com>\r\nTo: list@example.jp\r\nSubject: Hello\r\nMessage-ID: <1@example.com>\r\n\r\nGood morning.\r\n.\r\n..dots\r\n"

// told is what the people's Outcome wrote: by recipient, all outcomes in order.
var told = storage.NewTable[string, []queue.Outcome]("told", storage.Strings[string]())

// people is a Personaliser that keeps its outcomes in the store.
type people struct {
	signer *mailauth.Signer
	shared bool                              // no personal fields
	skip   map[string]string                 // ref -> why
	quiet  bool                              // writes nothing
	broken func(ref string) error            // called by Personalise for each
	after  func(o []queue.Outcome) (e error) // called before Outcome writes
}

func (p *people) Personalise(_ context.Context, rendition, _ string, to []queue.Recipient) ([]queue.Copy, error) {
	copies := make([]queue.Copy, len(to))
	for n, r := range to {
		if p.broken != nil {
			if err := p.broken(r.Ref); err != nil {
				return nil, err
			}
		}
		copies[n] = queue.Copy{Recipient: r, Skip: p.skip[r.Ref], Sender: address.Must("list-bounces+" + r.Ref + "@example.jp"), Signer: p.signer}
		if !p.shared {
			copies[n].Header = []byte("List-Unsubscribe: <https://lists.example.jp/-/u/" + r.Ref + ">\r\nX-Rendition: " + rendition + "\r\n")
		}
	}
	return copies, nil
}

func (p *people) Outcome(tx *storage.Tx, rendition string, outcomes []queue.Outcome) error {
	if p.after != nil {
		if err := p.after(outcomes); err != nil {
			return err
		}
	}
	if p.quiet {
		return nil
	}
	for _, o := range outcomes {
		key := rendition + " " + o.To.String()
		before, err := told.Get(tx, key)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if err := told.Put(tx, key, append(before, o)); err != nil {
			return err
		}
	}
	return nil
}

// world is an outbox between a store and sinks.
type world struct {
	t      testing.TB
	db     *storage.DB
	people *people
	relay  *relay.Relay
	outbox *queue.Outbox
	stop   func() error // ends Run
}

// newWorld delivers through a smarthost that is the sink.
func newWorld(t testing.TB, db *storage.DB, sink *smtptest.Sink, opts queue.Options) *world {
	l := smtptest.NewPipeListener()
	go sink.Serve(l)
	t.Cleanup(func() { sink.Close() })
	opts.Smarthost = true
	return newWorldOver(t, db, opts, relay.Options{
		Hostname: "lists.example.jp", Smarthost: "smarthost.test:25",
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return l.DialFrom(netip.MustParseAddr("192.0.2.9"))
		},
	})
}

func newWorldOver(t testing.TB, db *storage.DB, opts queue.Options, over relay.Options) *world {
	w := &world{t: t, db: db, people: &people{}, relay: relay.New(over)}
	t.Cleanup(w.relay.Close)
	w.outbox = queue.New(db, w.people, w.relay, opts)
	return w
}

// run starts the outbox; it ends with the test, or with w.stop.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.outbox.Run(ctx) }()
	w.stop = sync.OnceValue(func() error { cancel(); return <-done })
	w.t.Cleanup(func() { w.stop() })
}

func (w *world) update(fn func(tx *storage.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// post enqueues a rendition to recipients and seals it.
func (w *world) post(id string, to ...string) {
	w.t.Helper()
	if err := w.outbox.AddRendition(context.Background(), id, []byte(strings.Replace(post, "<1@", "<"+id+"@", 1))); err != nil {
		w.t.Fatal(err)
	}
	w.update(func(tx *storage.Tx) error {
		recipients := make([]queue.Recipient, len(to))
		for n, a := range to {
			recipients[n] = recipient(n, a)
		}
		return errors.Join(w.outbox.Enqueue(tx, id, recipients), w.outbox.Seal(tx, id))
	})
	w.outbox.Wake()
}

// statuses is what was told of a recipient.
func (w *world) statuses(rendition, to string) (s []queue.Status) {
	for _, o := range w.outcomes(rendition, to) {
		s = append(s, o.Status)
	}
	return s
}

func (w *world) outcomes(rendition, to string) (all []queue.Outcome) {
	err := w.db.View(context.Background(), func(tx *storage.Tx) (err error) {
		all, err = told.Get(tx, rendition+" "+to)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) rows() (rows []queue.Row) {
	err := w.db.View(context.Background(), func(tx *storage.Tx) error {
		rows = slices.Collect(w.outbox.Rows(tx))
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// until waits for cond. In a bubble its pauses cost nothing.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	for range 4000 {
		if cond() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatalf("not %s: depth %+v", what, w.outbox.Depth())
}

func (w *world) untilEmpty() {
	w.t.Helper()
	w.until("empty", func() bool { return len(w.rows()) == 0 })
}

// members returns n addresses in a few domains.
func members(n int) []string {
	to := make([]string, n)
	for i := range to {
		domain := []string{"example.com", "example.jp", "example.net"}[i%3]
		if i%50 == 0 {
			domain = fmt.Sprintf("d%d.test", i)
		}
		to[i] = fmt.Sprintf("member%d@%s", i, domain)
	}
	return to
}

func recipient(n int, a string) queue.Recipient {
	return queue.Recipient{Ref: fmt.Sprint(n), To: address.Must(a)}
}

func open(t testing.TB) *storage.DB { return storagetest.Open(t) }
