package tlsreport

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/resolver/fakedns"
)

// What strangers make us count, and where they make us send, is bounded.
func TestBoundsOfStrangers(t *testing.T) {
	t.Parallel()
	var rua []string
	for n := range 8 {
		rua = append(rua, fmt.Sprintf("mailto:r%d@x.test", n))
	}
	r := New(Options{Resolver: fakedns.Must(`_smtp._tls.x.test. TXT "v=TLSRPTv1; rua=` + strings.Join(rua, ",") + `"`)})
	if uris, err := r.wanted(t.Context(), "x.test"); err != nil || len(uris) != maxURIs {
		t.Errorf("%q, %v", uris, err)
	}
	for n := range maxDomains + 10 {
		r.Count(fmt.Sprintf("d%d.test", n), tlsrpt.Result{})
	}
	r.Count(strings.Repeat("x", 256), tlsrpt.Result{})
	if len(r.pending) != maxDomains {
		t.Errorf("%d domains are counted", len(r.pending))
	}
}
