package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"kairan/smtpd/smtptest"
)

// Where the peers that peers.sh configured send to and take mail.
const (
	peerSink = "127.0.0.1:2600"
	peerLMTP = "127.0.0.1:8024"
)

// manyPosts is how many posts follow each other where one post is over too soon to tell much.
const manyPosts = 20

// peer is a way to bring posts to a list of members, and how it is used.
type peer struct {
	name  string
	posts int
	runs  int
	post  func(ctx context.Context, posts int) error
	spent func() (time.Duration, error) // its processor time so far
}

// peers posts the same to lists of the same members with kairan, mlmmj and Mailman, in turn, to the same sink.
func (b *bench) peers(ctx context.Context) error {
	if b.peersDir == "" {
		return errors.New("-peers names the folder that cmd/kairan-bench/peers.sh made")
	}
	if err := adopt(); err != nil {
		return err
	}
	sink, _, err := startSink(peerSink, smtptest.Config{})
	if err != nil {
		return err
	}
	defer sink.Close()
	mailman, err := b.startMailman(ctx)
	if err != nil {
		return err
	}
	defer mailman.stop()

	own := *b
	own.sink, own.sinkAddr = sink, peerSink
	signed := b.small()
	shared := roster{address: "shared@lists.example.jp", members: b.members, set: []string{"personal_unsubscribe=false"}}
	d, err := own.serve(ctx, signed, shared)
	if err != nil {
		return err
	}
	defer d.stop(syscall.SIGKILL)

	took, work := map[string]durations{}, map[string]durations{} // on the clock, and of the processors for a copy
	all := b.peersInTurn(d, mailman, signed, shared)
	for range b.few() {
		for _, p := range all {
			if len(took[p.name]) == p.runs {
				continue
			}
			before, err1 := p.spent()
			t, err := timePosts(ctx, sink, p, b.members)
			after, err2 := p.spent()
			if err = cmp.Or(err, err1, err2); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			each := (after - before) / time.Duration(p.posts*b.members)
			b.say("  %s: %s, %s of processor time a copy", p.name, short(t), short(each))
			took[p.name], work[p.name] = append(took[p.name], t), append(work[p.name], each)
		}
	}
	for _, p := range all {
		t := took[p.name]
		rate := fmt.Sprintf("%.0f copies/s, %s of processor time a copy", float64(p.posts*b.members)/t.at(0.5).Seconds(), short(work[p.name].at(0.5)))
		b.table.add(row{figure: p.name, measured: t.String(), floor: rate})
	}
	compare := func(figure string, ours, theirs peer) {
		ratio := func(of map[string]durations) float64 {
			return float64(of[ours.name].at(0.5)) / float64(of[theirs.name].at(0.5))
		}
		b.table.add(row{figure: figure, ratio: ratio(took), processors: ratio(work), goal: 1})
	}
	compare("one signature: one post to that of mlmmj", all[1], all[3])
	compare(fmt.Sprintf("one signature: %d posts to those of mlmmj", manyPosts), all[2], all[4])
	return d.stop(syscall.SIGTERM)
}

// peersInTurn returns kairan's ways and the peers', in the order in which the table shows them.
func (b *bench) peersInTurn(d *daemon, m *mailman, signed, shared roster) []peer {
	ours := func() (time.Duration, error) {
		c, err := d.cpu()
		return c.kairan(), err
	}
	mailmans := func() (time.Duration, error) { return timeOfTree(m.cmd.Process.Pid) }
	smtp := func(addr, hello, to string) func(context.Context, int) error {
		return func(ctx context.Context, posts int) error { return postBySMTP(ctx, addr, hello, to, posts) }
	}
	mlmmj := func(kind string) func(context.Context, int) error {
		return func(ctx context.Context, posts int) error {
			return postByCommand(ctx, kind+"@lists.example.jp", posts, "/usr/bin/mlmmj-receive", "-L", filepath.Join(b.peersDir, "mlmmj-"+kind))
		}
	}
	several := fmt.Sprintf(", %d posts", manyPosts)
	return []peer{
		{"kairan, each copy personal and signed", 1, b.few(), smtp(d.smtp, "EHLO", signed.address), ours},
		{"kairan, VERP, one signature", 1, b.few(), smtp(d.smtp, "EHLO", shared.address), ours},
		{"kairan, VERP, one signature" + several, manyPosts, b.few(), smtp(d.smtp, "EHLO", shared.address), ours},
		{"mlmmj, VERP, unsigned", 1, b.few(), mlmmj("verp"), timeOfChildren},
		{"mlmmj, VERP, unsigned" + several, manyPosts, b.few(), mlmmj("verp"), timeOfChildren},
		{"mlmmj, 100 recipients a message, unsigned", 1, b.few(), mlmmj("bulk"), timeOfChildren},
		{"Mailman, 500 recipients a message, unsigned", 1, b.few(), smtp(peerLMTP, "LHLO", "bulk@lists.example.jp"), mailmans},
		{"Mailman, individual copies, unsigned", 1, 1, smtp(peerLMTP, "LHLO", "individual@lists.example.jp"), mailmans},
	}
}

// timePosts posts and returns the time from the beginning to the last delivery.
func timePosts(ctx context.Context, sink *smtptest.Sink, p peer, members int) (time.Duration, error) {
	before := sink.Counts()
	begin := time.Now()
	if err := p.post(ctx, p.posts); err != nil {
		return 0, err
	}
	want := int64(p.posts) * int64(members)
	for sink.Counts().Distinct-before.Distinct < want {
		if pause(ctx, time.Millisecond); ctx.Err() != nil {
			return 0, fmt.Errorf("%d of %d copies arrived: %w", sink.Counts().Distinct-before.Distinct, want, ctx.Err())
		}
	}
	took := time.Since(begin)
	pause(ctx, time.Second) // for the next to find everything at rest; and nothing more may come
	c := sink.Counts()
	if c.Distinct-before.Distinct != want || c.Repeats != before.Repeats {
		return 0, fmt.Errorf("%d distinct copies and %d repeats, want %d and 0", c.Distinct-before.Distinct, c.Repeats-before.Repeats, want)
	}
	return took, nil
}

func postBySMTP(ctx context.Context, addr, hello, to string, posts int) error {
	p, err := newPoster(ctx, addr, hello)
	if err != nil {
		return err
	}
	defer p.Close()
	for range posts {
		if _, _, err := p.post(to); err != nil {
			return err
		}
	}
	return nil
}

// postByCommand gives posts to a program on its standard input, with a Return-Path as a mail server puts it.
func postByCommand(ctx context.Context, to string, posts int, name string, args ...string) error {
	run := fmt.Sprint(time.Now().UnixNano())
	for n := range posts {
		msg := fmt.Appendf(nil, "Return-Path: <%s>\r\n", posterAddr)
		msg = appendMessage(msg, fmt.Sprintf("%s.%d", run, n), to, postSize)
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Stdin = bytes.NewReader(bytes.ReplaceAll(msg, []byte("\r\n"), []byte("\n")))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", name, err, out)
		}
	}
	return nil
}

// mailman is Mailman's master process.
type mailman struct{ cmd *exec.Cmd }

// startMailman starts Mailman in the folder and waits until it takes mail.
func (b *bench) startMailman(ctx context.Context) (*mailman, error) {
	dir := filepath.Join(b.peersDir, "mailman")
	if members, err := os.ReadFile(filepath.Join(b.peersDir, "members.txt")); err != nil {
		return nil, err
	} else if n := bytes.Count(members, []byte("\n")); n != b.members {
		return nil, fmt.Errorf("the lists in %s have %d members: run peers.sh again, or use -members %d", b.peersDir, n, n)
	}
	cmd := exec.CommandContext(ctx, "/usr/lib/mailman3/bin/master", "-C", filepath.Join(dir, "mailman.cfg"), "--force")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it ends its runners then
	cmd.WaitDelay = 30 * time.Second
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	m := &mailman{cmd}
	for range 600 {
		if c, err := net.Dial("tcp", peerLMTP); err == nil {
			pause(ctx, 10*time.Second) // its other runners
			return m, c.Close()
		}
		pause(ctx, 100*time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("Mailman (process %s) takes no mail at %s", strconv.Itoa(cmd.Process.Pid), peerLMTP), m.stop())
}

func (m *mailman) stop() error {
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return m.cmd.Wait()
}
