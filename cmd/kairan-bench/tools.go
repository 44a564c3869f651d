package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"kairan/smtpd/smtptest"
)

// runSink serves a sink until it is interrupted, and prints what it has seen each second in which that changed.
func runSink(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("kairan-bench sink", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:2600", "address to listen at")
	delay := flags.Duration("delay", 0, "time before the answer to each message")
	refuse := flags.Int("refuse", 0, "answer every n-th message with 451")
	hangUp := flags.Int("hangup", 0, "take every n-th message and hang up instead of saying so")
	if err := flags.Parse(args); err != nil {
		return err
	}
	sink, addr, err := startSink(*listen, misbehave(*delay, int64(*refuse), int64(*hangUp)))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "taking mail at %s\n", addr)
	last := sink.Counts()
	for ctx.Err() == nil {
		pause(ctx, time.Second)
		if c := sink.Counts(); c != last {
			writeCounts(out, c)
			last = c
		}
	}
	return sink.Close()
}

// misbehave returns what a sink does at the end of messages; 0 means never.
func misbehave(delay time.Duration, refuse, hangUp int64) smtptest.Config {
	if delay == 0 && refuse == 0 && hangUp == 0 {
		return smtptest.Config{}
	}
	var taken atomic.Int64
	return smtptest.Config{Behave: func(m smtptest.Message) smtptest.Behaviour {
		if m.Stage != smtptest.AtEnd {
			return smtptest.Behaviour{}
		}
		b, n := smtptest.Behaviour{Delay: delay}, taken.Add(1)
		switch {
		case refuse > 0 && n%refuse == 0:
			b.Code, b.Text = 451, "4.3.0 Try again"
		case hangUp > 0 && n%hangUp == 0:
			b.HangUp = true
		}
		return b
	}}
}

// startSink serves a sink and returns its address.
func startSink(listen string, config smtptest.Config) (*smtptest.Sink, string, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, "", err
	}
	sink := smtptest.NewSink(config)
	go sink.Serve(l) // ends with Close
	return sink, l.Addr().String(), nil
}

func writeCounts(out io.Writer, c smtptest.Counts) {
	fmt.Fprintf(out, "%s  %d messages, %d recipients, %d distinct, %d repeats, %d refused, %d bytes, %d connections\n",
		time.Now().Format("15:04:05"), c.Messages, c.Recipients, c.Distinct, c.Repeats, c.Refused, c.Bytes, c.Connections)
}

// runPost posts to a list of any program that takes SMTP or LMTP, and with -expect waits for the copies.
func runPost(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("kairan-bench post", flag.ContinueOnError)
	addr := flags.String("smtp", "127.0.0.1:2525", "server to post to")
	lmtp := flags.Bool("lmtp", false, "it speaks LMTP")
	to := flags.String("to", "", "posting address of the list")
	posts := flags.Int("n", 1, "posts, one after the other")
	listen := flags.String("sink", "127.0.0.1:2600", "with -expect: address of the sink that the copies are sent to")
	expect := flags.Int64("expect", 0, "recipients of each post: start a sink, wait for them and print the time to the last")
	limit := flags.Duration("limit", 10*time.Minute, "how long to wait")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *to == "" {
		flags.Usage()
		return flag.ErrHelp
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	var sink *smtptest.Sink
	if *expect > 0 {
		var err error
		if sink, _, err = startSink(*listen, smtptest.Config{}); err != nil {
			return err
		}
		defer sink.Close()
	}
	hello := "EHLO"
	if *lmtp {
		hello = "LHLO"
	}
	p, err := newPoster(ctx, *addr, hello)
	if err != nil {
		return err
	}
	defer p.Close()
	begin := time.Now()
	var took durations
	for range *posts {
		_, t, err := p.post(*to)
		if err != nil {
			return err
		}
		took = append(took, t)
	}
	fmt.Fprintf(out, "%d accepted, DATA to reply %s\n", *posts, took)
	if sink == nil {
		return nil
	}
	return arrival(ctx, sink, begin, *expect*int64(*posts), out)
}

// arrival waits for that many pairs of recipient and message, of which a message may carry several, and prints when the last came.
func arrival(ctx context.Context, sink *smtptest.Sink, begin time.Time, expect int64, out io.Writer) error {
	for sink.Counts().Distinct < expect && ctx.Err() == nil {
		pause(ctx, time.Millisecond)
	}
	took := time.Since(begin)
	pause(ctx, time.Second) // for repeats
	c := sink.Counts()
	if c.Distinct != expect || c.Repeats > 0 {
		writeCounts(out, c)
		return fmt.Errorf("%d distinct recipients and %d repeats, want %d and 0", c.Distinct, c.Repeats, expect)
	}
	fmt.Fprintf(out, "last of %d after %s\n", expect, short(took))
	writeCounts(out, c)
	return nil
}
