package list

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// UndoDays is for how many days leaving by an unsubscribe link can be taken back.
const UndoDays = 7

// Departure is a member who left by an unsubscribe token, as it was, so that an undo restores its settings.
type Departure struct {
	List   ID        `json:"list"`
	Member Member    `json:"member"`
	Until  time.Time `json:"until"`
	Undone bool      `json:"undone,omitempty"` // a second press of the button is no error
}

// departed is keyed by the hash of the undo token.
var departed = storage.NewTable[string, Departure]("departed", text)

// UndoToken returns the secret of the link that takes a departure back. It is made from the unsubscribe token and does not
// reveal it: this one stands in the body of a mail, where people quote and forward.
func UndoToken(unsubscribe string) string {
	h := sha256.Sum256([]byte("undo " + unsubscribe))
	return hex.EncodeToString(h[:16])
}

// LeaveByToken takes the member with that unsubscribe token off its list and returns both as they were. It can be taken back
// with [Undo]. For one who has left already it returns the list and ErrLeft, for an unknown token ErrNotMember.
func LeaveByToken(tx *storage.Tx, token string, now time.Time) (*List, *Member, error) {
	id, key, left, err := ByToken(tx, token)
	if err != nil {
		return nil, nil, err
	}
	l, err := Get(tx, id)
	if err != nil {
		return nil, nil, err
	}
	m, err := MemberByKey(tx, id, key)
	if !left.IsZero() || errors.Is(err, ErrNotMember) { // the second: the list was closed, and its members forgotten
		return l, nil, ErrLeft
	}
	if err != nil {
		return nil, nil, err
	}
	if err := Leave(tx, id, RoleMember, m.Address, now); err != nil {
		return nil, nil, err
	}
	d := Departure{List: id, Member: *m, Until: now.AddDate(0, 0, UndoDays)}
	return l, m, errors.Join(forgetDepartures(tx, now), NoteMember(tx, id, m.Address, Event{At: now, Stage: "leave", By: m.Address.String(), Word: "member.left"}), departed.Put(tx, TokenHash(UndoToken(token)), d))
}

// GetDeparture returns what an undo token takes back, or ErrToken.
func GetDeparture(tx *storage.Tx, undo string, now time.Time) (*Departure, error) {
	d, err := departed.Get(tx, TokenHash(undo))
	if errors.Is(err, storage.ErrNotFound) || err == nil && now.After(d.Until) {
		return nil, ErrToken
	}
	d.Member.List, d.Member.Role = d.List, RoleMember
	return &d, err
}

// DeparturesOf yields what an address may still take back.
func DeparturesOf(tx *storage.Tx, addr address.Address, now time.Time) iter.Seq[*Departure] {
	return func(yield func(*Departure) bool) {
		for _, d := range departed.Scan(tx, storage.Range[string]{}) {
			if d.Member.Address.Key() != addr.Key() || d.Undone || now.After(d.Until) {
				continue
			}
			d.Member.List, d.Member.Role = d.List, RoleMember
			if !yield(&d) {
				return
			}
		}
	}
}

// ErrBanned says that an address may not join.
var ErrBanned = errors.New("the address is banned")

// Undo makes somebody who left by a token a member again, as before. It returns ErrToken, or ErrBanned for one who was banned since.
// Who has joined anew meanwhile stays as it is.
func Undo(tx *storage.Tx, undo string, now time.Time) error {
	d, err := GetDeparture(tx, undo, now)
	if err != nil {
		return err
	}
	l, err := Get(tx, d.List)
	if err != nil {
		return err
	}
	_, err = GetMember(tx, l.ID, RoleMember, d.Member.Address)
	isMember := err == nil
	_, banned := Match(slices.Concat(l.Settings.BanList, SiteBanList(tx)), d.Member.Address)
	switch {
	case isMember:
		return nil
	case !errors.Is(err, ErrNotMember):
		return err
	case d.Undone || !l.Removed.IsZero():
		return ErrToken
	case banned:
		return fmt.Errorf("%s: %w", d.Member.Address, ErrBanned)
	}
	d.Undone = true
	if d.Member.DeliveryStatus == DeliveryByBounces { // what was due was forgotten when the member left
		d.Member.DeliveryStatus = DeliveryEnabled
	}
	return errors.Join(join(tx, d.Member), Count(tx, l.ID, now, func(t *Tally) { t.Joined++ }), NoteMember(tx, l.ID, d.Member.Address, Event{At: now, Stage: "join", Text: "leaving was taken back", By: d.Member.Address.String(), Word: "member.back"}), departed.Put(tx, TokenHash(undo), *d))
}

// forgetDepartures forgets those that can no longer be taken back.
func forgetDepartures(tx *storage.Tx, now time.Time) error {
	for hash, d := range departed.Scan(tx, storage.Range[string]{}) {
		if now.After(d.Until) {
			if err := departed.Delete(tx, hash); err != nil {
				return err
			}
		}
	}
	return nil
}
