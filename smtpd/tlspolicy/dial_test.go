package tlspolicy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"kairan/smtpd/resolver/fakedns"
)

// A host with many addresses of which the first give no answer is reached at the fourth: each gets a fair share of the time, however many
// more there are, and addresses of this machine get none.
func TestManyAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		zone := fakedns.Must("")
		for n := range 60 {
			if err := zone.Add(fmt.Sprintf("mta-sts.example.test. A 192.0.2.%d", n)); err != nil {
				t.Fatal(err)
			}
		}
		var asked []string
		o := Options{Resolver: zone, Dial: func(ctx context.Context, _, addr string) (net.Conn, error) {
			asked = append(asked, addr)
			if end, _ := ctx.Deadline(); time.Until(end) < 5*time.Second {
				t.Errorf("%s gets %s", addr, time.Until(end))
			}
			if addr == "192.0.2.3:443" {
				here, there := net.Pipe()
				there.Close()
				return here, nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := o.dial(ctx, "mta-sts.example.test"); err != nil {
			t.Errorf("%v after %q", err, asked)
		}
		for _, own := range []string{"127.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1"} {
			o.Resolver = fakedns.Must("mta-sts.example.test. A " + own)
			o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New(own + " was asked") }
			if _, err := o.dial(ctx, "mta-sts.example.test"); err == nil || err.Error() != "mta-sts.example.test has no public address" {
				t.Errorf("%s: %v", own, err)
			}
		}
	})
}
