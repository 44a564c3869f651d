package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"

	"kairan/smtpd/queue"
)

// sharedCopies posts straight to mail hosts where the ISPs are customers of providers without one-click unsubscription, and the
// list lets their readers share a copy: 45 % of the members. Those at the large provider and those alone at their domain, of
// whom nobody knows, have copies of their own, and each of these a signature.
func (b *bench) sharedCopies(ctx context.Context) error {
	providers := withoutOneClick()
	w, err := b.newWorld(func(domain, host string) string {
		n := 0
		if _, err := fmt.Sscanf(domain, "isp%d.", &n); err != nil {
			return host
		}
		return fmt.Sprintf("mx%02d.%s", n, providers[n%len(providers)].Groups[0])
	})
	if err != nil {
		return err
	}
	defer w.close()
	own, l := w.bench(b), b.small()
	var names []string
	for _, p := range providers { // what is measured is kairan, not their pace
		names = append(names, fmt.Sprintf("%q", p.Name))
		own.limits += fmt.Sprintf("[delivery.limits.%q]\nconnections = 4\nmessages = 1000\nrate = 1e6\nrate_of_post = 1e6\n", p.Name)
	}
	l.set = []string{"shared_copies=[" + strings.Join(names, ", ") + "]"}
	d, err := own.serve(ctx, l)
	if err != nil {
		return err
	}
	defer d.stop(syscall.SIGKILL)
	for range 2 { // as with trouble
		if _, err := own.fanout(ctx, d, l); err != nil {
			return err
		}
	}
	b.size = own.size
	personal := personalCopies(members(l.members))
	var c comparison
	for range b.runs {
		send, rsa, err := b.floor(ctx, l.members, personal)
		if err != nil {
			return err
		}
		t, err := own.fanout(ctx, d, l)
		if err != nil {
			return err
		}
		c.add(t.per(l.members), send.plus(rsa).per(l.members))
	}
	floor := fmt.Sprintf("send + RSA for the %.0f %% that are personal", 100*float64(personal)/float64(l.members))
	b.table.add(c.row(fmt.Sprintf("direct post to %d, shared copies", l.members), l.members, l.members, floor, 1.25))
	return d.stop(syscall.SIGTERM)
}

func withoutOneClick() (some []queue.Provider) {
	for _, p := range queue.Providers() {
		if p.NoOneClick {
			some = append(some, p)
		}
	}
	return some
}

// personalCopies counts those who are not at an ISP.
func personalCopies(all []string) (n int) {
	for _, a := range all {
		if !strings.Contains(a, "@isp") {
			n++
		}
	}
	return n
}
