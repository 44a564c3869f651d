package fakedns_test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"kairan/smtpd/resolver/fakedns"
)

func TestBadZones(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"example.test. NONSENSE x", "! temp", "! often example.test.", "! temp NONSENSE example.test.", "example.test. A 192.0.2"} {
		if _, err := fakedns.Parse("; fine\n" + zone); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: got %v, want an error about line 2", zone, err)
		}
	}
}

// Over the wire, what is not there says for how long that holds (RFC 2308), and what fails does not.
func TestNegativeAnswers(t *testing.T) {
	t.Parallel()
	s, err := fakedns.Serve(fakedns.Must("a.example.test. A 192.0.2.1\n! temp broken.test."))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, want := range map[string]int{"a.example.test.": 1, "b.example.test.": 1, "test.": 1, "elsewhere.": 1, ".": 1, "broken.test.": 0} {
		reply, _, err := new(dns.Client).Exchange(new(dns.Msg).SetQuestion(name, dns.TypeMX), s.Addr)
		if err != nil || len(reply.Ns) != want {
			t.Fatalf("%s: %v, %v", name, reply, err)
		}
		for _, rr := range reply.Ns {
			if soa, ok := rr.(*dns.SOA); !ok || soa.Minttl == 0 || soa.Hdr.Ttl == 0 || !dns.IsSubDomain(soa.Hdr.Name, name) {
				t.Errorf("%s: %v", name, rr)
			}
		}
	}
}
