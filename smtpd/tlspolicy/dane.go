package tlspolicy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"kairan/smtpd/resolver"
)

// The numbers of RFC 6698, section 7, that SMTP uses (RFC 7672, section 3.1).
const (
	usageTA = 2 // a certificate authority of the host's own
	usageEE = 3 // the host's certificate

	selectCert = 0
	selectKey  = 1

	matchFull   = 0
	matchSHA256 = 1
	matchSHA512 = 2
)

const maxRecords = 32 // TLSA records of a host looked at

// Pins are what DANE says about a host: the zero Pins say nothing.
type Pins struct {
	// Base is the name whose TLSA records they are: the one to ask for (SNI).
	Base string
	// Records are those that can be used. Without any the connection must be encrypted, but cannot be authenticated
	// (RFC 7672, section 2.2).
	Records []resolver.TLSA
}

// Exist reports whether the host has TLSA records, so that TLS is a must.
func (p Pins) Exist() bool { return p.Base != "" }

// FindPins looks for the TLSA records of a host whose addresses are secure, as found, at the name it finally has or else at
// its own. An error leaves open whether there are any: such a host is not to be used now (RFC 7672, section 2.1.1).
func FindPins(ctx context.Context, r resolver.Validator, host string, found resolver.Host) (Pins, error) {
	for _, base := range slices.Compact([]string{found.Name, host}) {
		rrs, secure, err := r.SecureTLSA(ctx, "_25._tcp."+base)
		if resolver.Temporary(err) {
			return Pins{}, err
		}
		if err == nil && secure && len(rrs) > 0 {
			return Pins{Base: base, Records: strongest(slices.DeleteFunc(rrs[:min(len(rrs), maxRecords)], unusable))}, nil
		}
	}
	return Pins{}, nil
}

func unusable(rr resolver.TLSA) bool {
	if rr.Usage != usageTA && rr.Usage != usageEE || rr.Selector > selectKey {
		return true
	}
	switch rr.Matching {
	case matchFull:
		var err error
		if rr.Selector == selectCert {
			_, err = x509.ParseCertificate(rr.Data)
		} else {
			_, err = x509.ParsePKIXPublicKey(rr.Data)
		}
		return err != nil
	case matchSHA256:
		return len(rr.Data) != sha256.Size
	case matchSHA512:
		return len(rr.Data) != sha512.Size
	}
	return true
}

// strongest leaves out the SHA-256 digests where there are SHA-512 ones of the same kind (RFC 7671, section 9).
func strongest(rrs []resolver.TLSA) []resolver.TLSA {
	all := slices.Clone(rrs)
	return slices.DeleteFunc(rrs, func(rr resolver.TLSA) bool {
		return rr.Matching == matchSHA256 && slices.ContainsFunc(all, func(other resolver.TLSA) bool {
			return other.Matching == matchSHA512 && other.Usage == rr.Usage && other.Selector == rr.Selector
		})
	})
}

// Verify checks the certificates that a server showed. names are those that a certificate of the host's own authority
// may be for, Base apart (RFC 7672, section 3.2.2); with usage 3 names and dates do not count.
func (p Pins) Verify(cs tls.ConnectionState, names []string) error {
	if len(p.Records) == 0 {
		return nil
	}
	if len(cs.PeerCertificates) == 0 {
		return errors.New("the server shows no certificate")
	}
	var why error
	for _, rr := range p.Records {
		if rr.Usage == usageEE {
			if matches(rr, cs.PeerCertificates[0]) {
				return nil
			}
			continue
		}
		if err := underAnchor(rr, cs.PeerCertificates, append([]string{p.Base}, names...)); err == nil {
			return nil
		} else if !errors.Is(err, errNoAnchor) {
			why = err
		}
	}
	if why != nil {
		return fmt.Errorf("the certificate under a TLSA record of %s: %w", p.Base, why)
	}
	return fmt.Errorf("%w of %s", ErrNoMatch, p.Base)
}

func matches(rr resolver.TLSA, cert *x509.Certificate) bool {
	data := cert.Raw
	if rr.Selector == selectKey {
		data = cert.RawSubjectPublicKeyInfo
	}
	switch rr.Matching {
	case matchSHA256:
		sum := sha256.Sum256(data)
		data = sum[:]
	case matchSHA512:
		sum := sha512.Sum512(data)
		data = sum[:]
	}
	return bytes.Equal(data, rr.Data)
}

// ErrNoMatch says that a host shows another certificate or key than DANE says.
var ErrNoMatch = errors.New("no certificate matches the TLSA records")

var errNoAnchor = errors.New("no such authority")

// underAnchor checks that the chain ends at the authority that the record names, for one of the names.
func underAnchor(rr resolver.TLSA, chain []*x509.Certificate, names []string) error {
	anchors, between := x509.NewCertPool(), x509.NewCertPool()
	found := false
	for _, cert := range chain {
		if matches(rr, cert) {
			anchors.AddCert(cert)
			found = true
		} else {
			between.AddCert(cert)
		}
	}
	if rr.Selector == selectCert && rr.Matching == matchFull && !found { // the server need not send it
		if cert, err := x509.ParseCertificate(rr.Data); err == nil {
			anchors.AddCert(cert)
			found = true
		}
	}
	if !found {
		return errNoAnchor
	}
	var err error
	for _, name := range names {
		if _, err = chain[0].Verify(x509.VerifyOptions{DNSName: name, Roots: anchors, Intermediates: between}); err == nil {
			return nil
		}
	}
	return err
}
