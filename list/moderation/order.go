package moderation

import (
	"errors"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Order is somebody's word about one thing that waits.
type Order struct {
	ID     string          // of a post or a request; to Obey an address stands for its requests
	Word   string          // accept, trust, reject, discard, ban; yes, no; withdraw, undo; claim, release; take-back
	Reason string          // of a rejection: words, or the name of a saved text
	By     address.Address // whose word it is
	Lang   string          // of the answer
	Now    time.Time
	Undo   bool // the decision can be taken back for UndoTime
}

// decision is what a word means.
func (o Order) decision() Decision {
	d := Decision{Post: list.PostID(o.ID), By: o.By.String(), Action: list.Discard, Undo: o.Undo}
	switch o.Word {
	case "accept", "yes":
		d.Action = list.Accept
	case "trust":
		d.Action, d.Trust = list.Accept, true
	case "reject":
		d.Action, d.Reason = list.Reject, o.Reason
	case "ban":
		d.Ban = true
	}
	return d
}

// Obey does what a moderator of a list (the caller sees to that) says about what waits there, and says what became of it, a line
// for each thing. There are none where the ID means nothing.
func (m *Moderation) Obey(tx *storage.Tx, l *list.List, o Order) (lines []string, err error) {
	if !strings.Contains(o.ID, "@") {
		p, err := list.GetPost(tx, list.PostID(o.ID))
		if errors.Is(err, storage.ErrNotFound) || err == nil && (p.List != l.ID || !p.Held() && p.Verdict.By == "") {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		said, err := m.obeyPost(tx, o, true)
		return []string{said}, err
	}
	found, err := requestsNamed(tx, l.ID, o.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		said, err := m.obeyRequest(tx, l, r, o)
		if err != nil {
			return nil, err
		}
		lines = append(lines, said)
	}
	return lines, nil
}

// obeyPost decides about a post. An insider is told who was faster.
func (m *Moderation) obeyPost(tx *storage.Tx, o Order, insider bool) (said string, err error) {
	do := func() (Outcome, error) { return m.Decide(tx, o.decision(), o.Now) }
	if o.Word == "withdraw" || o.Word == "undo" {
		do = func() (Outcome, error) { return m.TakeBack(tx, list.PostID(o.ID), o.By.String(), o.Now) }
	}
	out, err := do()
	if err != nil {
		return "", err
	}
	said = m.subject(o.Lang, out.Post) + ": " + m.decided(o.Lang, out.Post, insider)
	if !out.Late && out.Claim.By != "" {
		said += " " + m.claimed(o.Lang, out.Claim)
	}
	if out.Undone != "" {
		said += " " + m.Templates.T(o.Lang, "held.undone-"+out.Undone)
	}
	return said, nil
}

// obeyRequest decides about a request.
func (m *Moderation) obeyRequest(tx *storage.Tx, l *list.List, r *Request, o Order) (said string, err error) {
	if !slices.Contains(buttons[forRequests], o.Word) {
		return m.asks(o.Lang, r) + ": " + m.Templates.T(o.Lang, "held.only-posts"), nil
	}
	claim, err := m.DecideRequest(tx, l, r, o.decision(), o.Now)
	if err != nil {
		return "", err
	}
	if r.Waits() {
		return m.asks(o.Lang, r) + ": " + m.Templates.T(o.Lang, "held.no-room"), nil
	}
	said = m.asks(o.Lang, r) + ": " + m.requestDecided(o.Lang, r)
	if claim.By != "" {
		said += " " + m.claimed(o.Lang, claim)
	}
	return said, nil
}

// Waiting is something that waits for a moderator's word.
type Waiting struct {
	ID    string // for Obey
	Since time.Time
	Post  bool   // else a request
	Words string // what it is, in one line
}

// Waiting returns up to n posts and n requests that wait in a list, oldest first, in words of a language, and who is looking at them.
func (m *Moderation) Waiting(tx *storage.Tx, l *list.List, lang string, n int) (all []Waiting) {
	looks := func(id string) string {
		c, err := claimOf(tx, l.ID, id, time.Now()) // an error fails the transaction
		if err != nil || c.By == "" {
			return ""
		}
		return " " + m.claimed(lang, c)
	}
	for p := range list.HeldPosts(tx, l.ID) {
		if len(all) == n {
			break
		}
		words := m.subject(lang, p) + ", " + m.author(lang, p) + ": " + strings.Join(m.reasons(lang, p), "; ") + looks(string(p.ID))
		all = append(all, Waiting{ID: string(p.ID), Since: p.Received, Post: true, Words: words})
	}
	posts := len(all)
	for r := range Requests(tx, l.ID) {
		if len(all) == posts+n {
			break
		}
		all = append(all, Waiting{ID: r.Address.String(), Since: r.At, Words: m.asks(lang, r) + looks(r.Address.String())})
	}
	slices.SortStableFunc(all, func(a, b Waiting) int { return a.Since.Compare(b.Since) })
	return all
}
