package tlspolicy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kairan/smtpd/resolver"
	"kairan/smtpd/resolver/fakedns"
)

// TLSA records that cannot be looked up are not the same as none: somebody may be in the way.
func TestFindPins(t *testing.T) {
	t.Parallel()
	record := "3 1 1 " + strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		zone string
		base string // of the pins, "" for none
		fail bool
	}{
		"signed":                    {"_25._tcp.mx.test. TLSA " + record + "\n! secure mx.test.", "mx.test", false},
		"not signed":                {"_25._tcp.mx.test. TLSA " + record, "", false},
		"none":                      {"! secure mx.test.", "", false},
		"no answer":                 {"! temp TLSA _25._tcp.mx.test.", "", true},
		"at the end of the aliases": {"_25._tcp.real.test. TLSA " + record + "\n_25._tcp.mx.test. TLSA " + record + "\n! secure real.test.\n! secure mx.test.", "real.test", false},
		"no answer there":           {"! timeout TLSA _25._tcp.real.test.\n_25._tcp.mx.test. TLSA " + record + "\n! secure mx.test.", "", true},
	} {
		found := resolver.Host{Name: "mx.test", Secure: true}
		if strings.Contains(c.zone, "real.test") {
			found.Name = "real.test"
		}
		pins, err := FindPins(t.Context(), fakedns.Must(c.zone), "mx.test", found)
		if pins.Base != c.base || (err != nil) != c.fail || pins.Exist() != (c.base != "") {
			t.Errorf("%s: %+v, %v", name, pins, err)
		}
	}
}

// A host may have more TLSA records than anybody needs; a part is looked at.
func TestManyPins(t *testing.T) {
	t.Parallel()
	zone := fakedns.Must("! secure mx.test.")
	for n := range 100 {
		if err := zone.Add(fmt.Sprintf("_25._tcp.mx.test. TLSA 3 1 1 %064x", n)); err != nil {
			t.Fatal(err)
		}
	}
	pins, err := FindPins(t.Context(), zone, "mx.test", resolver.Host{Name: "mx.test", Secure: true})
	if err != nil || len(pins.Records) != maxRecords {
		t.Errorf("%d records, %v", len(pins.Records), err)
	}
}

// SHA-512 digests stand in for SHA-256 ones of the same kind, and of no other.
func TestStrongest(t *testing.T) {
	t.Parallel()
	rr := func(usage, selector, matching uint8) resolver.TLSA {
		return resolver.TLSA{Usage: usage, Selector: selector, Matching: matching}
	}
	got := strongest([]resolver.TLSA{rr(3, 1, 1), rr(3, 1, 2), rr(3, 0, 1), rr(2, 1, 1)})
	if len(got) != 3 || got[0].Matching != 2 || got[1].Selector != 0 || got[2].Usage != 2 {
		t.Errorf("%+v", got)
	}
}

// A policy in use is looked for again once a day, or at half its life if that is shorter.
func TestStale(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for age, want := range map[time.Duration]time.Duration{30 * 24 * time.Hour: 24 * time.Hour, 2 * time.Hour: time.Hour} {
		r := row{Fetched: at, Policy: Policy{MaxAge: age}}
		if r.stale(at.Add(want-time.Second)) || !r.stale(at.Add(want)) {
			t.Errorf("max_age %s is not stale after %s", age, want)
		}
	}
}
