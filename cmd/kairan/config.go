package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/templates"
)

// Config is the site's configuration file. A site needs hostname, data, url and admin; every other key has a default.
// The comment above each field is its help: docs/config.md is made from it.
type Config struct {
	// The name this machine greets with (EHLO) and signs Authentication-Results with. It needs A or AAAA, PTR and SPF records. Lists may live in other domains.
	Hostname string `toml:"hostname"`
	// The folder that holds everything: rows, archives, keys.
	Data string `toml:"data"`
	// The public address of the web pages, as people type it.
	URL string `toml:"url"`
	// Gets mail to postmaster and abuse, and is the first administrator.
	Admin string `toml:"admin"`
	// The site's language: ja or en.
	Language string `toml:"language"`
	// The zone of dates on pages and of the archive's months.
	Timezone string `toml:"timezone"`

	SMTP     SMTPConfig     `toml:"smtp"`
	LMTP     LMTPConfig     `toml:"lmtp"`
	HTTP     HTTPConfig     `toml:"http"`
	TLS      TLSConfig      `toml:"tls"`
	OIDC     OIDCConfig     `toml:"oidc"`
	Delivery DeliveryConfig `toml:"delivery"`
	Trust    TrustConfig    `toml:"trust"`
	Limits   LimitsConfig   `toml:"limits"`
	DNS      DNSConfig      `toml:"dns"`

	file string
}

// SMTPConfig is where mail comes in.
type SMTPConfig struct {
	// Addresses to take mail at: "host:port" or "unix:PATH", one or a list.
	Listen Listen `toml:"listen"`
}

// LMTPConfig is for a mail server in front that hands mail over by LMTP (RFC 2033).
type LMTPConfig struct {
	// Addresses to take mail at by LMTP: "host:port" or "unix:PATH".
	Listen Listen `toml:"listen"`
}

// HTTPConfig is where the web pages are.
type HTTPConfig struct {
	// Addresses of the web pages: "host:port" or "unix:PATH".
	Listen Listen `toml:"listen"`
	// Networks of reverse proxies whose X-Forwarded-For is believed.
	TrustedProxies []string `toml:"trusted_proxies"`
	// How many pages of archives one client (an IPv6 /64) may read in a minute in the long run, and five times as many at once; a search counts as 5, a download as 30. Who is signed in is not counted. 0 is no limit.
	PagesPerMinute int `toml:"pages_per_minute"`
}

// TLSConfig is for STARTTLS; a changed certificate is noticed by itself.
type TLSConfig struct {
	// Certificate chain and key in PEM. Without them STARTTLS is not offered.
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
}

// DeliveryConfig is how mail goes out.
type DeliveryConfig struct {
	// The mail server that takes everything, as host:port. Empty delivers to each domain's MX.
	Smarthost string `toml:"smarthost"`
	// How the smarthost is spoken to: opportunistic (encrypted where it can be), required (STARTTLS with a valid certificate), implicit (TLS from the first byte) or none. Empty is implicit for port 465, required with a user, else opportunistic.
	SmarthostTLS string `toml:"smarthost_tls"`
	// The name to log in to the smarthost with; the first line of the file is the password. Both or neither.
	SmarthostUser         string `toml:"smarthost_user"`
	SmarthostPasswordFile string `toml:"smarthost_password_file"`
	// Next hops of some domains: "example.com" = "host:port", ".example.com" for all below it, "mx" as next hop for the domain's own MX in spite of a smarthost.
	Routes Routes `toml:"routes"`
	// Addresses to connect from, one IPv4, one IPv6 or both; a family without one is not used. Empty leaves the choice to the system.
	Source []string `toml:"source"`
	// Whether the demands of domains are looked up and kept: DANE needs a resolver that validates, see dns.validating.
	DANE   bool `toml:"dane"`
	MTASTS bool `toml:"mta_sts"`
	// Whether domains that ask for it are told once a day how TLS with their mail hosts went (TLSRPT, RFC 8460).
	TLSReports bool `toml:"tls_reports"`
	// Connections at once, in all. Without a smarthost those that wait for an answer for more than ten seconds do not count, up to as many again.
	Connections int `toml:"connections"`
	// What one provider gets: see delivery.limits.NAME.
	Limits map[string]GroupLimits `toml:"limits"`
}

// GroupLimits is what one provider gets. NAME is one of those in [delivery](delivery.md), such as google, or in quotes a group as `kairan queue ls --by group` names it, or the host of a smarthost or of a route: [delivery.limits."example.com"]. What is left out or 0 stays as it is.
type GroupLimits struct {
	// Connections at once.
	Connections int `toml:"connections,omitzero"`
	// Messages that a connection carries before it is closed.
	Messages int `toml:"messages,omitzero"`
	// Messages a second, in all; 0.5 is one every two seconds.
	Rate float64 `toml:"rate,omitzero"`
	// Copies of one post (which all have the same Message-ID) a second.
	RateOfPost float64 `toml:"rate_of_post,omitzero"`
	// Silence after it said that this is too much, such as "10m"; at least five minutes, and longer each time that comes again.
	Pause Duration `toml:"pause,omitzero"`
}

// TrustConfig says whose word is taken about where mail came from.
type TrustConfig struct {
	// Networks of relays in front of us, and of hosts whose scripts post without authentication. Who hands mail over at a unix socket is trusted always.
	Networks []string `toml:"networks"`
	// Names under which such a relay writes Authentication-Results.
	AuthservIDs []string `toml:"authserv_ids"`
}

// LimitsConfig bounds what comes in.
type LimitsConfig struct {
	// The largest message, in kilobytes.
	MessageSize int `toml:"message_size"`
	// Connections at once: in all, from one address, and from one network (/24 or /64).
	Connections       int `toml:"connections"`
	ConnectionsPerIP  int `toml:"connections_per_ip"`
	ConnectionsPerNet int `toml:"connections_per_net"`
	// What a list may have that has no quota of its own (the settings of these names): members, posts a day, megabytes of archive. 0 is no limit.
	MaxMembers     int `toml:"max_members"`
	MaxPostsPerDay int `toml:"max_posts_per_day"`
	MaxArchiveSize int `toml:"max_archive_size"`
	// Addresses and "^patterns" that may post to no list.
	BanList []string `toml:"ban_list"`
}

// DNSConfig is who answers DNS questions.
type DNSConfig struct {
	// Resolvers as host or host:port. Empty asks those of the system.
	Servers []string `toml:"servers"`
	// The resolvers validate DNSSEC, and nobody can change their answers on the way. One on a loopback address is believed without this.
	Validating bool `toml:"validating"`
}

// Listen is one address or several.
type Listen []string

// UnmarshalTOML reads a string or a list of strings.
func (l *Listen) UnmarshalTOML(v any) error {
	*l = Listen{}
	all, ok := v.([]any)
	if !ok {
		all = []any{v}
	}
	for _, v := range all {
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("%v is no address: write \"host:port\", \"unix:PATH\" or a list of them", v)
		}
		if s == "" {
			continue
		}
		if !strings.HasPrefix(s, "unix:") {
			if _, _, err := net.SplitHostPort(s); err != nil {
				return fmt.Errorf("%q is no address: write \"host:port\" or \"unix:PATH\"", s)
			}
		}
		*l = append(*l, s)
	}
	return nil
}

// defaultConfig is what holds where the file says nothing.
func defaultConfig() *Config {
	return &Config{
		Language: "ja",
		Timezone: "Asia/Tokyo",
		SMTP:     SMTPConfig{Listen: Listen{"127.0.0.1:2525"}},
		LMTP:     LMTPConfig{Listen: Listen{}},
		HTTP:     HTTPConfig{Listen: Listen{"127.0.0.1:8080"}, TrustedProxies: []string{}, PagesPerMinute: 120},
		Trust:    TrustConfig{Networks: []string{}, AuthservIDs: []string{}},
		OIDC:     OIDCConfig{Domains: []string{}},
		DNS:      DNSConfig{Servers: []string{}},
		Delivery: DeliveryConfig{Connections: 40, Source: []string{}, Limits: map[string]GroupLimits{}, DANE: true, MTASTS: true, TLSReports: true},
		Limits:   LimitsConfig{MessageSize: 30 << 10, Connections: 500, ConnectionsPerIP: 20, ConnectionsPerNet: 50, BanList: []string{}},
	}
}

// findConfig returns the file to read: the flag's, else kairan.toml here, else the one in /etc.
func findConfig(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	for _, f := range []string{"kairan.toml", "/etc/kairan/kairan.toml"} {
		if _, err := os.Stat(f); err == nil {
			return f, nil
		}
	}
	return "", errors.New("no configuration: there is neither kairan.toml here nor /etc/kairan/kairan.toml; `kairan init` makes one, -c FILE names one")
}

// loadConfig reads and checks a file. Its errors name file and line.
func loadConfig(file string) (*Config, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file; `kairan init` makes one", file)
	}
	if err != nil {
		return nil, err
	}
	return parseConfig(file, string(text))
}

// parseConfig reads and checks the text of a file. Paths in it start at the file's folder.
func parseConfig(file, text string) (*Config, error) {
	c := defaultConfig()
	c.file = file
	if err := decodeTOML(file, text, c); err != nil {
		return nil, err
	}
	var errs []error
	for _, p := range c.check() {
		errs = append(errs, fmt.Errorf("%s%s: %s", place(file, lineOf(text, p.key)), p.key, p.text))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	for _, path := range []*string{&c.Data, &c.TLS.Cert, &c.TLS.Key, &c.Delivery.SmarthostPasswordFile, &c.OIDC.ClientSecretFile} {
		if *path != "" {
			*path = inFolder(file, *path)
		}
	}
	for _, addrs := range []Listen{c.SMTP.Listen, c.LMTP.Listen, c.HTTP.Listen} {
		for i, a := range addrs {
			if path, ok := strings.CutPrefix(a, "unix:"); ok {
				addrs[i] = "unix:" + inFolder(file, path)
			}
		}
	}
	return c, nil
}

// inFolder resolves a path that a file names.
func inFolder(file, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

// problem is a key whose value cannot be.
type problem struct{ key, text string }

func (c *Config) check() (ps []problem) {
	bad := func(key, format string, args ...any) {
		ps = append(ps, problem{key, fmt.Sprintf(format, args...)})
	}
	if c.Hostname == "" || strings.ContainsAny(c.Hostname, " @/:") || !strings.Contains(c.Hostname, ".") {
		bad("hostname", "%q is no host name such as lists.example.jp", c.Hostname)
	}
	if c.Data == "" {
		bad("data", "name the folder that holds everything")
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || strings.ContainsAny(c.URL, "?#@") {
		bad("url", "%q is no address such as https://lists.example.jp (without a path)", c.URL)
	}
	if _, err := address.Parse(c.Admin); err != nil {
		bad("admin", "%v", err)
	}
	if err := templates.CheckLanguage(c.Language); err != nil {
		bad("language", "%v", err)
	}
	if _, err := time.LoadLocation(c.Timezone); err != nil {
		bad("timezone", "%v", err)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		bad("tls.cert", "cert and key are set together")
	}
	c.Delivery.check(bad)
	c.OIDC.check(bad)
	if _, err := parseNetworks(c.HTTP.TrustedProxies); err != nil {
		bad("http.trusted_proxies", "%v", err)
	}
	if _, err := parseNetworks(c.Trust.Networks); err != nil {
		bad("trust.networks", "%v", err)
	}
	if err := list.CheckPatterns(c.Limits.BanList); err != nil {
		bad("limits.ban_list", "%v", err)
	}
	for _, n := range []struct {
		key   string
		value int
	}{
		{"http.pages_per_minute", c.HTTP.PagesPerMinute},
		{"limits.max_members", c.Limits.MaxMembers},
		{"limits.max_posts_per_day", c.Limits.MaxPostsPerDay},
		{"limits.max_archive_size", c.Limits.MaxArchiveSize},
	} {
		if n.value < 0 {
			bad(n.key, "%d is negative", n.value)
		}
	}
	for _, n := range []struct {
		key   string
		value int
	}{
		{"delivery.connections", c.Delivery.Connections},
		{"limits.message_size", c.Limits.MessageSize},
		{"limits.connections", c.Limits.Connections},
		{"limits.connections_per_ip", c.Limits.ConnectionsPerIP},
		{"limits.connections_per_net", c.Limits.ConnectionsPerNet},
	} {
		if n.value < 1 {
			bad(n.key, "%d is less than 1", n.value)
		}
	}
	return ps
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 && n < 1<<16
}

// parseNetworks reads prefixes, and single addresses as prefixes of their own.
func parseNetworks(ss []string) ([]netip.Prefix, error) {
	var ps []netip.Prefix
	for _, s := range ss {
		if ip, err := netip.ParseAddr(s); err == nil {
			ps = append(ps, netip.PrefixFrom(ip, ip.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%q is no network such as 192.0.2.0/24", s)
		}
		ps = append(ps, p.Masked())
	}
	return ps, nil
}

// writeConfig prints a configuration whole.
func writeConfig(w io.Writer, c *Config) error { return toml.NewEncoder(w).Encode(c) }
