package moderation

import (
	"errors"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
)

// claimLife is how long a claim is shown. Who needs longer claims once more.
const claimLife = 10 * time.Minute

// Claim says that somebody is looking at what waits. It keeps nobody from deciding.
type Claim struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// claims go with what they are about: the post or the address that waits.
var claims = storage.NewTable[storage.Pair[list.ID, string], Claim]("moderation_claims", storage.Pairs(listID, storage.Strings[string]()))

// claimKey is where the claim of something is that [Order.ID] names.
func claimKey(l list.ID, id string) storage.Pair[list.ID, string] {
	return storage.P(l, strings.ToLower(id))
}

// claimOf returns the claim of something that waits; its zero value where nobody is looking.
func claimOf(tx *storage.Tx, l list.ID, id string, now time.Time) (Claim, error) {
	c, err := claims.Get(tx, claimKey(l, id))
	if errors.Is(err, storage.ErrNotFound) || err == nil && now.Sub(c.At) >= claimLife {
		return Claim{}, nil
	}
	return c, err
}

// claim notes that somebody looks at something, or with the word "release" no longer does, and says so. Another's claim stays until it lapses.
func (m *Moderation) claim(tx *storage.Tx, l *list.List, o Order) (said string, err error) {
	old, err := claimOf(tx, l.ID, o.ID, o.Now)
	if err != nil {
		return "", err
	}
	k, me := claimKey(l.ID, o.ID), o.By.String()
	switch {
	case old.By != "" && old.By != me:
		return m.claimed(o.Lang, old), nil
	case o.Word == "release":
		return m.Templates.T(o.Lang, "claim.released"), claims.Delete(tx, k)
	}
	return m.Templates.T(o.Lang, "claim.yours", "n", int(claimLife/time.Minute)), claims.Put(tx, k, Claim{By: me, At: o.Now})
}

// claimed says who is looking at something and since when.
func (m *Moderation) claimed(lang string, c Claim) string {
	return m.Templates.T(lang, "claim.of", "by", c.By, "at", c.At.In(m.Site.Location).Format("15:04"))
}

// dropClaim forgets the claim of something that is decided, and returns it if it is another's and has not lapsed.
func dropClaim(tx *storage.Tx, l list.ID, id, by string, now time.Time) (others Claim, err error) {
	c, err := claimOf(tx, l, id, now)
	if err != nil {
		return Claim{}, err
	}
	if c.By != by {
		others = c
	}
	return others, claims.Delete(tx, claimKey(l, id))
}
