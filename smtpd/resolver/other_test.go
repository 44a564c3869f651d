package resolver_test

import (
	"errors"
	"net"
	"testing"

	"github.com/miekg/dns"

	"kairan/smtpd/resolver"
)

// An answer to another question is none: nobody may conclude from it that there is no such record.
func TestAnswerToAnotherQuestion(t *testing.T) {
	t.Parallel()
	for what, wrong := range map[string]func(q *dns.Question){
		"another name": func(q *dns.Question) { q.Name = "other.test." },
		"another type": func(q *dns.Question) { q.Qtype = dns.TypeA },
	} {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
			reply := new(dns.Msg).SetReply(r)
			wrong(&reply.Question[0])
			w.WriteMsg(reply)
		})}
		go server.ActivateAndServe()
		t.Cleanup(func() { server.Shutdown() })
		if _, err := resolver.DNS([]string{conn.LocalAddr().String()}).TXT(t.Context(), "example.test"); !errors.Is(err, resolver.ErrServer) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
