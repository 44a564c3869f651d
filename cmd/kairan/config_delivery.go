package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/queue"
	"kairan/smtpd/relay"
	"kairan/smtpd/resolver"
	"kairan/smtpd/tlspolicy"
	"kairan/smtpd/tlsreport"
	"kairan/storage"
)

// Routes are next hops by domain.
type Routes map[string]string

// Duration is a time such as "90s", "10m" or "2h".
type Duration time.Duration

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	t, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no time such as 10m", text)
	}
	*d = Duration(t)
	return nil
}

// MarshalText writes it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// tlsPolicies are the words of delivery.smarthost_tls.
var tlsPolicies = map[string]relay.TLSPolicy{
	"opportunistic": relay.Opportunistic,
	"required":      relay.Required,
	"implicit":      relay.Implicit,
	"none":          relay.Plain,
}

// tlsPolicy is how the smarthost is spoken to.
func (d *DeliveryConfig) tlsPolicy() relay.TLSPolicy {
	if d.SmarthostTLS != "" {
		return tlsPolicies[d.SmarthostTLS]
	}
	switch _, port, _ := net.SplitHostPort(d.Smarthost); {
	case port == "465":
		return relay.Implicit
	case d.SmarthostUser != "":
		return relay.Required
	}
	return relay.Opportunistic
}

func (d *DeliveryConfig) check(bad func(key, format string, args ...any)) {
	if d.Smarthost != "" && !isHostPort(d.Smarthost) {
		bad("delivery.smarthost", "%q is not host:port", d.Smarthost)
	}
	if d.Smarthost == "" && d.SmarthostTLS+d.SmarthostUser != "" {
		bad("delivery.smarthost", "there is none to speak TLS or log in to")
	}
	if _, ok := tlsPolicies[d.SmarthostTLS]; !ok && d.SmarthostTLS != "" {
		bad("delivery.smarthost_tls", "%q is not opportunistic, required, implicit or none", d.SmarthostTLS)
	} else if p := d.tlsPolicy(); d.SmarthostUser != "" && p != relay.Required && p != relay.Implicit {
		bad("delivery.smarthost_tls", "a password is only said over TLS that is required or implicit")
	}
	if (d.SmarthostUser == "") != (d.SmarthostPasswordFile == "") {
		bad("delivery.smarthost_user", "smarthost_user and smarthost_password_file are set together")
	}
	if _, err := d.routes(); err != nil {
		bad("delivery.routes", "%v", err)
	} else {
		d.checkLimits(bad)
	}
	if _, err := d.sources(); err != nil {
		bad("delivery.source", "%v", err)
	}
}

func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && host != "" && isPort(port)
}

// routes are the routes with their domains in lower case and A-labels.
func (d *DeliveryConfig) routes() (map[string]string, error) {
	routes := map[string]string{}
	for key, hop := range d.Routes {
		name, below := strings.CutPrefix(key, ".")
		domain, err := parseDomain(name)
		if err != nil {
			return nil, err
		}
		if hop != "mx" && !isHostPort(hop) {
			return nil, fmt.Errorf("%q for %s is neither host:port nor mx", hop, key)
		}
		if below {
			domain = "." + domain
		}
		routes[domain] = hop
	}
	return routes, nil
}

// sources are the addresses to connect from, at most one of a family.
func (d *DeliveryConfig) sources() (ips []netip.Addr, err error) {
	for _, s := range d.Source {
		ip, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("%q is no address such as 192.0.2.1", s)
		}
		ip = ip.Unmap()
		if len(ips) == 2 || len(ips) == 1 && ips[0].Is4() == ip.Is4() {
			return nil, fmt.Errorf("%s is one too many of its family", ip)
		}
		ips = append(ips, ip)
	}
	return ips, nil
}

// checkLimits checks the limits of groups.
func (d *DeliveryConfig) checkLimits(bad func(key, format string, args ...any)) {
	for _, name := range slices.Sorted(maps.Keys(d.Limits)) {
		key := "delivery.limits." + name
		if _, err := d.groupNamed(name); err != nil {
			bad(key, "%v", err)
		}
		l := d.Limits[name]
		for _, v := range []struct {
			key   string
			value float64
			most  float64
		}{
			{"connections", float64(l.Connections), float64(d.Connections)},
			{"messages", float64(l.Messages), 1e6},
			{"rate", l.Rate, 1e6},
			{"rate_of_post", l.RateOfPost, 1e6},
			{"pause", time.Duration(l.Pause).Hours(), 24},
		} {
			switch {
			case v.value < 0:
				bad(key+"."+v.key, "less than nothing")
			case v.key == "connections" && v.value > v.most:
				bad(key+"."+v.key, "%g is more than delivery.connections, which is %g", v.value, v.most)
			case v.key == "pause" && v.value > v.most:
				bad(key+"."+v.key, "%s is more than a day", time.Duration(l.Pause))
			case v.value > v.most:
				bad(key+"."+v.key, "%g is more than %g", v.value, v.most)
			case v.value > 0 && v.value < 0.01 && v.key != "pause":
				bad(key+"."+v.key, "%g a second is too little: 0.01 is the least", v.value)
			}
		}
	}
}

// groupNamed is the group of the queue that a key of delivery.limits means: a provider, the host of a next hop, or the registered domain of mail hosts.
func (d *DeliveryConfig) groupNamed(key string) (string, error) {
	hops := []string{d.Smarthost}
	for _, hop := range d.Routes {
		hops = append(hops, hop)
	}
	for _, hop := range hops {
		switch host, _, err := net.SplitHostPort(hop); {
		case err != nil || !strings.EqualFold(host, key):
		case hop == d.Smarthost && len(d.Routes) == 0:
			return "", nil // all mail is one group
		default:
			return host, nil
		}
	}
	if d.Smarthost != "" && len(d.Routes) == 0 {
		host, _, _ := net.SplitHostPort(d.Smarthost)
		return "", fmt.Errorf("all mail goes to the smarthost: only [delivery.limits.%q] is of use", host)
	}
	var names []string
	for _, p := range queue.Providers() {
		if key == p.Name {
			return p.Groups[0], nil
		}
		names = append(names, p.Name)
	}
	domain, err := parseDomain(key)
	if err != nil || !strings.Contains(domain, ".") {
		return "", fmt.Errorf("%q is no provider that is known (%s), no domain of mail hosts and no next hop", key, strings.Join(names, ", "))
	}
	if group := queue.GroupOf(domain); group != domain {
		return "", fmt.Errorf("%q is in the group %q: name that", key, group)
	}
	return domain, nil
}

// limits are what groups of destinations get, as far as the site says so. A smarthost that is one next hop among several gets all connections.
func (d *DeliveryConfig) limits() map[string]queue.Limits {
	all := map[string]queue.Limits{}
	host, _, err := net.SplitHostPort(d.Smarthost)
	if err == nil && len(d.Routes) > 0 {
		all[host] = queue.Limits{Connections: d.Connections}
	}
	for name, l := range d.Limits {
		group, err := d.groupNamed(name)
		if err != nil {
			continue // check has told
		}
		own := all[group]
		own.Connections = cmp.Or(l.Connections, own.Connections)
		own.Messages, own.Rate, own.RateOfOne, own.Pause = l.Messages, l.Rate, l.RateOfPost, time.Duration(l.Pause)
		all[group] = own
		if group == "" {
			all[host] = own // as the relay calls it
		}
	}
	return all
}

// login reads the password for the smarthost.
func (c *Config) login() (relay.Login, error) {
	d := &c.Delivery
	if d.SmarthostUser == "" {
		return relay.Login{}, nil
	}
	text, err := os.ReadFile(d.SmarthostPasswordFile)
	if err != nil {
		return relay.Login{}, fmt.Errorf("%s: delivery.smarthost_password_file: %w", c.file, err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return relay.Login{User: d.SmarthostUser, Password: strings.TrimSuffix(line, "\r")}, nil
}

// cachedAnswers is how many DNS answers are remembered.
const cachedAnswers = 10_000

// resolver asks the DNS for all parts.
func (app *App) resolver() resolver.Validator {
	c := app.Config.DNS
	if c.Validating {
		return resolver.Cache(resolver.Validating(c.Servers), cachedAnswers)
	}
	return resolver.Cache(resolver.DNS(c.Servers), cachedAnswers)
}

// delivery is how mail goes out.
func (app *App) delivery(dns resolver.Validator) (o relay.Options, err error) {
	c := app.Config
	o = relay.Options{
		Hostname:  c.Hostname,
		Smarthost: c.Delivery.Smarthost,
		TLS:       c.Delivery.tlsPolicy(),
		Resolver:  dns,
		NoDANE:    !c.Delivery.DANE,
		Own:       ownPorts(c),
		Limits:    c.Delivery.limits(),
		Log:       app.Log,
	}
	if app.TLSReports != nil {
		o.Sessions = app.TLSReports.Count
	}
	if c.Delivery.MTASTS {
		o.STS = tlspolicy.New(tlspolicy.Options{DB: app.DB, Resolver: dns, Log: app.Log})
	}
	if o.Routes, err = c.Delivery.routes(); err != nil {
		return o, err
	}
	if o.Sources, err = c.Delivery.sources(); err != nil {
		return o, err
	}
	o.Login, err = c.login()
	return o, err
}

// tlsReports makes what tells domains how TLS went. Where all mail goes to a smarthost there is nothing to tell.
func (app *App) tlsReports(dns resolver.Resolver) {
	c := app.Config
	if !c.Delivery.TLSReports || c.Delivery.Smarthost != "" && len(c.Delivery.Routes) == 0 {
		return
	}
	app.TLSReports = tlsreport.New(tlsreport.Options{
		DB:        app.DB,
		Resolver:  dns,
		Templates: app.Templates,
		Language:  c.Language,
		Contact:   app.Site.Admin,
		Domain:    app.signingDomain,
		Send: func(ctx context.Context, m tlsreport.Mail, with func(*storage.Tx) error) error {
			return app.Path.SendReport(ctx, m, with)
		},
		Log: app.Log,
	})
}

// signingDomain is the domain that speaks for the site: that of its host name if it has a key, else the first that has one, else "".
func (app *App) signingDomain(tx *storage.Tx) (string, error) {
	hostname := strings.ToLower(app.Config.Hostname)
	if _, err := list.GetDKIMKey(tx, hostname); !errors.Is(err, storage.ErrNotFound) {
		return hostname, err
	}
	for domain := range list.DKIMKeys(tx) {
		return domain, nil
	}
	return "", nil
}

// ownPorts are the addresses at which this site takes mail: delivering there would be a loop.
func ownPorts(cfg *Config) (own []netip.AddrPort) {
	for _, l := range cfg.SMTP.Listen {
		host, port, err := net.SplitHostPort(l)
		if err != nil {
			continue // a unix socket
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			continue
		}
		ip, _ := netip.ParseAddr(host) // invalid stands for every address
		if ip.IsUnspecified() {
			ip = netip.Addr{}
		}
		own = append(own, netip.AddrPortFrom(ip, uint16(n)))
	}
	return own
}
