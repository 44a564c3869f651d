package smtpd_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto/tls"

	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/smtptest"
)

const hostname = "lists.example.jp"

// house is a Handler whose answers follow from the local part of a recipient.
type house struct {
	mu   sync.Mutex
	got  []delivery
	busy chan struct{} // when not nil, Data waits until it is closed or ctx ends
}

type delivery struct {
	env smtpd.Envelope
	raw string
}

func (h *house) Rcpt(_ context.Context, _ *smtpd.Envelope, to address.Address) (smtpd.Reply, error) {
	switch to.Local() {
	case "nobody":
		return smtpd.Reply{Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "No such list"}, nil
	case "grey":
		return smtpd.Reply{Code: 450, Enhanced: [3]int{4, 2, 1}, Text: "Later"}, nil
	case "chatty":
		return smtpd.Reply{Code: 550, Text: "two\r\n250 lines \u56de\u89a7"}, nil
	case "rcpt-error":
		return smtpd.Reply{}, fmt.Errorf("look up: %w", errors.New("/secret/path"))
	case "rcpt-panic":
		panic("in Rcpt")
	}
	return smtpd.Reply{Enhanced: [3]int{2, 1, 5}}, nil
}

func (h *house) Data(ctx context.Context, env *smtpd.Envelope, raw []byte) ([]smtpd.Reply, error) {
	if h.busy != nil {
		select {
		case <-h.busy:
		case <-ctx.Done():
			return nil, fmt.Errorf("record: %w", ctx.Err())
		}
	}
	h.mu.Lock()
	h.got = append(h.got, delivery{*env, string(raw)})
	h.mu.Unlock()
	var replies []smtpd.Reply
	for _, to := range env.To {
		switch to.Local() {
		case "data-error":
			return nil, errors.New("disk /secret/path full")
		case "data-wrapped":
			return nil, fmt.Errorf("record: %w", context.Canceled)
		case "data-panic":
			panic("in Data")
		case "data-none":
			return nil, nil
		case "data-nonsense":
			replies = append(replies, smtpd.Reply{Code: 354})
		case "data-421":
			replies = append(replies, smtpd.Reply{Code: 421, Enhanced: [3]int{4, 7, 1}, Text: "Go away"})
		case "reject":
			replies = append(replies, smtpd.Reply{Code: 554, Enhanced: [3]int{5, 7, 1}, Text: "Members only"})
		case "defer":
			replies = append(replies, smtpd.Reply{Code: 451, Enhanced: [3]int{4, 7, 5}, Text: "DNS"})
		default:
			replies = append(replies, smtpd.Reply{Code: 250, Enhanced: [3]int{2, 6, 0}, Text: "Taken"})
		}
	}
	if !env.LMTP {
		replies = replies[:1]
	}
	return replies, nil
}

func (h *house) deliveries() []delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]delivery(nil), h.got...)
}

// serve runs s on a listener until the test ends.
func serve(t *testing.T, s *smtpd.Server, l net.Listener) {
	t.Helper()
	if s.Hostname == "" {
		s.Hostname = hostname
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; !errors.Is(err, smtpd.ErrServerClosed) {
			t.Errorf("Serve = %v, want ErrServerClosed", err)
		}
	})
}

// listen opens a socket on loopback.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// play runs a dialog with a server and returns what the handler got.
func play(t *testing.T, s *smtpd.Server, script string) []delivery {
	t.Helper()
	h := &house{}
	s.Handler = h
	l := listen(t)
	serve(t, s, l)
	if err := smtptest.Dialog(dial(t, l), script); err != nil {
		t.Error(err)
	}
	return h.deliveries()
}

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	cert, err := smtpd.SelfSigned(hostname, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

// small are limits that dialogs can reach.
var small = smtpd.Limits{
	MessageBytes: 1000, Recipients: 3, Messages: 3, BadRecipients: 3, BadCommands: 4, IdleCommands: 6,
}

// TestDialogs plays the scripts of testdata/dialog. Those named lmtp-* speak LMTP,
// those named small-* meet small limits.
func TestDialogs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/dialog/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogs: %v", err)
	}
	config := selfSigned(t)
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := &smtpd.Server{TLS: config, LMTP: strings.HasPrefix(name, "lmtp-")}
			if strings.HasPrefix(name, "small-") {
				s.Limits = small
			}
			if testing.Verbose() {
				s.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
			}
			play(t, s, string(script))
		})
	}
}
