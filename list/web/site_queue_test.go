package web

import (
	"fmt"
	"slices"
	"testing"

	"kairan/smtpd/address"
	"kairan/smtpd/queue"
)

// However much waits, a page of the queue adds up no more than it may, and says so.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	read := 0
	rows := func(yield func(queue.Row) bool) {
		for n := range 1000 {
			read++
			to := []queue.Recipient{{To: address.Must(fmt.Sprintf("ann@d%d.test", n%3))}, {To: address.Must("bob@d0.test")}}
			if !yield(queue.Row{ID: queue.RowID(n + 1), Rendition: "p.x", Recipients: to}) {
				return
			}
		}
	}
	all, more := addUp(rows, "domain", 7)
	var got []string
	for _, h := range all {
		got = append(got, fmt.Sprint(h.key, " ", h.waiting))
	}
	if want := []string{"d0.test 4", "d1.test 1", "d2.test 1"}; !slices.Equal(got, want) || !more || read != 4 {
		t.Errorf("%q, more %v, %d rows read", got, more, read)
	}
	if all, more := addUp(slices.Values([]queue.Row(nil)), "post", 7); all != nil || more {
		t.Errorf("of nothing: %v, %v", all, more)
	}
}
