package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// hugePosts is how many posts are accepted while a fan-out runs that would take too long to wait for.
const hugePosts = 400

// quiet is the second list of the latency parts: its posts have one copy.
func quiet() roster { return roster{address: "quiet@lists.example.jp", members: 1} }

// accepted is what the latency parts found.
type accepted struct {
	idle, busy, commits, dns durations
	beside                   durations // commits of the bench's own while the fan-out runs
	questions                float64   // a post asked the name server
}

func (b *bench) latencySmall(ctx context.Context) error {
	l := b.small()
	return b.latency(ctx, l, func(d *daemon, a *accepted) error {
		for range b.runs {
			before := b.sink.Counts().Messages
			running := func() bool { return b.sink.Counts().Messages-before < int64(l.members) }
			if err := b.during(ctx, d, l, a, running); err != nil {
				return err
			}
			pause(ctx, time.Second)
		}
		return nil
	})
}

func (b *bench) latencyHuge(ctx context.Context) error {
	l := b.huge()
	posts := b.scaled(hugePosts)
	return b.latency(ctx, l, func(d *daemon, a *accepted) error {
		return b.during(ctx, d, l, a, func() bool { return len(a.busy) < posts })
	})
}

// latency compares posts that are accepted while a fan-out runs with commits and DNS questions on the idle machine.
func (b *bench) latency(ctx context.Context, l roster, fanouts func(*daemon, *accepted) error) error {
	d, err := b.serve(ctx, l, quiet())
	if err != nil {
		return err
	}
	defer d.stop(syscall.SIGKILL)
	a := &accepted{}
	if err := b.atRest(ctx, d, a); err != nil {
		return err
	}
	asked := len(b.zone.Questions())
	if err := fanouts(d, a); err != nil {
		return err
	}
	a.questions = float64(len(b.zone.Questions())-asked) / float64(len(a.busy))
	memory := d.memory.soFar()
	if err := d.stop(syscall.SIGKILL); err != nil { // what is left of a huge fan-out is nobody's
		return err
	}
	again, err := b.commits(ctx, 10*b.runs)
	if err != nil {
		return err
	}
	a.commits = append(a.commits, again...)
	b.table.accepted(fmt.Sprint(l.members), a)
	b.table.add(row{figure: fmt.Sprintf("peak anonymous memory meanwhile, %d", l.members), measured: fmt.Sprintf("%.0f MB", float64(memory)/1e6)})
	return nil
}

// atRest measures commits, DNS questions and posts while nothing goes out but one copy of each post.
func (b *bench) atRest(ctx context.Context, d *daemon, a *accepted) (err error) {
	if a.commits, err = b.commits(ctx, 10*b.runs); err != nil {
		return err
	}
	if a.dns, err = b.dnsQuestion(ctx, 10*b.runs); err != nil {
		return err
	}
	p, err := newPoster(ctx, d.smtp, "EHLO")
	if err != nil {
		return d.failed(err, nil)
	}
	defer p.Close()
	for range 10 * b.runs {
		_, took, err := p.post(quiet().address)
		if err != nil {
			return d.failed(err, nil)
		}
		a.idle = append(a.idle, took)
		pause(ctx, betweenPosts)
	}
	return nil
}

// during starts a fan-out and posts to the quiet list, until running says that it is over.
func (b *bench) during(ctx context.Context, d *daemon, l roster, a *accepted, running func() bool) error {
	p, err := newPoster(ctx, d.smtp, "EHLO")
	if err != nil {
		return d.failed(err, nil)
	}
	defer p.Close()
	c, err := b.newCommitter(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, _, err := p.post(l.address); err != nil {
		return d.failed(err, nil)
	}
	for more := true; more; more = running() {
		_, took, err := p.post(quiet().address)
		if err != nil {
			return d.failed(err, nil)
		}
		a.busy = append(a.busy, took)
		pause(ctx, betweenPosts/2)
		if took, err = c.commit(ctx); err != nil {
			return err
		}
		a.beside = append(a.beside, took)
		pause(ctx, betweenPosts/2)
	}
	b.say("  %d posts accepted, p50 %s p99 %s; a commit of the bench meanwhile p50 %s p99 %s", len(a.busy),
		short(a.busy.at(0.5)), short(a.busy.at(0.99)), short(a.beside.at(0.5)), short(a.beside.at(0.99)))
	return nil
}

// accepted adds the rows of the latency parts. The floor is the median commit; DNS time comes on top of the goal.
func (t *table) accepted(members string, a *accepted) {
	dns := time.Duration(a.questions * float64(a.dns.at(0.5)))
	commit := a.commits.at(0.5)
	floor := fmt.Sprintf("commit %s + DNS %s", short(commit), short(dns))
	add := func(figure string, took time.Duration, goal float64) {
		t.add(row{figure: figure, measured: short(took), floor: floor, ratio: float64(took-dns) / float64(commit), goal: goal})
	}
	add("accept a post at rest, p50", a.idle.at(0.5), 0)
	add(fmt.Sprintf("accept during %s, p50 of %d", members, len(a.busy)), a.busy.at(0.5), 3)
	add(fmt.Sprintf("accept during %s, p99", members), a.busy.at(0.99), 20)
	for _, q := range []float64{0.5, 0.99} { // what the machine lets anybody have then
		took := a.beside.at(q)
		t.add(row{figure: fmt.Sprintf("a commit of the bench's meanwhile, p%.0f", 100*q), measured: short(took), floor: "commit " + short(commit), ratio: float64(took) / float64(commit)})
	}
}
