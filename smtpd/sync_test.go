package smtpd_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kairan/smtpd"
	"kairan/smtpd/smtptest"
)

// start runs a server on a PipeListener in a bubble.
func start(t *testing.T, s *smtpd.Server) *smtptest.PipeListener {
	t.Helper()
	if s.Handler == nil {
		s.Handler = &house{}
	}
	l := smtptest.NewPipeListener()
	serve(t, s, l)
	return l
}

// talk connects, sends text and returns the connection, with what came back read to the end of a line
// that begins with until.
func talk(t *testing.T, l *smtptest.PipeListener, text, until string) net.Conn {
	t.Helper()
	conn, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	io.WriteString(conn, text)
	expect(t, conn, until)
	return conn
}

// expect reads byte by byte up to a line that begins with until.
func expect(t *testing.T, conn net.Conn, until string) {
	t.Helper()
	var all strings.Builder
	line := 0 // where the last line of all begins
	for b := make([]byte, 1); ; {
		if _, err := conn.Read(b); err != nil {
			t.Fatalf("got %q, then %v, want %q", all.String(), err, until)
		}
		if all.WriteByte(b[0]); b[0] != '\n' {
			continue
		}
		if strings.HasPrefix(all.String()[line:], until) {
			return
		}
		line = all.Len()
	}
}

const toData = "EHLO mail.example.com\r\nMAIL FROM:<ann@example.com>\r\nRCPT TO:<janog@example.jp>\r\nDATA\r\n"

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := start(t, &smtpd.Server{})
		begin := time.Now()
		conn := talk(t, l, "EHLO mail.example.com\r\n", "250 ")
		time.Sleep(4 * time.Minute)
		io.WriteString(conn, "NOOP\r\n")
		expect(t, conn, "250 ")
		// A command that comes byte by byte is still one command.
		go func() {
			for range 100 {
				time.Sleep(10 * time.Second)
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
			}
		}()
		expect(t, conn, "421 4.4.2 ")
		if got := time.Since(begin); got != 9*time.Minute {
			t.Errorf("closed after %v, want 4 and 5 minutes", got)
		}
		time.Sleep(10 * time.Second) // until the sender saw that nobody listens
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("Read = %v, want the end", err)
		}
	})
}

// TestSteadySender proves that a large message may take long as long as it comes on.
func TestSteadySender(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &house{}
		l := start(t, &smtpd.Server{Handler: h})
		conn := talk(t, l, toData, "354 ")
		line := strings.Repeat("x", 1022) + "\r\n"
		io.WriteString(conn, "Subject: large\r\n\r\n")
		for range 3600 { // one hour at 3 KiB/s
			time.Sleep(time.Second)
			if _, err := io.WriteString(conn, line+line+line); err != nil {
				t.Fatal(err)
			}
		}
		io.WriteString(conn, ".\r\n")
		expect(t, conn, "250 ")
		if got := h.deliveries(); len(got) != 1 || len(got[0].raw) < 3600*3*1024 {
			t.Errorf("got %d messages", len(got))
		}
	})
}

// TestSlowSender proves that a trickle does not hold a connection, and that what is
// left of its message is not read as commands.
func TestSlowSender(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &house{}
		l := start(t, &smtpd.Server{Handler: h})
		conn := talk(t, l, toData, "354 ")
		begin := time.Now()
		go func() {
			for {
				time.Sleep(10 * time.Second)
				if _, err := io.WriteString(conn, "RSET\r\n"); err != nil {
					return
				}
			}
		}()
		expect(t, conn, "421 4.4.2 ")
		if got := time.Since(begin); got < 5*time.Minute || got > 5*time.Minute+time.Second {
			t.Errorf("closed after %v, want 5m", got)
		}
		if rest, _ := io.ReadAll(conn); len(rest) != 0 {
			t.Errorf("then the server said %q", rest)
		}
		if got := h.deliveries(); len(got) != 0 {
			t.Errorf("got %v", got)
		}
		time.Sleep(10 * time.Second) // until the sender saw that nobody listens
	})
}

// TestDeafClient proves that a client that reads no replies does not hold a connection.
func TestDeafClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &smtpd.Server{Limits: smtpd.Limits{IdleCommands: 1 << 30}}
		l := start(t, s)
		conn := talk(t, l, "EHLO mail.example.com\r\n", "250 ")
		go io.WriteString(conn, strings.Repeat("NOOP\r\n", 100_000))
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if got := s.Stats.Open.Load(); got != 1 {
			t.Fatalf("%d connections after 59 s, want 1", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := s.Stats.Open.Load(); got != 0 {
			t.Errorf("%d connections after 61 s, want none", got)
		}
	})
}

func TestHandlerDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := start(t, &smtpd.Server{Handler: &house{busy: make(chan struct{})}})
		conn := talk(t, l, toData, "354 ")
		begin := time.Now()
		io.WriteString(conn, ".\r\n")
		expect(t, conn, "451 4.3.0 ")
		if got := time.Since(begin); got != 4*time.Minute {
			t.Errorf("answered after %v, want 4m", got)
		}
	})
}

// TestShutdown has one client idle, one in a transaction, and one whose message is being judged.
func TestShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &house{busy: make(chan struct{})}
		s := &smtpd.Server{Handler: h}
		l := start(t, s)
		idle := talk(t, l, "EHLO mail.example.com\r\n", "250 ")
		judged := talk(t, l, toData+".\r\n", "354 ")
		sending := talk(t, l, toData, "354 ")
		synctest.Wait()

		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		expect(t, idle, "421 4.3.2 ")
		synctest.Wait()
		if _, err := l.Dial(); err == nil {
			t.Error("a client could connect during shutdown")
		}
		select {
		case err := <-done:
			t.Fatalf("Shutdown did not wait: %v", err)
		default:
		}
		close(h.busy)
		expect(t, judged, "250 ")
		expect(t, judged, "421 4.3.2 ")
		io.WriteString(sending, "Subject: x\r\n\r\n.\r\nMAIL FROM:<>\r\n")
		expect(t, sending, "250 ")
		expect(t, sending, "421 4.3.2 ")
		if err := <-done; err != nil {
			t.Errorf("Shutdown = %v", err)
		}
		if got := len(h.deliveries()); got != 2 {
			t.Errorf("%d messages, want 2", got)
		}
		if got := s.Stats.Open.Load(); got != 0 {
			t.Errorf("%d connections are open", got)
		}
		if err := s.Serve(smtptest.NewPipeListener()); !errors.Is(err, smtpd.ErrServerClosed) {
			t.Errorf("Serve after Shutdown = %v", err)
		}
	})
}

// TestShutdownTimeout proves that a Handler call is cancelled when time is up, and its client is not told 250.
func TestShutdownTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &house{busy: make(chan struct{})}
		s := &smtpd.Server{Handler: h}
		l := start(t, s)
		conn := talk(t, l, toData+".\r\n", "354 ")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown = %v", err)
		}
		synctest.Wait()
		if rest, _ := io.ReadAll(conn); strings.Contains(string(rest), "250") {
			t.Errorf("client was told %q", rest)
		}
		if got := s.Stats.Open.Load(); got != 0 || len(h.deliveries()) != 0 {
			t.Errorf("%d connections, %d messages, want none", got, len(h.deliveries()))
		}
	})
}

// TestCaps opens connections from several addresses until each cap is met.
func TestCaps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		limits smtpd.Limits
		open   []string
		last   string
		reply  string
	}{
		{"total", smtpd.Limits{Connections: 2}, []string{"192.0.2.1", "198.51.100.1"}, "203.0.113.1", "421 4.7.0 "},
		{"address", smtpd.Limits{PerIP: 2}, []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"}, "192.0.2.1", "421 4.7.0 "},
		{"mapped address", smtpd.Limits{PerIP: 1}, []string{"192.0.2.1"}, "::ffff:192.0.2.1", "421 4.7.0 "},
		{"network", smtpd.Limits{PerNetwork: 2}, []string{"192.0.2.1", "192.0.2.200"}, "192.0.2.7", "421 4.7.0 "},
		{"other network", smtpd.Limits{PerNetwork: 2}, []string{"192.0.2.1", "192.0.2.200"}, "198.51.100.7", "220 "},
		{"network of IPv6", smtpd.Limits{PerNetwork: 2}, []string{"2001:db8::1", "2001:db8::ffff:1"}, "2001:db8::2", "421 4.7.0 "},
		{"other network of IPv6", smtpd.Limits{PerNetwork: 2}, []string{"2001:db8::1", "2001:db8::2"}, "2001:db8:0:1::1", "220 "},
		{"trusted", smtpd.Limits{PerIP: 1, PerNetwork: 1}, []string{"203.0.113.1", "203.0.113.1"}, "203.0.113.1", "220 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &smtpd.Server{Limits: tt.limits, Trusted: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}
				l := start(t, s)
				connect := func(ip, reply string) net.Conn {
					conn, err := l.DialFrom(netip.MustParseAddr(ip))
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { conn.Close() })
					expect(t, conn, reply)
					return conn
				}
				var first net.Conn
				for _, ip := range tt.open {
					first = connect(ip, "220 ")
				}
				last := connect(tt.last, tt.reply)
				if tt.reply == "220 " {
					return
				}
				if _, err := last.Read(make([]byte, 1)); err == nil {
					t.Error("connection refused but open")
				}
				if got := s.Stats.Capped.Load(); got != 1 {
					t.Errorf("Capped = %d, want 1", got)
				}
				// Room is made when a connection ends.
				first.Close()
				synctest.Wait()
				connect(tt.open[len(tt.open)-1], "220 ")
			})
		})
	}
}
