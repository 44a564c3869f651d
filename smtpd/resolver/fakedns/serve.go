package fakedns

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"kairan/smtpd/resolver"
)

// Server is a DNS server on the loopback interface, over UDP and TCP on one port.
type Server struct {
	// Addr is "127.0.0.1:port".
	Addr string

	zone     *Zone
	udp, tcp *dns.Server
	running  sync.WaitGroup
}

// Serve answers questions about z on a free loopback port until Close.
func Serve(z *Zone) (*Server, error) {
	s := &Server{zone: z}
	packets, listener, err := listen()
	if err != nil {
		return nil, fmt.Errorf("listen for DNS questions: %w", err)
	}
	s.Addr = listener.Addr().String()
	var ready sync.WaitGroup
	ready.Add(2)
	s.udp = &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(s.answer), NotifyStartedFunc: ready.Done}
	s.tcp = &dns.Server{Listener: listener, Handler: dns.HandlerFunc(s.answer), NotifyStartedFunc: ready.Done}
	// The servers return when Close closes their sockets; there is nothing to do about it then.
	s.running.Go(func() { _ = s.udp.ActivateAndServe() })
	s.running.Go(func() { _ = s.tcp.ActivateAndServe() })
	ready.Wait()
	return s, nil
}

// listen takes a port that is free for both UDP and TCP.
func listen() (packets net.PacketConn, listener net.Listener, err error) {
	for range 20 {
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, nil, err
		}
		if packets, err = net.ListenPacket("udp", listener.Addr().String()); err == nil {
			return packets, listener, nil
		}
		err = errors.Join(err, listener.Close())
	}
	return nil, nil, err
}

// Close stops the server and waits for its end.
func (s *Server) Close() error {
	err := errors.Join(s.udp.Shutdown(), s.tcp.Shutdown())
	s.running.Wait()
	return err
}

func (s *Server) answer(w dns.ResponseWriter, ask *dns.Msg) {
	reply := new(dns.Msg).SetReply(ask)
	reply.RecursionAvailable = true
	if len(ask.Question) != 1 {
		reply.Rcode = dns.RcodeFormatError
	} else {
		rrs, secure, err := s.zone.lookup(ask.Question[0].Name, ask.Question[0].Qtype)
		switch {
		case errors.Is(err, resolver.ErrTimeout):
			return
		case errors.Is(err, resolver.ErrNoDomain):
			reply.Rcode = dns.RcodeNameError
		case resolver.Temporary(err):
			reply.Rcode = dns.RcodeServerFailure
		}
		if errors.Is(err, resolver.ErrNoDomain) || errors.Is(err, resolver.ErrNoData) {
			reply.Ns = []dns.RR{authority(ask.Question[0].Name)}
		}
		reply.Answer = rrs
		reply.AuthenticatedData = secure && ask.AuthenticatedData
	}
	if w.LocalAddr().Network() == "udp" {
		size := dns.MinMsgSize
		if opt := ask.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		reply.Truncate(size)
	}
	// A client that has gone needs no answer.
	_ = w.WriteMsg(reply)
}

// negativeTTL is how long it holds that something is not there, in seconds.
const negativeTTL = 300

// authority is what says so (RFC 2308, section 3): all names below a top-level domain are one zone here.
func authority(name string) dns.RR {
	labels := dns.SplitDomainName(name)
	zone := dns.Fqdn(strings.Join(labels[max(0, len(labels)-1):], "."))
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: negativeTTL},
		Ns:  "ns." + strings.TrimPrefix(zone, "."), Mbox: "hostmaster." + strings.TrimPrefix(zone, "."),
		Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: negativeTTL,
	}
}
