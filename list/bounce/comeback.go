package bounce

import (
	"errors"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/dsn"
	"kairan/smtpd/queue"
	"kairan/storage"
)

// What came back is not weighed at once: whose fault it is shows only when it is known what became of the other copies.
const (
	settleAfter = 10 * time.Minute // without a further one of the same post and provider
	settleMost  = time.Hour        // after the first
	groupMost   = 10_000           // members of one provider remembered for a post; further ones are counted
	comebackFor = 15 * 24 * time.Hour
)

// comeback is a copy of a post that came back. It is on disk, as is all below.
type comeback struct {
	Class dsn.Class `json:"class"`
	Rule  string    `json:"rule"`
	Said  string    `json:"said"`
	Host  string    `json:"host,omitempty"` // who said it
	At    time.Time `json:"at"`
	State string    `json:"state,omitempty"`
}

// States of a comeback; "" is to be weighed.
const (
	stateScored = "scored" // or not worth a point
	stateBlamed = "blamed" // no point: the post or we are to blame
)

// refusals counts the members of one provider who did not get a post.
type refusals struct {
	N      int  `json:"n"`
	Spoken int  `json:"spoken,omitempty"` // of those where the provider speaks of the message or of us
	Later  int  `json:"later,omitempty"`  // that came back after they had been accepted
	Blamed bool `json:"blamed,omitempty"`
}

// unweighed says that something of a post and provider is to be weighed.
type unweighed struct {
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"`
}

func (u unweighed) ready(now time.Time) bool {
	return now.Sub(u.Last) >= settleAfter || now.Sub(u.Since) >= settleMost
}

type (
	groupKey    = storage.Pair[list.PostID, string] // post and provider
	comebackKey = storage.Pair[groupKey, string]    // and address key
)

var (
	groupPlace  = storage.Pairs(storage.Strings[list.PostID](), storage.Strings[string]())
	comebacks   = storage.NewTable[comebackKey, comeback]("bounce_comebacks", storage.Pairs(groupPlace, storage.Strings[string]()))
	refused     = storage.NewTable[groupKey, refusals]("bounce_refusals", groupPlace)
	toBeWeighed = storage.NewTable[groupKey, unweighed]("bounce_unweighed", groupPlace)
)

// provider is who refused, for the question whose fault it is: a smarthost (">" and its name), the group of the mail hosts that
// said so, or the receivers of a domain ("@" and the domain) where it is about mailboxes or nobody's word is known.
func (e *event) provider() string {
	switch {
	case e.class == dsn.Gone || e.class == dsn.Full || e.host == "" || e.later:
		return "@" + e.member.Address.ASCIIDomain()
	case e.relayed:
		return ">" + e.host
	}
	return queue.GroupOf(e.host)
}

// providerName is how people know a provider.
func providerName(provider string) string { return strings.TrimLeft(provider, "@>") }

// keep notes what came back, to be weighed with others. Of a member's copy the first word counts.
func (b *Bouncer) keep(tx *storage.Tx, e event) error {
	k := storage.P(e.post.ID, e.provider())
	at := storage.P(k, e.member.Address.Key())
	if comebacks.Has(tx, at) {
		return nil
	}
	r, err := refused.Get(tx, k)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	r.N++
	if weights[e.class] == 0 {
		r.Spoken++
	}
	if e.later {
		r.Later++
	}
	if err := refused.Put(tx, k, r); err != nil || r.N > groupMost {
		return err
	}
	u, err := toBeWeighed.Get(tx, k)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if u.Since.IsZero() || e.at.Sub(u.Last) > settleAfter/10 {
		if u.Since.IsZero() {
			u.Since = e.at
		}
		u.Last = e.at
		if err := toBeWeighed.Put(tx, k, u); err != nil {
			return err
		}
	}
	return comebacks.Put(tx, at, comeback{Class: e.class, Rule: e.rule, Said: e.said, Host: e.host, At: e.at})
}
