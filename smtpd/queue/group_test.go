package queue_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kairan/smtpd/address"
	"kairan/smtpd/queue"
	"kairan/storage"
)

// script is a Transport whose servers do as they are told.
type script struct {
	took   time.Duration                          // for each copy
	refuse func(domain string) queue.Outcome      // called for a delivery; the zero Outcome lets it in
	judge  func(o *queue.Outgoing) *queue.Outcome // nil: delivered
	hang   func(domain string) bool               // never answers

	mu      sync.Mutex
	running map[string]int // deliveries by domain
	most    int            // that ran at a time
	at      []sent
}

type sent struct {
	at  time.Time
	to  string
	ref string
}

func (s *script) Deliver(ctx context.Context, domain string, next iter.Seq[*queue.Outgoing], report func(*queue.Outgoing, queue.Outcome)) {
	s.enter(domain, 1)
	defer s.enter(domain, -1)
	for o := range next {
		if s.hang != nil && s.hang(domain) {
			<-ctx.Done()
			report(o, queue.Outcome{Status: queue.Deferred, Text: "hung"})
			return
		}
		if s.refuse != nil {
			if out := s.refuse(domain); out.Status != "" {
				report(o, out)
				return
			}
		}
		time.Sleep(s.took)
		s.mu.Lock()
		s.at = append(s.at, sent{at: time.Now(), to: o.To.String(), ref: o.Ref})
		s.mu.Unlock()
		out := &queue.Outcome{Status: queue.Delivered, Code: 250}
		if s.judge != nil {
			if other := s.judge(o); other != nil {
				out = other
			}
		}
		report(o, *out)
	}
}

func (s *script) enter(domain string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		s.running = map[string]int{}
	}
	s.running[domain] += n
	all := 0
	for _, n := range s.running {
		all += n
	}
	s.most = max(s.most, all)
}

// inDomain is how many deliveries to a domain run.
func (s *script) inDomain(domain string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[domain]
}

// log is what was sent so far; then it is forgotten, and so is how many deliveries ran at a time.
func (s *script) log() (at []sent, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, most = s.at, s.most
	s.at, s.most = nil, 0
	return at, most
}

// scripted is a world over a script.
func scripted(t *testing.T, db *storage.DB, s *script, opts queue.Options) *world {
	w := &world{t: t, db: db, people: &people{}}
	w.outbox = queue.New(db, w.people, s, opts)
	return w
}

// google puts every domain but other.test in one group.
func google(_ context.Context, domain string) (string, error) {
	if domain == "other.test" {
		return "", errors.New("no answer")
	}
	return "google.com", nil
}

func many(n int, domains ...string) (to []string) {
	for i := range n {
		to = append(to, fmt.Sprintf("m%d@%s", i, domains[i%len(domains)]))
	}
	return to
}

func (w *world) groupNamed(name string) queue.GroupState {
	all := w.outbox.Groups()
	at := slices.IndexFunc(all, func(g queue.GroupState) bool { return g.Name == name })
	if at < 0 {
		return queue.GroupState{}
	}
	return all[at]
}

// A new group gets one connection, then more, up to its limit, however many domains it has.
func TestSlowStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{took: 20 * time.Millisecond}
		group := func(context.Context, string) (string, error) { return "example.net", nil }
		w := scripted(t, open(t), s, queue.Options{PerGroup: 6, Group: group})
		w.post("a", many(3000, "example.com", "example.jp", "example.net")...)
		w.run()
		time.Sleep(1500 * time.Millisecond)
		if _, most := s.log(); most != 1 {
			t.Errorf("%d connections at first, want 1", most)
		}
		time.Sleep(8 * time.Second)
		if _, most := s.log(); most != 6 {
			t.Errorf("%d connections later, want the limit of 6", most)
		}
		w.stop()
	})
}

// Google says that it is too much: all its domains wait for ten minutes, over a restart too, and others do not. Then one connection tries.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, begin := open(t), time.Now()
		enough := func(o *queue.Outgoing) *queue.Outcome {
			if time.Since(begin) > 30*time.Second && o.To.Domain() != "other.test" && time.Since(begin) < 9*time.Minute {
				return &queue.Outcome{Status: queue.Deferred, Code: 421, Enhanced: "4.7.28", Text: "the same Message-ID", Host: "mx.google.com"}
			}
			return nil
		}
		s := &script{judge: enough}
		w := scripted(t, db, s, queue.Options{Group: google})
		w.post("a", many(1000, "gmail.com", "workspace.test")...)
		w.run()
		time.Sleep(35 * time.Second)
		g := w.groupNamed("google.com")
		if wait := time.Until(g.Gate); wait < 9*time.Minute || wait > 11*time.Minute || g.Connections != 1 || g.Rate != 10 {
			t.Fatalf("group %+v, want a pause of ten minutes, then one connection at half the rate", g)
		}
		s.log()
		w.post("b", "ann@other.test")
		time.Sleep(time.Minute)
		if at, _ := s.log(); len(at) != 1 || at[0].to != "ann@other.test" {
			t.Errorf("sent %v meanwhile, want the copy to another group", at)
		}
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		w = scripted(t, db, s, queue.Options{Group: google})
		w.run()
		time.Sleep(5 * time.Minute)
		if at, _ := s.log(); len(at) != 0 {
			t.Errorf("%d copies after a restart, want none before the pause is over", len(at))
		}
		time.Sleep(time.Until(g.Gate) + time.Second)
		first, most := s.log()
		if most != 1 {
			t.Errorf("%d connections after the pause, want 1 that tries", most)
		}
		time.Sleep(7 * time.Second)
		if at, _ := s.log(); len(first)+len(at) < 70 || len(first)+len(at) > 90 {
			t.Errorf("%d copies in 8s after the pause, want about 80", len(first)+len(at))
		}
		time.Sleep(time.Hour)
		if rows := w.rows(); len(rows) > 0 {
			t.Errorf("%d rows are left", len(rows))
		}
		w.stop()
	})
}

// What a group took is remembered: after a restart it gets as many connections at once.
func TestLearntLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := open(t)
		for n, want := range []int{1, 4} {
			s := &script{took: 20 * time.Millisecond}
			w := scripted(t, db, s, queue.Options{})
			w.post(fmt.Sprint("post", n), many(1000, "example.com")...)
			w.run()
			time.Sleep(time.Second)
			if _, most := s.log(); most != want {
				t.Errorf("start %d: %d connections in the first second, want %d", n, most, want)
			}
			time.Sleep(20 * time.Second)
			if rows := w.rows(); len(rows) > 0 {
				t.Errorf("start %d: %d rows left", n, len(rows))
			}
			w.stop()
		}
	})
}

// Of one post Google gets so many copies a second, of two posts each so many.
func TestPace(t *testing.T) {
	t.Parallel()
	for posts := range 2 {
		synctest.Test(t, func(t *testing.T) {
			s, begin := &script{}, time.Now()
			w := scripted(t, open(t), s, queue.Options{Group: google})
			for n := range posts + 1 {
				w.post(fmt.Sprint("post", n), many(600, "gmail.com", "workspace.test")...)
			}
			w.run()
			for len(w.rows()) > 0 {
				time.Sleep(100 * time.Millisecond)
			}
			if took := time.Since(begin); took < 29*time.Second || took > 40*time.Second { // two at first share the one connection of the slow start
				t.Errorf("%d posts to 600 took %v, want 30s at 20 a second", posts+1, took)
			}
			w.stop()
		})
	}
}

// A group with a rate of its own gets so many copies a second, of all posts together; so does a smarthost.
func TestRate(t *testing.T) {
	t.Parallel()
	for _, o := range []queue.Options{
		{Group: google, Limits: map[string]queue.Limits{"google.com": {Rate: 5, Connections: 3}}},
		{Smarthost: true, Limits: map[string]queue.Limits{"": {Rate: 5}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, begin := &script{}, time.Now()
			w := scripted(t, open(t), s, o)
			w.post("a", many(100, "gmail.com", "workspace.test")...)
			w.post("b", many(50, "gmail.com", "workspace.test")...)
			w.run()
			for len(w.rows()) > 0 {
				time.Sleep(100 * time.Millisecond)
			}
			if took := time.Since(begin); took < 29*time.Second || took > 31*time.Second {
				t.Errorf("150 copies took %v, want 30s at 5 a second", took)
			}
			w.stop()
		})
	}
}

// A server takes two connections and refuses the third: that costs a copy a deferral, and nobody a pause.
func TestOneConnectionTooMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{took: 20 * time.Millisecond}
		s.refuse = func(domain string) queue.Outcome {
			if s.inDomain(domain) > 2 {
				return queue.Outcome{Status: queue.Deferred, Code: 421, Text: "too many connections"}
			}
			return queue.Outcome{}
		}
		w := scripted(t, open(t), s, queue.Options{PerGroup: 8})
		w.post("a", many(2000, "example.com")...)
		w.run()
		time.Sleep(30 * time.Second)
		if at, _ := s.log(); len(at) < 1950 {
			t.Errorf("%d copies after 30s, want nearly all", len(at))
		}
		w.stop()
	})
}

// A group takes one connection, and its second domain is refused meanwhile: that costs a copy a deferral, not a row.
func TestOneConnectionForTwoDomains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{took: 20 * time.Millisecond}
		s.refuse = func(domain string) queue.Outcome {
			if s.inDomain("gmail.com")+s.inDomain("workspace.test") > 1 {
				return queue.Outcome{Status: queue.Deferred, Code: 421, Enhanced: "4.7.0", Text: "too many connections", Host: "mx.google.com"}
			}
			return queue.Outcome{}
		}
		w := scripted(t, open(t), s, queue.Options{Group: google, Limits: map[string]queue.Limits{"google.com": {RateOfOne: 1000}}})
		w.post("a", many(1000, "gmail.com", "workspace.test")...)
		w.run()
		time.Sleep(time.Minute)
		if at, _ := s.log(); len(at) < 950 {
			t.Errorf("%d copies after a minute, want nearly all", len(at))
		}
		w.stop()
	})
}

// A domain that names a provider's host as its own and cannot be reached, or speaks for it from elsewhere, closes no gate of the provider.
func TestImpostor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{took: 100 * time.Millisecond, refuse: func(domain string) queue.Outcome {
			if domain == "down.test" {
				return queue.Outcome{Status: queue.Deferred, Text: "connection refused"}
			}
			return queue.Outcome{}
		}, judge: func(o *queue.Outgoing) *queue.Outcome {
			if o.To.Domain() == "evil.test" {
				return &queue.Outcome{Status: queue.Deferred, Code: 450, Enhanced: "4.7.28", Text: "stop", Host: "mx.evil.test"}
			}
			return nil
		}}
		w := scripted(t, open(t), s, queue.Options{Group: google})
		w.post("a", many(300, "gmail.com")...)
		w.run()
		time.Sleep(5 * time.Second)
		w.post("b", "x@evil.test", "x@down.test")
		time.Sleep(20 * time.Second)
		if g := w.groupNamed("google.com"); !g.Gate.IsZero() {
			t.Errorf("group %+v, want an open gate", g)
		}
		if left := recipients(w.rows()); left != 2 {
			t.Errorf("%d recipients left, want the two of the impostors", left)
		}
		w.stop()
	})
}

// Greylisting is no request to slow down, and other 4.7.x codes close the gate only when there are many in a row.
func TestGreylistingIsNoPush(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"Greylisted, come back": 150, "too fast": 10} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{judge: func(*queue.Outgoing) *queue.Outcome {
				return &queue.Outcome{Status: queue.Deferred, Code: 450, Enhanced: "4.7.1", Text: text, Host: "mx.example.com"}
			}}
			w := scripted(t, open(t), s, queue.Options{})
			w.post("a", many(150, "example.com")...)
			w.run()
			time.Sleep(time.Minute)
			if at, _ := s.log(); len(at) != want {
				t.Errorf("%q: %d copies were tried, want %d", text, len(at), want)
			}
			w.stop()
		})
	}
}

// One recipient of a row is tried again, another is given up; the third waits on.
func TestSingleRecipients(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{judge: func(o *queue.Outgoing) *queue.Outcome {
			return &queue.Outcome{Status: queue.Deferred, Code: 450, Enhanced: "4.2.2", Text: "full: " + o.To.Local()}
		}}
		w := scripted(t, open(t), s, queue.Options{Smarthost: true})
		w.post("a", "ann@example.com", "ben@example.com", "cat@example.com")
		w.run()
		w.until("deferred", func() bool { r := w.rows(); return len(r) == 1 && r[0].Attempts == 1 })
		row := w.rows()[0]
		for _, to := range row.Recipients {
			if want := "450 4.2.2 full: " + to.To.Local(); row.Reply(to) != want {
				t.Errorf("reply to %s is %q, want %q", to.To, row.Reply(to), want)
			}
		}
		s.judge = nil
		w.update(func(tx *storage.Tx) error {
			dropped, err := w.outbox.Drop(tx, queue.Filter{To: address.Must("ann@example.com")}, "dropped")
			retried, err2 := w.outbox.Retry(tx, queue.Filter{To: address.Must("BEN@example.com")})
			if dropped != 1 || retried != 1 {
				t.Errorf("%d dropped, %d retried, want one each", dropped, retried)
			}
			return errors.Join(err, err2)
		})
		w.outbox.Wake()
		time.Sleep(time.Minute)
		rows := w.rows()
		if len(rows) != 1 || len(rows[0].Recipients) != 1 || rows[0].Recipients[0].To.Local() != "cat" || rows[0].Attempts != 1 {
			t.Errorf("rows %+v, want cat's", rows)
		}
		for a, want := range map[string]queue.Status{"ann@example.com": queue.Failed, "ben@example.com": queue.Delivered, "cat@example.com": queue.Deferred} {
			got := w.statuses("a", a)
			if got[len(got)-1] != want {
				t.Errorf("%s was told %v, want %s at the end", a, got, want)
			}
		}
		time.Sleep(time.Hour)
		if len(w.rows()) != 0 || len(texts(w.db)) != 0 {
			t.Error("the row or the rendition is still there")
		}
		w.stop()
	})
}

// A post to thousands of domains lets one to a single domain in between; so do destinations that hang.
func TestNobodyStarves(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*script{
		"huge": {took: time.Second},
		"hung": {took: time.Second, hang: func(domain string) bool { return strings.HasPrefix(domain, "d") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := scripted(t, open(t), s, queue.Options{Connections: 20})
				n := 2000
				if s.hang != nil {
					n = 30 // more than there are connections
				}
				to := make([]string, n)
				for i := range to {
					to[i] = fmt.Sprintf("ann@d%d.test", i)
				}
				w.post("huge", to...)
				w.run()
				time.Sleep(time.Second / 2)
				w.post("small", "ben@small.test")
				time.Sleep(15 * time.Second)
				if got := w.statuses("small", "ben@small.test"); len(got) != 1 || got[0] != queue.Delivered {
					t.Errorf("after 15s the small post was told %v, want delivered; depth %+v", got, w.outbox.Depth())
				}
				w.stop()
			})
		})
	}
}
