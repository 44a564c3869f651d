package bounce_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/posting"
	"kairan/smtpd/address"
	"kairan/smtpd/queue"
	"kairan/storage"
)

// BenchmarkWeigh has all copies of a post come back at once: of 5,000 members, and of ten times as many, at providers of 50 members,
// and weighs them. It measures processor time; times-a-copy is how much more the large list takes for each copy, 1 is linear.
// KAIRAN_MEMBERS is another size.
func BenchmarkWeigh(b *testing.B) {
	small, _ := strconv.Atoi(os.Getenv("KAIRAN_MEMBERS"))
	if small == 0 {
		small = 5000
	}
	for range b.N {
		one := weighAll(b, small)
		if os.Getenv("KAIRAN_MEMBERS") != "" {
			b.ReportMetric(one, "ns/copy")
			continue
		}
		b.ReportMetric(one, "ns/copy")
		b.ReportMetric(weighAll(b, 10*small)/one, "times-a-copy")
	}
}

// weighAll returns the nanoseconds a copy.
func weighAll(b *testing.B, members int) float64 {
	w := listtest.New(b, nil)
	l := w.List("big", nil)
	w.Join(l, list.RoleMember, "ann@people.test")
	w.Run()
	m := listtest.Mail{From: "ann@people.test", To: []string{l.Address.String()}, Raw: listtest.Post("Ann <ann@people.test>", l, "1@people.test", "Hello", "Hello.\n")}
	if code, text := w.Send(m); code != 250 {
		b.Fatal(code, text)
	}
	for len(w.Sink.Inbox("ann@people.test")) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	w.Stop()
	post := w.Posts("1@people.test")[0]
	const batch = 1000
	addr := func(n int) string { return fmt.Sprintf("m%d@d%d.test", n, n%(members/50)) }
	for n := 0; n < members; n += batch {
		var some []string
		for i := range batch {
			some = append(some, addr(n+i))
		}
		w.Join(l, list.RoleMember, some...)
	}
	now, begin := time.Now(), processorTime()
	for n := 0; n < members; n += batch {
		w.Update(func(tx *storage.Tx) error {
			for i := range batch {
				// A third is gone, a third has no room, a third is refused for what it says.
				o := queue.Outcome{Status: queue.Failed, Code: 550, Enhanced: []string{"5.1.1", "5.2.2", "5.7.1"}[i%3], Text: []string{"User unknown", "mailbox full", "spam"}[i%3], Host: "mx.test", At: now}
				if err := w.Bounces.Returned(tx, posting.Return{List: l.ID, Post: post, Member: address.Must(addr(n + i)).Key(), Outcome: o}); err != nil {
					return err
				}
				if err := list.RecordDeliveries(tx, post.ID, []list.Delivery{{At: now, Status: "failed", To: []string{addr(n + i)}}}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	kept := processorTime() - begin
	if err := w.Bounces.Round(context.Background(), now.Add(15*time.Minute)); err != nil {
		b.Fatal(err)
	}
	weighed := processorTime() - begin - kept
	b.Logf("%d copies: %v to keep, %v to weigh", members, kept, weighed)
	return float64(kept+weighed) / float64(members)
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
