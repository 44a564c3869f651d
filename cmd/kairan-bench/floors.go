package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kairan/smtpd/resolver"
	"kairan/storage"
	"kairan/storage/bolt"
)

// connections is how many the floor opens; more bring nothing on loopback.
const connections = 20

// sendFloor sends a message of size bytes to each recipient, as fast as SMTP lets it: each
// connection writes a body and the next envelope together and then waits for the replies.
func (b *bench) sendFloor(ctx context.Context, to []string, size int) (time.Duration, error) {
	id := fmt.Sprint("floor", time.Now().UnixNano())
	message := append(appendMessage(nil, id, "list@lists.example.jp", size), ".\r\n"...)
	conns := min(connections, len(to))
	errs := make([]error, conns)
	var wg sync.WaitGroup
	begin := time.Now()
	for n := range conns {
		wg.Go(func() { errs[n] = sendShare(ctx, b.sinkAddr, to[n*len(to)/conns:(n+1)*len(to)/conns], message) })
	}
	wg.Wait()
	return time.Since(begin), errors.Join(errs...)
}

func sendShare(ctx context.Context, addr string, to []string, message []byte) error {
	c, err := dial(ctx, addr, "EHLO")
	if err != nil {
		return err
	}
	defer c.Close()
	for n, recipient := range to {
		if n > 0 {
			c.out = append(c.out, message...)
		}
		c.out = append(c.out, "MAIL FROM:<list-bounces+abcdefghijklmnopqrstuvwx@lists.example.jp>\r\nRCPT TO:<"...)
		c.out = append(append(c.out, recipient...), ">\r\nDATA\r\n"...)
		codes := []int{250, 250, 250, 354}
		if n == 0 {
			codes = codes[1:]
		}
		if err := c.expect(codes...); err != nil {
			return err
		}
	}
	c.out = append(c.out, message...)
	return c.expect(250)
}

// rsaFloor makes n RSA-2048 signatures on all cores.
func (b *bench) rsaFloor(n int) (_ time.Duration, err error) {
	if b.key == nil {
		if b.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return 0, err
		}
	}
	cores := runtime.GOMAXPROCS(0)
	errs := make([]error, cores)
	var next atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for core := range cores {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n) && errs[core] == nil; i = next.Add(1) {
				sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
				_, errs[core] = rsa.SignPKCS1v15(nil, b.key, crypto.SHA256, sum[:])
			}
		})
	}
	wg.Wait()
	return time.Since(begin), errors.Join(errs...)
}

// commits makes n durable commits of a row of 4 KB, one after the other with a pause, in a store of their own.
func (b *bench) commits(ctx context.Context, n int) (times durations, err error) {
	c, err := b.newCommitter(ctx)
	if err != nil {
		return nil, err
	}
	for range n {
		took, err := c.commit(ctx)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		times = append(times, took)
		pause(ctx, betweenPosts)
	}
	return times, c.Close()
}

// committer is a store that nobody else uses.
type committer struct {
	*storage.DB
	rows storage.Table[uint64, string]
}

func (b *bench) newCommitter(ctx context.Context) (*committer, error) {
	engine, files, err := bolt.Open(filepath.Join(b.dir, "commits"))
	if err != nil {
		return nil, err
	}
	db, err := storage.New(ctx, engine, files, nil)
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return &committer{db, storage.NewTable[uint64, string]("rows", storage.Uints[uint64]())}, nil
}

// commit makes one durable commit of a row of 4 KB.
func (c *committer) commit(ctx context.Context) (time.Duration, error) {
	text := strings.Repeat("4 KB\n", postSize/5)
	begin := time.Now()
	err := c.Update(ctx, func(tx *storage.Tx) error { return c.rows.Put(tx, uint64(begin.UnixNano()), text) })
	return time.Since(begin), err
}

// dnsQuestion asks the bench's name server n times and returns what each answer took.
func (b *bench) dnsQuestion(ctx context.Context, n int) (times durations, err error) {
	r := resolver.DNS([]string{b.dns.Addr})
	for range n {
		begin := time.Now()
		if _, err := r.TXT(ctx, posterDomain); err != nil {
			return nil, err
		}
		times = append(times, time.Since(begin))
	}
	return times, nil
}
