package list

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// Session says who is signed in on the web, and where.
type Session struct {
	Key     string          `json:"-"` // hash of the secret in the browser's cookie, see [TokenHash]
	Address address.Address `json:"address"`
	Until   time.Time       `json:"until"`
	Begun   time.Time       `json:"begun,omitzero"`
	Seen    time.Time       `json:"seen,omitzero"`   // when it was last used, more or less
	Agent   string          `json:"agent,omitempty"` // User-Agent of the browser at the beginning
}

// Ended reports whether a session is over at that time.
func (g *Session) Ended(now time.Time) bool { return now.After(g.Until) }

// MaxSessions is how many sessions a person has at most; the oldest ends for a new one.
const MaxSessions = 50

var (
	sessions = storage.NewTable[string, Session]("sessions", text)
	// Sessions by address key, and by when they end, in Unix seconds.
	sessionsOf    = storage.NewTable[storage.Pair[string, string], bool]("sessions_by_address", storage.Pairs(text, text))
	sessionsUntil = storage.NewTable[storage.Pair[uint64, string], bool]("sessions_by_end", storage.Pairs(storage.Uints[uint64](), text))
)

func (g *Session) end() storage.Pair[uint64, string] {
	return storage.P(uint64(max(g.Until.Unix(), 0)), g.Key)
}

// GetSession returns the session with that key, or storage.ErrNotFound. It may have ended.
func GetSession(tx *storage.Tx, key string) (*Session, error) {
	g, err := sessions.Get(tx, key)
	g.Key = key
	return &g, err
}

// BeginSession keeps a new session. Where the person has MaxSessions, the oldest of them ends.
func BeginSession(tx *storage.Tx, g Session) error {
	var all []*Session
	for _, a := range PersonOf(tx, g.Address).Addresses {
		all = append(all, sessionsAt(tx, a)...)
	}
	slices.SortFunc(all, func(a, b *Session) int { return a.Begun.Compare(b.Begun) })
	for len(all) >= MaxSessions {
		if err := dropSession(tx, all[0]); err != nil {
			return err
		}
		all = all[1:]
	}
	return putSession(tx, &g)
}

// SetSession replaces a session, or returns storage.ErrNotFound.
func SetSession(tx *storage.Tx, g Session) error {
	old, err := GetSession(tx, g.Key)
	if err != nil {
		return err
	}
	if old.Address.Key() == g.Address.Key() && old.Until.Equal(g.Until) {
		return sessions.Put(tx, g.Key, g)
	}
	return errors.Join(dropSession(tx, old), putSession(tx, &g))
}

func putSession(tx *storage.Tx, g *Session) error {
	return errors.Join(
		sessions.Put(tx, g.Key, *g),
		sessionsOf.Put(tx, storage.P(g.Address.Key(), g.Key), true),
		sessionsUntil.Put(tx, g.end(), true),
	)
}

func dropSession(tx *storage.Tx, g *Session) error {
	return errors.Join(
		sessions.Delete(tx, g.Key),
		sessionsOf.Delete(tx, storage.P(g.Address.Key(), g.Key)),
		sessionsUntil.Delete(tx, g.end()),
	)
}

// EndSession ends the session with that key; where there is none, nothing happens.
func EndSession(tx *storage.Tx, key string) error {
	g, err := GetSession(tx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return dropSession(tx, g)
}

// EndSessions ends those sessions of a person that which is true for, and returns how many. What somebody else does is in the site's log.
func (p *Person) EndSessions(tx *storage.Tx, which func(*Session) bool, e Edit) (n int, err error) {
	for _, a := range p.Addresses {
		for _, g := range sessionsAt(tx, a) {
			if !which(g) {
				continue
			}
			if err := dropSession(tx, g); err != nil {
				return n, err
			}
			n++
		}
	}
	if n == 0 {
		return 0, nil
	}
	return n, LogPerson(tx, p, Event{At: e.At, By: e.By, Word: "person.sessions-ended", Args: map[string]string{"n": strconv.Itoa(n), "why": e.Why}})
}

// Sessions are where a person is signed in, the one that was used last first.
func (p *Person) Sessions(tx *storage.Tx, now time.Time) (all []*Session) {
	for _, a := range p.Addresses {
		all = append(all, sessionsAt(tx, a)...)
	}
	all = slices.DeleteFunc(all, func(g *Session) bool { return g.Ended(now) })
	slices.SortStableFunc(all, func(a, b *Session) int { return b.Seen.Compare(a.Seen) })
	return all
}

// sessionsAt are the sessions of one address, ended ones too.
func sessionsAt(tx *storage.Tx, addr address.Address) (all []*Session) {
	for k := range storage.Under(tx, sessionsOf, text, addr.Key()) {
		if g, err := GetSession(tx, k.B); err == nil {
			all = append(all, g)
		}
	}
	return all
}

// ForgetSessions forgets up to n sessions that have ended, and returns how many. It reads no others.
func ForgetSessions(tx *storage.Tx, now time.Time, n int) (forgotten int, err error) {
	for k := range sessionsUntil.Scan(tx, storage.Range[storage.Pair[uint64, string]]{}) {
		if forgotten == n || k.A >= uint64(now.Unix()) {
			break
		}
		if err := errors.Join(EndSession(tx, k.B), sessionsUntil.Delete(tx, k)); err != nil {
			return forgotten, err
		}
		forgotten++
	}
	return forgotten, nil
}

// indexSessions is the migration that gives the indexes the sessions that are there.
func indexSessions(tx *storage.Tx) error {
	for key, g := range sessions.Scan(tx, storage.Range[string]{}) {
		g.Key = key
		if err := putSession(tx, &g); err != nil {
			return err
		}
	}
	return nil
}
