package list

import (
	"errors"
	"fmt"

	"kairan/smtpd/address"
	"kairan/storage"
)

// ErrLastOwner says that without somebody a list would have no owner.
var ErrLastOwner = errors.New("is the only owner of the list")

// GiveRole makes an address what m says at m.Joined: owner, moderator or nonmember, not member. Who gave the role is in the list's log and
// in the history of the address. It returns ErrExists where the address has the role.
func GiveRole(tx *storage.Tx, m Member, by string) error {
	if err := Join(tx, m); err != nil {
		return err
	}
	return noteRole(tx, &m, Event{At: m.Joined, Text: "given", By: by, Word: "role.given"})
}

// TakeRole takes the role that m has away again. Of owners one stays: for that one it returns ErrLastOwner.
func TakeRole(tx *storage.Tx, m *Member, by Edit) error {
	if m.Role == RoleOwner {
		n, err := CountMembers(tx, m.List, RoleOwner)
		if err != nil {
			return err
		}
		if n <= 1 {
			return fmt.Errorf("%s %w", m.Address, ErrLastOwner)
		}
	}
	if err := Leave(tx, m.List, m.Role, m.Address, by.At); err != nil {
		return err
	}
	return noteRole(tx, m, Event{At: by.At, Text: "taken away", By: by.By, Word: "role.taken", Args: map[string]string{"why": by.Why}})
}

func noteRole(tx *storage.Tx, m *Member, e Event) error {
	e.Stage, e.Text = "role", string(m.Role)+": "+e.Text
	e = e.with("address", m.Address.String()).with("role", string(m.Role))
	logged := e
	logged.Text = ""
	return errors.Join(Remember(tx, m.List, m.Address, e), Log(tx, m.List, logged))
}

// RolesOf returns what an address is in a list.
func RolesOf(tx *storage.Tx, l ID, addr address.Address) (roles []Role) {
	for id, r := range Memberships(tx, addr) {
		if id == l {
			roles = append(roles, r)
		}
	}
	return roles
}
