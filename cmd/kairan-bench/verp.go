package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// The best that mlmmj 1.3.0 was seen to do alone on a machine of this kind, in copies a second: with an envelope for each, unsigned
// and without a queue. The part peers measures it beside kairan.
const (
	mlmmjOne  = 6_060.0  // one post to 7,000
	mlmmjMany = 24_500.0 // 20 posts back to back
)

// verp posts to lists whose copies differ in the envelope only: one signature is made for all.
func (b *bench) verp(ctx context.Context) error {
	small, large := b.small(), b.large()
	small.set = []string{"personal_unsubscribe=false"}
	large.set = small.set
	d, err := b.serve(ctx, small, large)
	if err != nil {
		return err
	}
	defer d.stop(syscall.SIGKILL)
	var one, many, fifty comparison
	for n := range b.runs + 1 {
		l, err := b.fanout(ctx, d, large)
		if err != nil {
			return err
		}
		if n == 0 {
			continue // it warms up, and tells the size of a copy
		}
		send, _, err := b.floor(ctx, b.members, 0)
		if err != nil {
			return err
		}
		single, err := b.posts(ctx, d, small, 1)
		if err != nil {
			return err
		}
		several, err := b.posts(ctx, d, small, manyPosts)
		if err != nil {
			return err
		}
		send = send.per(b.members)
		one.add(single.per(small.members), send)
		many.add(several.per(manyPosts*small.members), send)
		fifty.add(l.per(large.members), send)
	}
	copies := small.members
	b.table.add(one.row(fmt.Sprintf("post to %d, one signature", copies), copies, copies, "send", 0))
	b.table.beside(one, mlmmjOne)
	copies *= manyPosts
	b.table.add(many.row(fmt.Sprintf("%d posts to %d, one signature", manyPosts, small.members), copies, copies, "send", 0))
	b.table.beside(many, mlmmjMany)
	b.table.add(fifty.row(fmt.Sprintf("post to %d, one signature", large.members), large.members, large.members, "send", 5))
	b.table.bytes(fmt.Sprintf("peak anonymous memory at %d, one signature", large.members), d.memory.peak(), 250)
	return d.stop(syscall.SIGTERM)
}

// posts sends posts to a list back to back, and returns what they cost from the beginning of the first to the last delivery.
func (b *bench) posts(ctx context.Context, d *daemon, l roster, posts int) (cost, error) {
	p := peer{name: "kairan", posts: posts, post: func(ctx context.Context, n int) error { return postBySMTP(ctx, d.smtp, "EHLO", l.address, n) }}
	c, err := b.spend(d, func() (time.Duration, error) { return timePosts(ctx, b.sink, p, l.members) })
	if err != nil {
		return c, d.failed(err, nil)
	}
	b.say("  %d posts, %d copies in %s; %s", posts, posts*l.members, short(c.took), c.per(posts*l.members).work())
	return c, nil
}

// beside compares with copies a second of mlmmj.
func (t *table) beside(c comparison, mlmmj float64) {
	var each durations
	for _, m := range c.measured {
		each = append(each, m.took)
	}
	ours := 1 / each.at(0.5).Seconds()
	t.add(row{figure: "the same beside mlmmj at its best, alone", measured: fmt.Sprintf("%.0f copies/s", ours),
		floor: fmt.Sprintf("%.0f copies/s", mlmmj), ratio: mlmmj / ours, goal: 1})
}
