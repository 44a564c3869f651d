package main

import (
	"context"
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
	"kairan/smtpd/smtptest"
)

// siteOfDays makes a site with the list in a bubble of time, without listeners. Its mail goes to dial, nil for its sink. extra are
// further lines of its configuration.
func siteOfDays(t *testing.T, dial func() (net.Conn, error), behave func(smtptest.Message) smtptest.Behaviour, extra ...string) *testSite {
	t.Helper()
	data := t.TempDir()
	cfg, err := parseConfig(filepath.Join(data, "kairan.toml"), "hostname = 'lists.kairan.test'\nurl = 'http://lists.kairan.test'\nadmin = 'postmaster@people.test'\ndata = '"+data+"'\n"+
		"trust.networks = ['192.0.2.0/24']\ntimezone = 'UTC'\nlanguage = 'en'\n"+strings.Join(extra, "\n")+"\n")
	if err != nil {
		t.Fatal(err)
	}
	s := &testSite{t: t, sink: smtptest.NewSink(smtptest.Config{Record: true, Behave: behave})}
	if s.app, err = assemble(t.Context(), cfg, slog.New(slog.NewTextHandler(&s.log, nil))); err != nil {
		t.Fatal(err)
	}
	l := smtptest.NewPipeListener()
	if dial == nil {
		dial = l.Dial
	}
	s.app.Relay.Dial = func(context.Context, string, string) (net.Conn, error) { return dial() }
	s.withList()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.sink.Serve(l) })
	parts := []func(context.Context) error{s.app.Path.Run, s.app.Outbox.Run, s.app.Bounces.Run}
	if s.app.TLSReports != nil {
		parts = append(parts, s.app.TLSReports.Run)
	}
	for _, run := range parts {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	s.stop = func() {
		cancel()
		s.sink.Close()
		running.Wait()
		s.app.Relay.Close()
		if err := s.app.Close(); err != nil {
			t.Error(err)
		}
	}
	return s
}

// post takes a post of ann's.
func (s *testSite) post(id string) {
	s.t.Helper()
	env := &smtpd.Envelope{ID: "1", RemoteIP: netip.MustParseAddr("192.0.2.1"), Helo: "x", From: address.Must("ann@people.test"), To: []address.Address{address.Must(testList)}, At: time.Now()}
	if r, err := s.app.Inbound.Data(s.t.Context(), env, []byte(crlf(string(post("ann@people.test", id, "x"))))); err != nil || !r[0].OK() {
		s.t.Fatalf("%+v, %v", r, err)
	}
}

// has reports an error for each text that a command line does not print.
func (s *testSite) has(want []string, args ...string) {
	s.t.Helper()
	out := s.run(args...)
	for _, w := range want {
		if !strings.Contains(out, w) {
			s.t.Errorf("kairan %s: no %q in\n%s", strings.Join(args, " "), w, out)
		}
	}
}

// TestMemberShowBounces: what bounces have led to, and every step, can be read of the member.
func TestMemberShowBounces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := siteOfDays(t, nil, func(m smtptest.Message) smtptest.Behaviour {
			if m.Stage == smtptest.AtRcpt && m.To[len(m.To)-1] == "bob@people.test" {
				return smtptest.Behaviour{Code: 550, Text: "5.1.1 User unknown"}
			}
			return smtptest.Behaviour{}
		}, "delivery.smarthost = 'smart.test:25'")
		defer s.stop()
		s.run("list", "set", testList, "bounce_score_threshold=2")
		show := []string{"member", "show", "bob@people.test"}
		s.post("1@people.test")
		time.Sleep(15 * time.Minute)
		s.has([]string{"score 1 of 2, last on 2000-01-01 00:00: User unknown; forgotten on 2000-01-08 00:00 unless another comes", "Score 1 of 2: the mailbox is not there (unknown-user): User unknown"}, show...)
		time.Sleep(24 * time.Hour)
		s.post("2@people.test")
		time.Sleep(time.Hour)
		s.has([]string{"delivery off since 2000-01-02", "warning 2 of 3 on 2000-01-09", "Score 2 of 2", "A probe was sent", "Delivery off: User unknown", "Warning 1 of 3"}, show...)
		time.Sleep(22 * 24 * time.Hour)
		s.has([]string{"Taken off the list after 3 warnings: User unknown"}, show...)
	})
}
