package list

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// Role is what an address is in a list.
type Role string

const (
	RoleMember    Role = "member"
	RoleNonmember Role = "nonmember" // known, but gets nothing: carries a moderation action
	RoleOwner     Role = "owner"
	RoleModerator Role = "moderator"
)

// DeliveryStatus says whether a member gets mail and who switched it off.
type DeliveryStatus string

const (
	DeliveryEnabled     DeliveryStatus = "enabled"
	DeliveryByUser      DeliveryStatus = "by_user"
	DeliveryByModerator DeliveryStatus = "by_moderator"
	DeliveryByBounces   DeliveryStatus = "by_bounces"
)

// Member is an address in a role of a list.
type Member struct {
	List        ID              `json:"-"`
	Role        Role            `json:"-"`
	Address     address.Address `json:"address"`
	DisplayName string          `json:"display_name,omitempty"`
	// Language for mails and pages; "" is the list's.
	Language       string         `json:"language,omitempty"`
	DeliveryStatus DeliveryStatus `json:"delivery_status,omitempty"` // "" is enabled
	// OffUntil is when delivery that somebody has switched off is on again by itself; zero is never.
	OffUntil time.Time `json:"off_until,omitzero"`
	// DeliveryMode is the form in which the posts to come are delivered; "" is regular. To switch it, set it and call SetMember.
	DeliveryMode DeliveryMode `json:"delivery_mode,omitempty"`
	// Earlier are the modes that held for posts some of which may still have to be delivered, oldest first. SetMember keeps them, ModeFor reads them.
	Earlier []ModeSpan `json:"earlier_modes,omitempty"`
	// AcknowledgePosts mails the member when a post of its own went out.
	AcknowledgePosts bool `json:"acknowledge_posts,omitempty"`
	// DeliveryReceipt mails the member, an hour after a post of its own, what became of the copies.
	DeliveryReceipt bool `json:"delivery_receipt,omitempty"`
	// ModerationAction is what happens to this member's posts; "" is the list's default.
	ModerationAction Action `json:"moderation_action,omitempty"`
	// NoOwnPosts stops copies of the member's own posts (Mailman: receive_own_postings=no).
	NoOwnPosts bool `json:"no_own_posts,omitempty"`
	// NoDuplicates stops a copy where To or Cc of the post already names the member (Mailman: receive_list_copy=no).
	NoDuplicates bool `json:"no_duplicates,omitempty"`
	// Hide leaves the member out of the list of members that others see.
	Hide bool `json:"hide,omitempty"`
	// Unauthenticated members are believed although their domain publishes no authentication.
	Unauthenticated bool `json:"unauthenticated,omitempty"`
	// Token is the secret of the one-click unsubscribe link: 128 bits, hexadecimal.
	Token  string    `json:"token,omitempty"`
	Joined time.Time `json:"joined,omitzero"`
}

// check returns what a member cannot be.
func (m *Member) check() error {
	switch {
	case m.Address.Domain() == "" || strings.HasPrefix(m.Address.Domain(), "["):
		return fmt.Errorf("%q has no domain name", m.Address)
	case !utf8.ValidString(m.DisplayName) || hasControl(m.DisplayName):
		return fmt.Errorf("the name %q: it is one line of UTF-8", m.DisplayName)
	case m.Language != "" && templates.CheckLanguage(m.Language) != nil:
		return templates.CheckLanguage(m.Language)
	case !slices.Contains([]DeliveryStatus{"", DeliveryEnabled, DeliveryByUser, DeliveryByModerator, DeliveryByBounces}, m.DeliveryStatus):
		return fmt.Errorf("delivery_status %q is none of enabled, by_user, by_moderator, by_bounces", m.DeliveryStatus)
	case !slices.Contains([]Action{"", Accept, Hold, Reject, Discard}, m.ModerationAction):
		return fmt.Errorf("moderation_action %q is none of accept, hold, reject, discard", m.ModerationAction)
	}
	return checkMode(m.DeliveryMode)
}

// Receives reports whether the member gets mail at that time.
func (m *Member) Receives(now time.Time) bool {
	switch m.DeliveryStatus {
	case "", DeliveryEnabled:
		return true
	case DeliveryByUser, DeliveryByModerator:
		return !m.OffUntil.IsZero() && !now.Before(m.OffUntil)
	}
	return false
}

// memberKey is a member's place: list and role, then address key.
type memberKey = storage.Pair[storage.Pair[ID, Role], string]

var (
	place       = storage.Pairs(listID, storage.Strings[Role]())
	members     = storage.NewTable[memberKey, Member]("members", storage.Pairs(place, text))
	tokens      = storage.NewTable[string, memberRef]("member_tokens", text)                                                      // hex SHA-256 of the token
	leftTokens  = storage.NewTable[storage.Pair[string, string], bool]("left_tokens", storage.Pairs(text, text))                  // address key -> hashes of those whose members have left
	memberLists = storage.NewTable[storage.Pair[string, storage.Pair[ID, Role]], bool]("memberships", storage.Pairs(text, place)) // address key -> lists
)

// memberRef is the value of the token index. Left says that the member has left: the link then answers so instead of "unknown".
type memberRef struct {
	List    ID        `json:"l"`
	Address string    `json:"a"` // key
	Left    time.Time `json:"left,omitzero"`
}

func keyOf(l ID, r Role, addressKey string) memberKey {
	return storage.P(storage.P(l, r), addressKey)
}

// NewToken returns a fresh unsubscribe token: 128 random bits, hexadecimal.
func NewToken() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// TokenHash is what a token is found by.
func TokenHash(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

// Join adds a member to its list, or returns ErrExists. A member gets a token, and is counted on the day when it joined.
func Join(tx *storage.Tx, m Member) error {
	if err := join(tx, m); err != nil || m.Role != RoleMember || m.Joined.IsZero() {
		return err
	}
	return Count(tx, m.List, m.Joined, func(t *Tally) { t.Joined++ })
}

// join is Join without counting who came.
func join(tx *storage.Tx, m Member) error {
	if err := m.check(); err != nil {
		return err
	}
	k := keyOf(m.List, m.Role, m.Address.Key())
	if members.Has(tx, k) {
		return fmt.Errorf("%s, %s of the list: %w", m.Address, m.Role, ErrExists)
	}
	if m.Role == RoleMember && m.Token == "" {
		m.Token = NewToken()
	}
	return putMember(tx, k, m)
}

func putMember(tx *storage.Tx, k memberKey, m Member) error {
	if m.Token != "" {
		if err := tokens.Put(tx, TokenHash(m.Token), memberRef{List: m.List, Address: k.B}); err != nil {
			return err
		}
	}
	return errors.Join(
		countOff(tx, m.List, m.Role, "", m.DeliveryStatus),
		memberLists.Put(tx, storage.P(k.B, k.A), true),
		countMembers(tx, k.A, 1),
		indexMode(tx, &m),
		members.Put(tx, k, m),
	)
}

// SetMember replaces a member's row; its address, list and role must exist, else ErrNotMember. A new delivery mode holds from the list's
// next post on.
func SetMember(tx *storage.Tx, m Member) error {
	old, err := GetMember(tx, m.List, m.Role, m.Address)
	if err != nil {
		return err
	}
	if err := m.check(); err != nil {
		return err
	}
	m.Token = old.Token
	if old.DeliveryStatus == DeliveryByBounces && m.DeliveryStatus != DeliveryByBounces {
		if err := SetBounces(tx, m.List, m.Address.Key(), Bounces{}); err != nil { // it begins anew
			return err
		}
	}
	if err := switchMode(tx, old, &m); err != nil {
		return err
	}
	return errors.Join(countOff(tx, m.List, m.Role, old.DeliveryStatus, m.DeliveryStatus), indexMode(tx, &m), members.Put(tx, keyOf(m.List, m.Role, m.Address.Key()), m))
}

// Leave removes a member, or returns ErrNotMember. Its unsubscribe link then answers that it has left, and who leaves is counted on that day.
func Leave(tx *storage.Tx, l ID, r Role, addr address.Address, now time.Time) error {
	if err := leave(tx, l, r, addr, now); err != nil || r != RoleMember {
		return err
	}
	return Count(tx, l, now, func(t *Tally) { t.Left++ })
}

// leave is Leave without counting who went.
func leave(tx *storage.Tx, l ID, r Role, addr address.Address, now time.Time) error {
	m, err := GetMember(tx, l, r, addr)
	if err != nil {
		return err
	}
	k := keyOf(l, r, addr.Key())
	if m.Token != "" {
		hash := TokenHash(m.Token)
		if err := errors.Join(tokens.Put(tx, hash, memberRef{List: l, Address: k.B, Left: now}), leftTokens.Put(tx, storage.P(k.B, hash), true)); err != nil {
			return err
		}
	}
	if r == RoleMember {
		if err := errors.Join(SetBounces(tx, l, k.B, Bounces{}), digestMembers.Delete(tx, storage.P(l, k.B))); err != nil {
			return err
		}
	}
	return errors.Join(
		countOff(tx, l, r, m.DeliveryStatus, ""),
		memberLists.Delete(tx, storage.P(k.B, k.A)),
		countMembers(tx, k.A, -1),
		members.Delete(tx, k),
	)
}

// GetMember returns the member, or ErrNotMember.
func GetMember(tx *storage.Tx, l ID, r Role, addr address.Address) (*Member, error) {
	return memberAt(tx, keyOf(l, r, addr.Key()))
}

func memberAt(tx *storage.Tx, k memberKey) (*Member, error) {
	m, err := members.Get(tx, k)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, fmt.Errorf("%s: %w", k.B, ErrNotMember)
	}
	m.List, m.Role = k.A.A, k.A.B
	return &m, err
}

// MemberByKey is GetMember for an address key, as recipients of a post carry it.
func MemberByKey(tx *storage.Tx, l ID, addressKey string) (*Member, error) {
	return memberAt(tx, keyOf(l, RoleMember, addressKey))
}

// ByToken returns the member whose unsubscribe link has that token. For one who left it returns the list and
// address key with left set; for an unknown token ErrNotMember.
func ByToken(tx *storage.Tx, token string) (l ID, addressKey string, left time.Time, err error) {
	ref, err := tokens.Get(tx, TokenHash(token))
	if errors.Is(err, storage.ErrNotFound) {
		return "", "", time.Time{}, ErrNotMember
	}
	return ref.List, ref.Address, ref.Left, err
}

// ErrLeft says that a member has left already.
var ErrLeft = errors.New("has left already")

// MemberByTag returns the address key of the member of l whose token's hash starts with tag (hexadecimal), as VERP carries it,
// or ErrNotMember. Who left is found too.
func MemberByTag(tx *storage.Tx, l ID, tag string) (addressKey string, err error) {
	for hash, ref := range tokens.Scan(tx, storage.Range[string]{From: &tag}) {
		if len(hash) < len(tag) || hash[:len(tag)] != tag {
			break
		}
		if ref.List == l {
			return ref.Address, nil
		}
	}
	return "", ErrNotMember
}

// Members yields the members of a role in the order of their keys, those after the key `after` ("" for all).
func Members(tx *storage.Tx, l ID, r Role, after string) iter.Seq2[string, *Member] {
	return func(yield func(string, *Member) bool) {
		for k, m := range storage.UnderAfter(tx, members, place, keyOf(l, r, after)) {
			m.List, m.Role = l, r
			if !yield(k.B, &m) {
				return
			}
		}
	}
}

// Memberships yields list and role of everything an address is in.
func Memberships(tx *storage.Tx, addr address.Address) iter.Seq2[ID, Role] {
	return func(yield func(ID, Role) bool) {
		for k := range storage.Under(tx, memberLists, text, addr.Key()) {
			if !yield(k.B.A, k.B.B) {
				return
			}
		}
	}
}
