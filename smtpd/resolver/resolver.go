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
)

// Resolver answers the DNS questions Kairan asks. Names are fully qualified with or without
// the final dot, in A-labels.
type Resolver interface {
	TXT(ctx context.Context, name string) ([]string, error)
	MX(ctx context.Context, name string) ([]*net.MX, error)
	Addr(ctx context.Context, name string) ([]netip.Addr, error) // A and AAAA
	PTR(ctx context.Context, ip netip.Addr) ([]string, error)
}

// Temporary reports whether err leaves the answer unknown.
func Temporary(err error) bool {
	return err != nil && !errors.Is(err, ErrNoDomain) && !errors.Is(err, ErrNoData)
}
