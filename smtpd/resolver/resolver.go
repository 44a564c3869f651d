package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
)

var (
	// ErrNoDomain says that the name does not exist (NXDOMAIN; RFC 8020).
	ErrNoDomain = errors.New("no such domain")
	// ErrNoData says that the name exists and has no record of that type.
	ErrNoData = errors.New("no such record")
	// Every other error is temporary: the answer is not known.

	// ErrTimeout says that no server answered in time.
	ErrTimeout = errors.New("no answer in time")
	// ErrServer says that servers answered, but not the question (SERVFAIL, REFUSED, nonsense).
	ErrServer = errors.New("server failure")
	// ErrBudget says that a [Budget] was used up before the question could be asked.
	ErrBudget = errors.New("too many DNS questions")
)

// Resolver answers the DNS questions Kairan asks. Names are fully qualified with or without
// the final dot, in A-labels. Host names in answers end in a dot.
type Resolver interface {
	// TXT returns the texts of name, the strings of each record joined.
	TXT(ctx context.Context, name string) ([]string, error)
	// MX returns the mail exchangers of name by rising preference; a null MX (RFC 7505) is the host ".".
	MX(ctx context.Context, name string) ([]*net.MX, error)
	// Addr returns the addresses of name, A before AAAA.
	Addr(ctx context.Context, name string) ([]netip.Addr, error)
	// PTR returns the names that the reverse zone gives for ip. They prove nothing until looked up.
	PTR(ctx context.Context, ip netip.Addr) ([]string, error)
}

// Validator is a Resolver that says too whether an answer is secure: whether DNSSEC (RFC 4035) validated it
// from the root down, that there is no such record or name included.
type Validator interface {
	Resolver
	// SecureMX is MX.
	SecureMX(ctx context.Context, name string) (mxs []*net.MX, secure bool, err error)
	// SecureAddr is Addr, with the name that has the addresses.
	SecureAddr(ctx context.Context, name string) (Host, error)
	// SecureTLSA returns the certificate associations of a name such as _25._tcp.mx.example.com.
	SecureTLSA(ctx context.Context, name string) (rrs []TLSA, secure bool, err error)
}

// Host is where a name leads.
type Host struct {
	// Name is the last of the aliases, or the name itself, in lower case without the final dot.
	Name string
	// Addrs are its addresses, A before AAAA.
	Addrs []netip.Addr
	// Secure reports whether all aliases and the addresses are.
	Secure bool
}

// TLSA is a certificate association (RFC 6698, section 2.1). Any of its numbers may be one that is not defined.
type TLSA struct {
	Usage, Selector, Matching uint8
	Data                      []byte
}

// Temporary reports whether err leaves the answer unknown.
func Temporary(err error) bool {
	return err != nil && !errors.Is(err, ErrNoDomain) && !errors.Is(err, ErrNoData)
}
