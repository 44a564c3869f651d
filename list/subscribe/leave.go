package subscribe

import (
	"errors"

	"kairan/list"
	"kairan/storage"
)

// Leave is the request of an address to be a member no longer.
func (w *Workflow) Leave(tx *storage.Tx, r Request) (Result, error) {
	member := list.Has(tx, r.List.ID, r.Address, list.RoleMember)
	switch {
	case !member && !r.Verified:
		return Result{State: Asked, List: r.List}, nil
	case !member:
		return w.changedMind(tx, r, actionJoin, NotMember, "not-member")
	case !r.Verified || r.List.Settings.UnsubscriptionPolicy.Confirms() && !r.Proven:
		return w.ask(tx, r, list.Pending{Action: actionLeave}, "confirm-leave")
	}
	return w.leave(tx, r, nil)
}

// changedMind withdraws what an address waits for, which is the opposite of what it asks for now; if it waits for nothing, it has
// asked for what is so already, and is told that.
func (w *Workflow) changedMind(tx *storage.Tx, r Request, waits string, s State, name string) (Result, error) {
	withdrawn, err := w.Moderators.Withdraw(tx, r.List, r.Address, waits)
	if err != nil {
		return Result{}, err
	}
	if withdrawn {
		s, name = Withdrawn, "held-withdrawn"
	}
	return w.tell(tx, r, s, name)
}

// leave is what comes after the confirmation: the moderators, or the end.
func (w *Workflow) leave(tx *storage.Tx, r Request, p *list.Pending) (Result, error) {
	if r.List.Settings.UnsubscriptionPolicy.Moderates() && list.Has(tx, r.List.ID, r.Address, list.RoleMember) {
		return w.held(tx, r, p, actionLeave)
	}
	return w.release(tx, r, true)
}

// Release takes a member off a list without further questions, as a moderator or an owner decides, and says goodbye.
func (w *Workflow) Release(tx *storage.Tx, r Request) (Result, error) {
	r.Verified = false
	return w.release(tx, r, false)
}

// release ends a membership. Who left by an own request can take it back by a link, with all settings.
func (w *Workflow) release(tx *storage.Tx, r Request, own bool) (Result, error) {
	l := r.List
	m, err := list.GetMember(tx, l.ID, list.RoleMember, r.Address)
	if errors.Is(err, list.ErrNotMember) {
		return Result{State: NotMember, List: l}, nil
	}
	if err != nil {
		return Result{}, err
	}
	lang := l.LanguageOf(m)
	back := w.Templates.T(lang, "goodbye.rejoin", "join", l.Suffixed("join"))
	if own {
		_, _, err = list.LeaveByToken(tx, m.Token, r.Now.In(w.Site.Location))
		back = w.Templates.T(lang, "goodbye.undo", "days", list.UndoDays, "url", w.Site.URL+"/-/undo/"+list.UndoToken(m.Token))
	} else {
		err = errors.Join(
			list.Leave(tx, l.ID, list.RoleMember, r.Address, r.Now.In(w.Site.Location)),
			list.NoteMember(tx, l.ID, r.Address, list.Event{At: r.Now, Stage: "leave", By: r.by(), Word: "member.removed", Args: map[string]string{"why": r.Why}}),
		)
	}
	if err := errors.Join(err, list.WithdrawPending(tx, actionLeave, l.ID, r.Address)); err != nil {
		return Result{}, err
	}
	w.Log.Info("leave", "list", l.Address.String(), "address", r.Address.String())
	return w.passed(tx, r, passage{
		state: Left, lang: lang, mail: l.Settings.SendGoodbyeMessage, name: "goodbye", text: l.Settings.GoodbyeMsg, back: back, owners: "member-left",
	})
}
