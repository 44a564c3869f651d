package address

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Limits of RFC 5321, sections 4.5.3.1.1 and 4.5.3.1.2, in octets.
const (
	maxLocal  = 64
	maxDomain = 255
)

// Parse reads "local@domain", with or without quotes round the local part, and
// with the forms of old Japanese carrier addresses (a..b@, a.@) that RFC 5321
// does not allow unquoted. Surrounding "<>" are not accepted, nor is the null sender.
func Parse(s string) (Address, error) {
	local, domain, err := split(s)
	if err != nil {
		return Address{}, fmt.Errorf("address %q: %w", clip(s), err)
	}
	return New(local, domain)
}

// Must is Parse for constants and tests; it panics on an error.
func Must(s string) Address {
	a, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return a
}

// New joins an unquoted local part and a domain, checked as Parse checks them.
func New(local, domain string) (Address, error) {
	if err := checkLocal(local); err != nil {
		return Address{}, fmt.Errorf("address %q: %w", clip(local+"@"+domain), err)
	}
	domain, err := normalDomain(domain)
	if err != nil {
		return Address{}, fmt.Errorf("address %q: %w", clip(local+"@"+domain), err)
	}
	return Address{local: local, domain: domain}, nil
}

// split takes an address apart and the quotes off its local part.
func split(s string) (local, domain string, err error) {
	if len(s) > 2*maxLocal+2+1+4*maxDomain {
		return "", "", errors.New("too long")
	}
	if strings.HasPrefix(s, `"`) {
		local, n, ok := unquote(s)
		if !ok {
			return "", "", errors.New("a quote is missing")
		}
		if !strings.HasPrefix(s[n:], "@") {
			return "", "", errors.New(`no "@" after the quoted local part`)
		}
		return local, s[n+1:], nil
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return "", "", errors.New(`no "@"`)
	}
	if local = s[:at]; needsQuotes(local) {
		return "", "", errors.New("the local part is empty or has a character that needs quotes")
	}
	return local, s[at+1:], nil
}

// unquote reads the quoted string at the start of s and returns its text and
// its length in s.
func unquote(s string) (text string, n int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), i + 1, true
		case '\\':
			if i++; i == len(s) {
				return "", 0, false
			}
		}
		b.WriteByte(s[i])
	}
	return "", 0, false
}

// checkLocal refuses what no mailbox name holds and what could do harm where
// the address is written.
func checkLocal(local string) error {
	switch {
	case local == "":
		return errors.New("the local part is empty")
	case len(local) > maxLocal:
		return fmt.Errorf("the local part has %d octets, more than %d", len(local), maxLocal)
	case !utf8.ValidString(local):
		return errors.New("the local part is not UTF-8")
	}
	for _, r := range local {
		switch r {
		case '\u212a', '\u037e', '\u1fef': // become ASCII in NFC: K, semicolon, backquote
			return fmt.Errorf("the local part has the character %U", r)
		case utf8.RuneError:
			return errors.New("the local part is damaged")
		}
		if !unicode.IsPrint(r) {
			return fmt.Errorf("the local part has the character %U", r)
		}
	}
	return nil
}

// normalDomain checks a domain and returns it in lower case.
func normalDomain(domain string) (string, error) {
	if strings.HasPrefix(domain, "[") {
		return normalLiteral(domain)
	}
	if len(domain) > 4*maxDomain {
		return domain, errors.New("the domain is too long")
	}
	if isASCII(domain) {
		domain = strings.ToLower(domain)
		return domain, checkDomain(domain)
	}
	if !utf8.ValidString(domain) {
		return domain, errors.New("the domain is not UTF-8")
	}
	unicodeForm, err := idna.Lookup.ToUnicode(domain)
	if err != nil {
		return domain, fmt.Errorf("the domain is no internationalised name: %w", err)
	}
	ascii, err := idna.Lookup.ToASCII(unicodeForm)
	if err != nil {
		return domain, fmt.Errorf("the domain is no internationalised name: %w", err)
	}
	if again, err := idna.Lookup.ToUnicode(unicodeForm); err != nil || again != unicodeForm {
		return domain, errors.New("the domain has no stable form")
	}
	return unicodeForm, checkDomain(ascii)
}

// checkDomain checks a domain of A-labels. Underscores are let through: names
// with them exist.
func checkDomain(domain string) error {
	if len(domain) > maxDomain {
		return fmt.Errorf("the domain has %d octets, more than %d", len(domain), maxDomain)
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 {
			return errors.New("a label of the domain is empty or longer than 63 octets")
		}
		if label[0] == '-' || label[len(label)-1] == '-' {
			return errors.New("a label of the domain starts or ends with a hyphen")
		}
		for i := range len(label) {
			c := label[i]
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return fmt.Errorf("the domain has the character %q", c)
			}
		}
	}
	return nil
}

// normalLiteral reads an address literal (RFC 5321, section 4.1.3).
func normalLiteral(domain string) (string, error) {
	inner, closed := strings.CutSuffix(domain[1:], "]")
	text, isV6 := inner, false
	if len(inner) > 5 && strings.EqualFold(inner[:5], "ipv6:") {
		text, isV6 = inner[5:], true
	}
	ip, err := netip.ParseAddr(text)
	if !closed || err != nil || ip.Zone() != "" || ip.Is4() == isV6 {
		return domain, errors.New("the domain is no address literal")
	}
	if isV6 {
		return "[ipv6:" + ip.String() + "]", nil
	}
	return "[" + ip.String() + "]", nil
}

// clip shortens what is quoted in an error.
func clip(s string) string {
	if len(s) <= 80 {
		return s
	}
	return strings.ToValidUTF8(s[:80], "") + "…"
}
