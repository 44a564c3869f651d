package smtpd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"
)

// conn stands between the socket and go-smtp. go-smtp reads commands that are complete,
// allowed in this state and free of surprises, one at a time; everything else is answered
// here. Since it gets the next command only when it asks for it, all replies to earlier
// ones are written by then, also when the client sends many at once.
//
// Only the goroutine that go-smtp serves the connection with uses a conn,
// except for wake and abort.
type conn struct {
	net.Conn // the socket, or TLS over it
	server   *Server
	limits   *Limits
	ip       netip.Addr
	trusted  bool
	log      *slog.Logger
	ctx      context.Context // ends with the connection
	cancel   context.CancelFunc
	socket   net.Conn
	in       *bufio.Reader
	out      *bufio.Writer
	session  *session

	next     []byte // what go-smtp reads next
	answered bool   // the command was answered here: drop go-smtp's own reply
	closing  bool   // 421 was said or the stream is unusable: nothing more is read
	hungUp   bool   // a reply said why we end the connection

	helo     string // of EHLO, HELO or LHLO; "" before
	basic    bool   // it was HELO
	tls      bool
	messages int // transactions begun
	badRcpts int
	badCmds  int
	idleCmds int

	idle   bool // between transactions, waiting for a command
	body   transfer
	expiry time.Time // for the command being read
}

// bufferSize of reading and writing: many pipelined commands, or much of a usual message.
const bufferSize = 16 << 10

func newConn(s *Server, socket net.Conn, ip netip.Addr, trusted bool) *conn {
	c := &conn{Conn: socket, socket: socket, server: s, limits: &s.limits, ip: ip, trusted: trusted}
	c.log = s.Log.With("remote", ip)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.in = bufio.NewReaderSize(wire{c}, bufferSize)
	c.out = bufio.NewWriterSize(wire{c}, bufferSize)
	c.session = &session{conn: c}
	return c
}

// Read gives go-smtp the next command.
func (c *conn) Read(b []byte) (int, error) {
	if len(c.next) == 0 {
		line, err := c.nextCommand()
		if err != nil {
			return 0, err
		}
		c.next = []byte(line + "\r\n")
	}
	n := copy(b, c.next)
	c.next = c.next[n:]
	return n, nil
}

// Write takes go-smtp's replies, which come a line at a time. Those that are an error
// count against the client like our own.
func (c *conn) Write(b []byte) (int, error) {
	if c.answered {
		return len(b), nil
	}
	if bytes.HasPrefix(b, []byte("5")) {
		c.badCmds++
	}
	if err := c.say(string(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// say writes reply lines, to be sent when the client's next bytes are waited for.
func (c *conn) say(lines string) error {
	if c.log.Enabled(c.ctx, slog.LevelDebug) {
		c.log.Debug("reply", "line", lines)
	}
	_, err := c.out.WriteString(lines)
	return err
}

// answer replies to the command in go-smtp's place, and returns the error by which
// go-smtp knows that it was refused. 421 ends the connection (RFC 5321, section 3.8).
func (c *conn) answer(r Reply) error {
	r = r.clean()
	c.say(r.line())
	c.answered = true
	c.closing = c.closing || r.Code == 421
	return r.asError()
}

// Close sends what is left to say and ends the connection.
func (c *conn) Close() error {
	c.out.Flush()
	c.cancel()
	c.linger()
	err := c.Conn.Close()
	c.session.finish()
	c.server.release(c)
	return err
}

// lingerTime and lingerBytes bound how long a client that we hang up on is listened to.
const (
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// linger lets a client that may still be sending read why we hang up: closing a socket with
// unread bytes resets the connection, and the reset takes the reply with it.
func (c *conn) linger() {
	socket, ok := c.socket.(interface{ CloseWrite() error })
	if !c.hungUp || !ok || c.tls || socket.CloseWrite() != nil {
		return
	}
	c.socket.SetReadDeadline(time.Now().Add(lingerTime))
	io.CopyN(io.Discard, c.socket, lingerBytes)
}

// abort ends the connection from another goroutine. go-smtp's goroutine then calls Close.
func (c *conn) abort() {
	c.cancel()
	c.socket.Close()
}

// wake interrupts a read from another goroutine, so that an idle client hears of a shutdown.
func (c *conn) wake() { c.socket.SetReadDeadline(time.Unix(1, 0)) }

// The deadlines are kept here, per command and per message; go-smtp sets none.

func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// errShutdown ends the wait for a command of an idle client.
var errShutdown = errors.New("server shuts down")

// wire reads from and writes to the client, with deadlines.
type wire struct{ c *conn }

// Read sends pending replies before it waits, so that pipelined commands are
// answered with one write.
func (w wire) Read(b []byte) (int, error) {
	c := w.c
	if err := c.out.Flush(); err != nil {
		return 0, err
	}
	for {
		until := c.expiry
		if c.body.open {
			until = c.body.deadline(c.limits)
		}
		c.Conn.SetReadDeadline(until)
		if c.idle && c.server.closing.Load() {
			return 0, errShutdown
		}
		n, err := c.Conn.Read(b)
		if c.body.open {
			c.body.arrived += int64(n)
		}
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(until) {
			continue // woken by a shutdown, in the middle of a transaction
		}
		return n, err
	}
}

func (w wire) Write(b []byte) (int, error) {
	w.c.Conn.SetWriteDeadline(time.Now().Add(w.c.limits.Write))
	return w.c.Conn.Write(b)
}

// hangUp says a last reply and makes go-smtp end the connection.
func (c *conn) hangUp(r Reply) error {
	c.answer(r)
	c.closing, c.hungUp = true, true
	return io.EOF
}

// startTLS turns the connection into TLS. What the client sent in plaintext after the command
// is thrown away, and so is all it said before (RFC 3207, sections 4.2 and 5).
func (c *conn) startTLS() error {
	c.say(Reply{Code: 220, Enhanced: [3]int{2, 0, 0}, Text: "Ready to start TLS"}.line())
	if err := c.out.Flush(); err != nil {
		return err
	}
	secure := tls.Server(c.socket, c.server.TLS)
	c.socket.SetDeadline(time.Now().Add(min(c.limits.Idle, time.Minute)))
	if err := secure.HandshakeContext(c.ctx); err != nil {
		c.log.Info("TLS handshake failed", "error", err)
		c.closing = true
		return io.EOF
	}
	c.socket.SetDeadline(time.Time{})
	c.Conn, c.tls, c.helo = secure, true, ""
	c.in.Reset(wire{c})
	return nil
}
