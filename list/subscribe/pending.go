package subscribe

import (
	"errors"

	"kairan/list"
	"kairan/storage"
)

// Unanswered returns the kinds of request that those who run a list see while an address has not answered: those that can be mailed once more and
// withdrawn. Of each kind one waits for an address in a list.
func Unanswered() []string { return []string{actionInvite, actionJoin, actionLeave, actionChaddr} }

// askedBy names the mail that asks, of each of the kinds.
var askedBy = map[string]string{actionInvite: "invite", actionJoin: "confirm-join", actionLeave: "confirm-leave", actionChaddr: "confirm-chaddr"}

// Resend mails once more, in the name of r.By, what r.Address has not answered. The mail has a new token, good for as long as the first one was;
// that one opens nothing any more. It counts as the first mail did, to the address and among the invitations of the list: where that would be too
// many the state is TooOften or Full, and the old token stays.
func (w *Workflow) Resend(tx *storage.Tx, r Request, action string) (Result, error) {
	p, err := list.PendingOf(tx, action, r.List.ID, r.Address, r.Now)
	if errors.Is(err, list.ErrToken) || askedBy[action] == "" {
		return Result{State: Settled, List: r.List}, nil
	}
	if err != nil {
		return Result{}, err
	}
	if s := w.resendable(tx, r, action); s != Asked {
		return Result{State: s, List: r.List}, nil
	}
	byList, byAddress := counter{"invitations " + string(r.List.ID), invitations}, counter{"address " + r.Address.Key(), perAddress}
	if ok, err := room(tx, byList.key, byList.limit, r.Now); err != nil || !ok {
		return Result{State: Full, List: r.List}, err
	}
	if ok, err := spend(tx, []counter{byAddress, byList}, r.Now); err != nil || !ok {
		return Result{State: TooOften, List: r.List}, err
	}
	if err := list.WithdrawPending(tx, action, r.List.ID, r.Address); err != nil {
		return Result{}, err
	}
	p.Expires = r.Now.Add(list.PendingLife)
	token, err := list.NewPending(tx, *p)
	if err != nil {
		return Result{}, err
	}
	n, err := w.Letter(tx, w.confirmation(tx, Request{List: r.List, Address: r.Address, Now: r.Now}, p, token, askedBy[action]))
	if err != nil {
		return Result{}, err
	}
	return Result{State: Asked, List: r.List, Mails: []Notice{n}}, w.noteAsked(tx, r, action, "resent")
}

// resendable is Asked where an address may be asked once more, or says why not.
func (w *Workflow) resendable(tx *storage.Tx, r Request, action string) State {
	if action == actionInvite || action == actionJoin {
		if s := w.welcome(tx, r.List, r.Address); s != Joined {
			return s
		}
	}
	if blocked(tx, r.Address) {
		return Unwanted
	}
	return Asked
}

// Withdraw ends, in the name of r.By, the waiting for an answer of r.Address: its link opens nothing any more. Nobody is told.
func (w *Workflow) Withdraw(tx *storage.Tx, r Request, action string) (Result, error) {
	_, err := list.PendingOf(tx, action, r.List.ID, r.Address, r.Now)
	if errors.Is(err, list.ErrToken) || askedBy[action] == "" {
		return Result{State: Settled, List: r.List}, nil
	}
	if err != nil {
		return Result{}, err
	}
	return Result{State: Withdrawn, List: r.List}, errors.Join(
		list.WithdrawPending(tx, action, r.List.ID, r.Address),
		w.noteAsked(tx, r, action, "withdrawn"),
	)
}

// noteAsked says in the address's history and the list's log what became of a question.
func (w *Workflow) noteAsked(tx *storage.Tx, r Request, action, what string) error {
	stage := action
	if action == actionInvite {
		stage = actionJoin
	}
	w.Log.Info("pending", "list", r.List.Address.String(), "address", r.Address.String(), "action", action, "did", what)
	return list.NoteMember(tx, r.List.ID, r.Address, list.Event{At: r.Now, Stage: stage, By: r.by(), Word: "pending." + action + "." + what})
}
