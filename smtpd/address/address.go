package address

// Address is a mailbox: local part and domain (RFC 5321, section 4.1.2).
// It is comparable; use [Address.Key] to ask whether two name the same mailbox.
// The zero Address is the null sender "<>".
type Address struct {
	local  string // unquoted, in its exact form
	domain string // lower case; an internationalised domain as U-labels as given
}

// Parse reads "local@domain", with or without quotes round the local part, and
// with the forms of old Japanese carrier addresses (a..b@, a.@) that RFC 5321
// does not allow unquoted. Surrounding "<>" are not accepted.
func Parse(s string) (Address, error) { panic("contract") }

// Must is Parse for constants and tests; it panics on an error.
func Must(s string) Address { panic("contract") }

// New joins an unquoted local part and a domain, checked as Parse checks them.
func New(local, domain string) (Address, error) { panic("contract") }

// Local returns the local part, unquoted.
func (a Address) Local() string { return a.local }

// Domain returns the domain in lower case.
func (a Address) Domain() string { return a.domain }

// ASCIIDomain returns the domain with A-labels (RFC 5891).
func (a Address) ASCIIDomain() string { panic("contract") }

// IsNull reports whether a is the null sender.
func (a Address) IsNull() bool { return a == Address{} }

// IsASCII reports whether the address can be sent without SMTPUTF8
// (RFC 6531): an ASCII local part; the domain can always be converted.
func (a Address) IsASCII() bool { panic("contract") }

// String returns the exact form, the local part quoted only where a carrier form or an atom does not do.
// It is "" for the null sender.
func (a Address) String() string { panic("contract") }

// Wire returns the form for MAIL FROM and RCPT TO, without "<>": domain as A-labels if the
// local part is ASCII, hostile local parts quoted so that nothing can be injected.
func (a Address) Wire() string { panic("contract") }

// Key returns the form that is equal for addresses of the same mailbox:
// local part in lower case and NFC, domain as A-labels.
func (a Address) Key() string { panic("contract") }

// MarshalText and UnmarshalText write and read the exact form ("" is null).
func (a Address) MarshalText() ([]byte, error)  { panic("contract") }
func (a *Address) UnmarshalText(b []byte) error { panic("contract") }

// Mailbox is an address with a display name, as in From: (RFC 5322, section 3.4).
type Mailbox struct {
	Name    string // decoded, UTF-8, no control characters
	Address Address
}

// String returns the mailbox for a header field: the name as atom, quoted
// string or encoded words (RFC 2047) as needed.
func (m Mailbox) String() string { panic("contract") }

// ParseList reads the value of an address field (From, To, Cc, Reply-To…), groups flattened,
// tolerant of what the wild writes (encoded words in quotes, carrier forms, trailing commas,
// missing quotes). It returns all mailboxes it could read, and an error naming the
// first it could not. decode turns encoded words into text (message.DecodeHeader).
func ParseList(value string, decode func(string) string) ([]Mailbox, error) { panic("contract") }
