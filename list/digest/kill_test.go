package digest_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/digest"
	"kairan/list/listtest"
	"kairan/list/posting"
	"kairan/smtpd/address"
	"kairan/smtpd/queue"
	"kairan/smtpd/relay"
	"kairan/smtpd/smtptest"
	"kairan/storage"
	"kairan/storage/bolt"
	"kairan/templates"
)

// childEnv names a store and a smarthost: with it this binary is a program that makes and sends the digests that are due, to be killed.
const childEnv = "KAIRAN_DIGEST_TEST_CHILD"

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

func openStore(dir string) (*storage.DB, error) {
	engine, files, err := bolt.Open(dir)
	if err != nil {
		return nil, err
	}
	return storage.New(context.Background(), engine, files, list.Migrations())
}

func siteOfTests() *list.Site {
	return &list.Site{Hostname: listtest.Domain, URL: "https://" + listtest.Domain, Admin: address.Must("postmaster@" + listtest.Domain), Language: "ja", Location: time.UTC}
}

// saying prints a line for each commit of outcomes.
type saying struct{ *posting.Copies }

func (s saying) Outcome(tx *storage.Tx, rendition string, o []queue.Outcome) error {
	fmt.Println("commit")
	return s.Copies.Outcome(tx, rendition, o)
}

const childConnections = 4

func child(dir, addr string) error {
	db, err := openStore(dir)
	if err != nil {
		return err
	}
	words, err := templates.New()
	if err != nil {
		return err
	}
	site, log := siteOfTests(), slog.New(slog.DiscardHandler)
	to := relay.New(relay.Options{Hostname: listtest.Domain, Smarthost: addr})
	outbox := queue.New(db, saying{&posting.Copies{DB: db, Site: site}}, to, queue.Options{Smarthost: true, Connections: childConnections})
	digests := digest.New(digest.Options{DB: db, Archive: &archive.Archive{DB: db, Location: time.UTC, Log: log}, Outbox: outbox, Site: site, Templates: words, Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sent := make(chan error, 1)
	fmt.Println("start")
	go func() { sent <- outbox.Run(ctx) }()
	if err := digests.Round(ctx, time.Now()); err != nil {
		return err
	}
	for left := true; left; time.Sleep(time.Millisecond) {
		left = false
		err := db.View(ctx, func(tx *storage.Tx) error {
			for range outbox.Rows(tx) {
				left = true
				break
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	cancel()
	return cmp.Or(<-sent, db.Close())
}

// The program is killed again and again while it makes and sends an issue. There is one issue; nobody is left out of it, and no kill
// repeats more than the copies in flight and those whose outcomes waited to be committed.
func TestKillNine(t *testing.T) {
	const members, posts, kills = 3000, 30, 25
	var seen smtptest.Arrivals
	sink := smtptest.NewSink(smtptest.Config{OnMessage: seen.Add, Record: true})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go sink.Serve(l)
	defer sink.Close()
	dir, issue, want := closedIssue(t, members, posts)

	slices.Sort(want)

	known, total, worst, making, made := 0, 0, 0, 0, false
	for n := 0; n < kills; n++ {
		cmd, commits := startChild(t, dir, l.Addr().String())
		after := 5 + rand.IntN(200)
		if !made { // which is soon done
			after = 2 + rand.IntN(10*(making+1))
		}
		time.Sleep(time.Duration(after) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatalf("life %d ended by itself: there were too few copies", n)
		}
		gap := commits()
		done := 0
		if done, made = progress(t, dir, issue); !made {
			making++
		}
		came, rate := seen.Take()
		lost := came - (done - known) // arrived in this life, and not known to have
		known, worst, total = done, max(worst, lost), total+lost
		if most := 2*childConnections + rate*(2*gap.Seconds()-0.05); lost < 0 || float64(lost) > most {
			t.Errorf("kill %d: %d copies would be repeated, want 0 to %.0f at %.0f a second", n, lost, most, rate)
		}
	}
	if out, err := childCommand(t, dir, l.Addr().String()).CombinedOutput(); err != nil {
		t.Fatalf("the last life: %v\n%s", err, out)
	}
	if c := sink.Counts(); c.Distinct != members || c.Repeats != int64(total) {
		t.Errorf("counts %+v, want %d and %d repeats", c, members, total)
	}
	w := &world{t: t}
	for i, m := range sink.Messages() {
		if i%100 == 0 {
			var c copies
			w.read(m, &c)
			same(t, m.To[0], c.all(), want)
		}
	}
	if making == 0 || making == kills {
		t.Errorf("%d of %d kills hit the making: the rest of the story is not tested", making, kills)
	}
	t.Logf("%d kills, %d of them before all were queued: %d repeats, %d at most after one", kills, making, total, worst)
}

// closedIssue makes a store with an issue that is to be made, and returns its folder, the issue, and the Message-IDs in it.
func closedIssue(t *testing.T, members, posts int) (dir string, issue list.PostID, want []string) {
	w := &world{t: t, World: listtest.New(t, nil)}
	w.l = w.List("janog", func(s *list.Settings) { s.PreferredLanguage, s.DigestSizeThreshold = "en", 0 })
	w.Update(func(tx *storage.Tx) error {
		for i := range members {
			m := list.Member{List: w.l.ID, Role: list.RoleMember, Address: address.Must(fmt.Sprintf("m%04d@d%d.test", i, i%300)),
				DeliveryMode: list.DeliveryModes()[1+i%2], Language: []string{"ja", "en"}[i/2%2]}
			if err := list.Join(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	w.Join(w.l, list.RoleMember, "ann@people.test")
	w.Run()
	for range posts {
		want = append(want, w.send(strings.Repeat("a line of the post\n", 100)))
	}
	for waits := 0; waits < posts; time.Sleep(10 * time.Millisecond) {
		w.Update(func(tx *storage.Tx) error {
			s, err := list.GetDigestState(tx, w.l.ID)
			waits = s.Posts
			return err
		})
	}
	w.Stop()
	w.Update(func(tx *storage.Tx) error {
		p, err := list.CloseDigest(tx, w.l, time.Now(), "now", "")
		if err == nil {
			issue = p.ID
		}
		return err
	})
	return w.Leave(), issue, want
}

// progress reads from a store how many copies of an issue are known to have arrived, and whether all are in the queue.
func progress(t *testing.T, dir string, issue list.PostID) (arrived int, made bool) {
	db, err := openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(t.Context(), func(tx *storage.Tx) error {
		for d := range list.Deliveries(tx, issue) {
			if d.Status == string(queue.Delivered) {
				arrived += len(d.To)
			}
		}
		_, err := list.GetDigestProgress(tx, issue)
		if made = errors.Is(err, storage.ErrNotFound); made {
			err = nil
		}
		return err
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return arrived, made
}

func childCommand(t *testing.T, dir, addr string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir+" "+addr)
	return cmd
}

// startChild returns a child that is at work, and what tells after its end the longest time between its start, its commits and its end.
func startChild(t *testing.T, dir, addr string) (*exec.Cmd, func() time.Duration) {
	cmd := childCommand(t, dir, addr)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan() // start
	longest := make(chan time.Duration, 1)
	go func() {
		gap, last := 50*time.Millisecond, time.Now()
		for more := true; more; {
			more = lines.Scan() // the end of the child is the last one
			now := time.Now()
			gap, last = max(gap, now.Sub(last)), now
		}
		longest <- gap
	}()
	return cmd, func() time.Duration { return <-longest }
}
