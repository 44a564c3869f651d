package subscribe

import (
	"cmp"
	"encoding/json"
	"errors"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// What a Pending waits for.
const (
	actionJoin   = "join"
	actionLeave  = "leave"
	actionInvite = "invite"
	actionChaddr = "chaddr"
	// ActionCommands are commands that change what others have; list/command carries them out. Data is a JSON list of lines.
	// Each mail of them has an Action of its own, "commands:ID".
	ActionCommands = "commands"
	// ActionEnable switches delivery on again that bounces switched off; list/bounce carries it out.
	ActionEnable = "enable"
)

// Confirmable returns the kinds of Pending that the page /-/confirm/TOKEN has words for.
func Confirmable() []string {
	return []string{actionJoin, actionLeave, actionInvite, actionChaddr, ActionCommands, ActionEnable}
}

// about is the Data of a Pending for somebody who joins.
type about struct {
	Name string `json:"name,omitempty"`
	// Typed says that anybody may have written the name. Only who sees it on the page of the token confirms it.
	Typed bool              `json:"typed,omitempty"`
	Mode  list.DeliveryMode `json:"delivery_mode,omitempty"`
}

// NameOf returns the display name with which somebody will join whose request waits for a confirmation, or "".
func NameOf(p *list.Pending) string {
	var a about
	if p.Action != actionJoin || json.Unmarshal(p.Data, &a) != nil {
		return ""
	}
	return a.Name
}

// Join is the request of an address to become a member.
func (w *Workflow) Join(tx *storage.Tx, r Request) (Result, error) {
	l, policy := r.List, r.List.Settings.SubscriptionPolicy
	member := list.Has(tx, l.ID, r.Address, list.RoleMember)
	full, err := w.Full(tx, l)
	switch {
	case err != nil:
		return Result{}, err
	case full && !r.Verified: // whoever it is: nothing is told of members
		return w.noRoom(tx, l)
	case w.banned(tx, l, r.Address):
		return Result{State: known(r, Refused), List: l}, nil
	case member && !r.Verified:
		return Result{State: Asked, List: l}, nil
	case member:
		return w.changedMind(tx, r, actionLeave, Already, "already-member")
	case full:
		return w.noRoom(tx, l)
	case !r.Verified || policy.Confirms() && !r.Proven:
		data, err := json.Marshal(about{Name: r.Name, Typed: !r.Verified, Mode: r.Mode})
		if err != nil {
			return Result{}, err
		}
		return w.ask(tx, r, list.Pending{Action: actionJoin, Data: data}, "confirm-join")
	}
	return w.join(tx, r, nil)
}

func (r Request) by() string { return cmp.Or(r.By, r.Address.String()) }

// known is what a requester may be told.
func known(r Request, s State) State {
	if r.Verified {
		return s
	}
	return Asked
}

// join is what comes after the confirmation: the moderators, or membership.
func (w *Workflow) join(tx *storage.Tx, r Request, p *list.Pending) (Result, error) {
	full, err := w.Full(tx, r.List)
	switch {
	case err != nil:
		return Result{}, err
	case full && !list.Has(tx, r.List.ID, r.Address, list.RoleMember):
		return w.noRoom(tx, r.List) // moderators need not decide about it
	case r.List.Settings.SubscriptionPolicy.Moderates() && !approved(tx, r.List, r.Address):
		return w.held(tx, r, p, actionJoin)
	}
	return w.admit(tx, r)
}

// Admit makes an address a member without further questions, as a moderator or an owner decides: it is welcomed.
// Who is banned is not admitted. It also ends what waits for the address's own confirmation.
func (w *Workflow) Admit(tx *storage.Tx, r Request) (Result, error) {
	r.Verified = false // nobody's mail asks for it now, so nobody's mails are counted
	return w.admit(tx, r)
}

func (w *Workflow) admit(tx *storage.Tx, r Request) (Result, error) {
	l := r.List
	if w.banned(tx, l, r.Address) {
		return Result{State: Refused, List: l}, nil
	}
	if full, err := w.Full(tx, l); err != nil || full && !list.Has(tx, l.ID, r.Address, list.RoleMember) {
		if err != nil {
			return Result{}, err
		}
		return w.noRoom(tx, l)
	}
	m := list.Member{List: l.ID, Role: list.RoleMember, Address: r.Address, DisplayName: r.Name, Joined: r.Now.In(w.Site.Location)}
	if l.Settings.DigestsEnabled {
		m.DeliveryMode = r.Mode
	}
	err := list.Join(tx, m)
	if errors.Is(err, list.ErrExists) {
		return Result{State: Already, List: l}, nil
	}
	if err != nil {
		return Result{}, err
	}
	for _, action := range []string{actionJoin, actionInvite} {
		if err := list.WithdrawPending(tx, action, l.ID, r.Address); err != nil {
			return Result{}, err
		}
	}
	note := list.Event{At: r.Now, Stage: "join", By: r.by(), Word: "member.joined"}
	switch {
	case r.By != "":
		note.Word = "member.added"
	case len(l.Settings.CodeOfConduct) > 0:
		note.Text = "with the code of conduct"
		note.Word = "member.joined-conduct"
	}
	if err := list.NoteMember(tx, l.ID, r.Address, note); err != nil {
		return Result{}, err
	}
	w.Log.Info("join", "list", l.Address.String(), "address", r.Address.String())
	return w.passed(tx, r, passage{state: Joined, mail: l.Settings.SendWelcomeMessage, name: "welcome", text: l.Settings.WelcomeMsg, owners: "member-joined"})
}

// Add is Admit for an owner who names an address: who wants no mail that others ask for is not added.
func (w *Workflow) Add(tx *storage.Tx, r Request) (Result, error) {
	if blocked(tx, r.Address) {
		return Result{State: Unwanted, List: r.List}, nil
	}
	return w.Admit(tx, r)
}

// Invite asks an address, in the name of the owner r.By, whether it wants to join. Accepting needs no moderator. Who is a member, banned or
// blocked is not asked; the owner, who may know all that, is told. Full says that the list has invited enough for today.
func (w *Workflow) Invite(tx *storage.Tx, r Request) (Result, error) {
	r.Verified = false
	if s := w.welcome(tx, r.List, r.Address); s != Joined {
		return Result{State: s, List: r.List}, nil
	}
	if full, err := w.Full(tx, r.List); err != nil || full {
		return Result{State: NoRoom, List: r.List}, err
	}
	ok, err := spend(tx, []counter{{"invitations " + string(r.List.ID), invitations}}, r.Now)
	if err != nil || !ok {
		return Result{State: Full, List: r.List}, err
	}
	res, err := w.ask(tx, r, list.Pending{Action: actionInvite}, "invite")
	if err != nil || r.Many {
		return res, err
	}
	return res, list.NoteMember(tx, r.List.ID, r.Address, list.Event{At: r.Now, Stage: "join", By: r.by(), Word: "member.asked"})
}

// welcome says what would become of an address that an owner adds: Joined, or why it would not.
func (w *Workflow) welcome(tx *storage.Tx, l *list.List, a address.Address) State {
	switch {
	case list.Has(tx, l.ID, a, list.RoleMember):
		return Already
	case w.banned(tx, l, a):
		return Refused
	case blocked(tx, a):
		return Unwanted
	}
	return Joined
}
