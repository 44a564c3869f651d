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

// Temporary reports whether err leaves the answer unknown.
func Temporary(err error) bool {
	return err != nil && !errors.Is(err, ErrNoDomain) && !errors.Is(err, ErrNoData)
}
