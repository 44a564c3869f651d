package subscribe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// never holds the addresses (keys) that want no mail that others ask for, with the time since when.
var never = storage.NewTable[string, time.Time]("never_mail", storage.Strings[string]())

// blocked reports whether an address wants no mail that others ask for.
func blocked(tx *storage.Tx, a address.Address) bool { return never.Has(tx, a.Key()) }

// SetBlocked notes whether an address wants no mail that others ask for: confirmations and invitations, of any list.
// What it asks for itself, and what it is a member of, is not affected.
func SetBlocked(tx *storage.Tx, a address.Address, on bool, now time.Time) error {
	if !on {
		return never.Delete(tx, a.Key())
	}
	return never.Put(tx, a.Key(), now)
}

// Blocked returns since when an address wants no mail that others ask for; the zero time says that it does not mind.
func Blocked(tx *storage.Tx, a address.Address) (since time.Time) {
	if blocked(tx, a) {
		since, _ = never.Get(tx, a.Key()) // an error fails the transaction
	}
	return since
}

// neverURL returns the page where an address says so. The link works for ever: it carries the address and a MAC of it.
func (w *Workflow) neverURL(tx *storage.Tx, a address.Address) string {
	secret, err := list.Secret(tx, list.VERPSecret)
	if err != nil {
		return w.Site.URL // unreachable: the first schema makes the secret
	}
	text := []byte(a.String())
	return w.Site.URL + "/-/never/" + base64.RawURLEncoding.EncodeToString(text) + "." + base64.RawURLEncoding.EncodeToString(neverMAC(secret, text))
}

func neverMAC(secret, text []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("never\x00"))
	m.Write(text)
	return m.Sum(nil)[:16]
}

// maxNever bounds the token of such a page: an address has at most 320 octets.
const maxNever = 512

// NeverAddress returns whose page a token of neverURL opens, or list.ErrToken.
func NeverAddress(tx *storage.Tx, token string) (address.Address, error) {
	a, mac, ok := strings.Cut(token, ".")
	if !ok || len(token) > maxNever {
		return address.Address{}, list.ErrToken
	}
	text, err := base64.RawURLEncoding.DecodeString(a)
	if err != nil {
		return address.Address{}, list.ErrToken
	}
	got, err := base64.RawURLEncoding.DecodeString(mac)
	if err != nil {
		return address.Address{}, list.ErrToken
	}
	secret, err := list.Secret(tx, list.VERPSecret)
	if err != nil {
		return address.Address{}, err
	}
	if !hmac.Equal(got, neverMAC(secret, text)) {
		return address.Address{}, list.ErrToken
	}
	return address.Parse(string(text))
}
