package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/archive/archivetest"
	"kairan/smtpd/smtptest"
)

// TestMain is the bench itself where the bench runs this program again, in a network of its own.
func TestMain(m *testing.M) {
	if os.Getenv(insideNamespace) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestParts runs every part with a few members. What the figures are is not judged; that copies come once each is.
func TestParts(t *testing.T) {
	t.Parallel()
	var out, progress bytes.Buffer
	here := partNames(func(p part) bool { // the larger archives do what the small one does
		return !p.direct && !p.peers && p.name != "archive200k" && p.name != "archive500k"
	})
	err := run(t.Context(), []string{"-run", strings.Join(here, ","), "-n", "1", "-members", "20"}, &out, &progress)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, progress.Bytes(), out.Bytes())
	}
	for _, figure := range []string{
		"send floor", "RSA floor", "durable commit", "DNS question", "post to 20, all signed", "peak anonymous memory at 20",
		"post to 20, one signature", "the same beside mlmmj", "20 posts to 20, one signature", "post to 142, one signature", "accept during 20, p99", "member import of 20", "post to 142, all signed", "post to 1428, all signed",
		"processor time of kairan a copy",
		"accept during 1428, p50", "member import of 1428", "posts to 2 lists of 70 at once", "post to 20, smarthost 20ms away",
		"20 members: first page", "1428 members: delivery=by_bounces", "1428 members as CSV", "bans page with", "queue with", "28 messages: import, threads and index", "28 messages: index to mail", "28 messages: one new post", "28 messages: month", "28 messages: search, p99", "one thread of 14: thread",
	} {
		if !strings.Contains(out.String(), "\n"+figure) {
			t.Errorf("no row %q in\n%s", figure, out.Bytes())
		}
	}
	if want := "Not run: " + strings.Join(partNames(func(p part) bool { return !slices.Contains(here, p.name) }), ", ") + "."; !strings.Contains(out.String(), want) {
		t.Errorf("%s does not stand in\n%s", want, out.Bytes())
	}
}

// TestDirect delivers straight to mail hosts at port 25, in a network of its own.
func TestDirect(t *testing.T) {
	t.Parallel()
	if err := exec.Command("unshare", "-rn", "ip", "link", "set", "lo", "up").Run(); err != nil {
		t.Skipf("no network of one's own can be had here (%v): nothing is delivered to mail hosts", err)
	}
	var out, progress bytes.Buffer
	if err := run(t.Context(), []string{"-run", "shared,trouble", "-n", "1", "-members", "60"}, &out, &progress); err != nil {
		t.Fatalf("%v\n%s%s", err, progress.Bytes(), out.Bytes())
	}
	for _, figure := range []string{"direct post to 60, a tenth deferred and one host silent", "direct post to 60, shared copies"} {
		if !strings.Contains(out.String(), "\n"+figure) {
			t.Errorf("no row %q in\n%s", figure, out.Bytes())
		}
	}
}

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-run", "fanout9k"}, {"-n", "0"}, {"members"}, {"members", "x"}, {"corpus", "-1"}, {"post"}, {"more"}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	if err := run(t.Context(), []string{"-n", "-1"}, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v, want the usage", err)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	const n = 7000
	all := members(n)
	kinds, seen, domains := map[string]int{}, map[string]bool{}, map[string]int{}
	for _, a := range all {
		_, domain, _ := strings.Cut(a, "@")
		_, kind, _ := strings.Cut(domain, ".")
		kinds[kind]++
		domains[domain]++
		seen[a] = true
	}
	if len(seen) != n || all[0] != posterAddr {
		t.Errorf("%d distinct members, the first %s", len(seen), all[0])
	}
	if kinds["test"] != n*35/100 || kinds["example.jp"] != n*45/100 || kinds["example.com"] != n*20/100 {
		t.Errorf("kinds of domain: %v", kinds)
	}
	if got, want := len(domains), 1+providers+n*20/100; got != want {
		t.Errorf("%d domains, want %d", got, want)
	}
}

// TestQueries draws queries from a corpus.
func TestQueries(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "corpus.mbox")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := writeCorpus(f, newCorpus(archivetest.Begin), 300); err != nil {
		t.Fatal(err)
	}
	s := newSample()
	if err := s.read(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if len(s.ids) != 300 || s.id() == "" {
		t.Errorf("%d messages", len(s.ids))
	}
	all, kinds := s.queries(600), [6]int{}
	for i, q := range all {
		kinds[i%6]++
		if japanese := i%6 >= 3; japanese != (len(q) > len([]rune(q))) || strings.Contains(q, `"`) != (i%6 == 2 || i%6 == 5) {
			t.Errorf("query %d is %q", i, q)
		}
	}
	if len(all) != 600 || kinds[5] != 100 {
		t.Errorf("%d queries, of each kind %d", len(all), kinds)
	}
}

func TestMessageSize(t *testing.T) {
	t.Parallel()
	if n := len(appendMessage(nil, "1", "list@example.jp", postSize)); n > postSize || n < postSize-100 {
		t.Errorf("%d bytes, want about %d", n, postSize)
	}
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	var d durations
	for n := range 100 {
		d = append(d, time.Duration(100-n))
	}
	if got := []time.Duration{d.at(0), d.at(0.5), d.at(0.99), d.at(1)}; got[0] != 1 || got[1] != 51 || got[2] != 100 || got[3] != 100 {
		t.Errorf("quantiles %v", got)
	}
	if got := (durations{1234567, 98765432, 4000000000}).String(); got != "98.8ms (1.23ms-4s)" {
		t.Errorf("median as %q", got)
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	var tb table
	tb.add(row{figure: "near", ratio: 1.4, goal: 1.5})
	tb.add(row{figure: "far", ratio: 1.6, goal: 1.5, processors: 1.2})
	tb.bytes("small", 149e6, 150)
	tb.add(row{figure: "slow", ratio: 400, goal: 500, least: true})
	tb.add(row{figure: "fast", ratio: 600, goal: 500, least: true})
	tb.add(row{figure: "none", ratio: 3})
	var out strings.Builder
	if err := tb.write(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for n, end := range []string{"of processor time", "ok", "over 1.20", "ok", "under", "ok", "3.00"} {
		if !strings.HasSuffix(strings.Join(strings.Fields(lines[n]), " "), end) {
			t.Errorf("line %q, want %s at its end", lines[n], end)
		}
	}
}

// TestArrival sends to a sink and has the tool for other programs count it.
func TestArrival(t *testing.T) {
	t.Parallel()
	b, sink := sinkOnly(t, smtptest.Config{})
	if _, err := b.sendFloor(t.Context(), members(50), postSize); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := arrival(t.Context(), sink, time.Now(), 50, &out); err != nil || !strings.Contains(out.String(), "50 messages, 50 recipients, 50 distinct, 0 repeats") {
		t.Errorf("%v\n%s", err, out.String())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := arrival(ended, sink, time.Now(), 51, &out); err == nil {
		t.Error("no error for a copy that did not come")
	}
}

func TestPostTool(t *testing.T) {
	t.Parallel()
	b, sink := sinkOnly(t, smtptest.Config{})
	if err := run(t.Context(), []string{"post", "-smtp", b.sinkAddr, "-to", "list@example.jp", "-n", "3"}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	if c := sink.Counts(); c.Distinct != 3 || c.Repeats != 0 {
		t.Errorf("%+v", c)
	}
}

func TestMisbehave(t *testing.T) {
	t.Parallel()
	b, sink := sinkOnly(t, misbehave(time.Microsecond, 3, 0))
	if err := run(t.Context(), []string{"post", "-smtp", b.sinkAddr, "-to", "list@example.jp", "-n", "3"}, io.Discard, io.Discard); err == nil {
		t.Error("the third message was accepted")
	}
	if c := sink.Counts(); c.Messages != 2 || c.Refused != 1 {
		t.Errorf("%+v", c)
	}
}

// sinkOnly returns a bench that can send to a sink, and no more.
func sinkOnly(t *testing.T, config smtptest.Config) (*bench, *smtptest.Sink) {
	sink, addr, err := startSink("127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	return &bench{sinkAddr: addr}, sink
}
