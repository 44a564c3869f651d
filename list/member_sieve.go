package list

import (
	"bytes"
	"strings"

	json "github.com/go-json-experiment/json/v1" // as storage reads rows

	"kairan/storage"
)

// memberRow is the row of a member that was not read yet: most rows that a search looks at are not what it looks for, which is seen without.
type memberRow struct{ json []byte }

// memberRows is the table of members, read later.
var memberRows = storage.NewTable[memberKey, memberRow](members.Name(), storage.Pairs(place, text))

// AppendBinary implements storage.Binary.
func (r memberRow) AppendBinary(b []byte) ([]byte, error) { return append(b, r.json...), nil }

// UnmarshalBinary implements storage.Binary.
func (r *memberRow) UnmarshalBinary(b []byte) error {
	r.json = append(r.json[:0], b...)
	return nil
}

// member reads the row; one that cannot be read fails the transaction.
func (r *memberRow) member(tx *storage.Tx, k memberKey) (*Member, error) {
	m := &Member{}
	if err := json.Unmarshal(r.json, m); err != nil {
		return memberAt(tx, k)
	}
	m.List, m.Role = k.A.A, k.A.B
	return m, nil
}

// sieve returns what lets every row through that matches, and few others: a value that differs from the usual one stands in the row as it is.
func (q *MemberQuery) sieve() func(key string, r *memberRow) bool {
	var values [][]byte
	if q.Delivery != "" && q.Delivery != DeliveryEnabled {
		values = append(values, []byte(`"`+q.Delivery+`"`))
	}
	if q.Mode != "" && q.Mode != DeliveryRegular {
		values = append(values, []byte(`"`+q.Mode+`"`))
	}
	if q.Action != "" && q.Action != NoAction {
		values = append(values, []byte(`"`+q.Action+`"`))
	}
	name := []byte(`"display_name"`)
	return func(key string, r *memberRow) bool {
		for _, v := range values {
			if !bytes.Contains(r.json, v) {
				return false
			}
		}
		return q.Part == "" || strings.Contains(key, q.Part) || bytes.Contains(r.json, name)
	}
}
