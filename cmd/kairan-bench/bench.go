package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
)

// options are those of the command line.
type options struct {
	runs, members int
	kairan        string
	peersDir      string // made by peers.sh
	out, progress io.Writer
}

// bench is what all parts share.
type bench struct {
	options
	dir      string // for everything on disk
	zone     *fakedns.Zone
	dns      *fakedns.Server
	sink     *smtptest.Sink
	sinkAddr string
	direct   bool   // new sites have no smarthost
	limits   string // of new sites, in their configuration
	key      *rsa.PrivateKey
	size     int // bytes of a copy, as the sink got them last
	table    table
}

// part is a group of figures that are measured together.
type part struct {
	name   string
	long   bool // only when asked for
	direct bool // runs in a network of its own: delivers to mail hosts at port 25, or wants packets acknowledged at once
	peers  bool // only when named, with a folder that a script made
	about  string
	run    func(*bench, context.Context) error
}

// limit bounds a part, which takes a few minutes at most on two cores.
const limit = 20 * time.Minute

// records make the poster's mail authenticated: its domain lets loopback send.
const records = posterDomain + `. 3600 IN TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.` + posterDomain + `. 3600 IN TXT "v=DMARC1; p=none"
` + posterDomain + `. 3600 IN MX 10 mx.` + posterDomain + `.
`

// measure runs parts and prints a table of what they found, also after an error.
func measure(ctx context.Context, o options, chosen []part) (err error) {
	b := &bench{options: o, size: postSize + 2<<10}
	if b.dir, err = os.MkdirTemp("", "kairan-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if b.kairan == "" {
		if err := b.build(ctx); err != nil {
			return err
		}
	}
	if b.zone, err = fakedns.Parse(records); err != nil {
		return err
	}
	if b.dns, err = fakedns.Serve(b.zone); err != nil {
		return err
	}
	defer b.dns.Close()
	if b.sink, b.sinkAddr, err = startSink("127.0.0.1:0", smtptest.Config{}); err != nil {
		return err
	}
	defer b.sink.Close()
	for _, p := range chosen {
		b.say("%s: %s", p.name, p.about)
		ctx, cancel := context.WithTimeout(ctx, limit)
		err = p.run(b, ctx)
		cancel()
		if err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
			break
		}
	}
	return errors.Join(err, b.table.write(b.out), b.leftOut(chosen))
}

// leftOut says which parts were not run.
func (b *bench) leftOut(chosen []part) error {
	var rest []string
	ran := map[string]bool{}
	for _, p := range chosen {
		ran[p.name] = true
	}
	for _, p := range parts() {
		if !ran[p.name] {
			rest = append(rest, p.name)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	names := strings.Join(rest, ",")
	_, err := fmt.Fprintf(b.out, "\nNot run: %s. Run them with: go run ./cmd/kairan-bench -run %s\n", strings.Join(rest, ", "), names)
	return err
}

// say tells who watches what goes on.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.progress, format+"\n", args...) }

// build makes the program to measure.
func (b *bench) build(ctx context.Context) error {
	b.kairan = filepath.Join(b.dir, "kairan")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", b.kairan, "kairan/cmd/kairan").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build kairan: %w\n%s", err, out)
	}
	return nil
}

// pause waits, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
