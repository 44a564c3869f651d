package web

import (
	"errors"
	"net/http"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

const (
	sessionLife = 30 * 24 * time.Hour
	seenEvery   = 10 * time.Minute // how exactly it is known when a session was last used
	maxAgent    = 200              // bytes kept of what a browser calls itself
	maxSessions = 50               // of one person; the oldest ends for a new one
	sweepEvery  = time.Hour
)

// session says who is signed in, and where.
type session struct {
	Address address.Address `json:"address"`
	Until   time.Time       `json:"until"`
	Begun   time.Time       `json:"begun,omitzero"`
	Seen    time.Time       `json:"seen,omitzero"`   // to within seenEvery
	Agent   string          `json:"agent,omitempty"` // User-Agent of the browser at the beginning
}

func (g session) ended(now time.Time) bool { return now.After(g.Until) }

// sessions is keyed by the hash of the cookie.
var sessions = storage.NewTable[string, session]("sessions", storage.Strings[string]())

// sessionOf returns the session that a request carries and its key. ok is false without one.
func (s *site) sessionOf(tx *storage.Tx, r *http.Request, now time.Time) (key string, g session, ok bool) {
	c, err := r.Cookie(s.cookieName("session"))
	if err != nil || len(c.Value) != tokenLength {
		return "", g, false
	}
	key = list.TokenHash(c.Value)
	g, err = sessions.Get(tx, key)
	return key, g, err == nil && !g.ended(now)
}

// recognise returns who a request acts for. Where the store fails, it goes on as for a stranger.
func (s *site) recognise(r *http.Request) (a actor) {
	if _, err := r.Cookie(s.cookieName("session")); err != nil {
		return actor{}
	}
	now := time.Now()
	stale := false
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		if key, g, ok := s.sessionOf(tx, r, now); ok {
			a, stale = s.newActor(tx, g.Address, key), now.Sub(g.Seen) > seenEvery
		}
		return nil
	})
	if err == nil && stale {
		err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
			key, g, ok := s.sessionOf(tx, r, now)
			if !ok {
				return nil
			}
			g.Seen = now
			return sessions.Put(tx, key, g)
		})
	}
	if err != nil && r.Context().Err() == nil {
		s.Log.Error("read session; going on as for a stranger", "error", err)
	}
	return a
}

// beginSession signs somebody in and returns the cookie's secret. The session that the browser had ends.
func (s *site) beginSession(tx *storage.Tx, r *http.Request, addr address.Address, now time.Time) (secret string, err error) {
	if err := s.endSession(tx, r); err != nil {
		return "", err
	}
	if err := endOldest(tx, list.PersonOf(tx, addr)); err != nil {
		return "", err
	}
	agent := r.UserAgent()
	secret = list.NewToken()
	return secret, sessions.Put(tx, list.TokenHash(secret), session{
		Address: addr, Until: now.Add(sessionLife), Begun: now, Seen: now, Agent: agent[:min(len(agent), maxAgent)],
	})
}

// endOldest makes room for one more session of a person.
func endOldest(tx *storage.Tx, who *list.Person) error {
	n, oldest, begun := 0, "", time.Time{}
	for key, g := range sessionsOf(tx, who) {
		if n++; oldest == "" || g.Begun.Before(begun) {
			oldest, begun = key, g.Begun
		}
	}
	if n < maxSessions {
		return nil
	}
	return sessions.Delete(tx, oldest)
}

// sessionsOf yields the sessions of a person with their keys.
func sessionsOf(tx *storage.Tx, who *list.Person) func(yield func(string, session) bool) {
	return func(yield func(string, session) bool) {
		for key, g := range sessions.Scan(tx, storage.Range[string]{}) {
			if who.Has(g.Address) && !yield(key, g) {
				return
			}
		}
	}
}

// endSession ends the session that a request carries, if any.
func (s *site) endSession(tx *storage.Tx, r *http.Request) error {
	c, err := r.Cookie(s.cookieName("session"))
	if err != nil || len(c.Value) != tokenLength {
		return nil
	}
	return sessions.Delete(tx, list.TokenHash(c.Value))
}

// logout ends the session.
func (s *site) logout(w http.ResponseWriter, r *http.Request) error {
	err := s.DB.Update(r.Context(), func(tx *storage.Tx) error { return s.endSession(tx, r) })
	if err != nil {
		return err
	}
	s.setSession(w, "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (s *site) setSession(w http.ResponseWriter, value string, maxAge int) {
	w.Header().Set("Cache-Control", "no-store")
	http.SetCookie(w, s.cookie("session", value, maxAge))
}

// sweep forgets sessions and links that have ended, now and then.
func (s *site) sweep(tx *storage.Tx, now time.Time) error {
	last := s.swept.Load()
	if now.Unix()-last < int64(sweepEvery.Seconds()) || !s.swept.CompareAndSwap(last, now.Unix()) {
		return nil
	}
	return errors.Join(sweep(tx, sessions, now), sweep(tx, loginLinks, now), sweep(tx, loginCodes, now), sweep(tx, challenges, now), sweep(tx, errands, now), sweep(tx, bulks, now), sweep(tx, bulkTexts, now))
}

// sweep deletes the rows that have ended.
func sweep[V interface{ ended(time.Time) bool }](tx *storage.Tx, t storage.Table[string, V], now time.Time) error {
	for key, v := range t.Scan(tx, storage.Range[string]{}) {
		if v.ended(now) {
			if err := t.Delete(tx, key); err != nil {
				return err
			}
		}
	}
	return nil
}
