package queue_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"kairan/smtpd/mailauth"
	"kairan/smtpd/queue"
	"kairan/smtpd/smtptest"
)

// Where the scheduler has processors left, the thread that signs gives way to others.
func TestSignersHaveLowPriority(t *testing.T) {
	t.Parallel()
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("one processor")
	}
	key, err := mailauth.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	sink := smtptest.NewSink(smtptest.Config{})
	w := newWorld(t, open(t), sink, queue.Options{Signers: 1})
	w.people.signer = &mailauth.Signer{Domain: "example.jp", Selector: "k1", Key: key}
	w.post("a", members(3)...)
	w.run()
	w.untilEmpty()
	stats, err := filepath.Glob("/proc/self/task/*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var nice []string
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		nice = append(nice, strings.Fields(rest)[16]) // proc(5): field 19, and these begin with the third
	}
	if !strings.Contains(strings.Join(nice, " "), "10") {
		t.Errorf("the threads' nice values are %v, want a 10 among them", nice)
	}
}
