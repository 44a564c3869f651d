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
	var one, all durations
	var ratios []float64
	for range b.runs {
		t, err := b.fanout(ctx, d, large)
		if err != nil {
			return err
		}
		m, err := b.fanouts(ctx, d, lists[1:])
		if err != nil {
			return err
		}
		one, all, ratios = append(one, t), append(all, m), append(ratios, float64(m)/float64(t))
	}
	b.table.add(row{figure: fmt.Sprintf("posts to %d lists of %d at once", many, manyMembers), measured: all.String(),
		floor: fmt.Sprintf("%s one list of %d", one, large.members), ratio: quantile(ratios, 0.5), goal: 1.25})
	return d.stop(syscall.SIGTERM)
}

// fanouts posts to all lists, one after the other without waiting, and returns the time to the last delivery.
func (b *bench) fanouts(ctx context.Context, d *daemon, lists []roster) (time.Duration, error) {
	p, err := newPoster(ctx, d.smtp, "EHLO")
	if err != nil {
		return 0, d.failed(err, nil)
	}
	defer p.Close()
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
	return time.Since(begin), nil
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
	var here, there durations
	var ratios []float64
	for n := range b.runs + 1 {
		h, err := b.fanout(ctx, near, l)
		if err != nil {
			return err
		}
		t, err := b.fanout(ctx, farther, l)
		if err != nil {
			return err
		}
		if n > 0 { // the first warms up
			here, there, ratios = append(here, h), append(there, t), append(ratios, float64(t)/float64(h))
		}
	}
	b.table.add(row{figure: fmt.Sprintf("post to %d, smarthost %s away", l.members, distance), measured: there.String(),
		floor: here.String() + " here", ratio: quantile(ratios, 0.5), goal: 1.3})
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
