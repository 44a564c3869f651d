package relay

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/resolver"
	"kairan/smtpd/tlspolicy"
)

// Sessions to the mail hosts of domains are counted for the reports that domains may want (RFC 8460, section 4): one for each
// connection that came as far as TLS could have been begun. Options.Sessions gets them.

// policyOf is what a session counts under.
func policyOf(kind tlsrpt.PolicyType, domain string, lines, hosts []string) tlsrpt.ResultPolicy {
	return tlsrpt.ResultPolicy{Type: kind, String: slices.Concat([]string{}, lines), Domain: domain, MXHost: slices.Concat([]string{}, hosts)}
}

func noPolicy(domain string) tlsrpt.ResultPolicy {
	return policyOf(tlsrpt.NoPolicyFound, domain, nil, nil)
}

func stsPolicy(domain string, p tlspolicy.Policy) tlsrpt.ResultPolicy {
	if p.Mode == "" {
		return policyOf(tlsrpt.STS, domain, nil, nil)
	}
	return policyOf(tlsrpt.STS, domain, p.Lines(), p.MX)
}

func danePolicy(base string, records []resolver.TLSA) tlsrpt.ResultPolicy {
	var lines []string
	for _, rr := range records {
		lines = append(lines, fmt.Sprintf("%d %d %d %x", rr.Usage, rr.Selector, rr.Matching, rr.Data))
	}
	slices.Sort(lines)
	return policyOf(tlsrpt.TLSA, base, lines, nil)
}

// counted notes a session with the mail hosts of a domain that came to an end before it began.
func (r *Relay) counted(domain string, policy tlsrpt.ResultPolicy, host string, kind tlsrpt.ResultType, reason string) {
	if r.Sessions == nil {
		return
	}
	details := tlsrpt.Details(kind, reason)
	details.ReceivingMXHostname = host
	r.Sessions(domain, tlsrpt.Result{Policy: policy, Summary: tlsrpt.Summary{TotalFailureSessionCount: 1}, FailureDetails: []tlsrpt.FailureDetails{details}})
}

// session is one connection as the reports see it.
type session struct {
	*Relay
	target
	nc    net.Conn
	doubt error // what would stand in the way, if the domain's policy were not on trial
}

// errNoSTARTTLS says that a host does not know it.
var errNoSTARTTLS = errors.New("no STARTTLS")

// ended counts the session, after TLS was begun (encrypted), or with what stood in its way. Other errors, of the network or of
// SMTP, are nothing about TLS.
func (s *session) ended(encrypted bool, err error) {
	if s.Sessions == nil || s.policy.Type == "" {
		return
	}
	result := tlsrpt.Result{Policy: s.policy}
	failed, about := errors.AsType[*tlsError](err)
	switch {
	case encrypted && s.doubt == nil && !about:
		result.Summary.TotalSuccessfulSessionCount = 1
	case !about && s.doubt == nil:
		return
	default:
		why := s.doubt
		if about {
			why = failed
		}
		details := tlsrpt.Details(failureOf(why))
		details.ReceivingMXHostname = s.host
		details.SendingMTAIP, _, _ = net.SplitHostPort(s.nc.LocalAddr().String())
		details.ReceivingIP, _, _ = net.SplitHostPort(s.addr)
		result.Summary.TotalFailureSessionCount = 1
		result.FailureDetails = []tlsrpt.FailureDetails{details}
	}
	s.Sessions(s.domain, result)
}

// failureOf is the name of a failure in reports (RFC 8460, section 4.3).
func failureOf(err error) (tlsrpt.ResultType, string) {
	_, refused := errors.AsType[*refusal](err)
	switch {
	case refused, errors.Is(err, errNoSTARTTLS):
		return tlsrpt.ResultSTARTTLSNotSupported, ""
	case errors.Is(err, tlspolicy.ErrNoMatch):
		return tlsrpt.ResultValidationFailure, "tlsa-no-match"
	}
	return tlsrpt.TLSFailureDetails(err)
}

// fetchFailureOf is the name of what stood in the way of an MTA-STS policy.
func fetchFailureOf(err error) tlsrpt.ResultType {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, tlspolicy.ErrInvalid):
		return tlsrpt.ResultSTSPolicyInvalid
	case certificate:
		return tlsrpt.ResultSTSWebPKIInvalid
	}
	return tlsrpt.ResultSTSPolicyFetch
}

// watch makes a configuration look at the certificate as if it counted, and go on.
func (s *session) watch(cfg *tls.Config) {
	cfg.VerifyConnection = func(cs tls.ConnectionState) error {
		o := x509.VerifyOptions{DNSName: s.name, Roots: cfg.RootCAs, Intermediates: x509.NewCertPool()}
		for _, c := range cs.PeerCertificates[min(1, len(cs.PeerCertificates)):] {
			o.Intermediates.AddCert(c)
		}
		if len(cs.PeerCertificates) == 0 {
			s.doubt = errors.New("the server shows no certificate")
		} else if _, err := cs.PeerCertificates[0].Verify(o); err != nil {
			s.doubt = err
		}
		return nil
	}
}
