package list

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// PersonID names a person for ever.
type PersonID string

// Person is somebody with addresses. Who has one and no passkey has no row: then ID is "", and the person is made of the address alone.
type Person struct {
	ID PersonID `json:"-"`
	// Addresses are confirmed, each by a mail to it or by the operator, and belong to nobody else. The first is the preferred one.
	Addresses []address.Address `json:"addresses"`
	Created   time.Time         `json:"created"`
}

// MaxAddresses is how many addresses a person may have.
const MaxAddresses = 20

var (
	personID = storage.Strings[PersonID]()
	persons  = storage.NewTable[PersonID, Person]("persons", personID)
	personOf = storage.NewTable[string, PersonID]("person_addresses", text) // by address key
)

// Errors of what cannot be done with the addresses of a person.
var (
	ErrTaken     = errors.New("the address belongs to somebody who has others beside it")
	ErrOnly      = errors.New("it is the only address")
	ErrAddresses = fmt.Errorf("there are %d addresses already", MaxAddresses)
)

// PersonOf returns whose address it is.
func PersonOf(tx *storage.Tx, addr address.Address) *Person {
	if id, err := personOf.Get(tx, addr.Key()); err == nil {
		if p, err := GetPerson(tx, id); err == nil {
			return p
		}
	}
	return &Person{Addresses: []address.Address{addr}}
}

// GetPerson returns the person with that ID, or storage.ErrNotFound.
func GetPerson(tx *storage.Tx, id PersonID) (*Person, error) {
	p, err := persons.Get(tx, id)
	p.ID = id
	return &p, err
}

// Preferred is the address that stands for the person where none is named.
func (p *Person) Preferred() address.Address { return p.Addresses[0] }

// Has reports whether an address is one of the person's.
func (p *Person) Has(addr address.Address) bool { return p.index(addr) >= 0 }

func (p *Person) index(addr address.Address) int {
	return slices.IndexFunc(p.Addresses, func(a address.Address) bool { return a.Key() == addr.Key() })
}

// As returns an address of the person as it was confirmed; addr must be one.
func (p *Person) As(addr address.Address) address.Address { return p.Addresses[p.index(addr)] }

// Did reports whether a record that names who did something names the person: Event.By, Edit.By.
func (p *Person) Did(by string) bool {
	return slices.ContainsFunc(p.Addresses, func(a address.Address) bool { return a.String() == by })
}

// Others are the addresses of the person but one.
func (p *Person) Others(addr address.Address) []address.Address {
	return slices.DeleteFunc(slices.Clone(p.Addresses), func(a address.Address) bool { return a.Key() == addr.Key() })
}

// Is reports whether one of the addresses has one of the roles in a list.
func (p *Person) Is(tx *storage.Tx, l ID, roles ...Role) bool {
	return slices.ContainsFunc(p.Addresses, func(a address.Address) bool { return Has(tx, l, a, roles...) })
}

// Keep gives the person a row, if it has none.
func (p *Person) Keep(tx *storage.Tx, now time.Time) error {
	if p.ID != "" {
		return nil
	}
	p.ID, p.Created = PersonID(storage.NewID(now)), now
	return p.put(tx)
}

func (p *Person) put(tx *storage.Tx) error {
	for _, a := range p.Addresses {
		if err := personOf.Put(tx, a.Key(), p.ID); err != nil {
			return err
		}
	}
	return persons.Put(tx, p.ID, *p)
}

// AddAddress makes an address, which is confirmed, one of the person's: what it is in lists the person is. It returns ErrExists if it is
// that already, ErrTaken, or ErrAddresses. What an address that was alone had as a person, such as passkeys, comes along.
func (p *Person) AddAddress(tx *storage.Tx, addr address.Address, now time.Time) error {
	if p.Has(addr) {
		return fmt.Errorf("%s: %w", addr, ErrExists)
	}
	if len(p.Addresses) >= MaxAddresses {
		return ErrAddresses
	}
	other := PersonOf(tx, addr)
	if len(other.Addresses) > 1 {
		return fmt.Errorf("%s: %w", addr, ErrTaken)
	}
	if err := p.Keep(tx, now); err != nil {
		return err
	}
	if other.ID != "" {
		if err := errors.Join(p.inherit(tx, other), persons.Delete(tx, other.ID)); err != nil {
			return err
		}
	}
	p.Addresses = append(p.Addresses, addr)
	return p.put(tx)
}

// RemoveAddress makes an address somebody of its own again, with what it is in lists. It returns ErrNotMember if it is not the person's,
// or ErrOnly.
func (p *Person) RemoveAddress(tx *storage.Tx, addr address.Address) error {
	i := p.index(addr)
	switch {
	case i < 0:
		return fmt.Errorf("%s: %w", addr, ErrNotMember)
	case len(p.Addresses) == 1:
		return ErrOnly
	}
	p.Addresses = slices.Delete(p.Addresses, i, i+1)
	return errors.Join(personOf.Delete(tx, addr.Key()), p.put(tx))
}

// Prefer makes one of the person's addresses the preferred one, or returns ErrNotMember.
func (p *Person) Prefer(tx *storage.Tx, addr address.Address) error {
	i := p.index(addr)
	if i < 0 {
		return fmt.Errorf("%s: %w", addr, ErrNotMember)
	}
	chosen := p.Addresses[i]
	p.Addresses = slices.Insert(slices.Delete(p.Addresses, i, i+1), 0, chosen)
	if p.ID == "" { // there is nothing to choose
		return nil
	}
	return p.put(tx)
}

// ExchangeAddress puts an address of a person in the place of another, both confirmed. For somebody without a row there is nothing to do;
// an address that belongs to somebody with others stays theirs.
func ExchangeAddress(tx *storage.Tx, from, to address.Address, now time.Time) error {
	p := PersonOf(tx, from)
	if p.ID == "" || p.Preferred().Key() == to.Key() {
		return nil
	}
	preferred := p.Preferred().Key() == from.Key()
	if err := p.AddAddress(tx, to, now); errors.Is(err, ErrTaken) || errors.Is(err, ErrAddresses) {
		return nil
	} else if err != nil && !errors.Is(err, ErrExists) {
		return err
	}
	if err := p.RemoveAddress(tx, from); err != nil || !preferred {
		return err
	}
	return p.Prefer(tx, to)
}

// DropPerson forgets that addresses belong together, and their passkeys. Their memberships stay.
func DropPerson(tx *storage.Tx, p *Person) error {
	for _, a := range p.Addresses {
		if err := personOf.Delete(tx, a.Key()); err != nil {
			return err
		}
	}
	for _, k := range p.Passkeys(tx) {
		if err := p.RemovePasskey(tx, k.Key); err != nil {
			return err
		}
	}
	if p.ID == "" {
		return nil
	}
	return persons.Delete(tx, p.ID)
}

// Member returns the member that the person is in a list: by the address, or else by another one, or ErrNotMember.
func (p *Person) Member(tx *storage.Tx, l ID, addr address.Address) (*Member, error) {
	m, err := GetMember(tx, l, RoleMember, addr)
	for _, other := range p.Others(addr) {
		if !errors.Is(err, ErrNotMember) {
			break
		}
		m, err = GetMember(tx, l, RoleMember, other)
	}
	return m, err
}

// Posts returns the posts to all lists that bear one of the person's addresses and came after a time, whether that is proven or not: the
// latest n of them, the latest first.
func (p *Person) Posts(tx *storage.Tx, since time.Time, n int) (all []*Post) {
	for id := range Unpublished(tx) { // what has no number yet is not among PostsOf
		if post, err := GetPost(tx, id); err == nil && post.Number == 0 && p.Has(post.Author) && post.Received.After(since) {
			all = append(all, post)
		}
	}
	for _, a := range p.Addresses {
		of := 0
		for post := range PostsOf(tx, a) {
			if of++; of > n || !post.Received.After(since) {
				break
			}
			all = append(all, post)
		}
	}
	slices.SortFunc(all, func(a, b *Post) int { return strings.Compare(string(b.ID), string(a.ID)) })
	all = slices.CompactFunc(all, func(a, b *Post) bool { return a.ID == b.ID })
	return all[:min(n, len(all))]
}
