package mailauth

import (
	"strings"

	"golang.org/x/net/idna"
)

// asciiName returns a domain name in lower case and A-labels, without a final dot. What cannot be
// converted stays as it is in lower case; the resolver refuses it.
func asciiName(name string) string {
	name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
	if a, err := idna.Lookup.ToASCII(name); err == nil {
		return a
	}
	return name
}

// isBelow reports whether name is domain or stands below it. Both are in the form of asciiName.
func isBelow(name, domain string) bool {
	return domain != "" && (name == domain || strings.HasSuffix(name, "."+domain))
}

// isHost reports whether name is a domain name of several labels.
func isHost(name string) bool { return isName(name) && strings.Contains(name, ".") }

// isName reports whether name is a domain name in A-labels, so no address literal and nothing odd.
func isName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}
