package resolver_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kairan/smtpd/resolver"
	"kairan/smtpd/resolver/fakedns"
)

// TestNextServer expects the second server to be asked when the first fails or says nonsense.
func TestNextServer(t *testing.T) {
	t.Parallel()
	good := serve(t, fakedns.Must(`example.test. TXT "here"`))
	closed, err := net.Listen("tcp", "127.0.0.1:0") // nothing on UDP
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed.Close() })
	for name, bad := range map[string]string{
		"servfail": serve(t, fakedns.Must("! temp example.test.")),
		"closed":   closed.Addr().String(),
	} {
		got, err := resolver.DNS([]string{bad, good}).TXT(t.Context(), "example.test")
		if err != nil || len(got) != 1 || got[0] != "here" {
			t.Errorf("%s: got %q, %v; want the second server's answer", name, got, err)
		}
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	r := resolver.DNS([]string{serve(t, fakedns.Must("! timeout slow.test."))})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := r.TXT(ctx, "slow.test"); !errors.Is(err, resolver.ErrTimeout) || !resolver.Temporary(err) {
		t.Errorf("got %v, want a timeout", err)
	}
}

// TestTruncated needs TCP: the answer does not fit a UDP packet.
func TestTruncated(t *testing.T) {
	t.Parallel()
	z := fakedns.Must("")
	for i := range 50 {
		if err := z.Add(fmt.Sprintf("big.test. TXT \"%02d %s\"", i, strings.Repeat("x", 200))); err != nil {
			t.Fatal(err)
		}
	}
	got, err := resolver.DNS([]string{serve(t, z)}).TXT(t.Context(), "big.test")
	if err != nil || len(got) != 50 {
		t.Errorf("got %d texts, %v; want 50", len(got), err)
	}
}

func TestCacheLifetime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := fakedns.Must("example.test. TXT one\n! temp broken.test.")
		c := resolver.Cache(z, 100)
		asked := func(n int) {
			t.Helper()
			for _, name := range []string{"example.test", "gone.test"} {
				c.TXT(t.Context(), name)
			}
			if got := len(z.Questions()); got != n {
				t.Errorf("%d questions after %v, want %d", got, time.Now(), n)
			}
		}
		asked(2)
		asked(2)
		time.Sleep(4 * time.Minute)
		asked(2)
		time.Sleep(2 * time.Minute)
		asked(4)
		c.TXT(t.Context(), "broken.test")
		c.TXT(t.Context(), "broken.test")
		asked(6)
	})
}

func TestCacheBound(t *testing.T) {
	t.Parallel()
	z := fakedns.Must("")
	c := resolver.Cache(z, 10)
	ask := func(name string) { c.TXT(t.Context(), name) }
	for i := range 100 {
		ask(fmt.Sprintf("n%d.test", i))
		ask("often.test")
	}
	if got := len(z.Questions()); got != 101 {
		t.Errorf("%d questions, want 101: what is asked often stays", got)
	}
	ask("n0.test")
	if got := len(z.Questions()); got != 102 {
		t.Errorf("%d questions, want 102: the first was forgotten", got)
	}
}

func TestCacheKeepsNothingLarge(t *testing.T) {
	t.Parallel()
	z := fakedns.Must("")
	for range 30 {
		if err := z.Add(`big.test. TXT "` + strings.Repeat("x", 250) + `"`); err != nil {
			t.Fatal(err)
		}
	}
	c := resolver.Cache(z, 10)
	c.TXT(t.Context(), "big.test")
	c.TXT(t.Context(), "big.test")
	if got := len(z.Questions()); got != 2 {
		t.Errorf("%d questions, want 2", got)
	}
}

// TestCacheOwnership changes an answer and expects the next one unharmed.
func TestCacheOwnership(t *testing.T) {
	t.Parallel()
	c := resolver.Cache(fakedns.Must("example.test. MX 10 mx.test."), 10)
	first, _ := c.MX(t.Context(), "example.test")
	first[0].Host = "evil.test."
	if second, _ := c.MX(t.Context(), "example.test"); second[0].Host != "mx.test." {
		t.Errorf("got %q", second[0].Host)
	}
}

// gate holds every question until it is opened.
type gate struct {
	*fakedns.Zone
	open chan struct{}
}

func (g gate) TXT(ctx context.Context, name string) ([]string, error) {
	select {
	case <-g.open:
		return g.Zone.TXT(ctx, name)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestSingleFlight lets many ask the same at once, the first of whom gives up.
func TestSingleFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate{fakedns.Must("example.test. TXT here"), make(chan struct{})}
		c := resolver.Cache(g, 10)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.TXT(impatient, "example.test"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the impatient one got %v", err)
			}
		})
		synctest.Wait()
		for range 20 {
			wg.Go(func() {
				if got, err := c.TXT(t.Context(), "example.test"); err != nil || got[0] != "here" {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		time.Sleep(2 * time.Second)
		close(g.open)
		wg.Wait()
		if got := g.Questions(); len(got) != 1 {
			t.Errorf("asked %q, want one question", got)
		}
	})
}

func TestBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := fakedns.Must("a.test. TXT a\n1.2.0.192.in-addr.arpa. PTR a.test.")
		b := resolver.Budget(resolver.Cache(z, 10), 3, 20*time.Second)
		for _, name := range []string{"a.test", "A.test.", "b.test", "c.test", "a.test"} {
			if _, err := b.TXT(t.Context(), name); resolver.Temporary(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := b.TXT(t.Context(), "d.test"); !errors.Is(err, resolver.ErrBudget) || !resolver.Temporary(err) {
			t.Errorf("fourth name: %v, want ErrBudget", err)
		}
		if _, err := b.PTR(t.Context(), netip.MustParseAddr("192.0.2.1")); !errors.Is(err, resolver.ErrBudget) {
			t.Errorf("PTR: %v, want ErrBudget", err)
		}
		time.Sleep(21 * time.Second)
		if _, err := b.TXT(t.Context(), "a.test"); !errors.Is(err, resolver.ErrTimeout) {
			t.Errorf("after 21 s: %v, want ErrTimeout", err)
		}
	})
}
