package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/queue"
	"kairan/smtpd/resolver"
	"kairan/smtpd/tlspolicy"
)

// target is an address of a host, and how to speak to it.
type target struct {
	host, addr string
	domain     string
	hop        bool // a smarthost or a route: a group of its own
	login      Login
	demand
}

// endpoint names the connections that domains with the same mail host may share, "" for none: those of a domain that demands nothing
// of its own. What DANE and MTA-STS ask for is the domain's, and a session under such a policy is its to count.
func (t target) endpoint() string {
	if t.hop || t.TLSPolicy != Opportunistic || t.trial {
		return ""
	}
	return t.host + " " + t.addr
}

// demand is what a connection must fulfil.
type demand struct {
	TLSPolicy
	name   string                          // of the host, to ask for in the handshake
	verify func(tls.ConnectionState) error // takes the place of the usual check of certificates; nil leaves it
	by     string                          // who else than we demands it, ""
	trial  bool                            // what is demanded shall only be reported: MTA-STS in mode testing
	policy tlsrpt.ResultPolicy             // that a session counts under; the zero one is not counted
}

// tlsError is what stands in the way of encryption, or of knowing with whom.
type tlsError struct{ error }

func (e *tlsError) Unwrap() error { return e.error }

func (d demand) failed(err error) error {
	if d.by != "" {
		err = fmt.Errorf("%s is not fulfilled: %w", d.by, err)
	}
	return &tlsError{err}
}

func (r *Relay) tlsConfig(t target) *tls.Config {
	cfg := r.TLSConfig.Clone()
	cfg.ServerName = t.name
	if net.ParseIP(t.name) != nil && t.TLSPolicy == Opportunistic {
		cfg.ServerName = ""
	}
	cfg.InsecureSkipVerify = cfg.InsecureSkipVerify || t.TLSPolicy == Opportunistic || t.verify != nil
	cfg.VerifyConnection = t.verify
	return cfg
}

// asked is what a domain asks of who delivers to it.
type asked struct {
	domain string
	secure bool // its MX records are
	policy tlspolicy.Policy
}

// asked looks for the MTA-STS policy of a domain.
func (r *Relay) asked(ctx context.Context, domain string, secure bool) (asked, queue.Outcome) {
	a := asked{domain: domain, secure: secure}
	if r.STS == nil {
		return a, queue.Outcome{}
	}
	var err error
	if a.policy, err = r.STS.Policy(ctx, domain); err != nil {
		r.Log.Error("relay", "domain", domain, "err", err, "then", "will be tried again")
		return a, ourTrouble("4.3.0", "", "the MTA-STS policy of "+domain+" could not be looked up here")
	}
	if t := a.policy.Trouble; t != nil {
		r.counted(domain, stsPolicy(domain, tlspolicy.Policy{}), "", fetchFailureOf(t), "")
	}
	return a, queue.Outcome{}
}

// demands is what a connection to a host must fulfil, or why the host cannot be used. DANE goes before MTA-STS (RFC 8461, section 2).
func (r *Relay) demands(ctx context.Context, a asked, host string, found resolver.Host) (demand, queue.Outcome) {
	var pins tlspolicy.Pins
	if !r.NoDANE && a.secure && found.Secure {
		var err error
		if pins, err = tlspolicy.FindPins(ctx, r.Resolver, host, found); err != nil {
			r.counted(a.domain, danePolicy(host, nil), host, tlsrpt.ResultDNSSECInvalid, "")
			return demand{}, noReply(queue.Deferred, "4.7.5", host, "the TLSA records of "+host+" cannot be found now, so it is not to be used (DANE)")
		}
	}
	enforced := a.policy.Mode == tlspolicy.Enforce
	if pins.Exist() && (len(pins.Records) > 0 || !enforced) {
		policy := danePolicy(pins.Base, pins.Records)
		if len(pins.Records) == 0 {
			r.counted(a.domain, policy, host, tlsrpt.ResultTLSAInvalid, "")
			policy = noPolicy(a.domain)
		}
		verify := func(cs tls.ConnectionState) error { return pins.Verify(cs, []string{host, a.domain}) }
		return demand{TLSPolicy: Required, name: pins.Base, verify: verify, by: "DANE for " + host, policy: policy}, queue.Outcome{}
	}
	if a.policy.Mode == "" {
		return demand{name: host, policy: noPolicy(a.domain)}, queue.Outcome{}
	}
	sts := stsPolicy(a.domain, a.policy)
	switch matches := a.policy.Matches(host); {
	case !matches:
		r.counted(a.domain, sts, host, tlsrpt.ResultValidationFailure, "sts-mx-mismatch")
		if !enforced {
			return demand{name: host}, queue.Outcome{}
		}
		return demand{}, noReply(queue.Deferred, "4.7.5", host, "the MTA-STS policy of "+a.domain+" does not name the mail host "+host)
	case enforced:
		return demand{TLSPolicy: Required, name: host, by: "the MTA-STS policy of " + a.domain, policy: sts}, queue.Outcome{}
	}
	return demand{name: host, trial: true, policy: sts}, queue.Outcome{}
}
