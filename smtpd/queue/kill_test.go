package queue_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"kairan/smtpd/queue"
	"kairan/smtpd/relay"
	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
	"kairan/storage"
	"kairan/storage/bolt"
)

// childEnv names a store and a smarthost: with it this binary is a program that empties the queue, to be killed.
const childEnv = "KAIRAN_QUEUE_TEST_CHILD"

func TestMain(m *testing.M) {
	dir, addr, ok := strings.Cut(os.Getenv(childEnv), " ")
	if !ok {
		os.Exit(m.Run())
	}
	if err := child(dir, addr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const childConnections = 4

func child(dir, addr string) error {
	engine, files, err := bolt.Open(dir)
	if err != nil {
		return err
	}
	db, err := storage.New(context.Background(), engine, files, nil)
	if err != nil {
		return err
	}
	to, opts := relay.Options{Hostname: "lists.example.jp", Smarthost: addr}, queue.Options{Smarthost: true, Connections: childConnections}
	if port, direct := strings.CutPrefix(addr, "mx:"); direct {
		to.Smarthost, to.Resolver, opts.Smarthost = "", fakedns.Must(lonely()), false
		if to.Port, err = strconv.Atoi(port); err != nil {
			return err
		}
	}
	r := relay.New(to)
	if !opts.Smarthost {
		opts.Group = r.Group
	}
	p := &people{after: func([]queue.Outcome) error {
		_, err := fmt.Println("commit")
		return err
	}}
	o := queue.New(db, p, r, opts)
	fmt.Println("start")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	for left := true; left; time.Sleep(time.Millisecond) {
		left = false
		err := db.View(ctx, func(tx *storage.Tx) error {
			for range o.Rows(tx) {
				left = true
				return nil
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	cancel()
	return cmp.Or(<-done, db.Close())
}

// lonelyDomains have one mail host, here, and thousands of members, a few each.
const lonelyDomains = 2000

func lonely() string {
	var zone strings.Builder
	zone.WriteString("mx.host.test. A 127.0.0.1\n")
	for n := range lonelyDomains {
		fmt.Fprintf(&zone, "d%d.test. MX 10 mx.host.test.\n", n)
	}
	return zone.String()
}

// The program is killed twenty-five times while it sends a post. Nobody is left out, and no kill repeats more than the copies that were in
// flight and those whose outcomes waited: for 50 ms at least, and for the commit before.
func TestKillNine(t *testing.T) {
	t.Run("smarthost", func(t *testing.T) { killNine(t, false) })
	t.Run("shared rows", func(t *testing.T) { killNine(t, true) })
}

func killNine(t *testing.T, direct bool) {
	const copies, kills = 15_000, 25
	var seen smtptest.Arrivals
	sink := smtptest.NewSink(smtptest.Config{OnMessage: seen.Add, Behave: func(m smtptest.Message) (b smtptest.Behaviour) {
		if m.Stage == smtptest.AtEnd {
			b.Delay = time.Millisecond
		}
		return b
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go sink.Serve(l)
	defer sink.Close()
	dir := t.TempDir()
	db := store(t, dir)
	w := newWorldOver(t, db, queue.Options{Smarthost: true}, relay.Options{Hostname: "lists.example.jp", Smarthost: l.Addr().String()})
	to, addr := members(copies), l.Addr().String()
	if direct {
		_, port, _ := net.SplitHostPort(addr)
		addr = "mx:" + port
		for n := range to {
			to[n] = fmt.Sprintf("member%d@d%d.test", n, n%lonelyDomains)
		}
	}
	w.post("a", to...)
	closeStore(t, db)

	var longest time.Duration // between two commits
	var worst, total, bound float64
	before := copies // recipients in the queue
	for n := range kills {
		life, commits := startChild(t, dir, addr)
		for seen.Count() == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(20+rand.IntN(100)) * time.Millisecond)
		if err := life.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := life.Wait(); err == nil {
			t.Fatalf("life %d ended by itself: there were too few copies", n)
		}
		db := store(t, dir)
		left := recipients((&world{t: t, db: db, outbox: queue.New(db, &people{}, nil, queue.Options{})}).rows())
		closeStore(t, db)
		came, rate := seen.Take()
		lost := float64(came - (before - left)) // arrived in this life, and not known to have
		before = left
		worst, total = max(worst, lost), total+lost
		gap := commits()
		longest = max(longest, gap)
		// What came since the batch before was taken: while that was committed, for 50 ms at least, and while its own was.
		most := 2*childConnections + rate*(2*gap.Seconds()-0.05)
		bound = max(bound, most)
		if lost < 0 || lost > most {
			t.Errorf("kill %d: %v copies would be repeated, want 0 to %.0f at %.0f a second", n, lost, most, rate)
		}
	}
	if out, err := startAndWait(t, dir, addr); err != nil {
		t.Fatalf("the last life: %v\n%s", err, out)
	}
	c := sink.Counts()
	if c.Distinct != copies || float64(c.Repeats) != total {
		t.Errorf("counts %+v, want %d and %.0f repeats", c, copies, total)
	}
	t.Logf("%d kills: %d repeats, %.0f at most after one; the bound was up to %.0f; commits lay up to %v apart", kills, c.Repeats, worst, bound, longest)
}

func closeStore(t *testing.T, db *storage.DB) {
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func childCommand(t *testing.T, dir, addr string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir+" "+addr)
	return cmd
}

// startChild returns a child, and what tells after its end the longest time between its start, its commits and its end, at least that of CommitDelay.
func startChild(t *testing.T, dir, addr string) (*exec.Cmd, func() time.Duration) {
	cmd := childCommand(t, dir, addr)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	longest := make(chan time.Duration, 1)
	go func() {
		defer r.Close()
		gap, last := 50*time.Millisecond, time.Time{}
		for lines := bufio.NewScanner(r); ; {
			more := lines.Scan() // the end of the child is the last one
			now := time.Now()
			if !last.IsZero() {
				gap = max(gap, now.Sub(last))
			}
			if last = now; !more {
				longest <- gap
				return
			}
		}
	}()
	return cmd, func() time.Duration { return <-longest }
}

func startAndWait(t *testing.T, dir, addr string) ([]byte, error) {
	return childCommand(t, dir, addr).CombinedOutput()
}
