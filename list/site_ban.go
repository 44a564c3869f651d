package list

import (
	"errors"
	"fmt"
	"slices"

	"kairan/smtpd/address"
	"kairan/storage"
)

// ErrBansAdmin says that an entry would ban the site's administrator.
var ErrBansAdmin = errors.New("would ban the site's administrator")

// siteBans has one row: every post reads all of them.
var siteBans = storage.NewTable[string, []Banned]("site_bans", text)

const theBans = "bans"

// SiteBans are the entries of the site's ban list, the oldest first: what they mean neither posts to any list nor joins one. Those of the configuration are not among them.
func SiteBans(tx *storage.Tx) ([]Banned, error) {
	all, err := siteBans.Get(tx, theBans)
	if errors.Is(err, storage.ErrNotFound) {
		err = nil
	}
	return all, err
}

// SiteBanList are the entries of [SiteBans].
func SiteBanList(tx *storage.Tx) (entries []string) {
	all, _ := SiteBans(tx) // a row that cannot be read fails the transaction
	for _, b := range all {
		entries = append(entries, b.Entry)
	}
	return entries
}

// BanFromSite adds an entry to the site's ban list, unless it would ban admin, and reports whether it is new. It returns ErrBan, ErrBansAdmin or
// ErrFull where it cannot be added.
func BanFromSite(tx *storage.Tx, admin address.Address, typed string, e Edit) (added bool, err error) {
	entry, err := BanEntry(typed)
	if err != nil {
		return false, err
	}
	if _, hit := Match([]string{entry}, admin); hit {
		return false, fmt.Errorf("%q %w: %s", entry, ErrBansAdmin, admin)
	}
	all, err := SiteBans(tx)
	switch {
	case err != nil:
		return false, err
	case slices.ContainsFunc(all, func(b Banned) bool { return b.Entry == entry }):
		return false, nil
	case len(all) >= maxSiteBans:
		return false, ErrFull
	}
	return true, errors.Join(
		siteBans.Put(tx, theBans, append(all, Banned{Entry: entry, At: e.At, By: e.By, Why: e.Why})),
		Log(tx, "", Event{At: e.At, Stage: "ban", By: e.By, Word: "ban.added", Args: map[string]string{"entry": entry, "why": e.Why}}),
	)
}

// maxSiteBans bounds the site's ban list.
const maxSiteBans = 1000

// LiftFromSite takes an entry out of the site's ban list, and reports whether it was there.
func LiftFromSite(tx *storage.Tx, entry string, e Edit) (lifted bool, err error) {
	all, err := SiteBans(tx)
	if err != nil {
		return false, err
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(b Banned) bool { return b.Entry == entry })
	if len(rest) == len(all) {
		return false, nil
	}
	return true, errors.Join(
		siteBans.Put(tx, theBans, rest),
		Log(tx, "", Event{At: e.At, Stage: "ban", By: e.By, Word: "ban.lifted", Args: map[string]string{"entry": entry, "why": e.Why}}),
	)
}
