package smtptest

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// PipeListener is a [net.Listener] in memory. It works inside a synctest bubble.
// Unlike [net.Pipe], its connections have buffers, as sockets do: a client may pipeline
// commands without reading replies at the same time.
type PipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// NewPipeListener returns a listener that is open.
func NewPipeListener() *PipeListener {
	return &PipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept waits for a Dial.
func (l *PipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close makes Accept and Dial fail. Open connections stay open.
func (l *PipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr returns an address that is no host's.
func (l *PipeListener) Addr() net.Addr { return pipeAddr("pipe") }

// Dial connects from nowhere: the server sees no IP address.
func (l *PipeListener) Dial() (net.Conn, error) { return l.dial(pipeAddr("pipe")) }

// DialFrom connects as a client with the address given.
func (l *PipeListener) DialFrom(ip netip.Addr) (net.Conn, error) {
	return l.dial(net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 40000)))
}

func (l *PipeListener) dial(from net.Addr) (net.Conn, error) {
	up, down := newStream(), newStream()
	client := &pipeConn{in: down, out: up, local: from, remote: l.Addr()}
	server := &pipeConn{in: up, out: down, local: l.Addr(), remote: from}
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

type pipeAddr string

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }

// pipeConn is one end of a connection.
type pipeConn struct {
	in, out       *stream
	local, remote net.Addr
}

func (c *pipeConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *pipeConn) Write(b []byte) (int, error) { return c.out.write(b) }
func (c *pipeConn) LocalAddr() net.Addr         { return c.local }
func (c *pipeConn) RemoteAddr() net.Addr        { return c.remote }

func (c *pipeConn) Close() error {
	c.in.close(true)
	c.out.close(false)
	return nil
}

func (c *pipeConn) SetDeadline(t time.Time) error {
	c.in.limit(&c.in.readBy, t)
	c.out.limit(&c.out.writeBy, t)
	return nil
}

func (c *pipeConn) SetReadDeadline(t time.Time) error {
	c.in.limit(&c.in.readBy, t)
	return nil
}

func (c *pipeConn) SetWriteDeadline(t time.Time) error {
	c.out.limit(&c.out.writeBy, t)
	return nil
}

// deadline is when reads or writes of a stream fail, and what wakes the one that waits.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
