package smtpd

import (
	"net"
	"net/netip"
	"time"
)

// listener hands go-smtp only connections that are within the caps. go-smtp asks its
// backend at EHLO at the earliest, which is too late to turn a flood away.
type listener struct {
	net.Listener
	server *Server
}

// refusalTime is how long a client that is turned away may take to accept the reason.
const refusalTime = 5 * time.Second

func (l *listener) Accept() (net.Conn, error) {
	for {
		socket, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c, reason := l.server.admit(socket)
		if c != nil {
			return c, nil
		}
		go turnAway(socket, reason)
	}
}

// turnAway sends the reason in place of the greeting (RFC 5321, section 3.1).
// On a new TCP connection the few bytes fit into the socket's buffer, so this does not linger.
func turnAway(socket net.Conn, reason Reply) {
	socket.SetWriteDeadline(time.Now().Add(refusalTime))
	socket.Write([]byte(reason.line()))
	socket.Close()
}

// admit makes and counts a connection, or says why there is none.
func (s *Server) admit(socket net.Conn) (*conn, Reply) {
	ip := remoteIP(socket)
	network := networkOf(ip)
	trusted := s.trusts(ip)

	s.mu.Lock()
	defer s.mu.Unlock()
	reason := ""
	switch {
	case s.closing.Load():
		reason = "Shutting down, please try again later"
	case len(s.conns) >= s.limits.Connections:
		reason = "Too many connections, please try again later"
	case !ip.IsValid() || trusted:
		// A unix socket has no address, and a trusted relay speaks for many.
	case s.perIP[ip] >= s.limits.PerIP:
		reason = "Too many connections from your address"
	case s.perNet[network] >= s.limits.PerNetwork:
		reason = "Too many connections from your network"
	}
	if reason != "" {
		s.Stats.Capped.Add(1)
		s.Log.Info("connection refused", "remote", ip, "reason", reason)
		return nil, Reply{Code: 421, Enhanced: [3]int{4, 7, 0}, Text: s.Hostname + " " + reason}
	}
	c := newConn(s, socket, ip, trusted)
	s.conns[c] = struct{}{}
	s.perIP[ip]++
	s.perNet[network]++
	s.Stats.Connections.Add(1)
	s.Stats.Open.Add(1)
	return c, Reply{}
}

// release forgets a connection that ended.
func (s *Server) release(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.conns[c]; !ok {
		return
	}
	delete(s.conns, c)
	decrement(s.perIP, c.ip)
	decrement(s.perNet, networkOf(c.ip))
	s.Stats.Open.Add(-1)
	if s.closing.Load() && len(s.conns) == 0 {
		close(s.empty)
	}
}

// decrement counts down and drops the key at zero, so that the map holds open connections only.
func decrement[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

// remoteIP returns the client's address, invalid where there is none.
func remoteIP(socket net.Conn) netip.Addr {
	addr, err := netip.ParseAddrPort(socket.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return addr.Addr().Unmap().WithZone("")
}

// networkOf returns the IPv4 /24 or IPv6 /64 of an address.
func networkOf(ip netip.Addr) netip.Prefix {
	bits := 64
	if ip.Is4() {
		bits = 24
	}
	network, _ := ip.Prefix(bits) // the zero Prefix for an invalid address
	return network
}
