package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
)

// world is mail hosts for the domains of all members, at port 25 of the bench's own network: one for the large provider,
// one for each ISP or company, and ten that host those who are alone at their domain.
type world struct {
	sink    *smtptest.Sink
	dns     *fakedns.Server
	trouble atomic.Bool
	silent  string // address of a host that accepts connections and says nothing while there is trouble
	mu      sync.Mutex
	held    []net.Conn // by the host that says nothing
}

// troubled is the ISP whose host says nothing.
const troubled = 3

// host returns the name and the address of the mail host of a domain.
func host(domain string) (name, addr string) {
	kind, _, _ := strings.Cut(domain, ".")
	n := 0
	switch {
	case domain == "largemail.test":
		name = "mx.largemail.test"
	case strings.HasPrefix(kind, "isp"):
		fmt.Sscanf(kind, "isp%d", &n)
		name, n = fmt.Sprintf("mx.isp%02d.test", n), n+1
	default:
		h := fnv.New32a()
		h.Write([]byte(domain))
		n = int(h.Sum32() % 10)
		name, n = fmt.Sprintf("mx.hosting%d.test", n), n+1+providers
	}
	return name, fmt.Sprintf("192.0.2.%d", firstHost+n)
}

// newWorld serves the mail hosts, and the DNS that names them as rename has it; nil leaves the names.
func (b *bench) newWorld(rename func(domain, host string) string) (*world, error) {
	text, seen := &strings.Builder{}, map[string]bool{}
	text.WriteString(records)
	for _, a := range members(b.members) {
		_, domain, _ := strings.Cut(a, "@")
		name, addr := host(domain)
		if domain == posterDomain {
			name = "mx." + posterDomain
		} else if rename != nil {
			name = rename(domain, name)
		}
		if domain != posterDomain && !seen[domain] {
			fmt.Fprintf(text, "%s. 3600 IN MX 10 %s.\n", domain, name)
		}
		if !seen[name] {
			fmt.Fprintf(text, "%s. 3600 IN A %s\n", name, addr)
		}
		seen[domain], seen[name] = true, true
	}
	zone, err := fakedns.Parse(text.String())
	if err != nil {
		return nil, err
	}
	w := &world{}
	if w.dns, err = fakedns.Serve(zone); err != nil {
		return nil, err
	}
	_, w.silent = host(fmt.Sprintf("isp%02d.example.jp", troubled))
	w.sink = smtptest.NewSink(smtptest.Config{Behave: w.behave})
	l, err := net.Listen("tcp", ":25")
	if err != nil {
		return nil, errors.Join(err, w.dns.Close())
	}
	go w.sink.Serve(worldListener{l, w}) // ends with Close
	return w, nil
}

// bench returns b with sites that deliver to the world's hosts.
func (w *world) bench(b *bench) *bench {
	own := *b
	own.direct, own.sink, own.dns = true, w.sink, w.dns
	return &own
}

// behave defers a tenth of the recipients while there is trouble, always the same.
func (w *world) behave(m smtptest.Message) smtptest.Behaviour {
	if m.Stage == smtptest.AtRcpt && w.trouble.Load() && unlucky(m.To[len(m.To)-1]) {
		return smtptest.Behaviour{Code: 451, Text: "4.2.2 Come back later"}
	}
	return smtptest.Behaviour{}
}

func unlucky(recipient string) bool {
	h := fnv.New32a()
	h.Write([]byte(recipient))
	return h.Sum32()%10 == 0
}

// reached is how many members get their copies in spite of the trouble.
func (w *world) reached(n int) (reached int) {
	for _, a := range members(n) {
		_, domain, _ := strings.Cut(a, "@")
		if _, addr := host(domain); addr != w.silent && !unlucky(a) {
			reached++
		}
	}
	return reached
}

// worldListener passes connections on to the sink, but for those to a host that says nothing.
type worldListener struct {
	net.Listener
	w *world
}

func (l worldListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		to, _, _ := net.SplitHostPort(conn.LocalAddr().String())
		if strings.TrimPrefix(to, "::ffff:") != l.w.silent || !l.w.trouble.Load() {
			return conn, nil
		}
		l.w.mu.Lock()
		l.w.held = append(l.w.held, conn) // the other side waits for a greeting
		l.w.mu.Unlock()
	}
}

// close ends the hosts and the connections that nobody answered.
func (w *world) close() {
	w.sink.Close()
	w.dns.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, conn := range w.held {
		conn.Close()
	}
}

// troubles compares posts to mail hosts directly when all is well with posts when a tenth of the recipients is deferred and one host
// says nothing: all others are to have their copies as soon as ever.
func (b *bench) troubles(ctx context.Context) error {
	w, err := b.newWorld(nil)
	if err != nil {
		return err
	}
	defer w.close()
	own := w.bench(b)
	l := b.small()
	reached := w.reached(l.members)
	var c comparison
	for range b.few() {
		w.trouble.Store(false)
		d, err := own.serve(ctx, l)
		if err != nil {
			return err
		}
		defer d.stop(syscall.SIGKILL)
		var calm cost
		for range 2 { // the first asks DNS and learns how fast the hosts are
			if calm, err = own.fanout(ctx, d, l); err != nil {
				return err
			}
		}
		w.trouble.Store(true)
		rough, err := own.spend(d, func() (time.Duration, error) { return own.arrives(ctx, d, l, reached) })
		if err != nil {
			return err
		}
		if err := d.stop(syscall.SIGKILL); err != nil { // with what waits for the next attempt
			return err
		}
		c.add(rough.per(l.members), calm.per(l.members))
	}
	b.table.add(c.row(fmt.Sprintf("direct post to %d, a tenth deferred and one host silent", l.members), l.members, l.members, "without", 1.25))
	return nil
}

// arrives posts to a list and returns the time to the n-th copy.
func (b *bench) arrives(ctx context.Context, d *daemon, l roster, n int) (time.Duration, error) {
	p, err := newPoster(ctx, d.smtp, "EHLO")
	if err != nil {
		return 0, d.failed(err, nil)
	}
	defer p.Close()
	before := b.sink.Counts().Messages
	begin, _, err := p.post(l.address)
	if err != nil {
		return 0, d.failed(err, nil)
	}
	if err := b.sink.Wait(ctx, before+int64(n)); err != nil {
		return 0, d.failed(fmt.Errorf("%d of %d copies arrived: %w", b.sink.Counts().Messages-before, n, err), nil)
	}
	took := time.Since(begin)
	b.say("  %d copies in %s, with trouble", n, short(took))
	return took, nil
}
