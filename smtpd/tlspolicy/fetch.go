package tlspolicy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"time"
)

const (
	fetchTime     = time.Minute // RFC 8461, section 3.3
	maxPolicySize = 64 << 10    // bytes
	maxAddresses  = 4           // tried
)

// fetch gets the policy of a domain over HTTPS.
func (c *Cache) fetch(ctx context.Context, domain string) (Policy, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	host := "mta-sts." + domain
	client := c.Client(ctx, host)
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/.well-known/mta-sts.txt", nil)
	if err != nil {
		return Policy{}, err
	}
	resp, err := client.Do(ask)
	if err != nil {
		return Policy{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK { // a redirect too
		return Policy{}, fmt.Errorf("%s answers %s", host, resp.Status)
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "text/plain" {
		return Policy{}, fmt.Errorf("%s sends %.80q, not text/plain", host, resp.Header.Get("Content-Type"))
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxPolicySize+1))
	if err != nil {
		return Policy{}, err
	}
	if len(text) > maxPolicySize {
		return Policy{}, fmt.Errorf("%s sends more than %d bytes", host, maxPolicySize)
	}
	p, err := parsePolicy(text)
	if err != nil {
		return Policy{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return p, nil
}

// Client speaks HTTPS with the host of a stranger, and with no other: there are no redirects and no proxies. ctx needs a deadline.
func (o *Options) Client(ctx context.Context, host string) *http.Client {
	transport := &http.Transport{
		// The transport's own context has no deadline.
		DialContext: func(context.Context, string, string) (net.Conn, error) { return o.dial(ctx, host) },
		TLSClientConfig: &tls.Config{
			RootCAs:    o.RootCAs,
			ServerName: host,
		},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxPolicySize,
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// dial connects to the HTTPS port of a host whose owner is a stranger: not to what only this machine may reach.
func (o *Options) dial(ctx context.Context, host string) (net.Conn, error) {
	addrs, err := o.Resolver.Addr(ctx, host)
	if err != nil {
		return nil, err
	}
	addrs = addrs[:min(len(addrs), maxAddresses)]
	var errs []error
	for n, ip := range addrs {
		if ip = ip.Unmap(); ip.IsLoopback() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() {
			continue
		}
		// Each address gets its share of the time that is left.
		deadline, _ := ctx.Deadline()
		try, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(addrs)-n+1))
		conn, dialErr := o.connect(try, "tcp", netip.AddrPortFrom(ip, 443).String())
		cancel()
		if dialErr == nil {
			return conn, nil
		}
		errs = append(errs, dialErr)
	}
	if len(errs) == 0 {
		return nil, fmt.Errorf("%s has no public address", host)
	}
	return nil, errors.Join(errs...)
}

// connect is Dial, or the system's.
func (o *Options) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if o.Dial != nil {
		return o.Dial(ctx, network, addr)
	}
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}
