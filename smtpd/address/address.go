package address

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Address is a mailbox: local part and domain (RFC 5321, section 4.1.2).
// It is comparable; use [Address.Key] to ask whether two name the same mailbox.
// The zero Address is the null sender "<>".
type Address struct {
	local  string // unquoted, in its exact form
	domain string // lower case; an internationalised domain as U-labels as given
}

// Local returns the local part, unquoted.
func (a Address) Local() string { return a.local }

// Domain returns the domain in lower case.
func (a Address) Domain() string { return a.domain }

// ASCIIDomain returns the domain with A-labels (RFC 5891).
func (a Address) ASCIIDomain() string {
	if isASCII(a.domain) {
		return a.domain
	}
	ascii, err := idna.Lookup.ToASCII(a.domain)
	if err != nil {
		return a.domain // unreachable: New has converted it once
	}
	return ascii
}

// IsNull reports whether a is the null sender.
func (a Address) IsNull() bool { return a == Address{} }

// IsASCII reports whether the address can be sent without SMTPUTF8
// (RFC 6531): an ASCII local part; the domain can always be converted.
func (a Address) IsASCII() bool { return isASCII(a.local) }

// String returns the exact form, the local part quoted only where a carrier form or an atom does not do.
// It is "" for the null sender.
func (a Address) String() string {
	if a.IsNull() {
		return ""
	}
	return quoteLocal(a.local) + "@" + a.domain
}

// Wire returns the form for MAIL FROM and RCPT TO, without "<>": domain as A-labels if the
// local part is ASCII, hostile local parts quoted so that nothing can be injected.
func (a Address) Wire() string {
	if a.IsNull() || !a.IsASCII() {
		return a.String()
	}
	return quoteLocal(a.local) + "@" + a.ASCIIDomain()
}

// Key returns the form that is equal for addresses of the same mailbox:
// local part in lower case and NFC, domain as A-labels.
func (a Address) Key() string {
	if a.IsNull() {
		return ""
	}
	local := a.local
	if isASCII(local) {
		local = strings.ToLower(local)
	} else {
		local = norm.NFC.String(strings.Map(lower, local))
	}
	return quoteLocal(local) + "@" + a.ASCIIDomain()
}

// lower maps to lower case, but never from outside ASCII into it: "İ" must not
// become the "i" of somebody else.
func lower(r rune) rune {
	if l := unicode.ToLower(r); r < utf8.RuneSelf || l >= utf8.RuneSelf {
		return l
	}
	return r
}

// MarshalText writes the exact form ("" for the null sender).
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (a *Address) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*a = Address{}
		return nil
	}
	read, err := Parse(string(b))
	if err != nil {
		return err
	}
	*a = read
	return nil
}

// quoteLocal writes a local part, as a quoted string if it holds anything but
// atoms, dots and characters beyond ASCII.
func quoteLocal(local string) string {
	if !needsQuotes(local) {
		return local
	}
	return quote(local)
}

// needsQuotes reports whether a local part holds what an atom may not.
func needsQuotes(local string) bool {
	for i := range len(local) {
		if c := local[i]; c < utf8.RuneSelf && c != '.' && !isAtext(c) {
			return true
		}
	}
	return local == ""
}

// quote writes a quoted string (RFC 5322, section 3.2.4).
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

// isAtext reports whether c is atext (RFC 5322, section 3.2.3).
func isAtext(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
