package list

import (
	"errors"

	"kairan/smtpd/address"
	"kairan/storage"
)

// ForgetPerson forgets what is remembered about a person who is in no list any more, and with it that the addresses belong together: sessions,
// passkeys, and of each address what forgetAddress does.
func ForgetPerson(tx *storage.Tx, p *Person) error {
	for _, a := range p.Addresses {
		for _, g := range sessionsAt(tx, a) {
			if err := dropSession(tx, g); err != nil {
				return err
			}
		}
		if err := forgetAddress(tx, a); err != nil {
			return err
		}
	}
	return DropPerson(tx, p)
}

// forgetAddress forgets what is remembered about an address that is in no list any more: the histories of its memberships, those that
// could be taken back, what its unsubscribe links led to, requests that wait for it, and links that sign it in. The records of its posts stay, and so do
// the logs of lists.
func forgetAddress(tx *storage.Tx, addr address.Address) error {
	for l := range All(tx) {
		for k := range storage.Under(tx, memberHistory, memberPlace, storage.P(l.ID, addr.Key())) {
			if err := memberHistory.Delete(tx, k); err != nil {
				return err
			}
		}
	}
	for hash, d := range departed.Scan(tx, storage.Range[string]{}) {
		if d.Member.Address.Key() == addr.Key() {
			if err := departed.Delete(tx, hash); err != nil {
				return err
			}
		}
	}
	for k := range storage.Under(tx, leftTokens, text, addr.Key()) {
		ref, err := tokens.Get(tx, k.B)
		if err == nil && ref.Address == k.A && !ref.Left.IsZero() { // else it came back, perhaps as another address
			err = tokens.Delete(tx, k.B)
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if err := leftTokens.Delete(tx, k); err != nil {
			return err
		}
	}
	return errors.Join(forgetPendingsOf(tx, addr), forgetLoginLinks(tx, func(g LoginLink) bool { return g.Address.Key() == addr.Key() }))
}

// indexForgotten is the migration that gives requests and the links of members who have left their indexes by address.
func indexForgotten(tx *storage.Tx) error {
	for hash, ref := range tokens.Scan(tx, storage.Range[string]{}) {
		if ref.Left.IsZero() {
			continue
		}
		if err := leftTokens.Put(tx, storage.P(ref.Address, hash), true); err != nil {
			return err
		}
	}
	for hash, p := range pendings.Scan(tx, storage.Range[string]{}) {
		if err := pendingsOf.Put(tx, storage.P(p.Address.Key(), hash), true); err != nil {
			return err
		}
	}
	return nil
}
