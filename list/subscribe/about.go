package subscribe

import (
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Place is what an address is in an open list.
type Place struct {
	List   *list.List
	Member *list.Member // in whatever role
}

// Key names a place for ever: list, role and address key.
func (p Place) Key() string {
	return string(p.List.ID) + " " + string(p.Member.Role) + " " + p.Member.Address.Key()
}

// Places are all of a person's, by the address of the list.
func Places(tx *storage.Tx, who *list.Person) (all []Place, err error) {
	for _, addr := range who.Addresses {
		for _, at := range placesOf(tx, addr) {
			l, err := list.Get(tx, at.list)
			if err != nil {
				return nil, err
			}
			if !l.Removed.IsZero() {
				continue
			}
			m, err := list.GetMember(tx, at.list, at.role, addr)
			if err != nil {
				return nil, err
			}
			all = append(all, Place{List: l, Member: m})
		}
	}
	slices.SortStableFunc(all, func(a, b Place) int { return strings.Compare(a.List.Address.Key(), b.List.Address.Key()) })
	return all, nil
}

// BanHit is an entry of a ban list that means an address.
type BanHit struct {
	Address address.Address
	Entry   string
	List    *list.List // nil: of all lists
	// Config says that it stands in the configuration, and not in the store.
	Config bool
}

// BansOf are the entries of all ban lists that mean a person: of the configuration, the site, and each open list; the first of each.
func (w *Workflow) BansOf(tx *storage.Tx, who *list.Person) (hits []BanHit) {
	site := list.SiteBanList(tx)
	for _, addr := range who.Addresses {
		if entry, ok := list.Match(w.BanList, addr); ok {
			hits = append(hits, BanHit{Address: addr, Entry: entry, Config: true})
		}
		if entry, ok := list.Match(site, addr); ok {
			hits = append(hits, BanHit{Address: addr, Entry: entry})
		}
	}
	for l := range list.All(tx) {
		for _, addr := range who.Addresses {
			if entry, ok := list.Match(l.Settings.BanList, addr); ok {
				hits = append(hits, BanHit{Address: addr, Entry: entry, List: l})
			}
		}
	}
	return hits
}

// About is what there is to say about a person, in a form that pages and the command line show.
type About struct {
	Person   *list.Person
	Places   []Place
	Sessions []*list.Session
	Passkeys []*list.Passkey
	Bans     []BanHit
	Waiting  []*list.Pending    // for a word of the person's
	Never    []address.Address  // want no mail that others ask for
	Posts    []*list.Post       // that bear an address of the person, proven or not, the latest first
	History  []list.PersonEvent // the latest first
}

// How much of what may be much is shown.
const (
	aboutPosts  = 20  // beside those that are held
	lookedAt    = 200 // of the latest posts
	aboutEvents = 50
)

// About gathers it. It reads nothing of others, but the bans of all lists.
func (w *Workflow) About(tx *storage.Tx, who *list.Person, now time.Time) (*About, error) {
	places, err := Places(tx, who)
	if err != nil {
		return nil, err
	}
	about := &About{
		Person: who, Places: places, Sessions: who.Sessions(tx, now), Passkeys: who.Passkeys(tx), Bans: w.BansOf(tx, who),
		History: who.History(tx, aboutEvents),
	}
	n := 0
	for _, p := range who.Posts(tx, time.Time{}, lookedAt) {
		if !p.Held() {
			n++
		}
		if p.Held() || n <= aboutPosts {
			about.Posts = append(about.Posts, p)
		}
	}
	for _, addr := range who.Addresses {
		for _, p := range list.PendingsOf(tx, addr) {
			if now.Before(p.Expires) {
				about.Waiting = append(about.Waiting, p)
			}
		}
		if blocked(tx, addr) {
			about.Never = append(about.Never, addr)
		}
	}
	return about, nil
}

// Known reports whether anything is kept about a person.
func (a *About) Known() bool {
	return a.Person.ID != "" || len(a.Places)+len(a.Sessions)+len(a.Waiting)+len(a.Never)+len(a.Posts)+len(a.History) > 0
}
