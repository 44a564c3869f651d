package list

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"kairan/smtpd/address"
	"kairan/storage"
)

// PersonQuery asks for a page of the addresses that have a place in some list, or belong to a person with others. What is left empty matches all.
type PersonQuery struct {
	Prefix string // the address begins with it
	Part   string // stands in the address, or, unless it has an "@", in the name that it has in a list, in any case and width
	Leaf          // by address keys
}

// FoundPerson is one of them.
type FoundPerson struct {
	Address address.Address
	Name    string            // in one of the lists, or ""
	Places  int               // roles that it has in lists
	Others  []address.Address // of the person
}

// PersonPage is what was found; its fields mean what those of [MemberPage] do.
type PersonPage struct {
	People         []*FoundPerson // in the order of their address keys
	Earlier, Later bool
	Stopped        string
}

// MaxKeys is how many addresses one page of people looks at where names are of no account.
const MaxKeys = 10 * MaxLook

// FindPeople returns a page of people. Without Part it reads few more rows than the page needs. With it, it reads names in up to MaxLook of
// them, or only addresses, where Part has an "@", in up to MaxKeys.
func FindPeople(tx *storage.Tx, q PersonQuery) PersonPage {
	q.Prefix, q.Part = fold(q.Prefix), fold(q.Part)
	page := q.find(tx)
	if q.Before != "" && !page.Earlier && page.Stopped == "" && len(page.People) < q.Limit { // a whole first page reads better than a part of it
		q.Before = ""
		return q.find(tx)
	}
	return page
}

func (q *PersonQuery) find(tx *storage.Tx) (page PersonPage) {
	keys, names, more := 0, 0, false
	for k := range knownAddresses(tx, q.span(q.Prefix)) {
		if !strings.HasPrefix(k.key, q.Prefix) {
			break
		}
		keys += max(1, len(k.places))
		match := strings.Contains(k.key, q.Part)
		if !match && !strings.Contains(q.Part, "@") {
			names += len(k.places)
			match = k.isCalled(tx, q.Part)
		}
		if match {
			if more = len(page.People) == q.Limit; more {
				break
			}
			page.People = append(page.People, k.found(tx))
		}
		if names >= MaxLook || keys >= MaxKeys {
			page.Stopped = k.key
			break
		}
	}
	page.Earlier, page.Later = ends(q.Leaf, page.People, more)
	return page
}

// known is an address key and what it is in lists.
type known struct {
	key    string
	places []storage.Pair[ID, Role]
}

// isCalled reports whether the name in one of the lists has part, which is folded.
func (k *known) isCalled(tx *storage.Tx, part string) bool {
	return slices.ContainsFunc(k.places, func(at storage.Pair[ID, Role]) bool {
		m, err := memberAt(tx, storage.P(at, k.key))
		return err == nil && strings.Contains(fold(m.DisplayName), part)
	})
}

// found reads what is shown of an address.
func (k *known) found(tx *storage.Tx) *FoundPerson {
	f := &FoundPerson{Places: len(k.places)}
	for _, at := range k.places[:min(len(k.places), 10)] {
		if m, err := memberAt(tx, storage.P(at, k.key)); err == nil {
			f.Address, f.Name = m.Address, cmp.Or(f.Name, m.DisplayName)
		}
	}
	if f.Address.IsNull() {
		f.Address, _ = address.Parse(k.key)
	}
	who := PersonOf(tx, f.Address)
	f.Address, f.Others = who.As(f.Address), who.Others(f.Address)
	return f
}

// placeKeys is the table of memberships without its values, and addressKeys that of the addresses of people.
var (
	placeKeys   = storage.NewTable[storage.Pair[string, storage.Pair[ID, Role]], struct{}](memberLists.Name(), storage.Pairs(text, place))
	addressKeys = storage.NewTable[string, struct{}](personOf.Name(), text)
)

// knownAddresses yields, in the order of keys, the addresses in a range that have a place in a list or belong to a person with others. It reads
// as many rows as it yields, and one more of each of two tables.
func knownAddresses(tx *storage.Tx, r storage.Range[string]) iter.Seq[known] {
	return func(yield func(known) bool) {
		next, stop := iter.Pull2(addressKeys.Scan(tx, r))
		defer stop()
		own, _, ok := next()
		before := func(a, b string) bool { return a < b != r.Reverse && a != b }
		for k := range placed(tx, r) {
			for ; ok && before(own, k.key); own, _, ok = next() {
				if !yield(known{key: own}) {
					return
				}
			}
			if ok && own == k.key {
				own, _, ok = next()
			}
			if !yield(k) {
				return
			}
		}
		for ; ok; own, _, ok = next() {
			if !yield(known{key: own}) {
				return
			}
		}
	}
}

// placed yields the addresses in a range that have a place in a list.
func placed(tx *storage.Tx, r storage.Range[string]) iter.Seq[known] {
	return func(yield func(known) bool) {
		var k known
		for row := range placeKeys.Scan(tx, placeRange(r)) {
			if row.A != k.key && k.key != "" {
				if !yield(k) {
					return
				}
				k = known{}
			}
			k.key, k.places = row.A, append(k.places, row.B)
		}
		if k.key != "" {
			yield(k)
		}
	}
}

// placeRange is a range of address keys as one of memberships: all of an address stand together.
func placeRange(r storage.Range[string]) storage.Range[storage.Pair[string, storage.Pair[ID, Role]]] {
	at := func(key *string, behind string) *storage.Pair[string, storage.Pair[ID, Role]] {
		if key == nil {
			return nil
		}
		p := storage.P(*key+behind, storage.Pair[ID, Role]{})
		return &p
	}
	from := at(r.From, "")
	if r.After != nil {
		from = at(r.After, "\x00") // the next key that can be
	}
	return storage.Range[storage.Pair[string, storage.Pair[ID, Role]]]{From: from, To: at(r.To, ""), Reverse: r.Reverse}
}
