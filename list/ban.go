package list

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// MaxBans is how many entries Ban lets a list have.
const MaxBans = 5000

// maxBan is how long an entry may be, in bytes.
const maxBan = 500

var (
	// ErrBan says that an entry of a ban list cannot be understood.
	ErrBan = errors.New("is no address, no domain and no ^pattern")
	// ErrBansOwner says that an entry would ban an owner of the list.
	ErrBansOwner = errors.New("would ban an owner of the list")
	// ErrFull says that there are MaxBans.
	ErrFull = errors.New("there are as many bans as there may be")
)

// BanEntry reads what somebody wants banned: an address, a domain ("example.com", "@example.com" or "*@example.com"), or a "^pattern" (RE2, any
// case) of addresses. It returns the entry as ban_list has it, or ErrBan.
func BanEntry(typed string) (string, error) {
	text := strings.TrimSpace(typed)
	bad := fmt.Errorf("%q %w", typed, ErrBan)
	switch {
	case text == "" || len(text) > maxBan || hasControl(text):
		return "", bad
	case strings.HasPrefix(text, "^"):
		if _, err := regexp.Compile("(?i)" + text); err != nil {
			return "", errors.Join(bad, err)
		}
		return text, nil
	}
	if a, err := address.Parse(text); err == nil && a.Local() != "*" {
		if a.Domain() == "" {
			return "", bad
		}
		return a.String(), nil
	}
	domain := strings.TrimPrefix(strings.TrimPrefix(text, "*"), "@")
	if a, err := address.Parse("postmaster@" + domain); err == nil && a.Domain() != "" && !strings.HasPrefix(domain, "[") && !strings.Contains(domain, "@") {
		return a.Domain(), nil
	}
	return "", bad
}

// Ban adds an entry to the ban list of a list: what it means neither posts nor joins. It returns nil where the entry is there already, and
// ErrBan, ErrBansOwner or ErrFull where it cannot be added.
func Ban(tx *storage.Tx, id ID, typed string, e Edit) (*Revision, error) {
	entry, err := BanEntry(typed)
	if err != nil {
		return nil, err
	}
	l, err := Get(tx, id)
	if err != nil {
		return nil, err
	}
	if slices.Contains(l.Settings.BanList, entry) {
		return nil, nil
	}
	for _, o := range Members(tx, id, RoleOwner, "") {
		if _, hit := Match([]string{entry}, o.Address); hit {
			return nil, fmt.Errorf("%q %w: %s", entry, ErrBansOwner, o.Address)
		}
	}
	if len(l.Settings.BanList) >= MaxBans {
		return nil, ErrFull
	}
	l.Settings.BanList = append(slices.Clone(l.Settings.BanList), entry)
	return Change(tx, id, l.Settings, e)
}

// Unban takes an entry out of the ban list of a list. It returns nil where it is not there.
func Unban(tx *storage.Tx, id ID, entry string, e Edit) (*Revision, error) {
	l, err := Get(tx, id)
	if err != nil {
		return nil, err
	}
	l.Settings.BanList = slices.DeleteFunc(slices.Clone(l.Settings.BanList), func(b string) bool { return b == entry })
	return Change(tx, id, l.Settings, e)
}

// Banned is an entry of a ban list, and how it came there.
type Banned struct {
	Entry string    `json:"entry"`       // as BanEntry gives it
	At    time.Time `json:"at,omitzero"` // zero, as the others, where it is not known
	By    string    `json:"by,omitempty"`
	Why   string    `json:"why,omitempty"`
}

// Bans are the entries of a list's ban list, and how they came there as far as the changes of its settings tell.
func Bans(tx *storage.Tx, id ID) ([]Banned, error) {
	l, err := Get(tx, id)
	if err != nil {
		return nil, err
	}
	origins := map[string]Banned{}
	for k, b := range storage.Under(tx, banOrigins, listID, id) {
		origins[k.B] = b
	}
	var all []Banned
	for _, entry := range l.Settings.BanList {
		b := origins[entry]
		b.Entry = entry
		all = append(all, b)
	}
	return all, nil
}

// stringsIn are the entries of a setting of lines, as a revision has it.
func stringsIn(v json.RawMessage) (all []string) {
	json.Unmarshal(v, &all) // null, of a setting that was empty, is none
	return all
}

// CountMatches returns how many members an entry of a ban list means, of the first MaxLook; more says that there are others.
func CountMatches(tx *storage.Tx, id ID, entry string) (n int, more bool) {
	looked := 0
	for _, m := range Members(tx, id, RoleMember, "") {
		if looked++; looked > MaxLook {
			return n, true
		}
		if _, hit := Match([]string{entry}, m.Address); hit {
			n++
		}
	}
	return n, false
}
