package queue_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/address"
	"kairan/smtpd/queue"
	"kairan/smtpd/relay"
	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

var zone = `
example.com.      MX 10 mx.example.com.
mx.example.com.   A  192.0.2.1
example.jp.       MX 10 mx.example.jp.
mx.example.jp.    A  192.0.2.2
example.net.      A  192.0.2.2
slow.test.        MX 10 mx.slow.test.
mx.slow.test.     A  192.0.2.3
down.test.        MX 10 mx.down.test.
mx.down.test.     A  192.0.2.4
nomail.test.      MX 0 .
alone.test.       MX 10 mx.example.com.
` + lone()

// lone are domains with one mail host, d0.test and so on.
func lone() string {
	var text strings.Builder
	for n := range 40 {
		fmt.Fprintf(&text, "d%d.test. MX 10 mx.example.com.\n", n)
	}
	return text.String()
}

// newNet delivers to each domain's MX: 192.0.2.1, .2 and .3 lead to sinks, others refuse.
func newNet(t *testing.T, opts queue.Options, sinks ...*smtptest.Sink) *world {
	listeners := map[string]*smtptest.PipeListener{}
	for n, s := range sinks {
		l := smtptest.NewPipeListener()
		listeners[netip.AddrFrom4([4]byte{192, 0, 2, byte(n + 1)}).String()+":25"] = l
		go s.Serve(l)
		t.Cleanup(func() { s.Close() })
	}
	return newWorldOver(t, open(t), opts, relay.Options{
		Hostname: "lists.example.jp", Resolver: fakedns.Must(zone),
		Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
			if l := listeners[addr]; l != nil {
				return l.Dial()
			}
			return nil, errors.New("connection refused")
		},
	})
}

func TestLoneDomainsSplit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		com, jp := smtptest.NewSink(smtptest.Config{}), smtptest.NewSink(smtptest.Config{})
		w := newNet(t, queue.Options{}, com, jp)
		w.post("a", "ann@example.com", "ben@example.jp", "cat@example.net", "dan@down.test", "eve@nomail.test", "fay@nowhere.test", "gil@down.test")
		if rows := w.rows(); len(rows) != 1 || rows[0].Domain != "" {
			t.Fatalf("rows %+v, want one that is shared", rows)
		}
		w.run()
		w.until("tried", func() bool { return len(w.rows()) == 1 && w.rows()[0].Attempts == 1 })
		row := w.rows()[0]
		if row.Domain != "down.test" || len(row.Recipients) != 2 || !strings.Contains(row.LastReply, "refused") {
			t.Errorf("row %+v, want that of down.test", row)
		}
		for a, want := range map[string]queue.Status{
			"ann@example.com": queue.Delivered, "ben@example.jp": queue.Delivered, "cat@example.net": queue.Delivered,
			"dan@down.test": queue.Deferred, "gil@down.test": queue.Deferred, "eve@nomail.test": queue.Failed, "fay@nowhere.test": queue.Failed,
		} {
			if diff := cmp.Diff([]queue.Status{want}, w.statuses("a", a)); diff != "" {
				t.Errorf("%s: %s", a, diff)
			}
		}
		if e := w.outcomes("a", "eve@nomail.test")[0].Enhanced; e != "5.1.10" {
			t.Errorf("null MX gives %s", e)
		}
		if e := w.outcomes("a", "fay@nowhere.test")[0].Enhanced; e != "5.1.2" {
			t.Errorf("NXDOMAIN gives %s", e)
		}
		w.stop()
	})
}

// Domains of one group share rows, and one that hangs does not hold up the others of its row.
func TestRowsOfAGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fast := smtptest.NewSink(smtptest.Config{})
		slow := smtptest.NewSink(smtptest.Config{Behave: func(smtptest.Message) smtptest.Behaviour {
			return smtptest.Behaviour{Delay: 4 * time.Minute}
		}})
		group := func(_ context.Context, domain string) (string, error) {
			if domain == "alone.test" {
				return "alone.test", nil
			}
			return "example.com", nil
		}
		w := newNet(t, queue.Options{Group: group}, fast, smtptest.NewSink(smtptest.Config{}), slow)
		to := []string{"ann@slow.test", "ben@alone.test"}
		for n := range 40 {
			to = append(to, fmt.Sprintf("m%d@d%d.test", n, n))
		}
		w.run()
		w.post("first", to...)
		w.until("named", func() bool { return w.outbox.GroupOf("d39.test") != "" && w.outbox.GroupOf("alone.test") != "" })
		w.until("sent", func() bool { return w.outbox.Depth().Delivered == 41 })
		before := fast.Counts()
		begin := time.Now()
		w.post("second", to...)
		if rows := w.rows(); !slices.ContainsFunc(rows, func(r queue.Row) bool {
			return r.Rendition == "second" && r.Domain == "" && len(r.Recipients) == 41
		}) {
			t.Errorf("rows %+v, want one of the 41 of a group", rows)
		}
		w.until("sent", func() bool { return w.outbox.Depth().Delivered == 2*41 })
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("the others waited for %v", took)
		}
		if n := fast.Counts().Connections - before.Connections; n > 4 {
			t.Errorf("%d connections to one host, want at most 4", n)
		}
		time.Sleep(time.Hour) // the slow one has four answers to give, each time
		w.until("the slow ones sent", func() bool { return w.outbox.Depth().Delivered == 2*42 })
		w.untilEmpty()
		for _, sink := range []*smtptest.Sink{fast, slow} {
			if c := sink.Counts(); c.Repeats != 0 {
				t.Errorf("repeats: %+v", c)
			}
		}
		w.stop()
	})
}

func TestSlowDestinationDelaysNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		com, jp := smtptest.NewSink(smtptest.Config{}), smtptest.NewSink(smtptest.Config{})
		slow := smtptest.NewSink(smtptest.Config{Behave: func(m smtptest.Message) smtptest.Behaviour {
			return smtptest.Behaviour{Delay: 4 * time.Minute}
		}})
		w := newNet(t, queue.Options{Connections: 6}, com, jp, slow)
		to := make([]string, 1000)
		for n := range to {
			to[n] = fmt.Sprintf("m%d@%s", n, []string{"slow.test", "example.com", "slow.test", "example.jp"}[n%4])
		}
		w.post("a", to...)
		w.run()
		time.Sleep(10 * time.Second)
		if n := com.Counts().Messages + jp.Counts().Messages; n != 500 {
			t.Errorf("%d copies to other domains after 10 s, want all 500", n)
		}
		if n := slow.Counts().Connections; n != 1 {
			t.Errorf("%d connections to the slow domain, want 1 before it took anything", n)
		}
		w.stop()
	})
}

// Of a domain that cannot be reached one row at a time is tried; when it comes back all go out.
func TestGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Bool
		com := smtptest.NewSink(smtptest.Config{Behave: func(m smtptest.Message) smtptest.Behaviour {
			if !back.Load() && m.Stage == smtptest.AtConnect {
				return smtptest.Behaviour{Code: 421, Text: "4.3.2 Going down"}
			}
			return smtptest.Behaviour{}
		}})
		w := newNet(t, queue.Options{PerGroup: 1}, com)
		to := make([]string, 500)
		for n := range to {
			to[n] = fmt.Sprintf("m%d@example.com", n)
		}
		w.post("a", to...)
		w.run()
		time.Sleep(time.Minute)
		if c := com.Counts().Connections; c != 1 {
			t.Errorf("%d connections in the first minute, want 1", c)
		}
		tried := slices.DeleteFunc(w.rows(), func(r queue.Row) bool { return r.Attempts == 0 })
		if len(tried) != 1 || !strings.Contains(tried[0].LastReply, "421 4.3.2 Going down") {
			t.Errorf("tried %+v, want one row with the reply", tried)
		}
		back.Store(true)
		time.Sleep(10 * time.Minute)
		if c := com.Counts(); c.Messages != 500 || c.Repeats != 0 {
			t.Errorf("counts %+v, want 500", c)
		}
		w.stop()
	})
}

// Rows that only ever waited for their domain are given up with the others.
func TestGateExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newNet(t, queue.Options{})
		to := make([]string, 1500)
		for n := range to {
			to[n] = fmt.Sprintf("m%d@down.test", n)
		}
		w.post("a", to...)
		w.run()
		time.Sleep(5*24*time.Hour + 5*time.Hour)
		if rows := w.rows(); len(rows) > 0 {
			t.Errorf("%d rows left, the first %+v", len(rows), rows[0])
		}
		for _, a := range to {
			s := w.outcomes("a", a)
			if end := s[len(s)-1]; end.Status != queue.Failed || end.Enhanced != "5.4.7" || !strings.Contains(end.Text, "refused") {
				t.Fatalf("%s was told %+v", a, end)
			}
		}
		if d := w.outbox.Depth(); d.Rows != 0 || d.Copies != 0 {
			t.Errorf("depth %+v", d)
		}
		w.stop()
	})
}

// Rows that were only looked at when the connection failed count no attempt.
func TestGateSparesTheNextRows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newNet(t, queue.Options{PerGroup: 1})
		for n := range 5 {
			w.post(fmt.Sprint("post", n), "ann@down.test")
		}
		w.run()
		time.Sleep(time.Second)
		tried := slices.DeleteFunc(w.rows(), func(r queue.Row) bool { return r.Attempts == 0 })
		if len(tried) != 1 {
			t.Errorf("%d rows count an attempt, want 1", len(tried))
		}
		w.stop()
	})
}

// With one connection for all, a domain with much to get lets another one in between.
func TestDomainsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pace := func(m smtptest.Message) (b smtptest.Behaviour) {
			if m.Stage == smtptest.AtEnd {
				b.Delay = 5 * time.Millisecond
			}
			return b
		}
		com, jp := smtptest.NewSink(smtptest.Config{Behave: pace}), smtptest.NewSink(smtptest.Config{})
		var before atomic.Int64
		w := newNet(t, queue.Options{Connections: 1}, com, jp)
		to := make([]string, 1000, 1001)
		for n := range to {
			to[n] = fmt.Sprintf("m%d@example.com", n)
		}
		w.people.after = func(out []queue.Outcome) error {
			if slices.ContainsFunc(out, func(o queue.Outcome) bool { return o.To.Domain() == "example.jp" }) {
				before.Store(com.Counts().Messages)
			}
			return nil
		}
		w.post("a", append(to, "ann@example.jp")...)
		w.run()
		w.untilEmpty()
		if n := jp.Counts().Messages; n != 1 || before.Load() > 800 {
			t.Errorf("%d copies to example.jp, after %d to example.com", n, before.Load())
		}
		w.stop()
	})
}

// Of a row that several domains share one can be given up, and the others are tried on, each in a row of its own after their first
// deferral, behind a smarthost too.
func TestDomainsOfASharedRow(t *testing.T) {
	for _, smarthost := range []bool{true, false} {
		t.Run(fmt.Sprintf("smarthost %t", smarthost), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{judge: func(*queue.Outgoing) *queue.Outcome {
					return &queue.Outcome{Status: queue.Deferred, Code: 450, Enhanced: "4.2.2", Text: "full"}
				}}
				w := scripted(t, open(t), s, queue.Options{Smarthost: smarthost})
				w.post("a", "ann@one.test", "ben@two.test", "bob@two.test", "cat@three.test")
				choose := func(do func(*storage.Tx, queue.Filter) (int, error), f queue.Filter, want int) {
					t.Helper()
					w.update(func(tx *storage.Tx) error {
						n, err := do(tx, f)
						if n != want {
							t.Errorf("%+v chose %d recipients, want %d", f, n, want)
						}
						return err
					})
					w.outbox.Wake()
				}
				drop := func(tx *storage.Tx, f queue.Filter) (int, error) { return w.outbox.Drop(tx, f, "given up") }
				choose(drop, queue.Filter{Domain: "two.test", To: address.Must("bob@two.test")}, 1)
				if rows := w.rows(); len(rows) != 1 || rows[0].Domain != "" || len(rows[0].Recipients) != 3 {
					t.Fatalf("rows %+v, want one of three that is shared", rows)
				}
				w.run()
				w.until("deferred", func() bool {
					return len(w.rows()) == 3 && !slices.ContainsFunc(w.rows(), func(r queue.Row) bool { return r.Attempts != 1 || r.Domain == "" })
				})
				s.judge = nil
				choose(drop, queue.Filter{Domain: "one.test"}, 1)
				choose(w.outbox.Retry, queue.Filter{Domain: "three.test"}, 1)
				time.Sleep(time.Minute)
				if rows := w.rows(); len(rows) != 1 || rows[0].Domain != "two.test" {
					t.Errorf("rows %+v, want that of two.test", rows)
				}
				for a, want := range map[string][]queue.Status{
					"ann@one.test": {queue.Deferred, queue.Failed}, "bob@two.test": {queue.Failed},
					"cat@three.test": {queue.Deferred, queue.Delivered}, "ben@two.test": {queue.Deferred},
				} {
					if diff := cmp.Diff(want, w.statuses("a", a)); diff != "" {
						t.Errorf("%s: %s", a, diff)
					}
				}
				w.stop()
			})
		})
	}
}
