package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// roster is a list to be made.
type roster struct {
	address string
	members int
	set     []string // settings, as name=value
}

// site is a data folder with its configuration.
type site struct {
	b      *bench
	dir    string
	config string
	smtp   string // where it takes mail
	http   string // where it shows pages
}

// daemon is a running kairan serve.
type daemon struct {
	*site
	cmd    *exec.Cmd
	memory *memory
}

// newSite makes a folder with a configuration. Mail goes to the sink, or where DNS says.
func (b *bench) newSite() (*site, error) {
	dir, err := os.MkdirTemp(b.dir, "site")
	if err != nil {
		return nil, err
	}
	smtp, err1 := freePort()
	http, err2 := freePort()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	s := &site{b: b, dir: dir, config: filepath.Join(dir, "kairan.toml"), smtp: smtp, http: http}
	smarthost := b.sinkAddr
	if b.direct {
		smarthost = ""
	}
	text := fmt.Sprintf(`hostname = "lists.example.jp"
data = "data"
url = "https://lists.example.jp"
admin = "postmaster@example.jp"
[smtp]
listen = %q
[http]
listen = %q
[delivery]
smarthost = %q
[dns]
servers = [%q]
%s`, smtp, http, smarthost, b.dns.Addr, b.limits)
	return s, os.WriteFile(s.config, []byte(text), 0o600)
}

// freePort finds a port; nobody else should take it until kairan does.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// kairan runs a command line and returns the most anonymous memory it was seen to use.
func (s *site) kairan(ctx context.Context, args ...string) (peak int64, err error) {
	cmd := s.command(ctx, args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	m := watch(cmd.Process.Pid)
	err = cmd.Wait()
	if err != nil {
		err = fmt.Errorf("kairan %s: %w\n%s", strings.Join(args, " "), err, output.Bytes())
	}
	return m.peak(), err
}

func (s *site) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, s.b.kairan, append([]string{"-c", s.config}, args...)...)
}

// create makes a list without members.
func (s *site) create(ctx context.Context, l roster) error {
	_, err := s.kairan(ctx, "list", "create", l.address, "--owner", "owner@example.jp", "--quiet")
	if err == nil && len(l.set) > 0 {
		_, err = s.kairan(ctx, slices.Concat([]string{"list", "set", l.address}, l.set)...)
	}
	return err
}

// fill imports the members of a list, and returns how long that took and how much memory.
func (s *site) fill(ctx context.Context, l roster) (took time.Duration, peak int64, err error) {
	file, err := os.Create(filepath.Join(s.dir, "members.txt"))
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	if err := writeMembers(file, members(l.members)); err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	peak, err = s.kairan(ctx, "member", "import", l.address, file.Name())
	return time.Since(begin), peak, err
}

// serve makes a site with lists and starts its daemon.
func (b *bench) serve(ctx context.Context, lists ...roster) (*daemon, error) {
	s, err := b.newSite()
	if err != nil {
		return nil, err
	}
	for _, l := range lists {
		if err := s.create(ctx, l); err != nil {
			return nil, err
		}
		if _, _, err := s.fill(ctx, l); err != nil {
			return nil, err
		}
	}
	return s.start(ctx)
}

// start starts the site's daemon and waits until it takes mail.
func (s *site) start(ctx context.Context) (*daemon, error) {
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := s.command(ctx, "serve")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d := &daemon{site: s, cmd: cmd, memory: watch(cmd.Process.Pid)}
	for range 1000 {
		if c, err := net.Dial("tcp", s.smtp); err == nil {
			return d, c.Close()
		}
		pause(ctx, 10*time.Millisecond)
	}
	err = fmt.Errorf("kairan does not take mail at %s", s.smtp)
	return nil, d.failed(err, d.stop(syscall.SIGKILL))
}

// stop ends the daemon and removes its folder.
func (d *daemon) stop(how syscall.Signal) error {
	if err := d.end(how); err != nil {
		return err
	}
	return d.remove()
}

// end ends the daemon.
func (d *daemon) end(how syscall.Signal) error {
	if err := d.cmd.Process.Signal(how); err != nil {
		return err
	}
	err := d.cmd.Wait()
	d.memory.peak()
	if how == syscall.SIGKILL {
		err = nil // it died as it was told
	}
	if err != nil {
		return d.failed(err, nil)
	}
	return nil
}

// failed adds the end of the log to an error.
func (d *daemon) failed(err, also error) error {
	text, _ := os.ReadFile(filepath.Join(d.dir, "log")) // without it the error has to do
	text = text[max(0, len(text)-4000):]
	if also != nil {
		return fmt.Errorf("%w (and %v)\n%s", err, also, text)
	}
	return fmt.Errorf("%w\n%s", err, text)
}

// memory is the watch over a process's anonymous memory.
type memory struct {
	done   chan struct{}
	ended  sync.WaitGroup
	once   sync.Once
	mu     sync.Mutex // protects most
	most   int64
	status string
}

// watch samples RssAnon until peak is called or the process has gone.
func watch(pid int) *memory {
	m := &memory{done: make(chan struct{}), status: fmt.Sprintf("/proc/%d/status", pid)}
	m.ended.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for m.sample() {
			select {
			case <-m.done:
				return
			case <-tick.C:
			}
		}
	})
	return m
}

// sample looks once, and reports whether the process is there.
func (m *memory) sample() bool {
	text, err := os.ReadFile(m.status)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			m.mu.Lock()
			m.most = max(m.most, kb<<10)
			m.mu.Unlock()
		}
	}
	return true
}

// soFar returns the largest sample, in bytes.
func (m *memory) soFar() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.most
}

// peak ends the watch and returns the largest sample, in bytes.
func (m *memory) peak() int64 {
	m.once.Do(func() { close(m.done) })
	m.ended.Wait()
	return m.soFar()
}

// remove deletes the site's folder.
func (s *site) remove() error { return os.RemoveAll(s.dir) }
