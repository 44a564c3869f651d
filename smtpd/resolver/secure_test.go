package resolver_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/resolver"
	"kairan/smtpd/resolver/fakedns"
)

const signedZone = `
signed.test.              MX    10 mx.signed.test.
mx.signed.test.           A     192.0.2.1
_25._tcp.mx.signed.test.  TLSA  3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
alias.signed.test.        CNAME mx.signed.test.
out.signed.test.          CNAME mx.open.test.
open.test.                MX    10 mx.signed.test.
mx.open.test.             A     192.0.2.2
! secure signed.test.
! temp TLSA _25._tcp.bogus.signed.test.
`

// TestSecure asks the same of the zone, over the wire and through the cache, and again for answers that are remembered.
func TestSecure(t *testing.T) {
	t.Parallel()
	z := fakedns.Must(signedZone)
	wire := resolver.DNS([]string{serve(t, z)})
	for name, r := range map[string]resolver.Validator{"zone": z, "wire": wire, "cache": resolver.Cache(wire, 100), "zone in a cache": resolver.Cache(z, 100)} {
		for range 2 {
			want := []string{
				"MX signed.test 1 true false", "MX mx.signed.test 0 true true", "MX gone.signed.test 0 true true", "MX open.test 1 false false",
				"Addr mx.signed.test mx.signed.test true", "Addr alias.signed.test mx.signed.test true",
				"Addr out.signed.test mx.open.test false", "Addr mx.open.test mx.open.test false",
				"TLSA mx.signed.test 1 true false", "TLSA alias.signed.test 0 true false", "TLSA mx.open.test 0 false false", "TLSA bogus.signed.test 0 false true",
			}
			if d := cmp.Diff(want, secureAnswers(t, r)); d != "" {
				t.Errorf("%s: -want +got:\n%s", name, d)
			}
		}
	}
	rrs, _, err := wire.SecureTLSA(t.Context(), "_25._tcp.mx.signed.test")
	if err != nil || len(rrs) != 1 || rrs[0].Usage != 3 || rrs[0].Selector != 1 || rrs[0].Matching != 1 || len(rrs[0].Data) != 32 {
		t.Errorf("got %v, %v", rrs, err)
	}
}

func secureAnswers(t *testing.T, r resolver.Validator) (got []string) {
	for _, name := range []string{"signed.test", "mx.signed.test", "gone.signed.test", "open.test"} {
		mxs, secure, err := r.SecureMX(t.Context(), name)
		got = append(got, fmt.Sprint("MX ", name, " ", len(mxs), " ", secure, " ", err != nil))
	}
	for _, name := range []string{"mx.signed.test", "alias.signed.test", "out.signed.test", "mx.open.test"} {
		h, err := r.SecureAddr(t.Context(), name)
		if err != nil || len(h.Addrs) != 1 {
			t.Errorf("%s: got %v, %v", name, h, err)
		}
		got = append(got, fmt.Sprint("Addr ", name, " ", h.Name, " ", h.Secure))
	}
	for _, name := range []string{"mx.signed.test", "alias.signed.test", "mx.open.test", "bogus.signed.test"} {
		rrs, secure, err := r.SecureTLSA(t.Context(), "_25._tcp."+name)
		got = append(got, fmt.Sprint("TLSA ", name, " ", len(rrs), " ", secure, " ", resolver.Temporary(err)))
	}
	return got
}

// TestBelievedServers expects the word of a server elsewhere to count only where the operator says so. The address is that of
// the loopback interface as seen through a name.
func TestBelievedServers(t *testing.T) {
	t.Parallel()
	at := serve(t, fakedns.Must(signedZone))
	elsewhere := "localhost" + at[slices.Index([]byte(at), ':'):]
	for want, r := range map[bool]resolver.Validator{
		false: resolver.DNS([]string{elsewhere}),
		true:  resolver.Validating([]string{elsewhere}),
	} {
		if _, secure, err := r.SecureMX(t.Context(), "signed.test"); secure != want || err != nil {
			t.Errorf("secure is %t, %v; want %t", secure, err, want)
		}
	}
}
