package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kairan/archive"
	"kairan/archive/archivetest"
)

// inbox is public-inbox in the folder that archive-peers.sh made.
type inbox struct{ dir string }

// archivePeers has kairan and public-inbox archive one mbox, take posts and show pages, in turn.
func (b *bench) archivePeers(ctx context.Context) error {
	if b.peersDir == "" {
		return errors.New("-peers names the folder that cmd/kairan-bench/archive-peers.sh made")
	}
	p := inbox{b.peersDir}
	path, name := os.Getenv(realMbox), ""
	if path == "" {
		var err error
		path = filepath.Join(b.dir, "corpus.mbox")
		if err = writeMbox(path, newCorpus(archivetest.Begin), b.scaled(smallArchive)); err != nil {
			return err
		}
		name = fmt.Sprintf("%d messages", b.scaled(smallArchive))
	} else {
		name = filepath.Base(path)
	}
	before := len(b.table.rows)
	if err := b.archive(ctx, name, oneMbox(path)); err != nil {
		return err
	}
	ours := b.table.rows[before:]
	s := newSample()
	if err := s.read(ctx, path); err != nil {
		return err
	}
	if _, err := p.run(ctx, nil, "new"); err != nil {
		return err
	}
	begin := time.Now()
	cpu, err := p.run(ctx, nil, "import", path)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	size, err := sizeOf(filepath.Join(p.dir, "inbox"))
	if err != nil {
		return err
	}
	n := len(s.ids)
	rate := float64(n) / took.Seconds()
	b.table.add(row{figure: name + ": public-inbox, import and index", measured: fmt.Sprintf("%.0f/s, %s cpu a message, %.0f MB with the index", rate, short(cpu/time.Duration(n)), float64(size)/1e6)})
	b.table.add(row{figure: name + ": import and index, Kairan to public-inbox", ratio: rateOf(ours, "import, threads and index") / rate, goal: 10, least: true})
	if err := p.deliver(ctx, b, name); err != nil {
		return err
	}
	return p.readAll(ctx, b, s, name)
}

// rateOf returns what was measured of a figure.
func rateOf(rows []row, figure string) float64 {
	for _, r := range rows {
		if strings.HasSuffix(r.figure, figure) {
			return r.ratio
		}
	}
	return 0
}

// run runs one of the programs in the folder and returns the processor time that it and what it waited for used.
func (p inbox) run(ctx context.Context, in []byte, program string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, program), args...)
	cmd.Stdin = bytes.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("public-inbox: %s: %w\n%s", program, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// deliver gives some posts to public-inbox as a mail server does.
func (p inbox) deliver(ctx context.Context, b *bench, name string) error {
	var cpu durations
	for n := range 5 {
		msg := appendMessage(nil, fmt.Sprintf("%d.%d", time.Now().UnixNano(), n), "archive@lists.example.jp", postSize)
		took, err := p.run(ctx, bytes.ReplaceAll(msg, []byte("\r\n"), []byte("\n")), "deliver")
		if err != nil {
			return err
		}
		cpu = append(cpu, took)
	}
	b.table.add(row{figure: name + ": public-inbox, one new post, processor time", measured: cpu.String()})
	return nil
}

// readAll reads the same pages that readers of kairan do.
func (p inbox) readAll(ctx context.Context, b *bench, s *sample, name string) error {
	addr, err := freePort()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, "serve"), addr)
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		cmd.Process.Signal(syscall.SIGTERM) // with its worker
		cmd.Wait()
	}()
	for range 1000 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			break
		}
		pause(ctx, 10*time.Millisecond)
	}
	for _, k := range p.kinds(s) {
		before, err1 := childrenTime(cmd.Process.Pid)
		f, err := read(ctx, pages{addr: addr, paths: k.paths, found: k.found, took: b.readFor()})
		after, err2 := childrenTime(cmd.Process.Pid)
		if err = errors.Join(err, err1, err2); err != nil {
			return fmt.Errorf("public-inbox: %s: %w", k.name, err)
		}
		f.each = (after - before) / time.Duration(len(f.times))
		b.table.add(row{figure: name + ": public-inbox, " + k.name, measured: f.about(k)})
	}
	return nil
}

// kinds returns the pages of public-inbox.
func (p inbox) kinds(s *sample) []kind {
	var messages, threads, queries []string
	for range min(20_000, len(s.ids)) {
		id := archive.EscapeSegment(s.id())
		messages, threads = append(messages, archivePath+id+"/"), append(threads, archivePath+id+"/t/")
	}
	for _, q := range s.queries(10_000) {
		queries = append(queries, archivePath+"?q="+url.QueryEscape(q))
	}
	return []kind{
		{name: "message", paths: messages},
		{name: "thread", paths: threads},
		{name: "front page", paths: []string{archivePath}},
		{name: "search", paths: queries, found: []byte("Results ")},
	}
}

// childrenTime is the processor time of a process and its children.
func childrenTime(pid int) (time.Duration, error) {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	user, system, err := timeOf(pid)
	sum := user + system
	for _, child := range strings.Fields(string(children)) {
		n, err1 := strconv.Atoi(child)
		user, system, err2 := timeOf(n)
		sum += user + system
		err = errors.Join(err, err1, err2)
	}
	return sum, err
}
