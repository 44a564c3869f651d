package queue_test

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"kairan/smtpd/mailauth"
	"kairan/smtpd/queue"
	"kairan/smtpd/relay"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

// BenchmarkFanout sends a post of 4 KB to 7,000 members over sockets on loopback, to a sink in this process.
// cpu-ns/copy is processor time of queue, relay, store and sink together.
func BenchmarkFanout(b *testing.B) {
	key, err := mailauth.GenerateKey()
	if err != nil {
		b.Fatal(err)
	}
	signer := &mailauth.Signer{Domain: "example.jp", Selector: "k1", Key: key}
	for _, bench := range []struct {
		name   string
		people *people
		conns  int
	}{
		{name: "unsigned", people: &people{}, conns: 20},
		{name: "unsigned-1-connection", people: &people{}, conns: 1},
		{name: "shared-signature", people: &people{signer: signer, shared: true}, conns: 20},
	} {
		b.Run(bench.name, func(b *testing.B) { benchFanout(b, bench.people, bench.conns) })
	}
}

func benchFanout(b *testing.B, p *people, conns int) {
	const copies = 7000
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	sink := smtptest.NewSink(smtptest.Config{})
	go sink.Serve(l)
	defer sink.Close()
	p.quiet = true
	w := newWorldOver(b, open(b), queue.Options{Smarthost: true, Connections: conns}, relay.Options{Hostname: "lists.example.jp", Smarthost: l.Addr().String()})
	w.people = p
	w.outbox = queue.New(w.db, p, w.relay, queue.Options{Smarthost: true, Connections: conns})
	w.run()
	defer w.stop()
	to := make([]queue.Recipient, copies)
	for n, a := range members(copies) {
		to[n] = recipient(n, a)
	}
	text := []byte(post + strings.Repeat("A line of some forty characters, or so.\r\n", 100))
	sent, cpu := int64(0), time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		id := fmt.Sprint("post", sent)
		if err := w.outbox.AddRendition(b.Context(), id, text); err != nil {
			b.Fatal(err)
		}
		before := processorTime(b)
		b.StartTimer()
		w.update(func(tx *storage.Tx) error { return w.outbox.Enqueue(tx, id, to) })
		w.update(func(tx *storage.Tx) error { return w.outbox.Seal(tx, id) })
		w.outbox.Wake()
		sent += copies
		for w.outbox.Depth().Delivered < uint64(sent) {
			time.Sleep(time.Millisecond)
		}
		cpu += processorTime(b) - before
	}
	if c := sink.Counts(); c.Messages != sent {
		b.Errorf("%d messages, want %d", c.Messages, sent)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(sent), "ns/copy")
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(sent), "cpu-ns/copy")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
