package list

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// Pending is something that waits for one person to say yes: a confirmation to join, a moderator's decision.
// Who answers shows the token, which is mailed once and kept only as a hash.
type Pending struct {
	Action  string          `json:"action"` // what is waited for, such as "join"; of one action only one waits for an address in a list
	List    ID              `json:"list"`
	Address address.Address `json:"address"` // whose yes it is; the answer must come from there, or from a page opened with the token
	Data    json.RawMessage `json:"data,omitempty"`
	By      string          `json:"by,omitempty"` // who brought it about, where that was not the address itself: an owner who invites
	Created time.Time       `json:"created"`
	Expires time.Time       `json:"expires"`
}

// PendingLife is how long a confirmation is waited for, as in Mailman.
const PendingLife = 3 * 24 * time.Hour

// ErrPending says that the same request waits already: one is enough, or a stranger could have us mail somebody again and again.
var ErrPending = errors.New("a request already waits for its confirmation")

// ErrToken says that a token is unknown, used or too old; which of them is nobody's business.
var ErrToken = errors.New("the link or number is used up or too old")

type pendingKey = storage.Pair[string, storage.Pair[ID, string]]

var (
	pendings     = storage.NewTable[string, Pending]("pending", text) // SHA-256 of the token
	pendingIndex = storage.NewTable[pendingKey, string]("pending_by_address", storage.Pairs(text, storage.Pairs(listID, text)))
	pendingsOf   = storage.NewTable[storage.Pair[string, string], bool]("pending_of", storage.Pairs(text, text)) // address key, hash

	// pendingPlace is an action and a list; pendingPlaces and pendingKeys are the index as one reads what waits in a list.
	pendingPlace  = storage.Pairs(text, listID)
	pendingPlaces = storage.NewTable[storage.Pair[storage.Pair[string, ID], string], string](pendingIndex.Name(), storage.Pairs(pendingPlace, text))
	pendingKeys   = storage.NewTable[storage.Pair[storage.Pair[string, ID], string], struct{}](pendingIndex.Name(), storage.Pairs(pendingPlace, text))
)

// Kind is the Action up to a ":". What stands behind it makes several of a kind possible, such as "commands:06h0b14jr4vj9dtq".
func (p *Pending) Kind() string {
	kind, _, _ := strings.Cut(p.Action, ":")
	return kind
}

func (p *Pending) key() pendingKey {
	return storage.P(p.Action, storage.P(p.List, p.Address.Key()))
}

// NewPending stores p and returns its token: 128 random bits, hexadecimal. While one with the same action, list and
// address waits, it returns ErrPending.
func NewPending(tx *storage.Tx, p Pending) (token string, err error) {
	if old, err := pendingIndex.Get(tx, p.key()); err == nil {
		if waiting, err := pendings.Get(tx, old); err == nil && p.Created.Before(waiting.Expires) {
			return "", fmt.Errorf("%s of %s: %w", p.Action, p.Address, ErrPending)
		}
		if err := dropPending(tx, old, &p); err != nil {
			return "", err
		}
	}
	var b [16]byte
	rand.Read(b[:])
	token = hex.EncodeToString(b[:])
	hash := hashToken(token)
	return token, errors.Join(pendings.Put(tx, hash, p), pendingIndex.Put(tx, p.key(), hash), pendingsOf.Put(tx, storage.P(p.Address.Key(), hash), true))
}

// hashToken is what a token is found by: looking it up compares hashes, so time tells nothing about the token.
func hashToken(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

// GetPending returns what a token waits for without using it, or ErrToken.
func GetPending(tx *storage.Tx, token string, now time.Time) (*Pending, error) {
	p, err := pendings.Get(tx, hashToken(token))
	if errors.Is(err, storage.ErrNotFound) || err == nil && !now.Before(p.Expires) {
		return nil, ErrToken
	}
	return &p, err
}

// TakePending uses a token: it returns what it waited for and forgets it, or ErrToken.
func TakePending(tx *storage.Tx, token string, now time.Time) (*Pending, error) {
	p, err := GetPending(tx, token, now)
	if err != nil {
		return nil, err
	}
	return p, dropPending(tx, hashToken(token), p)
}

// WithdrawPending forgets what waits for an address, if anything does.
func WithdrawPending(tx *storage.Tx, action string, l ID, addr address.Address) error {
	p := Pending{Action: action, List: l, Address: addr}
	hash, err := pendingIndex.Get(tx, p.key())
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return dropPending(tx, hash, &p)
}

// PendingOf returns what of an action waits for an address in a list, or ErrToken where nothing does.
func PendingOf(tx *storage.Tx, action string, l ID, addr address.Address, now time.Time) (*Pending, error) {
	p := Pending{Action: action, List: l, Address: addr}
	hash, err := pendingIndex.Get(tx, p.key())
	if err == nil {
		p, err = pendings.Get(tx, hash)
	}
	if errors.Is(err, storage.ErrNotFound) || err == nil && !now.Before(p.Expires) {
		return nil, ErrToken
	}
	return &p, err
}

// PendingQuery asks for a page of what of an action waits in a list.
type PendingQuery struct {
	List   ID
	Action string
	Part   string // stands in the address, in any case
	Leaf          // by address key
	Now    time.Time
}

// FindPending returns a page of what waits in a list, by the keys of the addresses, and whether there is more before and behind it.
func FindPending(tx *storage.Tx, q PendingQuery) (page []*Pending, earlier, later bool) {
	q.Part = fold(q.Part)
	return Turn(q.Leaf, func(r storage.Range[string]) iter.Seq[*Pending] { return pendingIn(tx, q, r) })
}

// PendingIn yields what of an action waits in a list, by the keys of the addresses.
func PendingIn(tx *storage.Tx, action string, l ID, now time.Time) iter.Seq[*Pending] {
	return pendingIn(tx, PendingQuery{List: l, Action: action, Now: now}, storage.Range[string]{})
}

func pendingIn(tx *storage.Tx, q PendingQuery, r storage.Range[string]) iter.Seq[*Pending] {
	return func(yield func(*Pending) bool) {
		for k, hash := range storage.Within(tx, pendingPlaces, pendingPlace, storage.P(q.Action, q.List), r) {
			if !strings.Contains(k.B, q.Part) {
				continue
			}
			p, err := pendings.Get(tx, hash) // an error fails the transaction
			if err == nil && q.Now.Before(p.Expires) && !yield(&p) {
				return
			}
		}
	}
}

// CountPending returns how many of an action wait in a list, those included whose time is over and that are not forgotten yet. It stops at most.
func CountPending(tx *storage.Tx, action string, l ID, most int) (n int) {
	for range storage.Under(tx, pendingKeys, pendingPlace, storage.P(action, l)) {
		if n++; n == most {
			break
		}
	}
	return n
}

func dropPending(tx *storage.Tx, hash string, p *Pending) error {
	return errors.Join(pendings.Delete(tx, hash), pendingIndex.Delete(tx, p.key()), pendingsOf.Delete(tx, storage.P(p.Address.Key(), hash)))
}

// PendingsOf are what waits for the yes of an address.
func PendingsOf(tx *storage.Tx, addr address.Address) (all []*Pending) {
	for k := range storage.Under(tx, pendingsOf, text, addr.Key()) {
		if p, err := pendings.Get(tx, k.B); err == nil {
			all = append(all, &p)
		}
	}
	return all
}

// forgetPendingsOf forgets what waits for the yes of an address.
func forgetPendingsOf(tx *storage.Tx, addr address.Address) error {
	for k := range storage.Under(tx, pendingsOf, text, addr.Key()) {
		p, err := pendings.Get(tx, k.B)
		if err == nil {
			err = dropPending(tx, k.B, &p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ForgetPending forgets up to n requests whose time is over, and returns how many.
func ForgetPending(tx *storage.Tx, now time.Time, n int) (forgotten int, err error) {
	for hash, p := range pendings.Scan(tx, storage.Range[string]{}) {
		if forgotten == n {
			break
		}
		if now.Before(p.Expires) {
			continue
		}
		if err := dropPending(tx, hash, &p); err != nil {
			return forgotten, err
		}
		forgotten++
	}
	return forgotten, nil
}
