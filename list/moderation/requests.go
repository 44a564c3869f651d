package moderation

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Request is somebody who waits for a moderator's word to join or to leave.
type Request struct {
	Action  string            `json:"action"` // "join" or "leave"
	Address address.Address   `json:"address"`
	Name    string            `json:"name,omitempty"` // of who joins
	Mode    list.DeliveryMode `json:"delivery_mode,omitempty"`
	At      time.Time         `json:"at"`
	Noticed bool              `json:"noticed,omitempty"` // the moderators know of it

	// What was decided is kept as long as a notice can be answered, so that who comes later is told.
	Verdict list.Action `json:"verdict,omitempty"`
	By      string      `json:"by,omitempty"`
	Reason  string      `json:"reason,omitempty"` // of a rejection
	Decided time.Time   `json:"decided,omitzero"`
	// Until is the end of the time in which the decision can be taken back; what follows from it comes then. Zero is when that is done.
	Until  time.Time `json:"until,omitzero"`
	Spread bool      `json:"spread,omitempty"` // the other moderators know what was decided
}

// banned is the verdict about a request that a moderator accepted and a ban list forbids.
const banned list.Action = "banned"

// noRoom is what becomes of a request that was accepted when there is no room.
const noRoom list.Action = "no-room"

// Waits reports whether nobody has decided.
func (r *Request) Waits() bool { return r.Verdict == "" }

// undoable reports whether what was decided can be taken back.
func (r *Request) undoable(now time.Time) bool { return now.Before(r.Until) }

// id names a request within its list.
func (r *Request) id() string { return r.Action + " " + r.Address.Key() }

type requestKey = storage.Pair[list.ID, string]

var requests = storage.NewTable[requestKey, Request]("moderation_requests", storage.Pairs(listID, storage.Strings[string]()))

// Room implements subscribe.Moderators: as many requests as posts may wait.
func (m *Moderation) Room(tx *storage.Tx, l *list.List) bool {
	n := 0
	for range Requests(tx, l.ID) {
		n++
	}
	return l.Settings.MaxHeld == 0 || n < l.Settings.MaxHeld
}

// HeldSubscription implements subscribe.Moderators.
func (m *Moderation) HeldSubscription(ctx context.Context, h subscribe.Held) error {
	r := Request{Action: h.Action, Address: h.Address, Name: h.Name, Mode: h.Mode, At: time.Now()}
	k := storage.P(h.List.ID, r.id())
	err := m.DB.Update(ctx, func(tx *storage.Tx) error {
		old, err := requests.Get(tx, k)
		if err == nil && (old.Waits() || !old.Until.IsZero()) {
			return nil
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		return requests.Put(tx, k, r)
	})
	if err != nil {
		return fmt.Errorf("hold: %w", err)
	}
	m.Wake()
	return nil
}

// Withdraw implements subscribe.Moderators.
func (m *Moderation) Withdraw(tx *storage.Tx, l *list.List, who address.Address, action string) (bool, error) {
	r := Request{Action: action, Address: who}
	k := storage.P(l.ID, r.id())
	r, err := requests.Get(tx, k)
	if errors.Is(err, storage.ErrNotFound) || err == nil && !r.Waits() && r.Until.IsZero() {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	note := list.Event{At: time.Now(), Stage: action, Text: "request: withdrawn", By: who.String(), Word: "request." + action + ".withdrawn"}
	return true, errors.Join(requests.Delete(tx, k), list.NoteMember(tx, l.ID, who, note))
}

// Requests yields who waits for a moderator's word to join or to leave a list.
func Requests(tx *storage.Tx, l list.ID) iter.Seq[*Request] {
	return func(yield func(*Request) bool) {
		for _, r := range storage.Under(tx, requests, listID, l) {
			if r.Waits() && !yield(&r) {
				return
			}
		}
	}
}

// RequestQuery asks for a page of those who wait for a moderator's word in a list.
type RequestQuery struct {
	List      list.ID
	Part      string // stands in the address, in any case
	list.Leaf        // by [Request.Key]
}

// Key is where a request stands among those of its list.
func (r *Request) Key() string { return r.id() }

// FindRequests returns a page of who waits, and whether there are more before and behind them.
func FindRequests(tx *storage.Tx, q RequestQuery) (page []*Request, earlier, later bool) {
	return list.Turn(q.Leaf, func(r storage.Range[string]) iter.Seq[*Request] {
		return func(yield func(*Request) bool) {
			for _, found := range storage.Within(tx, requests, listID, q.List, r) {
				if found.Waits() && strings.Contains(found.Address.Key(), strings.ToLower(q.Part)) && !yield(&found) {
					return
				}
			}
		}
	})
}

// Expires returns when a request that nobody decides about is dropped; never is the zero time.
func (r *Request) Expires(l *list.List) time.Time {
	if l.Settings.MaxDaysToHold == 0 {
		return time.Time{}
	}
	return r.At.AddDate(0, 0, l.Settings.MaxDaysToHold)
}

// RequestsOf returns what an address waits for, or has lately waited for, in a list.
func RequestsOf(tx *storage.Tx, l list.ID, who address.Address) (found []*Request, err error) {
	for _, action := range []string{"join", "leave"} {
		r := Request{Action: action, Address: who}
		r, err := requests.Get(tx, storage.P(l, r.id()))
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, &r)
	}
	return found, nil
}

// requestsNamed is RequestsOf for an address as people write it; there are none for what is no address.
func requestsNamed(tx *storage.Tx, l list.ID, id string) ([]*Request, error) {
	who, err := address.Parse(id)
	if err != nil {
		return nil, nil
	}
	return RequestsOf(tx, l, who)
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
		due := false
		err := m.DB.View(ctx, func(tx *storage.Tx) error {
			a, err := readAgenda(tx, id, now)
			due = err == nil && a.any()
			return err
		})
		if due {
			err = m.DB.Update(ctx, func(tx *storage.Tx) error { return m.noticeRequests(tx, id, now) })
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("requests to list %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// agenda is what is due for the requests of a list.
type agenda struct {
	list    *list.List
	forget  []requestKey // long decided, or their list was closed
	expire  []*Request
	settle  []*Request // decided, and nobody has taken it back in time
	waiting []requestKey
	tell    bool // the moderators, of all that waits
}

func (a *agenda) any() bool { return a.tell || len(a.forget)+len(a.expire)+len(a.settle) > 0 }

func readAgenda(tx *storage.Tx, id list.ID, now time.Time) (*agenda, error) {
	l, err := list.Get(tx, id)
	if err != nil {
		return nil, err
	}
	a, fresh := &agenda{list: l}, false
	for k, r := range storage.Under(tx, requests, listID, id) {
		switch {
		case !r.Until.IsZero():
			if !r.undoable(now) {
				a.settle = append(a.settle, &r)
			}
		case !r.Waits() && now.Sub(r.Decided) > tokenLife, r.Waits() && !l.Removed.IsZero():
			a.forget = append(a.forget, k)
		case r.Waits() && tooOld(l, r.At, now):
			a.expire = append(a.expire, &r)
		case r.Waits():
			a.waiting = append(a.waiting, k)
			fresh = fresh || !r.Noticed
		}
	}
	s, err := getState(tx, id)
	since := now.Sub(s.Requests)
	a.tell = len(a.waiting) > 0 && (since >= daily || since >= batch && fresh && l.Settings.AdminImmedNotify)
	return a, err
}

// noticeRequests does attendRequests for one list.
func (m *Moderation) noticeRequests(tx *storage.Tx, id list.ID, now time.Time) error {
	a, err := readAgenda(tx, id, now)
	if err != nil {
		return err
	}
	for _, k := range a.forget {
		if err := requests.Delete(tx, k); err != nil {
			return err
		}
	}
	for _, r := range a.settle {
		if err := m.concludeRequest(tx, a.list, r, now); err != nil {
			return err
		}
	}
	for _, r := range a.expire {
		if _, err := m.DecideRequest(tx, a.list, r, Decision{Action: list.Discard, By: list.ByTime}, now); err != nil {
			return err
		}
	}
	if !a.tell {
		return nil
	}
	s, err := getState(tx, id)
	if err != nil {
		return err
	}
	s.Requests = now
	return errors.Join(states.Put(tx, id, s), m.tellRequests(tx, a.list, a.waiting, now))
}

// tellRequests sends each moderator the requests that wait.
func (m *Moderation) tellRequests(tx *storage.Tx, l *list.List, waiting []requestKey, now time.Time) error {
	shown := waiting[:min(len(waiting), perReminder)]
	var ids []string
	var rows []Request
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
		lang := l.LanguageOf(who)
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
func (m *Moderation) asks(lang string, r *Request) string {
	return m.Templates.T(lang, "held.asks-"+r.Action, "address", r.Address.String())
}

// requestDecided says who decided about a request, and how.
func (m *Moderation) requestDecided(lang string, r *Request) string {
	by := r.By
	if by == list.ByTime {
		by = m.Templates.T(lang, "held.by-time")
	}
	return m.decision(lang, r.Verdict, by, r.Decided)
}

// DecideRequest gives a request that waits its verdict and does all that follows. For one that was decided before it does nothing. One to join a
// list that is full cannot be accepted: it goes on waiting.
// Of d it takes Action, Reason, By and Undo; it returns a claim that is somebody else's. Call [Moderation.Wake] after the commit.
func (m *Moderation) DecideRequest(tx *storage.Tx, l *list.List, r *Request, d Decision, now time.Time) (others Claim, err error) {
	if !r.Waits() {
		return Claim{}, nil
	}
	if !slices.Contains([]list.Action{list.Accept, list.Reject, list.Discard}, d.Action) {
		return Claim{}, fmt.Errorf("decide about %s: %q is no decision", r.Address, d.Action)
	}
	if d.Action == list.Accept && r.Action == "join" {
		if full, err := m.Subscribe.Full(tx, l); full || err != nil {
			return Claim{}, err
		}
	}
	r.By, r.Reason, r.Decided, r.Verdict = d.By, d.Reason, now, d.Action
	if others, err = dropClaim(tx, l.ID, r.Address.String(), d.By, now); err != nil {
		return Claim{}, err
	}
	if !d.Undo {
		return others, m.concludeRequest(tx, l, r, now)
	}
	r.Until = now.Add(UndoTime)
	return others, requests.Put(tx, storage.P(l.ID, r.id()), *r)
}

// concludeRequest does all that follows from a decision about a request which is not taken back.
func (m *Moderation) concludeRequest(tx *storage.Tx, l *list.List, r *Request, now time.Time) (err error) {
	r.Until = time.Time{}
	switch {
	case r.Verdict == list.Accept:
		r.Verdict, err = m.admit(tx, l, r)
	case r.Verdict == list.Reject:
		err = m.tellRefused(tx, l, r, m.rejection(l, r.Reason, language(tx, l, r.Address)))
	case r.By == list.ByTime:
		lang := language(tx, l, r.Address)
		err = m.tellRefused(tx, l, r, m.Templates.T(lang, "held.nobody-decided", "n", l.Settings.MaxDaysToHold))
	}
	if err != nil {
		return err
	}
	if r.Verdict == noRoom { // somebody else has taken the last place since
		r.By, r.Reason, r.Decided, r.Verdict = "", "", time.Time{}, ""
		return requests.Put(tx, storage.P(l.ID, r.id()), *r)
	}
	r.Spread = !r.Noticed || r.By == list.ByTime || !l.Settings.AdminImmedNotify
	if r.Verdict != list.Accept { // coming and going is noted where it is done
		note := list.Event{At: now, Stage: r.Action, Text: "request: " + string(r.Verdict), By: r.By, Word: "request." + r.Action + "." + string(r.Verdict)}
		if err := list.NoteMember(tx, l.ID, r.Address, note); err != nil {
			return err
		}
	}
	m.Log.Info("moderate", "list", l.Address.String(), "request", r.Action, "address", r.Address.String(), "verdict", string(r.Verdict), "by", r.By)
	return requests.Put(tx, storage.P(l.ID, r.id()), *r)
}

// admit lets somebody join or leave. Who is banned does not join whatever a moderator says, and is told nothing.
func (m *Moderation) admit(tx *storage.Tx, l *list.List, r *Request) (list.Action, error) {
	do := m.Subscribe.Release
	if r.Action == "join" {
		do = m.Subscribe.Admit
	}
	res, err := do(tx, subscribe.Request{List: l, Address: r.Address, Name: r.Name, Mode: r.Mode, By: r.By, Now: r.Decided})
	if err != nil {
		return "", err
	}
	for _, n := range res.Mails {
		if err := m.Path.Queue(tx, n); err != nil {
			return "", err
		}
	}
	switch res.State {
	case subscribe.Refused:
		return banned, nil
	case subscribe.NoRoom:
		return noRoom, nil
	}
	return list.Accept, nil
}

// tellRefused tells somebody that a request was not accepted. It came from there: it was authenticated or confirmed.
func (m *Moderation) tellRefused(tx *storage.Tx, l *list.List, r *Request, reason string) error {
	lang := language(tx, l, r.Address)
	return m.queue(tx, letter{list: l, to: r.Address, lang: lang, name: "held-refused", args: map[string]string{
		"what":   m.asks(lang, r),
		"reason": reason,
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
		if !r.Waits() {
			row.Decided, row.Undo = m.requestDecided(lang, &r), r.undoable(time.Now())
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, list.ErrToken // all of them have expired
	}
	return rows, nil
}
