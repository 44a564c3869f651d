package list

import (
	"errors"

	"kairan/smtpd/address"
	"kairan/storage"
)

// Founding is a new list, and who owns it.
type Founding struct {
	Address  address.Address
	Style    Style
	Settings Settings // as a rule those of the style
	Owners   []address.Address
	Quiet    bool // the owners are not mailed
}

// ErrNoOwner says that a list has nobody who answers for it.
var ErrNoOwner = errors.New("a list needs an owner")

// Found makes a new list with its owners, and writes down who did. It returns ErrExists if the address is taken.
func Found(tx *storage.Tx, f Founding, e Edit) (*List, error) {
	if len(f.Owners) == 0 {
		return nil, ErrNoOwner
	}
	l, err := Create(tx, f.Address, f.Settings, e.At)
	if err != nil {
		return nil, err
	}
	err = logTwice(tx, l.ID, Event{At: e.At, By: e.By, Word: "list.created", Args: map[string]string{"list": l.Address.String(), "style": string(f.Style)}})
	for _, o := range f.Owners {
		if err != nil {
			return nil, err
		}
		if err = GiveRole(tx, Member{List: l.ID, Role: RoleOwner, Address: o, Joined: e.At}, e.By); errors.Is(err, ErrExists) {
			err = nil // named twice
		}
	}
	return l, err
}

// logTwice writes about a list into its own log and into the site's, which stays when the list is gone.
func logTwice(tx *storage.Tx, id ID, e Event) error {
	e.Stage = "list"
	return errors.Join(Log(tx, id, e), Log(tx, "", e))
}
