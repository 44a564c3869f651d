package list

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"kairan/storage"
)

// Passkey is a key of a person's, in a device or a password manager, that signs in on the web (WebAuthn).
type Passkey struct {
	Key     string    `json:"-"` // hash of the credential's ID, hexadecimal
	Person  PersonID  `json:"person"`
	Handle  []byte    `json:"handle"` // by which the device knows the person; it stays when the person becomes another's
	Name    string    `json:"name"`   // the person's word for it
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"`
	// Suspect is when it was refused because its counter had gone back, which is what a copy of a key looks like.
	Suspect    time.Time       `json:"suspect,omitzero"`
	Credential json.RawMessage `json:"credential"` // public key, counter and backup state, as package list/web keeps them
}

// MaxPasskeys is how many passkeys a person may have.
const MaxPasskeys = 20

// ErrPasskeys says that a person has as many as may be.
var ErrPasskeys = fmt.Errorf("there are %d passkeys already", MaxPasskeys)

var (
	passkeys   = storage.NewTable[string, Passkey]("passkeys", text)
	passkeysOf = storage.NewTable[storage.Pair[PersonID, string], bool]("person_passkeys", storage.Pairs(personID, text))
)

// passkeyKey is what a credential is found by: its ID may be longer than a key of the store.
func passkeyKey(credentialID []byte) string { return TokenHash(string(credentialID)) }

// AddPasskey gives the person a passkey. It returns ErrExists for one that somebody has, or ErrPasskeys.
func (p *Person) AddPasskey(tx *storage.Tx, credentialID []byte, k Passkey) error {
	k.Key, k.Person = passkeyKey(credentialID), p.ID
	if passkeys.Has(tx, k.Key) {
		return fmt.Errorf("the passkey: %w", ErrExists)
	}
	if len(p.Passkeys(tx)) >= MaxPasskeys {
		return ErrPasskeys
	}
	return SetPasskey(tx, k)
}

// SetPasskey replaces the row of a passkey.
func SetPasskey(tx *storage.Tx, k Passkey) error {
	return errors.Join(passkeys.Put(tx, k.Key, k), passkeysOf.Put(tx, storage.P(k.Person, k.Key), true))
}

// FindPasskey returns the passkey of a credential, or storage.ErrNotFound.
func FindPasskey(tx *storage.Tx, credentialID []byte) (*Passkey, error) {
	return getPasskey(tx, passkeyKey(credentialID))
}

func getPasskey(tx *storage.Tx, key string) (*Passkey, error) {
	k, err := passkeys.Get(tx, key)
	k.Key = key
	return &k, err
}

// Passkeys are those of the person, the oldest first.
func (p *Person) Passkeys(tx *storage.Tx) (all []*Passkey) {
	if p.ID == "" {
		return nil
	}
	for at := range storage.Under(tx, passkeysOf, personID, p.ID) {
		if k, err := getPasskey(tx, at.B); err == nil {
			all = append(all, k)
		}
	}
	slices.SortStableFunc(all, func(a, b *Passkey) int { return a.Created.Compare(b.Created) })
	return all
}

// RemovePasskey takes a passkey from the person, or returns storage.ErrNotFound.
func (p *Person) RemovePasskey(tx *storage.Tx, key string) error {
	if p.ID == "" || !passkeysOf.Has(tx, storage.P(p.ID, key)) {
		return storage.ErrNotFound
	}
	return errors.Join(passkeys.Delete(tx, key), passkeysOf.Delete(tx, storage.P(p.ID, key)))
}

// inherit gives the person the passkeys of another one.
func (p *Person) inherit(tx *storage.Tx, other *Person) error {
	for _, k := range other.Passkeys(tx) {
		if err := passkeysOf.Delete(tx, storage.P(other.ID, k.Key)); err != nil {
			return err
		}
		k.Person = p.ID
		if err := SetPasskey(tx, *k); err != nil {
			return err
		}
	}
	return nil
}
