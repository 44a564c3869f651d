package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"kairan/list"
	"kairan/smtpd/mailauth"
	"kairan/storage"
)

type demoCmd struct {
	Data string `placeholder:"DIR" help:"Keep everything in this folder; by default it is temporary."`
	SMTP string `name:"smtp" placeholder:"ADDRESS" default:"127.0.0.1:2525" help:"Take mail here (default: ${default})."`
	HTTP string `name:"http" placeholder:"ADDRESS" default:"127.0.0.1:8080" help:"Show the web pages here (default: ${default})."`
}

// slowness is how long slow@slow.test takes for each copy.
const slowness = 10 * time.Second

func (cmd *demoCmd) runLocal(ctx context.Context, _ *commands, std streams) (err error) {
	dir := cmd.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "kairan-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	d := &demo{dir: dir, kept: cmd.Data != "", smtp: cmd.SMTP, http: cmd.HTTP, slowness: slowness}
	return d.run(ctx, func() error { return d.welcome(ctx, std.out, time.Now()) })
}

// demo is a site with a small world around it: name servers, a community, and the mail servers of everybody, all on
// loopback ports of this process.
type demo struct {
	dir        string
	kept       bool   // the folder stays when the demo ends
	smtp, http string // addresses, with the real port once run has begun
	slowness   time.Duration

	log    *os.File
	world  *world
	outbox *outbox
	app    *App
}

// run makes the world and the site, and serves until ctx ends. ready is called when everything can be used.
func (d *demo) run(ctx context.Context, ready func() error) (err error) {
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.open(ctx); err != nil {
		return err
	}
	if err := d.seed(ctx, time.Now()); err != nil {
		return fmt.Errorf("make the community: %w", err)
	}
	// The sink ends with ctx, not after the daemon, which would wait until the slow member has its copy.
	defer context.AfterFunc(ctx, func() { d.world.sink.Close() })()
	return d.serve(ctx, ready)
}

// open makes the folder, the world, and the site without its past.
func (d *demo) open(ctx context.Context) (err error) {
	if d.dir, err = filepath.Abs(d.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	if d.smtp, err = freeAddress("smtp", d.smtp); err != nil {
		return err
	}
	if d.http, err = freeAddress("http", d.http); err != nil {
		return err
	}
	if d.log, err = os.OpenFile(d.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	d.outbox = &outbox{dir: "/-/outbox/"}
	if d.world, err = d.startWorld(); err != nil {
		return err
	}
	cfg, err := d.config()
	if err != nil {
		return err
	}
	if d.app, err = assemble(ctx, cfg, slog.New(slog.NewTextHandler(d.log, nil)), d.outbox.attach, new(signIn).attach); err != nil {
		return err
	}
	if err := os.Rename(d.configFile()+".new", d.configFile()); err != nil {
		return err
	}
	return d.publishKey(ctx)
}

// close ends what open began, as far as it came.
func (d *demo) close() error {
	var errs []error
	if d.world != nil {
		d.world.close()
	}
	if d.app != nil {
		errs = append(errs, d.app.Close())
	}
	if d.log != nil {
		errs = append(errs, d.log.Close())
	}
	return errors.Join(errs...)
}

// serve runs the daemon; it ends with ctx, or when ready fails.
func (d *demo) serve(ctx context.Context, ready func() error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := d.app.serve(ctx, func() {
		if err := ready(); err != nil {
			cancel(err)
		}
	})
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	return err
}

// publishKey puts the list domain's DKIM key and policies into the demo's DNS, as a site would.
func (d *demo) publishKey(ctx context.Context) error {
	if _, err := d.app.ensureKey(ctx, demoDomain); err != nil {
		return err
	}
	var name, txt string
	err := d.app.DB.View(ctx, func(tx *storage.Tx) error {
		k, err := list.GetDKIMKey(tx, demoDomain)
		if err != nil {
			return err
		}
		signer := mailauth.Signer{Domain: demoDomain, Selector: k.Selector}
		if signer.Key, err = mailauth.ParseKey([]byte(k.PEM)); err != nil {
			return err
		}
		name, txt = signer.Record()
		return nil
	})
	if err != nil {
		return fmt.Errorf("DKIM key of %s: %w", demoDomain, err)
	}
	return d.world.zone.Add(fmt.Sprintf("%s. TXT %s\n", name, mailauth.ZoneText(txt)))
}

func (d *demo) configFile() string { return filepath.Join(d.dir, "kairan.toml") }
func (d *demo) logFile() string    { return filepath.Join(d.dir, "kairan.log") }

// freeAddress returns addr with the port that port 0 stands for, or an error that names the flag to change.
func freeAddress(flag, addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("--%s %s: %w; name another address, such as --%[1]s 127.0.0.1:0 for any free port", flag, addr, err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// reachable returns an address under which a listener can be reached from this machine.
func reachable(addr string) string {
	if a, err := netip.ParseAddrPort(addr); err == nil && a.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), a.Port()).String()
	}
	return addr
}
