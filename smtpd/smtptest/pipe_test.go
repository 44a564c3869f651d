package smtptest

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"
)

// TestPipe holds the connections to what every net.Conn must do.
func TestPipe(t *testing.T) {
	t.Parallel()
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		l := NewPipeListener()
		dialed := make(chan net.Conn, 1)
		go func() {
			c, _ := l.Dial()
			dialed <- c
		}()
		c2, err = l.Accept()
		c1 = <-dialed
		stop = func() {
			l.Close()
			c1.Close()
			c2.Close()
		}
		return c1, c2, stop, err
	})
}
