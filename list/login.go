package list

import (
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// LoginLink is a link that signs somebody in. That of an address that is not known here, and gets no mail, has no address.
type LoginLink struct {
	Address address.Address `json:"address"`
	Until   time.Time       `json:"until"`
	Browser string          `json:"browser,omitempty"` // hash of the cookie of the browser that asked; "" where any may use it
	To      string          `json:"to,omitempty"`      // path to go to afterwards
}

// Ended reports whether a link is over at that time.
func (g LoginLink) Ended(now time.Time) bool { return now.After(g.Until) }

// loginLinks are keyed by the hash of the link's token. There are few: each lives for minutes.
var loginLinks = storage.NewTable[string, LoginLink]("login_links", text)

// PutLoginLink keeps a link by the hash of its token.
func PutLoginLink(tx *storage.Tx, key string, g LoginLink) error { return loginLinks.Put(tx, key, g) }

// GetLoginLink returns the link with that key, or storage.ErrNotFound. It may have ended.
func GetLoginLink(tx *storage.Tx, key string) (LoginLink, error) { return loginLinks.Get(tx, key) }

// DropLoginLink forgets a link.
func DropLoginLink(tx *storage.Tx, key string) error { return loginLinks.Delete(tx, key) }

// ForgetLoginLinks forgets the links that have ended.
func ForgetLoginLinks(tx *storage.Tx, now time.Time) error {
	return forgetLoginLinks(tx, func(g LoginLink) bool { return g.Ended(now) })
}

func forgetLoginLinks(tx *storage.Tx, which func(LoginLink) bool) error {
	for key, g := range loginLinks.Scan(tx, storage.Range[string]{}) {
		if !which(g) {
			continue
		}
		if err := loginLinks.Delete(tx, key); err != nil {
			return err
		}
	}
	return nil
}
