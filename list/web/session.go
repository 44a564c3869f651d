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
	sweepEvery  = time.Hour
)

// sessionOf returns the session that a request carries; nil without one.
func (s *site) sessionOf(tx *storage.Tx, r *http.Request, now time.Time) *list.Session {
	c, err := r.Cookie(s.cookieName("session"))
	if err != nil || len(c.Value) != tokenLength {
		return nil
	}
	g, err := list.GetSession(tx, list.TokenHash(c.Value))
	if err != nil || g.Ended(now) {
		return nil
	}
	return g
}

// recognise returns who a request acts for. Where the store fails, it goes on as for a stranger.
func (s *site) recognise(r *http.Request) (a actor) {
	if _, err := r.Cookie(s.cookieName("session")); err != nil {
		return actor{}
	}
	now := time.Now()
	stale := false
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		if g := s.sessionOf(tx, r, now); g != nil {
			a, stale = s.newActor(tx, g.Address, g.Key), now.Sub(g.Seen) > seenEvery
		}
		return nil
	})
	if err == nil && stale {
		err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
			g := s.sessionOf(tx, r, now)
			if g == nil {
				return nil
			}
			g.Seen = now
			return list.SetSession(tx, *g)
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
	agent := r.UserAgent()
	secret = list.NewToken()
	return secret, list.BeginSession(tx, list.Session{
		Key: list.TokenHash(secret), Address: addr, Until: now.Add(sessionLife), Begun: now, Seen: now, Agent: agent[:min(len(agent), maxAgent)],
	})
}

// endSession ends the session that a request carries, if any.
func (s *site) endSession(tx *storage.Tx, r *http.Request) error {
	c, err := r.Cookie(s.cookieName("session"))
	if err != nil || len(c.Value) != tokenLength {
		return nil
	}
	return list.EndSession(tx, list.TokenHash(c.Value))
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

// sweep forgets links and other things on the way that have ended, now and then. Sessions are forgotten by [subscribe.Workflow.Expire].
func (s *site) sweep(tx *storage.Tx, now time.Time) error {
	last := s.swept.Load()
	if now.Unix()-last < int64(sweepEvery.Seconds()) || !s.swept.CompareAndSwap(last, now.Unix()) {
		return nil
	}
	return errors.Join(list.ForgetLoginLinks(tx, now), sweep(tx, loginCodes, now), sweep(tx, challenges, now), sweep(tx, errands, now), sweep(tx, bulks, now), sweep(tx, bulkTexts, now))
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
