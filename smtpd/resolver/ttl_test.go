package resolver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// timed answers every question for a time that its name tells.
type timed struct{ asked *int }

func (s timed) ask(_ context.Context, q question) (answer, error) {
	*s.asked++
	ttl, err := time.ParseDuration(q.name)
	return answer{texts: []string{"x"}, ttl: ttl}, err
}

func TestCacheTTL(t *testing.T) {
	t.Parallel()
	for name, lasts := range map[string]time.Duration{"10s": 10 * time.Second, "48h": maxTTL} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			c := Cache(layer{timed{&asked}}, 10)
			for _, step := range []struct {
				wait time.Duration
				want int
			}{{0, 1}, {lasts - 1, 1}, {1, 2}} {
				time.Sleep(step.wait)
				if _, err := c.TXT(t.Context(), name); err != nil || asked != step.want {
					t.Errorf("TTL %s: asked %d times, want %d; %v", name, asked, step.want, err)
				}
			}
		})
	}
}

// TestReadTTL takes the lowest TTL on the way to an answer, and the SOA's for a missing one.
func TestReadTTL(t *testing.T) {
	t.Parallel()
	rr := func(s string) dns.RR {
		r, err := dns.NewRR(s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	soa := rr("test. 900 SOA ns.test. root.test. 1 2 3 4 60")
	for name, tc := range map[string]struct {
		reply dns.Msg
		want  time.Duration
	}{
		"alias":   {dns.Msg{Answer: []dns.RR{rr("a.test. 30 CNAME b.test."), rr("b.test. 300 TXT x")}}, 30 * time.Second},
		"other":   {dns.Msg{Answer: []dns.RR{rr("a.test. 300 TXT x"), rr("z.test. 5 TXT x")}}, 300 * time.Second},
		"zero":    {dns.Msg{Answer: []dns.RR{rr("a.test. 0 TXT x")}}, time.Second},
		"nodata":  {dns.Msg{Ns: []dns.RR{soa}}, 60 * time.Second},
		"nosoa":   {dns.Msg{}, time.Second},
		"nothing": {dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}, Ns: []dns.RR{soa}}, 60 * time.Second},
	} {
		if a, _ := read(&tc.reply, "a.test", dns.TypeTXT); a.ttl != tc.want {
			t.Errorf("%s: %v, want %v", name, a.ttl, tc.want)
		}
	}
}

// What is known of one family only, because the question for the other failed, is asked again soon.
func TestHalfAnAnswer(t *testing.T) {
	t.Parallel()
	whole := answer{ttl: time.Hour}
	for err, want := range map[error]time.Duration{ErrServer: time.Second, ErrTimeout: time.Second, ErrNoData: time.Hour} {
		if got := whole.beside(err).ttl; got != want {
			t.Errorf("beside %v: %v", err, got)
		}
	}
}
