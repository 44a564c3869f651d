package main

import (
	"cmp"
	"context"
	"fmt"
	"syscall"
	"time"
)

// The lists of the goals. -members changes the first, and the others in proportion.
const (
	smallList = 7_000
	largeList = 50_000
	hugeList  = 500_000
)

// betweenPosts is how long the poster of the latency parts waits.
const betweenPosts = 20 * time.Millisecond

// parts returns what there is to run, in order.
func parts() []part {
	return []part{
		{name: "floors", about: "what the machine gives at best", run: (*bench).floors},
		{name: "fanout7k", about: "a post to 7,000 members, each copy personal and signed", run: (*bench).fanoutSmall},
		{name: "shared", about: "a post to 50,000 members, one signature for all", run: (*bench).fanoutShared},
		{name: "latency", about: "posts accepted while one to 7,000 goes out", run: (*bench).latencySmall},
		{name: "import", about: "member import of 7,000", run: (*bench).importSmall},
		{name: "fanout50k", long: true, about: "posts to 50,000 and to 7,000 members, each copy personal and signed", run: (*bench).fanoutLarge},
		{name: "latency500k", long: true, about: "posts accepted while one to 500,000 goes out", run: (*bench).latencyHuge},
		{name: "import500k", long: true, about: "member import of 500,000", run: (*bench).importHuge},
		{name: "hundred", long: true, about: "posts to 100 lists of 70 at one time, and to one of 7,000", run: (*bench).hundred},
		{name: "distance", long: true, about: "a post to 7,000 by a smarthost 20 ms away, and by one that is here", run: (*bench).far},
		{name: "trouble", long: true, direct: true, about: "a post to 7,000 straight to mail hosts, of which some have trouble", run: (*bench).troubles},
		{name: "peers", long: true, direct: true, about: "the same post with Mailman and mlmmj", run: (*bench).peers},
	}
}

// scaled is a list's size under -members.
func (b *bench) scaled(n int) int { return max(2, n/100*b.members/(smallList/100)) }

func (b *bench) small() roster { return roster{address: "small@lists.example.jp", members: b.members} }

func (b *bench) large(shared bool) roster {
	return roster{address: "large@lists.example.jp", members: b.scaled(largeList), shared: shared}
}

// few is the number of runs of a part that takes long.
func (b *bench) few() int { return min(b.runs, 3) }

// fanout posts to a list and returns the time from the post's acceptance to the last delivery.
func (b *bench) fanout(ctx context.Context, d *daemon, l roster) (time.Duration, error) {
	p, err := newPoster(ctx, d.smtp, "EHLO")
	if err != nil {
		return 0, d.failed(err, nil)
	}
	defer p.Close()
	before := b.sink.Counts()
	begin, _, err := p.post(l.address)
	if err != nil {
		return 0, d.failed(err, nil)
	}
	if err := b.sink.Wait(ctx, before.Messages+int64(l.members)); err != nil {
		return 0, d.failed(fmt.Errorf("%d of %d copies arrived: %w", b.sink.Counts().Messages-before.Messages, l.members, err), nil)
	}
	took := time.Since(begin)
	pause(ctx, 300*time.Millisecond) // the last outcomes are being committed; and nothing more may come
	c := b.sink.Counts()
	if c.Distinct-before.Distinct != int64(l.members) || c.Repeats != before.Repeats {
		return 0, d.failed(fmt.Errorf("%d distinct copies and %d repeats, want %d and 0", c.Distinct-before.Distinct, c.Repeats-before.Repeats, l.members), nil)
	}
	b.size = int((c.Bytes - before.Bytes) / int64(l.members))
	b.say("  %d copies of %d bytes in %s", l.members, b.size, short(took))
	return took, nil
}

func (b *bench) floors(ctx context.Context) error {
	to := members(b.members)
	var send, rsa durations
	for range b.runs {
		s, err := b.sendFloor(ctx, to, b.size)
		if err != nil {
			return err
		}
		r, _, err := b.rsaFloor(b.members)
		if err != nil {
			return err
		}
		send, rsa = append(send, s), append(rsa, r)
	}
	commits, err := b.commits(ctx, 20*b.runs)
	if err != nil {
		return err
	}
	dns, err := b.dnsQuestion(ctx, 20*b.runs)
	if err != nil {
		return err
	}
	each := func(d durations) string { return fmt.Sprintf("%.0f/s", float64(b.members)/d.at(0.5).Seconds()) }
	b.table.add(row{figure: "send floor: copies of 4 KB over 20 connections", measured: each(send), floor: send.String()})
	b.table.add(row{figure: "RSA floor: signatures on all cores", measured: each(rsa), floor: rsa.String()})
	b.table.add(row{figure: "durable commit of 4 KB, idle", floor: commits.String()})
	b.table.add(row{figure: "DNS question on loopback", floor: dns.String()})
	return nil
}

func (b *bench) fanoutSmall(ctx context.Context) error {
	l := b.small()
	d, err := b.serve(ctx, l)
	if err != nil {
		return err
	}
	defer d.stop(syscall.SIGKILL)
	if _, err := b.fanout(ctx, d, l); err != nil { // the first warms up, and tells the size of a copy
		return err
	}
	var took, floor, cpu, sign durations
	var ratios []float64
	to := members(l.members)
	for range b.runs {
		send, err := b.sendFloor(ctx, to, b.size)
		if err != nil {
			return err
		}
		rsa, signing, err := b.rsaFloor(l.members)
		if err != nil {
			return err
		}
		before, err1 := d.cpu()
		t, err := b.fanout(ctx, d, l)
		after, err2 := d.cpu()
		if err := cmp.Or(err, err1, err2); err != nil {
			return err
		}
		took, floor = append(took, t), append(floor, send+rsa)
		ratios = append(ratios, float64(t)/float64(send+rsa))
		cpu, sign = append(cpu, (after-before)/time.Duration(l.members)), append(sign, signing/time.Duration(l.members))
	}
	b.table.add(row{figure: fmt.Sprintf("post to %d, all signed", l.members), measured: took.String(), floor: floor.String() + " send + RSA", ratio: quantile(ratios, 0.5), goal: 1.5})
	b.table.add(row{figure: "processor time of kairan a copy", measured: cpu.String(), floor: sign.String() + " RSA", ratio: float64(cpu.at(0.5)) / float64(sign.at(0.5))})
	b.table.bytes(fmt.Sprintf("peak anonymous memory at %d", l.members), d.memory.peak(), 150)
	return d.stop(syscall.SIGTERM)
}

func (b *bench) fanoutLarge(ctx context.Context) error {
	small, large := b.small(), b.large(false)
	d, err := b.serve(ctx, small, large)
	if err != nil {
		return err
	}
	defer d.stop(syscall.SIGKILL)
	var t, s durations
	var ratios []float64
	for range b.few() {
		first, err := b.fanout(ctx, d, small)
		if err != nil {
			return err
		}
		took, err := b.fanout(ctx, d, large)
		if err != nil {
			return err
		}
		again, err := b.fanout(ctx, d, small)
		if err != nil {
			return err
		}
		t, s = append(t, took), append(s, first, again)
		ratios = append(ratios, 2*float64(took)/float64(first+again)*float64(small.members)/float64(large.members))
	}
	b.table.add(row{figure: fmt.Sprintf("post to %d, all signed", large.members), measured: t.String(), floor: fmt.Sprintf("%s to %d", s, small.members), ratio: quantile(ratios, 0.5), goal: 1.15})
	b.table.bytes(fmt.Sprintf("peak anonymous memory at %d", large.members), d.memory.peak(), 250)
	return d.stop(syscall.SIGTERM)
}

func (b *bench) fanoutShared(ctx context.Context) error {
	l := b.large(true)
	d, err := b.serve(ctx, l)
	if err != nil {
		return err
	}
	defer d.stop(syscall.SIGKILL)
	if _, err := b.fanout(ctx, d, l); err != nil {
		return err
	}
	var took, floor durations
	var ratios []float64
	to := members(l.members)
	for range b.runs {
		send, err := b.sendFloor(ctx, to, b.size)
		if err != nil {
			return err
		}
		t, err := b.fanout(ctx, d, l)
		if err != nil {
			return err
		}
		took, floor, ratios = append(took, t), append(floor, send), append(ratios, float64(t)/float64(send))
	}
	b.table.add(row{figure: fmt.Sprintf("post to %d, one signature", l.members), measured: took.String(), floor: floor.String() + " send", ratio: quantile(ratios, 0.5), goal: 5})
	b.table.bytes(fmt.Sprintf("peak anonymous memory at %d, one signature", l.members), d.memory.peak(), 250)
	return d.stop(syscall.SIGTERM)
}

func (b *bench) importSmall(ctx context.Context) error {
	return b.imports(ctx, roster{address: "small@lists.example.jp", members: b.members}, 1, b.runs)
}

func (b *bench) importHuge(ctx context.Context) error {
	return b.imports(ctx, roster{address: "huge@lists.example.jp", members: b.scaled(hugeList)}, 30, b.few())
}

// imports fills a new list, each time in a new store.
func (b *bench) imports(ctx context.Context, l roster, goal float64, runs int) error {
	var took durations
	var most int64
	for range runs {
		s, err := b.newSite()
		if err != nil {
			return err
		}
		if err := s.create(ctx, l); err != nil {
			return err
		}
		t, peak, err := s.fill(ctx, l)
		if err != nil {
			return err
		}
		if err := s.remove(); err != nil {
			return err
		}
		took, most = append(took, t), max(most, peak)
		b.say("  %d members in %s", l.members, short(t))
	}
	b.table.add(row{figure: fmt.Sprintf("member import of %d", l.members), measured: took.String(), ratio: took.at(0.5).Seconds(), goal: goal, unit: " s"})
	b.table.bytes(fmt.Sprintf("peak anonymous memory of importing %d", l.members), most, 150)
	return nil
}
