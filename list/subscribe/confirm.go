package subscribe

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Confirmation is a token that came back.
type Confirmation struct {
	Token string
	// From is the author of the mail that brought it, who must be whom the token was mailed to. Null for the page, which is opened with the token.
	From      address.Address
	InReplyTo string // Message-ID of that mail
	Now       time.Time
}

// ask mails a token to the address of a request, unless that would be too much. The result is the same in either case.
func (w *Workflow) ask(tx *storage.Tx, r Request, p list.Pending, name string) (Result, error) {
	res := Result{State: Asked, List: r.List}
	p.List, p.Address, p.By, p.Created, p.Expires = r.List.ID, r.Address, r.By, r.Now, r.Now.Add(list.PendingLife)
	if !r.Verified {
		if blocked(tx, r.Address) {
			return res, nil
		}
	}
	if ok, err := allow(tx, r); err != nil || !ok {
		return res, err
	}
	if err := list.WithdrawPending(tx, p.Action, p.List, p.Address); err != nil {
		return res, err
	}
	token, err := list.NewPending(tx, p)
	if err != nil {
		return res, err
	}
	n, err := w.Letter(tx, w.confirmation(tx, r, &p, token, name))
	res.Mails = append(res.Mails, n)
	return res, err
}

// Ask mails a token for one of the Actions to a verified requester, good for list.PendingLife unless p says until when, with values for the mail of that name; see [Workflow.Letter].
func (w *Workflow) Ask(tx *storage.Tx, r Request, p list.Pending, name string, args map[string]string) (Result, error) {
	p.List, p.Address, p.Created = r.List.ID, r.Address, r.Now
	if p.Expires.IsZero() {
		p.Expires = r.Now.Add(list.PendingLife)
	}
	if err := list.WithdrawPending(tx, p.Action, p.List, p.Address); err != nil {
		return Result{}, err
	}
	token, err := list.NewPending(tx, p)
	if err != nil {
		return Result{}, err
	}
	letter := w.confirmation(tx, r, &p, token, name)
	for k, v := range args {
		letter.Args[k] = v
	}
	n, err := w.Letter(tx, letter)
	return Result{State: Asked, List: r.List, Mails: []Notice{n}}, err
}

// Waiting returns what a token waits for and its list, or list.ErrToken. It uses nothing up.
func (w *Workflow) Waiting(ctx context.Context, token string, now time.Time) (p *list.Pending, l *list.List, err error) {
	err = w.DB.View(ctx, func(tx *storage.Tx) error {
		p, l, err = waiting(tx, token, now)
		return err
	})
	return p, l, err
}

func waiting(tx *storage.Tx, token string, now time.Time) (*list.Pending, *list.List, error) {
	p, err := list.GetPending(tx, token, now)
	if err != nil {
		return nil, nil, err
	}
	l, err := list.Get(tx, p.List)
	if errors.Is(err, list.ErrNoList) || err == nil && !l.Removed.IsZero() {
		return nil, nil, list.ErrToken
	}
	return p, l, err
}

// Confirm does what a token waits for and uses it up. It returns list.ErrToken for a token that is unknown, used, too old, or
// not for who brought it.
func (w *Workflow) Confirm(tx *storage.Tx, c Confirmation) (Result, error) {
	p, l, err := waiting(tx, c.Token, c.Now)
	if err != nil {
		return Result{}, err
	}
	if !c.From.IsNull() && c.From.Key() != p.Address.Key() { // a forged author has no token, and another one no business
		return Result{}, list.ErrToken
	}
	res, err := w.act(tx, l, p, c)
	if err != nil || len(res.Held) > 0 || res.State == Full || res.State == NoRoom { // in the second case the token is used up after the moderators know
		return res, err
	}
	if _, err = list.TakePending(tx, c.Token, c.Now); errors.Is(err, list.ErrToken) {
		err = nil // the action has withdrawn it
	}
	return res, err
}

func (w *Workflow) act(tx *storage.Tx, l *list.List, p *list.Pending, c Confirmation) (Result, error) {
	r := Request{List: l, Address: p.Address, Verified: true, InReplyTo: c.InReplyTo, Now: c.Now}
	switch p.Kind() {
	case actionJoin:
		var a about
		if err := json.Unmarshal(p.Data, &a); err != nil {
			return Result{}, err
		}
		r.Mode = a.Mode
		if r.Name = a.Name; a.Typed && !c.From.IsNull() {
			r.Name = "" // who answered a mail has not seen it
		}
		return w.join(tx, r, p)
	case actionInvite:
		return w.admit(tx, r)
	case actionLeave:
		return w.leave(tx, r, p)
	case actionChaddr:
		return w.changeAddress(tx, l, p, c.Now)
	}
	if do := w.Actions[p.Kind()]; do != nil {
		return do(tx, l, p, c)
	}
	return Result{}, list.ErrToken
}
