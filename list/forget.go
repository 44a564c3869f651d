package list

import (
	"kairan/smtpd/address"
	"kairan/storage"
)

// ForgetPerson forgets what is remembered about an address that is in no list any more: the histories of its memberships, those that
// could be taken back, what its unsubscribe links led to, and requests that wait for it. The records of its posts stay, and so do
// the logs of lists.
func ForgetPerson(tx *storage.Tx, addr address.Address) error {
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
	for hash, ref := range tokens.Scan(tx, storage.Range[string]{}) {
		if ref.Address == addr.Key() {
			if err := tokens.Delete(tx, hash); err != nil {
				return err
			}
		}
	}
	for hash, p := range pendings.Scan(tx, storage.Range[string]{}) {
		if p.Address.Key() == addr.Key() {
			if err := dropPending(tx, hash, &p); err != nil {
				return err
			}
		}
	}
	return nil
}
