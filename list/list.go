package list

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// ID names a list for ever: rows and folders are keyed by it, so a rename keeps everything.
type ID string

// List is a mailing list.
type List struct {
	ID       ID              `json:"id"`
	Address  address.Address `json:"address"` // the posting address
	Name     string          `json:"name"`    // LIST in URLs, unique for ever
	Created  time.Time       `json:"created"`
	Removed  time.Time       `json:"removed,omitzero"` // addresses then answer 550; the archive stays
	Former   []string        `json:"former,omitempty"` // addresses before a rename, still accepted
	Settings Settings        `json:"settings"`
}

// MaxLocal is the longest local part of a list, so that "-bounces+TOKEN" stays within the 64 octets of RFC 5321, section 4.5.3.1.1.
const MaxLocal = 64 - len("-bounces+") - 24

var (
	// ErrExists says that an address or URL name is taken.
	ErrExists = errors.New("already exists")
	// ErrNoList says that there is no such list.
	ErrNoList = errors.New("no such list")
	// ErrNotMember says that the address has no such role in the list.
	ErrNotMember = errors.New("not a member")
)

var (
	listID    = storage.Strings[ID]()
	text      = storage.Strings[string]()
	lists     = storage.NewTable[ID, List]("lists", listID)
	addresses = storage.NewTable[string, ID]("list_addresses", text) // posting address key, former ones too
	names     = storage.NewTable[string, ID]("list_names", text)     // LIST in URLs
	numbers   = storage.NewTable[ID, uint64]("list_numbers", listID) // the last post number given
)

// Create makes a new list for a posting address.
func Create(tx *storage.Tx, addr address.Address, s Settings, now time.Time) (*List, error) {
	if err := CheckAddress(addr); err != nil {
		return nil, err
	}
	if addresses.Has(tx, addr.Key()) {
		return nil, fmt.Errorf("list %s: %w", addr, ErrExists)
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	l := &List{ID: ID(storage.NewID(now)), Address: addr, Created: now, Settings: s}
	l.Name = freeName(tx, addr)
	if err := errors.Join(
		addresses.Put(tx, addr.Key(), l.ID),
		names.Put(tx, l.Name, l.ID),
		names.Put(tx, addr.Key(), l.ID),
	); err != nil {
		return nil, err
	}
	return l, lists.Put(tx, l.ID, *l)
}

// freeName is the local part for the first list of that name for ever, the whole address for a later one.
func freeName(tx *storage.Tx, addr address.Address) string {
	name := strings.ToLower(addr.Local())
	if names.Has(tx, name) || name == "-" {
		return addr.Key()
	}
	return name
}

func CheckAddress(addr address.Address) error {
	local := addr.Local()
	switch {
	case addr.IsNull() || addr.Domain() == "" || strings.HasPrefix(addr.Domain(), "["):
		return fmt.Errorf("a list needs an address such as janog@lists.example.jp, not %q", addr)
	case len(local) > MaxLocal:
		return fmt.Errorf("the name %q has %d characters; a list's name has at most %d", local, len(local), MaxLocal)
	case strings.HasPrefix(local, "-") || strings.Trim(strings.ToLower(local), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "":
		return fmt.Errorf("the name %q: a list's name has letters, digits, dots, hyphens and underscores", local)
	}
	return nil
}

// Get returns a list, removed ones too, or ErrNoList.
func Get(tx *storage.Tx, id ID) (*List, error) {
	l, err := lists.Get(tx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, fmt.Errorf("list %s: %w", id, ErrNoList)
	}
	return &l, err
}

// ByAddress returns the list with that posting address, now or before a rename, or ErrNoList.
func ByAddress(tx *storage.Tx, addr address.Address) (*List, error) {
	return byIndex(tx, addresses, addr.Key())
}

// ByName returns the list that LIST in a URL means, its name or an address of it, or ErrNoList.
func ByName(tx *storage.Tx, name string) (*List, error) {
	return byIndex(tx, names, strings.ToLower(name))
}

func byIndex(tx *storage.Tx, index storage.Table[string, ID], key string) (*List, error) {
	id, err := index.Get(tx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, fmt.Errorf("%s: %w", key, ErrNoList)
	}
	if err != nil {
		return nil, err
	}
	return Get(tx, id)
}

// All yields the lists that are not removed, oldest first.
func All(tx *storage.Tx) iter.Seq[*List] {
	return func(yield func(*List) bool) {
		for _, l := range lists.Scan(tx, storage.Range[ID]{}) {
			if l.Removed.IsZero() && !yield(&l) {
				return
			}
		}
	}
}

// IDs yields the lists, removed ones too, oldest first. Work that goes over all lists begins here and reads each in a transaction of its
// own, so that one that cannot be read does not hold up the others.
func IDs(tx *storage.Tx) iter.Seq[ID] { return lists.Keys(tx, storage.Range[ID]{}) }

// Rename gives a list a new posting address. The old address is still accepted, URLs with the old name still lead to it, and
// the archive stays where it is.
func Rename(tx *storage.Tx, id ID, addr address.Address, e Edit) error {
	if err := CheckAddress(addr); err != nil {
		return err
	}
	l, err := Get(tx, id)
	if err != nil {
		return err
	}
	owner, err := addresses.Get(tx, addr.Key())
	if err == nil && owner != id {
		return fmt.Errorf("list %s: %w", addr, ErrExists)
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	was := l.Address
	l.Former = append(l.Former, l.Address.String())
	l.Former = slices.DeleteFunc(l.Former, func(old string) bool {
		_, back := Match([]string{old}, addr)
		return back
	})
	l.Settings.ListID = l.ListID() // filters of members look at it
	l.Address = addr
	l.Name = renamed(tx, id, addr)
	return errors.Join(
		addresses.Put(tx, addr.Key(), id),
		names.Put(tx, l.Name, id),
		names.Put(tx, addr.Key(), id),
		lists.Put(tx, id, *l),
		logTwice(tx, id, Event{At: e.At, By: e.By, Word: "list.renamed", Args: map[string]string{"from": was.String(), "to": addr.String()}}),
	)
}

// renamed is freeName for a list that may already own its new name.
func renamed(tx *storage.Tx, id ID, addr address.Address) string {
	name := strings.ToLower(addr.Local())
	if owner, err := names.Get(tx, name); err == nil && owner == id {
		return name
	}
	return freeName(tx, addr)
}

// Remove closes a list: its addresses answer 550 with the reason and it is no longer shown. Its members are forgotten in
// chunks by [ForgetMembers], its held posts are discarded; its archive and its name stay.
func Remove(tx *storage.Tx, id ID, e Edit) error {
	l, err := Get(tx, id)
	if err != nil {
		return err
	}
	l.Removed = e.At
	for p := range HeldPosts(tx, id) {
		if _, err := Decide(tx, p.ID, Verdict{Action: Discard, By: "the list was closed"}, e.At); err != nil {
			return err
		}
	}
	return errors.Join(
		forgetWordings(tx, id),
		dropDigest(tx, id, pendingDigest(tx, id)),
		lists.Put(tx, id, *l),
		logTwice(tx, id, Event{At: e.At, By: e.By, Word: "list.removed", Args: map[string]string{"list": l.Address.String()}}),
	)
}

// NextNumber takes the list's next post number. It is a row, so a transaction that fails burns none.
func NextNumber(tx *storage.Tx, id ID) (uint64, error) {
	n, err := LastNumber(tx, id)
	if err != nil {
		return 0, err
	}
	return n + 1, numbers.Put(tx, id, n+1)
}

// LastNumber returns the last post number given, 0 before the first.
func LastNumber(tx *storage.Tx, id ID) (uint64, error) {
	n, err := numbers.Get(tx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

// SetNumber makes n the last number given, for a list that moved here. Numbers never go back: what was given stays given.
func SetNumber(tx *storage.Tx, id ID, n uint64) error {
	last, err := LastNumber(tx, id)
	if err != nil {
		return err
	}
	if n < last {
		return fmt.Errorf("post number %d is already given; the counter cannot go back to %d", last, n)
	}
	return numbers.Put(tx, id, n)
}

// Suffixed returns the list's address with "-suffix" at its local part.
func (l *List) Suffixed(suffix string) address.Address {
	a, err := address.New(l.Address.Local()+"-"+suffix, l.Address.Domain())
	if err != nil {
		panic(err) // unreachable: CheckAddress left room for every suffix
	}
	return a
}

// LanguageOf returns that of mails to a member: its own, else the list's.
func (l *List) LanguageOf(m *Member) string {
	return cmp.Or(m.Language, l.Settings.PreferredLanguage)
}

// Title returns the name for people: the display name, else the local part.
func (l *List) Title() string {
	if l.Settings.DisplayName != "" {
		return l.Settings.DisplayName
	}
	return l.Address.Local()
}

// ListID returns the list's identifier without "<>" (RFC 2919). It is made from the address, and kept by a rename through Settings.ListID.
func (l *List) ListID() string {
	if l.Settings.ListID != "" {
		return l.Settings.ListID
	}
	return strings.ToLower(l.Address.Local()) + "." + l.Address.ASCIIDomain()
}
