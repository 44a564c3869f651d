package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// The many lists of the part hundred.
const (
	manyLists   = 100
	manyMembers = 70
)

// distance is the round trip to the smarthost of the part distance.
const distance = 20 * time.Millisecond

// hundred compares posts to many small lists at one time with a post to one large list, copies for copies.
func (b *bench) hundred(ctx context.Context) error {
	many := b.scaled(manyLists)
	large := roster{address: "large@lists.example.jp", members: many * manyMembers}
	lists := []roster{large}
	for n := range many {
		lists = append(lists, roster{address: fmt.Sprintf("small%02d@lists.example.jp", n), members: manyMembers})
	}
	d, err := b.serve(ctx, lists...)
	if err != nil {
		return err
	}
	defer d.stop(syscall.SIGKILL)
	if _, err := b.fanout(ctx, d, large); err != nil {
		return err
	}
	var c comparison
	for range b.runs {
		one, err := b.fanout(ctx, d, large)
		if err != nil {
			return err
		}
		all, err := b.fanouts(ctx, d, lists[1:])
		if err != nil {
			return err
		}
		c.add(all.per(large.members), one.per(large.members))
	}
	b.table.add(c.row(fmt.Sprintf("posts to %d lists of %d at once", many, manyMembers), large.members, large.members, "to one list", 1.25))
	return d.stop(syscall.SIGTERM)
}

// fanouts posts to all lists, one after the other without waiting, and returns what it cost until the last delivery.
func (b *bench) fanouts(ctx context.Context, d *daemon, lists []roster) (cost, error) {
	p, err := newPoster(ctx, d.smtp, "EHLO")
	if err != nil {
		return cost{}, d.failed(err, nil)
	}
	defer p.Close()
	return b.spend(d, func() (time.Duration, error) {
		before, want := b.sink.Counts(), int64(0)
		begin := time.Now()
		for _, l := range lists {
			if _, _, err := p.post(l.address); err != nil {
				return 0, d.failed(err, nil)
			}
			want += int64(l.members)
		}
		if err := b.sink.Wait(ctx, before.Messages+want); err != nil {
			return 0, d.failed(fmt.Errorf("%d of %d copies arrived: %w", b.sink.Counts().Messages-before.Messages, want, err), nil)
		}
		took := time.Since(begin)
		pause(ctx, 300*time.Millisecond) // as in fanout
		return took, nil
	})
}

// far compares a smarthost that is a round trip of 20 ms away with one that is here.
func (b *bench) far(ctx context.Context) error {
	l := b.small()
	near, err := b.serve(ctx, l)
	if err != nil {
		return err
	}
	defer near.stop(syscall.SIGKILL)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	away := *b
	away.sinkAddr = listener.Addr().String()
	go b.sink.Serve(farListener{listener, distance}) // ends with the sink
	farther, err := away.serve(ctx, l)
	if err != nil {
		return err
	}
	defer farther.stop(syscall.SIGKILL)
	var c comparison
	for n := range b.runs + 1 {
		here, err := b.fanout(ctx, near, l)
		if err != nil {
			return err
		}
		there, err := b.fanout(ctx, farther, l)
		if err != nil {
			return err
		}
		if n > 0 { // the first warms up
			c.add(there.per(l.members), here.per(l.members))
		}
	}
	b.table.add(c.row(fmt.Sprintf("post to %d, smarthost %s away", l.members, distance), l.members, l.members, "here", 1.3))
	return errors.Join(near.stop(syscall.SIGTERM), farther.stop(syscall.SIGTERM))
}

// farListener accepts connections whose bytes arrive late.
type farListener struct {
	net.Listener
	late time.Duration
}

func (l farListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &farConn{Conn: conn, late: l.late, arrived: make(chan parcel, 1024)}
	go c.carry()
	return c, nil
}

// farConn delays what it reads, all of a round trip in one direction, and holds nothing back otherwise.
type farConn struct {
	net.Conn
	late    time.Duration
	arrived chan parcel
	rest    []byte
}

type parcel struct {
	data []byte
	due  time.Time
}

// carry reads what was sent and notes when it is to arrive.
func (c *farConn) carry() {
	defer close(c.arrived)
	for {
		b := make([]byte, 32<<10)
		n, err := c.Conn.Read(b)
		if n > 0 {
			c.arrived <- parcel{b[:n], time.Now().Add(c.late)}
		}
		if err != nil {
			return
		}
	}
}

func (c *farConn) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		p, ok := <-c.arrived
		if !ok {
			return 0, net.ErrClosed
		}
		time.Sleep(time.Until(p.due))
		c.rest = p.data
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}
