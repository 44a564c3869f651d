package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	listweb "kairan/list/web"
)

// OIDCConfig is a directory of the site's own by which people sign in, too (OpenID Connect). It is told https://HOST/-/login/oidc/callback, with the host of url, as the address to come back to.
type OIDCConfig struct {
	// The issuer, as it calls itself: https://id.example.jp. Empty is none.
	Issuer string `toml:"issuer"`
	// What the issuer calls this site, and a file whose first line is the secret that it gave it. A public client has none.
	ClientID         string `toml:"client_id"`
	ClientSecretFile string `toml:"client_secret_file"`
	// What the button on the sign-in page calls it. Empty is the issuer's host.
	Name string `toml:"name"`
	// Only addresses that the issuer says are verified are believed. This believes also those of which it says nothing.
	TrustEmail bool `toml:"trust_email"`
	// Domains of the addresses that it may sign in. Empty is all, the administrator's too.
	Domains []string `toml:"domains"`
}

func (o *OIDCConfig) check(bad func(key, format string, args ...any)) {
	if o.Issuer == "" {
		if o.ClientID+o.ClientSecretFile+o.Name != "" || o.TrustEmail || len(o.Domains) > 0 {
			bad("oidc.issuer", "there is none to sign in with")
		}
		return
	}
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		bad("oidc.issuer", "%q is no address such as https://id.example.jp", o.Issuer)
	}
	if o.ClientID == "" {
		bad("oidc.client_id", "the issuer needs to know which site asks")
	}
	for _, d := range o.Domains {
		if strings.ContainsAny(d, "@ /:") || !strings.Contains(d, ".") {
			bad("oidc.domains", "%q is no domain such as example.jp", d)
		}
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// directory is what the web pages need to know, nil for no directory.
func (c *Config) directory() (*listweb.OIDC, error) {
	o := c.OIDC
	if o.Issuer == "" {
		return nil, nil
	}
	d := &listweb.OIDC{Issuer: o.Issuer, ClientID: o.ClientID, Name: o.Name, TrustEmail: o.TrustEmail, Domains: o.Domains}
	if u, err := url.Parse(o.Issuer); err == nil && d.Name == "" {
		d.Name = u.Hostname()
	}
	if o.ClientSecretFile == "" {
		return d, nil
	}
	b, err := os.ReadFile(o.ClientSecretFile)
	if err != nil {
		return nil, fmt.Errorf("%s: oidc.client_secret_file: %w", c.file, err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if d.ClientSecret = strings.TrimSpace(line); d.ClientSecret == "" {
		return nil, fmt.Errorf("%s: oidc.client_secret_file: %s has no first line", c.file, o.ClientSecretFile)
	}
	return d, nil
}
