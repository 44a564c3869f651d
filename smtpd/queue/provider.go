package queue

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Limits are what one group of destinations gets. A zero field is that of the other groups.
type Limits struct {
	// Connections is how many deliveries run at a time.
	Connections int
	// Messages is how many copies a connection carries.
	Messages int
	// Rate is how many copies may go out in a second, RateOfOne how many of one rendition; 0 is no limit.
	Rate, RateOfOne float64
	// Pause is how long nothing is sent at least after the group said that it is too much.
	Pause time.Duration
}

// Provider is a group of destinations that is known by name.
type Provider struct {
	// Name is how settings call it.
	Name string
	// Groups are the registered domains of its mail hosts; the first one names its group.
	Groups []string
	// NoOneClick says that its readers offer no button for one-click unsubscription (RFC 8058).
	NoOneClick bool
	Limits
}

// Providers are the providers whose ways are known.
//
// Google counts copies with the same Message-ID, and asks for ten minutes of silence after 4.7.28, then one connection.
// Yahoo and the Japanese carriers publish no figures but end connections that carry much.
func Providers() []Provider {
	carrier := Limits{Connections: 3, Messages: 20, RateOfOne: 10}
	return []Provider{
		{Name: "google", Groups: []string{"google.com", "googlemail.com", "gmail.com"}, Limits: Limits{Connections: 10, RateOfOne: 20, Pause: 10 * time.Minute}},
		{Name: "microsoft", Groups: []string{"outlook.com", "mx.microsoft"}, Limits: Limits{Connections: 10}},
		{Name: "yahoo", Groups: []string{"yahoodns.net"}, Limits: Limits{Connections: 5, Messages: 20}},
		{Name: "yahoo-japan", Groups: []string{"yahoo.co.jp"}, Limits: Limits{Connections: 5, Messages: 20}},
		{Name: "docomo", Groups: []string{"docomo.ne.jp"}, NoOneClick: true, Limits: carrier},
		{Name: "au", Groups: []string{"au.com", "ezweb.ne.jp"}, NoOneClick: true, Limits: carrier},
		{Name: "softbank", Groups: []string{"softbank.ne.jp", "softbank.jp", "ymobile.ne.jp"}, NoOneClick: true, Limits: carrier},
	}
}

// ProviderOf returns the provider that a group or a domain belongs to, if it is known.
func ProviderOf(group string) (Provider, bool) {
	all := Providers()
	i := slices.IndexFunc(all, func(p Provider) bool {
		return slices.ContainsFunc(p.Groups, func(g string) bool { return group == g || strings.HasSuffix(group, "."+g) })
	})
	if i < 0 {
		return Provider{}, false
	}
	return all[i], true
}

// GroupOf returns the group of a mail host: its provider's, else its registered domain.
func GroupOf(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if p, ok := ProviderOf(host); ok {
		return p.Groups[0]
	}
	if name, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return name
	}
	return host
}

// LimitsOf returns what a group gets: the site's own limits, by group, where they are set, else those of its provider. A zero
// field is that of all groups.
func LimitsOf(own map[string]Limits, group string) Limits {
	l, known := own[group], Limits{}
	if p, ok := ProviderOf(group); ok {
		known = p.Limits
	}
	return Limits{
		Connections: cmp.Or(l.Connections, known.Connections),
		Messages:    cmp.Or(l.Messages, known.Messages),
		Rate:        cmp.Or(l.Rate, known.Rate),
		RateOfOne:   cmp.Or(l.RateOfOne, known.RateOfOne),
		Pause:       cmp.Or(l.Pause, known.Pause),
	}
}

// limits are those of a group with what holds for all.
func (o Options) limits(group string) Limits {
	l := LimitsOf(o.Limits, group)
	l.Connections = min(cmp.Or(l.Connections, o.PerGroup), o.Connections)
	return l
}
