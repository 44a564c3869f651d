package smtpd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/emersion/go-smtp"
)

// ErrServerClosed is returned by Serve after Shutdown or Close.
var ErrServerClosed = errors.New("smtpd: server closed")

// Server receives mail over SMTP (RFC 5321) or LMTP (RFC 2033) and asks a Handler about it.
// Its fields must not change after the first call of Serve. One Server may serve several listeners.
type Server struct {
	Handler  Handler
	Hostname string      // in the greeting, in the reply to EHLO, and for "<postmaster>"
	LMTP     bool        // speak LMTP: LHLO, and a reply for each recipient after DATA
	TLS      *tls.Config // offered with STARTTLS (RFC 3207) when not nil
	Limits   Limits
	// Trusted are networks, such as that of a relay in front, to which the limits
	// PerIP, PerNetwork, Messages and BadRecipients do not apply.
	Trusted []netip.Prefix
	Log     *slog.Logger // nil discards
	Stats   Stats

	once    sync.Once
	limits  Limits // with defaults
	engine  *smtp.Server
	closing atomic.Bool  // Shutdown or Close was called
	held    atomic.Int64 // bytes of messages being received

	mu        sync.Mutex
	listeners []net.Listener
	conns     map[*conn]struct{}
	perIP     map[netip.Addr]int
	perNet    map[netip.Prefix]int
	empty     chan struct{} // closed when closing and no connection is left
}

// init prepares the unexported fields. The zero Server is ready to use.
func (s *Server) init() {
	s.once.Do(func() {
		s.limits = s.Limits.withDefaults()
		if s.Log == nil {
			s.Log = slog.New(slog.DiscardHandler)
		}
		s.conns = make(map[*conn]struct{})
		s.perIP = make(map[netip.Addr]int)
		s.perNet = make(map[netip.Prefix]int)
		s.empty = make(chan struct{})

		s.engine = smtp.NewServer(smtp.BackendFunc(newSession))
		s.engine.Domain = s.Hostname
		s.engine.LMTP = s.LMTP
		s.engine.MaxLineLength = 0 // conn limits lines, and messages never pass through go-smtp
		s.engine.ErrorLog = engineLog{s.Log}
	})
}

// Serve accepts connections from l until Shutdown or Close, and then returns ErrServerClosed.
// It closes l.
func (s *Server) Serve(l net.Listener) error {
	s.init()
	s.mu.Lock()
	if s.closing.Load() {
		s.mu.Unlock()
		l.Close()
		return ErrServerClosed
	}
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()

	err := s.engine.Serve(&listener{Listener: l, server: s})
	l.Close()
	if s.closing.Load() {
		return ErrServerClosed
	}
	return fmt.Errorf("accept connections on %s: %w", l.Addr(), err)
}

// Shutdown stops accepting, tells idle clients 421, lets running transactions finish and
// waits for them. When ctx ends first, it closes what is left and returns the context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.stop(func(c *conn) { c.wake() })
	select {
	case <-s.empty:
		return err
	case <-ctx.Done():
		s.stop(func(c *conn) { c.abort() })
		return ctx.Err()
	}
}

// Close closes all listeners and connections at once and cancels the contexts of running
// Handler calls. A client that has no final reply will try again.
func (s *Server) Close() error {
	return s.stop(func(c *conn) { c.abort() })
}

// stop closes the listeners and calls end for each open connection.
func (s *Server) stop(end func(*conn)) error {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing.Swap(true) && len(s.conns) == 0 {
		close(s.empty)
	}
	var errs []error
	for _, l := range s.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	s.listeners = nil
	for c := range s.conns {
		end(c)
	}
	return errors.Join(errs...)
}

func (s *Server) trusts(ip netip.Addr) bool {
	return ip.IsValid() && slices.ContainsFunc(s.Trusted, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// engineLog takes the rare reports of go-smtp: failed accepts and panics outside a Handler.
type engineLog struct{ log *slog.Logger }

func (l engineLog) Printf(format string, v ...any) {
	l.log.Error("smtp engine", "report", fmt.Sprintf(format, v...))
}

func (l engineLog) Println(v ...any) {
	l.log.Error("smtp engine", "report", strings.TrimSpace(fmt.Sprintln(v...)))
}
