package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kairan/smtpd"
	"kairan/smtpd/address"
)

// TestTraceDelay: a copy that waits for hours says so in the trace, with the last reply; nobody gets a mail about it.
func TestTraceDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := t.TempDir()
		cfg, err := parseConfig(filepath.Join(data, "kairan.toml"), "hostname = 'lists.kairan.test'\nurl = 'http://lists.kairan.test'\nadmin = 'postmaster@people.test'\ndata = '"+data+"'\n"+
			"delivery.smarthost = 'smart.test:25'\ndns.servers = ['"+noResolver+"']\ntrust.networks = ['192.0.2.0/24']\ntimezone = 'UTC'\n")
		if err != nil {
			t.Fatal(err)
		}
		s := &testSite{t: t}
		if s.app, err = assemble(t.Context(), cfg, slog.New(slog.NewTextHandler(&s.log, nil))); err != nil {
			t.Fatal(err)
		}
		s.app.Relay.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("the line is dead") }
		s.withList()
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { s.app.Path.Run(ctx) })
		running.Go(func() { s.app.Outbox.Run(ctx) })
		to := address.Must(testList)
		env := &smtpd.Envelope{ID: "1", RemoteIP: netip.MustParseAddr("192.0.2.1"), Helo: "x", From: address.Must("ann@people.test"), To: []address.Address{to}, At: time.Now()}
		if r, err := s.app.Inbound.Data(ctx, env, []byte(crlf(string(post("ann@people.test", "late@people.test", "x"))))); err != nil || !r[0].OK() {
			t.Fatalf("%+v, %v", r, err)
		}
		time.Sleep(30 * time.Minute)
		if out := s.run("trace", "late@people.test"); !strings.Contains(out, "deferred") || strings.Contains(out, "delayed") {
			t.Errorf("after half an hour:\n%s", out)
		}
		time.Sleep(7 * time.Hour)
		out := s.run("trace", "late@people.test")
		if n := strings.Count(out, "delayed"); n != 3 || !strings.Contains(out, "bob@people.test waits for 7h30m0s, tried ") || !strings.Contains(out, ": smart.test 4.4.1 the line is dead") {
			t.Errorf("after hours, %d lines:\n%s", n, out)
		}
		if d := s.app.Outbox.Depth(); d.Copies != 3 {
			t.Errorf("%d mails in the queue, want the copies alone", d.Copies)
		}
		cancel()
		running.Wait()
		if err := s.app.Close(); err != nil {
			t.Error(err)
		}
	})
}
