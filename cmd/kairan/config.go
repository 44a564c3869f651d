package main

import (
	"cmp"
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

	"kairan/smtpd/address"
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
	// Connections at once, in all.
	Connections int `toml:"connections"`
}

// TrustConfig says whose word is taken about where mail came from.
type TrustConfig struct {
	// Networks of relays in front of us, and of hosts whose scripts post without authentication.
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
	// Addresses and "^patterns" that may post to no list.
	BanList []string `toml:"ban_list"`
}

// DNSConfig is who answers DNS questions.
type DNSConfig struct {
	// Resolvers as host or host:port. Empty asks those of the system.
	Servers []string `toml:"servers"`
}

// Listen is one address or several.
type Listen []string

// UnmarshalTOML reads a string or a list of strings.
func (l *Listen) UnmarshalTOML(v any) error {
	*l = nil
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, v := range list {
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
		HTTP:     HTTPConfig{Listen: Listen{"127.0.0.1:8080"}},
		Delivery: DeliveryConfig{Connections: 20},
		Limits:   LimitsConfig{MessageSize: 30 << 10, Connections: 500, ConnectionsPerIP: 20, ConnectionsPerNet: 50},
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
	c := defaultConfig()
	c.file = file
	md, err := toml.Decode(string(text), c)
	var pe toml.ParseError
	if errors.As(err, &pe) {
		return nil, fmt.Errorf("%s:%d: %s", file, pe.Position.Line, cmp.Or(pe.Message, err.Error()))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if unknown := md.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s:%d: unknown key %q", file, lineOf(string(text), unknown[0]), unknown[0].String())
	}
	if problems := c.check(); len(problems) > 0 {
		var errs []error
		for _, p := range problems {
			errs = append(errs, fmt.Errorf("%s:%d: %s: %s", file, lineOf(string(text), toml.Key(strings.Split(p.key, "."))), p.key, p.text))
		}
		return nil, errors.Join(errs...)
	}
	if !filepath.IsAbs(c.Data) {
		c.Data = filepath.Join(filepath.Dir(file), c.Data)
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	return c, nil
}

// lineOf finds the line on which a key is set, 1 if it is not.
func lineOf(text string, key toml.Key) int {
	section := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if s, ok := strings.CutPrefix(line, "["); ok {
			section, _, _ = strings.Cut(s, "]")
			if section == key.String() {
				return i + 1
			}
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		name = strings.Trim(strings.TrimSpace(name), `"`)
		if section != "" {
			name = section + "." + name
		}
		if ok && name == key.String() {
			return i + 1
		}
	}
	return 1
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
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		bad("url", "%q is no address such as https://lists.example.jp (without a path)", c.URL)
	}
	if _, err := address.Parse(c.Admin); err != nil {
		bad("admin", "%v", err)
	}
	if c.Language != "ja" && c.Language != "en" {
		bad("language", "%q is neither ja nor en", c.Language)
	}
	if _, err := time.LoadLocation(c.Timezone); err != nil {
		bad("timezone", "%v", err)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		bad("tls.cert", "cert and key are set together")
	}
	if c.Delivery.Smarthost != "" {
		if _, port, err := net.SplitHostPort(c.Delivery.Smarthost); err != nil || !isPort(port) {
			bad("delivery.smarthost", "%q is not host:port", c.Delivery.Smarthost)
		}
	}
	for key, nets := range map[string][]string{"trust.networks": c.Trust.Networks, "http.trusted_proxies": c.HTTP.TrustedProxies} {
		if _, err := parseNetworks(nets); err != nil {
			bad(key, "%v", err)
		}
	}
	for key, n := range map[string]int{
		"delivery.connections": c.Delivery.Connections, "limits.message_size": c.Limits.MessageSize,
		"limits.connections": c.Limits.Connections, "limits.connections_per_ip": c.Limits.ConnectionsPerIP, "limits.connections_per_net": c.Limits.ConnectionsPerNet,
	} {
		if n < 1 {
			bad(key, "%d is less than 1", n)
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
