package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// readers is how many connections read pages at one time.
const readers = 8

// pages is what readers fetch.
type pages struct {
	addr  string   // of the server
	paths []string // in turn; each with its query escaped
	gzip  bool
	found []byte // stands in the pages that count as hits; nil counts none
	took  time.Duration
}

// fetched is what readers saw.
type fetched struct {
	times durations
	hits  int
	bytes int64
	wall  time.Duration
	each  time.Duration // processor time of the server for a page, where it was measured
}

func (f *fetched) rate() float64 { return float64(len(f.times)) / f.wall.Seconds() }

// read fetches pages over kept connections for a time, each reader the next when it has one. cpu tells the processor time that the server has used.
func read(ctx context.Context, p pages) (*fetched, error) {
	next := make(chan string)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	all := make([]fetched, readers)
	errs := make([]error, readers)
	begin := time.Now()
	for n := range readers {
		wg.Go(func() {
			if errs[n] = all[n].reader(ctx, p, next); errs[n] != nil {
				cancel()
			}
		})
	}
	for n := 0; time.Since(begin) < p.took && ctx.Err() == nil; n++ {
		select {
		case next <- p.paths[n%len(p.paths)]:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	sum := &fetched{wall: time.Since(begin)}
	for _, f := range all {
		sum.times, sum.hits, sum.bytes = append(sum.times, f.times...), sum.hits+f.hits, sum.bytes+f.bytes
	}
	err := errors.Join(errs...)
	if err == nil && len(sum.times) == 0 {
		err = errors.New("there was no time to read a page")
	}
	return sum, err
}

// reader is one connection.
func (f *fetched) reader(ctx context.Context, p pages, next <-chan string) error {
	c, err := connect(ctx, p.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for path := range next {
		begin := time.Now()
		body, status, err := c.get(path, p.gzip)
		if err == nil && status != http.StatusOK && (p.found == nil || status != http.StatusNotFound) { // which some answer to a search without hits
			err = fmt.Errorf("%s: status %d", path, status)
		}
		if err != nil {
			return err
		}
		f.times = append(f.times, time.Since(begin))
		f.bytes += int64(len(body))
		if p.found != nil && bytes.Contains(body, p.found) {
			f.hits++
		}
	}
	return nil
}

// reading is a connection to a web server.
type reading struct {
	net.Conn
	in       *bufio.Reader
	out      []byte
	body     bytes.Buffer
	location string // where the last answer led to
	cookie   string // of who is signed in, "NAME=VALUE", or ""
}

func connect(ctx context.Context, addr string) (*reading, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	return &reading{Conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// get returns a page, which is good until the next.
func (c *reading) get(path string, gzip bool) (page []byte, status int, err error) {
	c.out = fmt.Appendf(c.out[:0], "GET %s HTTP/1.1\r\nHost: %s\r\nAccept-Language: en\r\n", path, c.RemoteAddr())
	if gzip {
		c.out = append(c.out, "Accept-Encoding: gzip\r\n"...)
	}
	if c.cookie != "" {
		c.out = append(append(append(c.out, "Cookie: "...), c.cookie...), "\r\n"...)
	}
	if _, err := c.Write(append(c.out, "\r\n"...)); err != nil {
		return nil, 0, err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, 0, err
	}
	c.location = answer.Header.Get("Location")
	c.body.Reset()
	_, err = io.Copy(&c.body, answer.Body)
	return c.body.Bytes(), answer.StatusCode, err
}

// staticFloor serves a page of 20 KB from memory and has it read: what HTTP alone costs here.
func staticFloor(ctx context.Context, took time.Duration) (*fetched, error) {
	page := bytes.Repeat([]byte("a line of a page that is always the same"), 20_000/40)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "page.html", time.Time{}, bytes.NewReader(page))
	})}
	go server.Serve(l) // ends with Close
	defer server.Close()
	return read(ctx, pages{addr: l.Addr().String(), paths: []string{"/"}, took: took})
}

// at99 is the time within which 99 of 100 pages came.
func (f *fetched) at99() time.Duration { return quantile(slices.Clone(f.times), 0.99) }
