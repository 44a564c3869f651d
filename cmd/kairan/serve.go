package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"kairan/list"
	listweb "kairan/list/web"
	"kairan/smtpd"
	"kairan/storage"
)

type serveCmd struct {
	Debug bool `help:"Log the SMTP dialogue too (no bodies, no secrets)."`
}

// drain is how long sessions and copies in flight get to end.
const drain = 30 * time.Second

func (cmd *serveCmd) runLocal(ctx context.Context, c *commands, std streams) error {
	file, err := findConfig(c.ConfigFile)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(file)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if cmd.Debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: level}))
	app, err := assemble(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer app.Close()
	// Twice as many goroutines run as there are cores: those that sign give way (queue.Options.Signers), so that a
	// client is answered promptly while a large list is sent.
	runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	// What is alive is little, and a collection for every few megabytes took a fifth of a fan-out that signs little. This memory is
	// never touched, so it takes none of the machine's, but the collector waits until as much again has been allocated.
	ballast := make([]byte, 16<<20)
	defer runtime.KeepAlive(ballast)
	return app.serve(ctx, func() { log.Info("ready", "smtp", cfg.SMTP.Listen, "lmtp", cfg.LMTP.Listen, "http", cfg.HTTP.Listen) })
}

// serve opens all listeners, calls ready, and works until ctx ends; then it drains.
//
// The order of the end: first nothing new comes in, then what was accepted is published as far as it is, then copies in flight
// come to their end. What is not done by then is on disk and goes on at the next start.
func (app *App) serve(ctx context.Context, ready func()) error {
	if err := app.Archive.Recover(ctx); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	ls, err := app.listen()
	if err != nil {
		return err
	}
	web, ctl := listweb.Server(app.Web), &http.Server{Handler: app.ctl(), ReadHeaderTimeout: 10 * time.Second}

	g, ctx := errgroup.WithContext(ctx)
	for _, l := range ls.smtp {
		g.Go(func() error { return expected(app.SMTP.Serve(l)) })
	}
	for _, l := range ls.lmtp {
		g.Go(func() error { return expected(app.LMTP.Serve(l)) })
	}
	for _, l := range ls.http {
		g.Go(func() error { return expected(web.Serve(l)) })
	}
	g.Go(func() error { return expected(ctl.Serve(ls.ctl)) })
	g.Go(func() error { return app.Path.Run(ctx) })
	g.Go(func() error { return app.Digests.Run(ctx) })
	g.Go(func() error { return app.Search.Run(ctx) })
	g.Go(func() error { return app.Outbox.Run(ctx) })
	g.Go(func() error { return app.Moderation.Run(ctx) })
	g.Go(func() error { return app.Bounces.Run(ctx) })
	if app.TLSReports != nil {
		g.Go(func() error { return app.TLSReports.Run(ctx) })
	}
	g.Go(func() error { return app.tidy(ctx) })
	g.Go(func() error { return app.fallBack(ctx) })
	g.Go(func() error {
		<-ctx.Done()
		app.Log.Info("stopping", "drain", drain.String())
		end, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		return errors.Join(app.SMTP.Shutdown(end), app.LMTP.Shutdown(end), web.Shutdown(end), ctl.Close())
	})
	ready()
	err = g.Wait()
	app.Relay.Close()
	return err
}

// expected turns the errors of servers that were told to stop into nil.
func expected(err error) error {
	if errors.Is(err, smtpd.ErrServerClosed) || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// listeners are the open sockets.
type listeners struct {
	smtp, lmtp, http []net.Listener
	ctl              net.Listener
}

// listen opens all sockets, or none.
func (app *App) listen() (ls listeners, err error) {
	var open []net.Listener
	defer func() {
		if err != nil {
			for _, l := range open {
				l.Close()
			}
		}
	}()
	for _, s := range []struct {
		key   string
		addrs Listen
		to    *[]net.Listener
	}{
		{"smtp.listen", app.Config.SMTP.Listen, &ls.smtp},
		{"lmtp.listen", app.Config.LMTP.Listen, &ls.lmtp},
		{"http.listen", app.Config.HTTP.Listen, &ls.http},
	} {
		for _, a := range s.addrs {
			l, err := listenAt(a)
			if err != nil {
				return ls, fmt.Errorf("%s: %s: %w", app.Config.file, s.key, err)
			}
			open = append(open, l)
			*s.to = append(*s.to, l)
		}
	}
	ls.ctl, err = listenCtl(app.Config.Data)
	return ls, err
}

func listenAt(addr string) (net.Listener, error) {
	path, ok := strings.CutPrefix(addr, "unix:")
	if !ok {
		return net.Listen("tcp", addr)
	}
	// A socket that nobody answers at was left behind.
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("another program listens at %s", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", path)
}

// tidy does what is due once an hour: it forgets what is kept only for a time, and tells owners about quotas.
func (app *App) tidy(ctx context.Context) error {
	for {
		if err := errors.Join(app.Path.Expire(ctx, time.Now()), app.Subscribe.Expire(ctx, time.Now())); err != nil && ctx.Err() == nil {
			app.Log.Error("cannot forget what is old; will retry in an hour", "err", err)
		}
		if err := app.Subscribe.TellQuotas(ctx, time.Now()); err != nil && ctx.Err() == nil {
			app.Log.Error("cannot tell owners about quotas; will retry in an hour", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Hour):
		}
	}
}

// fallBackEvery is how late a change of settings may fall back.
const fallBackEvery = 5 * time.Second

// fallBack takes back the changes of settings that nobody kept in time.
func (app *App) fallBack(ctx context.Context) error {
	tick := time.NewTicker(fallBackEvery)
	defer tick.Stop()
	for {
		var due []list.ID
		now := time.Now()
		err := app.DB.View(ctx, func(tx *storage.Tx) error {
			due = list.FallsBackBy(tx, now)
			return nil
		})
		for _, id := range due {
			err = errors.Join(err, app.DB.Update(ctx, func(tx *storage.Tx) error { return list.FallBack(tx, id, now) }))
		}
		if err != nil && ctx.Err() == nil {
			app.Log.Error("cannot take back settings that nobody kept; will retry in "+fallBackEvery.String(), "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// publishNow makes posts that were just accepted go out: the daemon does it, and without a daemon it is done at its next start.
func (app *App) publishNow() { app.Path.Wake() }
