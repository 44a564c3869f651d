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
		{name: "verp", about: "posts to 7,000 and 50,000 members, an envelope for each and one signature for all", run: (*bench).verp},
		{name: "latency", about: "posts accepted while one to 7,000 goes out", run: (*bench).latencySmall},
		{name: "import", about: "member import of 7,000", run: (*bench).importSmall},
		{name: "archive", about: "10,000 messages imported and indexed, a post, and pages read by 8 readers", run: (*bench).archiveSmall},
		{name: "web", long: true, about: "pages of those who run a list of 7,000, and one of 500,000", run: (*bench).web},
		{name: "fanout50k", long: true, about: "posts to 50,000 and to 7,000 members, each copy personal and signed", run: (*bench).fanoutLarge},
		{name: "fanout500k", long: true, about: "a post to 500,000 and some to 7,000 members, each copy personal and signed", run: (*bench).fanoutHuge},
		{name: "latency500k", long: true, about: "posts accepted while one to 500,000 goes out", run: (*bench).latencyHuge},
		{name: "import500k", long: true, about: "member import of 500,000", run: (*bench).importHuge},
		{name: "hundred", long: true, about: "posts to 100 lists of 70 at one time, and to one of 7,000", run: (*bench).hundred},
		{name: "digest", long: true, about: "digests of 100 posts to 7,000 members", run: (*bench).digests},
		{name: "distance", long: true, about: "a post to 7,000 by a smarthost 20 ms away, and by one that is here", run: (*bench).far},
		{name: "archive200k", long: true, about: "the same with 200,000 messages", run: (*bench).archiveLarge},
		{name: "archive500k", long: true, about: "the same with 500,000 messages", run: (*bench).archiveHuge},
		{name: "archivethread", long: true, about: "the same with one thread of 5,000 messages", run: (*bench).archiveThread},
		{name: "archivepeers", long: true, peers: true, about: "the same, and with public-inbox", run: (*bench).archivePeers},
		{name: "shared", long: true, direct: true, about: "a post to 7,000 straight to mail hosts, of which some get one copy for all", run: (*bench).sharedCopies},
		{name: "trouble", long: true, direct: true, about: "a post to 7,000 straight to mail hosts, of which some have trouble", run: (*bench).troubles},
		{name: "peers", long: true, direct: true, peers: true, about: "the same post with Mailman and mlmmj", run: (*bench).peers},
	}
}

// scaled is a list's size under -members.
func (b *bench) scaled(n int) int { return max(2, n/100*b.members/(smallList/100)) }

func (b *bench) small() roster { return roster{address: "small@lists.example.jp", members: b.members} }

func (b *bench) large() roster {
	return roster{address: "large@lists.example.jp", members: b.scaled(largeList)}
}

func (b *bench) huge() roster {
	return roster{address: "huge@lists.example.jp", members: b.scaled(hugeList)}
}

// few is the number of runs of a part that takes long.
func (b *bench) few() int { return min(b.runs, 3) }

// fanout posts to a list and returns what it cost: the clock from the post's acceptance to the last delivery, the processors
// until the outcomes are on disk.
func (b *bench) fanout(ctx context.Context, d *daemon, l roster) (cost, error) {
	p, err := newPoster(ctx, d.smtp, "EHLO")
	if err != nil {
		return cost{}, d.failed(err, nil)
	}
	defer p.Close()
	before := b.sink.Counts()
	c, err := b.spend(d, func() (time.Duration, error) {
		begin, _, err := p.post(l.address)
		if err != nil {
			return 0, d.failed(err, nil)
		}
		if err := b.sink.Wait(ctx, before.Messages+int64(l.members)); err != nil {
			return 0, d.failed(fmt.Errorf("%d of %d copies arrived: %w", b.sink.Counts().Messages-before.Messages, l.members, err), nil)
		}
		took := time.Since(begin)
		pause(ctx, 300*time.Millisecond) // the last outcomes are being committed; and nothing more may come
		return took, nil
	})
	if err != nil {
		return cost{}, err
	}
	n := b.sink.Counts()
	if n.Distinct-before.Distinct != int64(l.members) || n.Repeats != before.Repeats {
		return cost{}, d.failed(fmt.Errorf("%d distinct copies and %d repeats, want %d and 0", n.Distinct-before.Distinct, n.Repeats-before.Repeats, l.members), nil)
	}
	b.size = int((n.Bytes - before.Bytes) / int64(l.members))
	b.say("  %d copies of %d bytes in %s; %s", l.members, b.size, short(c.took), c.per(l.members).work())
	return c, nil
}

func (b *bench) floors(ctx context.Context) error {
	to := members(b.members)
	var send, rsa durations
	for range b.runs {
		s, err := b.sendFloor(ctx, to, b.size)
		if err != nil {
			return err
		}
		r, err := b.rsaFloor(b.members)
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
	var c comparison
	var outside, signature, copies []float64
	for range b.runs {
		send, rsa, err := b.floor(ctx, l.members, l.members)
		if err != nil {
			return err
		}
		t, err := b.fanout(ctx, d, l)
		if err != nil {
			return err
		}
		c.add(t.per(l.members), send.plus(rsa).per(l.members))
		outside = append(outside, max(0, float64(t.user-rsa.bench)/float64(t.kairan())))
		signature, copies = append(signature, float64(rsa.per(l.members).bench)), append(copies, float64(t.per(l.members).kairan()))
	}
	b.table.add(c.row(fmt.Sprintf("post to %d, all signed", l.members), l.members, l.members, "send + RSA", 1.25))
	each := func(t []float64) string { return short(time.Duration(quantile(t, 0.5))) }
	b.table.add(row{figure: "processor time of kairan a copy, outside RSA and the kernel", measured: each(copies), floor: each(signature) + " RSA",
		ratio: quantile(outside, 0.5), goal: 0.3})
	b.table.bytes(fmt.Sprintf("peak anonymous memory at %d", l.members), d.memory.peak(), 150)
	return d.stop(syscall.SIGTERM)
}

// floor measures the floors of a post of so many copies and signatures.
func (b *bench) floor(ctx context.Context, copies, signatures int) (send, rsa cost, err error) {
	to := members(copies)
	send, err1 := b.spend(nil, func() (time.Duration, error) { return b.sendFloor(ctx, to, b.size) })
	rsa, err2 := b.spend(nil, func() (time.Duration, error) { return b.rsaFloor(signatures) })
	return send, rsa, cmp.Or(err1, err2)
}

func (b *bench) fanoutLarge(ctx context.Context) error { return b.growth(ctx, b.large(), b.few()) }

func (b *bench) fanoutHuge(ctx context.Context) error { return b.growth(ctx, b.huge(), 1) }

// growth compares posts to a list with posts to the small one before and after, a copy with a copy.
func (b *bench) growth(ctx context.Context, l roster, runs int) error {
	small := b.small()
	d, err := b.serve(ctx, small, l)
	if err != nil {
		return err
	}
	defer d.stop(syscall.SIGKILL)
	var c comparison
	for range runs {
		before, err := b.fanout(ctx, d, small)
		if err != nil {
			return err
		}
		t, err := b.fanout(ctx, d, l)
		if err != nil {
			return err
		}
		after, err := b.fanout(ctx, d, small)
		if err != nil {
			return err
		}
		c.add(t.per(l.members), before.plus(after).per(2*small.members))
	}
	b.table.add(c.row(fmt.Sprintf("post to %d, all signed", l.members), l.members, small.members, fmt.Sprint("to ", small.members), 1.15))
	b.table.bytes(fmt.Sprintf("peak anonymous memory at %d", l.members), d.memory.peak(), 300)
	return d.stop(syscall.SIGTERM)
}

func (b *bench) importSmall(ctx context.Context) error {
	return b.imports(ctx, b.small(), 1, b.runs)
}

func (b *bench) importHuge(ctx context.Context) error {
	return b.imports(ctx, b.huge(), 30, b.few())
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
