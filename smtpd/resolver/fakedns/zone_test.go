package fakedns_test

import (
	"strings"
	"testing"

	"kairan/smtpd/resolver/fakedns"
)

func TestBadZones(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"example.test. NONSENSE x", "! temp", "! often example.test.", "! temp NONSENSE example.test.", "example.test. A 192.0.2"} {
		if _, err := fakedns.Parse("; fine\n" + zone); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: got %v, want an error about line 2", zone, err)
		}
	}
}
