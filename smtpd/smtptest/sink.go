package smtptest

import (
	"context"
	"crypto/tls"
	"errors"
	"hash/maphash"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config of a Sink. The zero Config accepts and counts all mail.
type Config struct {
	Hostname string      // default "sink.test"
	TLS      *tls.Config // offers STARTTLS when not nil
	// Omit are extensions not to offer, of PIPELINING, 8BITMIME, SMTPUTF8,
	// ENHANCEDSTATUSCODES and SIZE. What a client sends all the same is accepted.
	Omit []string
	// Record keeps messages, the last ones up to RecordBytes (default 64 MiB).
	Record      bool
	RecordBytes int64
	// Behave decides at each stage. It may be called by several connections at one time.
	Behave func(Message) Behaviour
	// OnMessage sees each message taken, before the client hears so.
	// It may be called by several connections at one time.
	OnMessage func(Message)
}

// Counts are what a sink has seen.
type Counts struct {
	Connections int64
	Messages    int64 // taken
	Recipients  int64 // of messages taken
	Distinct    int64 // pairs of recipient and Message-ID
	Repeats     int64 // Recipients less Distinct
	Refused     int64 // RCPT commands and messages answered with 4xx or 5xx
	Bytes       int64 // of messages taken, undotted
	BareLines   int64 // lines with a bare CR or LF, which nobody must send
}

// Sink is an SMTP server that takes all mail, fast, unless its Config says otherwise.
// Its methods may be called from several goroutines.
type Sink struct {
	config  Config
	refused atomic.Int64
	seed    maphash.Seed
	done    chan struct{} // closed by Close
	wg      sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	listeners []net.Listener
	conns     map[net.Conn]struct{}
	counts    Counts
	seen      map[uint64]struct{}
	kept      []Message
	keptBytes int64
	waiters   []waiter
}

// waiter waits for a number of messages.
type waiter struct {
	messages int64
	reached  chan struct{}
}

// NewSink returns a sink that serves nothing yet.
func NewSink(config Config) *Sink {
	if config.Hostname == "" {
		config.Hostname = "sink.test"
	}
	if config.RecordBytes == 0 {
		config.RecordBytes = 64 << 20
	}
	return &Sink{
		config: config,
		seed:   maphash.MakeSeed(),
		done:   make(chan struct{}),
		conns:  make(map[net.Conn]struct{}),
		seen:   make(map[uint64]struct{}),
	}
}

// Serve accepts connections from l until Close, and then returns nil.
func (s *Sink) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return l.Close()
	}
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	for {
		conn, err := l.Accept()
		if err != nil {
			l.Close()
			if s.isClosed() {
				return nil
			}
			return err
		}
		s.start(conn)
	}
}

// start serves a connection, unless the sink was closed.
func (s *Sink) start(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return
	}
	s.conns[conn] = struct{}{}
	s.counts.Connections++
	s.wg.Go(func() {
		newSinkConn(s, conn).serve()
		conn.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, conn)
	})
}

func (s *Sink) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close ends listeners and connections and waits for them. What was counted and kept stays.
func (s *Sink) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	var errs []error
	for _, l := range s.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	s.listeners = nil
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return errors.Join(errs...)
}

// Counts returns what was seen so far.
func (s *Sink) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Refused = s.refused.Load()
	c.Distinct = int64(len(s.seen))
	c.Repeats = c.Recipients - c.Distinct
	return c
}

// Messages returns the messages kept, in order of arrival.
func (s *Sink) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

// Inbox returns the messages kept for a recipient, in order of arrival.
func (s *Sink) Inbox(recipient string) []Message {
	return slices.DeleteFunc(s.Messages(), func(m Message) bool { return !slices.Contains(m.To, recipient) })
}

// Wait returns when the sink has taken that many messages since it was made.
func (s *Sink) Wait(ctx context.Context, messages int64) error {
	w := waiter{messages: messages, reached: make(chan struct{})}
	s.mu.Lock()
	if s.counts.Messages >= messages {
		s.mu.Unlock()
		return nil
	}
	s.waiters = append(s.waiters, w)
	s.mu.Unlock()
	select {
	case <-w.reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take counts and keeps a message of size bytes.
func (s *Sink) take(m Message, size, bare int64) {
	if s.config.OnMessage != nil {
		s.config.OnMessage(m.clone())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Messages++
	s.counts.Recipients += int64(len(m.To))
	s.counts.Bytes += size
	s.counts.BareLines += bare
	for _, to := range m.To {
		s.seen[s.hash(to, m.MessageID)] = struct{}{}
	}
	if s.config.Record {
		s.keep(m.clone())
	}
	s.waiters = slices.DeleteFunc(s.waiters, func(w waiter) bool {
		reached := s.counts.Messages >= w.messages
		if reached {
			close(w.reached)
		}
		return reached
	})
}

// keep records a message and drops the oldest beyond the cap.
func (s *Sink) keep(m Message) {
	s.kept = append(s.kept, m)
	s.keptBytes += int64(len(m.Data))
	for s.keptBytes > s.config.RecordBytes && len(s.kept) > 1 {
		s.keptBytes -= int64(len(s.kept[0].Data))
		s.kept[0] = Message{} // let the bytes go
		s.kept = s.kept[1:]
	}
}

func (s *Sink) hash(recipient, messageID string) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	h.WriteString(recipient)
	h.WriteByte(0)
	h.WriteString(messageID)
	return h.Sum64()
}

// pause waits, and reports whether the sink is still open.
func (s *Sink) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}
