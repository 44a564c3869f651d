package moderation

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

// request is somebody who waits for a moderator's word to join or to leave.
type request struct {
	Action  string          `json:"action"` // "join" or "leave"
	Address address.Address `json:"address"`
	Name    string          `json:"name,omitempty"` // of who joins
	At      time.Time       `json:"at"`
	Noticed bool            `json:"noticed,omitempty"`

	// What was decided is kept as long as a notice can be answered, so that who comes later is told.
	Verdict list.Action `json:"verdict,omitempty"`
	By      string      `json:"by,omitempty"`
	Decided time.Time   `json:"decided,omitzero"`
}

// banned is the verdict about a request that a moderator accepted and a ban list forbids.
const banned list.Action = "banned"

// waits reports whether nobody has decided.
func (r *request) waits() bool { return r.Verdict == "" }

type requestKey = storage.Pair[list.ID, string]

var requests = storage.NewTable[requestKey, request]("moderation_requests", storage.Pairs(listID, storage.Strings[string]()))

// HeldSubscription implements subscribe.Moderators.
func (m *Moderation) HeldSubscription(ctx context.Context, h subscribe.Held) error {
	k := storage.P(h.List.ID, h.Action+" "+h.Address.Key())
	now := time.Now()
	err := m.DB.Update(ctx, func(tx *storage.Tx) error {
		old, err := requests.Get(tx, k)
		if err == nil && old.waits() {
			return nil
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		return requests.Put(tx, k, request{Action: h.Action, Address: h.Address, Name: h.Name, At: now})
	})
	if err != nil {
		return fmt.Errorf("hold: %w", err)
	}
	m.Wake()
	return nil
}

// Requests yields who waits for a moderator's word to join or to leave a list, and since when.
func Requests(tx *storage.Tx, l list.ID) iter.Seq2[subscribe.Held, time.Time] {
	return func(yield func(subscribe.Held, time.Time) bool) {
		for _, r := range storage.Under(tx, requests, listID, l) {
			if r.waits() && !yield(subscribe.Held{Address: r.Address, Name: r.Name, Action: r.Action}, r.At) {
				return
			}
		}
	}
}

// attendRequests tells moderators who wants to join or leave: soon, and then daily. It drops what has waited too long, and forgets what
// was decided long ago.
func (m *Moderation) attendRequests(ctx context.Context, now time.Time) error {
	lists := map[list.ID]bool{}
	err := m.DB.View(ctx, func(tx *storage.Tx) error {
		for k := range requests.Scan(tx, storage.Range[requestKey]{}) {
			lists[k.A] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read who waits: %w", err)
	}
	var errs []error
	for id := range lists {
		err := m.DB.Update(ctx, func(tx *storage.Tx) error { return m.noticeRequests(tx, id, now) })
		if err != nil {
			errs = append(errs, fmt.Errorf("requests to list %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// noticeRequests does attendRequests for one list.
func (m *Moderation) noticeRequests(tx *storage.Tx, id list.ID, now time.Time) error {
	l, err := list.Get(tx, id)
	if err != nil {
		return err
	}
	var waiting []requestKey
	fresh := false
	for k, r := range storage.Under(tx, requests, listID, id) {
		switch tooOld := l.Settings.MaxDaysToHold > 0 && r.At.Before(now.AddDate(0, 0, -l.Settings.MaxDaysToHold)); {
		case !r.waits() && now.Sub(r.Decided) > tokenLife, r.waits() && (tooOld || !l.Removed.IsZero()):
			if err := requests.Delete(tx, k); err != nil {
				return err
			}
		case r.waits():
			waiting = append(waiting, k)
			fresh = fresh || !r.Noticed
		}
	}
	s, err := getState(tx, id)
	if err != nil || len(waiting) == 0 {
		return err
	}
	if since := now.Sub(s.Requests); since < batch || since < daily && !(fresh && l.Settings.AdminImmedNotify) {
		return nil
	}
	s.Requests = now
	return errors.Join(states.Put(tx, id, s), m.tellRequests(tx, l, waiting, now))
}

// tellRequests sends each moderator the requests that wait.
func (m *Moderation) tellRequests(tx *storage.Tx, l *list.List, waiting []requestKey, now time.Time) error {
	shown := waiting[:min(len(waiting), perReminder)]
	var ids []string
	var rows []request
	for _, k := range shown {
		r, err := requests.Get(tx, k)
		if err != nil {
			return err
		}
		r.Noticed = true
		if err := requests.Put(tx, k, r); err != nil {
			return err
		}
		ids, rows = append(ids, k.B), append(rows, r)
	}
	id := storage.NewID(now)
	for _, who := range m.moderators(tx, l) {
		token, err := newToken(tx, forRequests+":"+id, l, who.Address, tokenLife, now, ids...)
		if err != nil {
			return err
		}
		lang := speaks(l, who)
		var b strings.Builder
		for i, r := range rows {
			number := ""
			if len(rows) > 1 {
				number = " " + strconv.Itoa(i+1)
			}
			fmt.Fprintf(&b, "%d. %s (%s)\n", i+1, m.asks(lang, &r), r.At.In(m.Site.Location).Format("2006-01-02 15:04"))
			for _, word := range []string{"accept", "discard"} {
				fmt.Fprintf(&b, "  %s: %s\n", m.Templates.T(lang, "held.do-"+word), mailto(l, token, word+number))
			}
		}
		t := letter{list: l, to: who.Address, lang: lang, name: "held-requests", token: token, unasked: true}
		t.args = map[string]string{"n": strconv.Itoa(len(waiting)), "entries": b.String(), "url": m.url(token)}
		if err := m.queue(tx, t); err != nil {
			return err
		}
	}
	return nil
}

// asks says in words what somebody wants.
func (m *Moderation) asks(lang string, r *request) string {
	return m.Templates.T(lang, "held.asks-"+r.Action, "address", r.Address.String())
}

// decideRequest does what a moderator says about a request, and says what became of it.
func (m *Moderation) decideRequest(tx *storage.Tx, l *list.List, p *list.Pending, lang string, o order) (said string, err error) {
	k := storage.P(l.ID, o.id)
	r, err := requests.Get(tx, k)
	if errors.Is(err, storage.ErrNotFound) {
		return "", list.ErrToken // it has expired
	}
	if err != nil {
		return "", err
	}
	if !r.waits() {
		return m.asks(lang, &r) + ": " + m.decision(lang, r.Verdict, r.By, r.Decided), nil
	}
	r.By, r.Decided = p.Address.String(), o.at
	switch o.word {
	case "accept":
		r.Verdict, err = m.admit(tx, l, &r)
	case "reject":
		r.Verdict, err = list.Reject, m.tellRefused(tx, l, &r, o.reason)
	default:
		r.Verdict = list.Discard
	}
	if err != nil {
		return "", err
	}
	m.Log.Info("moderate", "list", l.Address.String(), "request", r.Action, "address", r.Address.String(), "verdict", string(r.Verdict), "by", r.By)
	return m.asks(lang, &r) + ": " + m.decision(lang, r.Verdict, r.By, r.Decided), requests.Put(tx, k, r)
}

// admit lets somebody join or leave. Who is banned does not join whatever a moderator says, and is told nothing.
func (m *Moderation) admit(tx *storage.Tx, l *list.List, r *request) (list.Action, error) {
	do := m.Subscribe.Release
	if r.Action == "join" {
		do = m.Subscribe.Admit
	}
	res, err := do(tx, subscribe.Request{List: l, Address: r.Address, Name: r.Name, By: r.By, Now: r.Decided})
	if err != nil {
		return "", err
	}
	for _, n := range res.Mails {
		if err := m.Path.Queue(tx, n); err != nil {
			return "", err
		}
	}
	if res.State == subscribe.Refused {
		return banned, nil
	}
	return list.Accept, nil
}

// tellRefused tells somebody that a request was rejected. It came from there: it was authenticated or confirmed.
func (m *Moderation) tellRefused(tx *storage.Tx, l *list.List, r *request, words string) error {
	lang := language(tx, l, r.Address)
	return m.queue(tx, letter{list: l, to: r.Address, lang: lang, name: "held-refused", args: map[string]string{
		"what":   m.asks(lang, r),
		"reason": m.rejection(l, words, lang),
	}})
}

// pageRequests are the requests of a token's page.
func (m *Moderation) pageRequests(tx *storage.Tx, lang string, l *list.List, ids []string) (rows []PagePost, err error) {
	for _, id := range ids {
		r, err := requests.Get(tx, storage.P(l.ID, id))
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		row := PagePost{ID: id, From: r.Address.String(), Subject: m.asks(lang, &r), Received: r.At}
		if !r.waits() {
			row.Decided = m.decision(lang, r.Verdict, r.By, r.Decided)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, list.ErrToken // all of them have expired
	}
	return rows, nil
}
