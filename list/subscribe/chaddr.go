package subscribe

import (
	"encoding/json"
	"errors"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// change is the Data of a Pending for a new address. The old one confirms first, so that a stranger's wish never reaches the new one.
type change struct {
	Old address.Address `json:"old"`
	New address.Address `json:"new"`
}

// Readdress is the request to have another address in a list; both confirm it, the old one first.
// It comes from one of the two, verified, and tells nobody whether the old one is a member.
func (w *Workflow) Readdress(tx *storage.Tx, r Request, to address.Address) (Result, error) {
	if !r.Verified || r.Address.Key() == to.Key() || w.banned(r.List, to) ||
		!list.Has(tx, r.List.ID, r.Address, list.RoleMember, list.RoleOwner, list.RoleModerator) {
		return Result{State: Asked, List: r.List}, nil
	}
	return w.confirmOld(tx, r, change{Old: r.Address, New: to})
}

// ReaddressFrom is Readdress for a request that the new address made, verified: the old one is asked as after anybody's request.
func (w *Workflow) ReaddressFrom(tx *storage.Tx, r Request, old address.Address) (Result, error) {
	c := change{Old: old, New: r.Address}
	if !r.Verified || old.Key() == c.New.Key() || w.banned(r.List, c.New) ||
		!list.Has(tx, r.List.ID, old, list.RoleMember, list.RoleOwner, list.RoleModerator) {
		return Result{State: Asked, List: r.List}, nil
	}
	r.Address, r.Verified, r.InReplyTo = old, false, ""
	return w.confirmOld(tx, r, c)
}

func (w *Workflow) confirmOld(tx *storage.Tx, r Request, c change) (Result, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return Result{}, err
	}
	return w.ask(tx, r, list.Pending{Action: actionChaddr, Data: data}, "confirm-chaddr")
}

// changeAddress is one of the two confirmations.
func (w *Workflow) changeAddress(tx *storage.Tx, l *list.List, p *list.Pending, now time.Time) (Result, error) {
	var c change
	if err := json.Unmarshal(p.Data, &c); err != nil {
		return Result{}, err
	}
	if w.banned(l, c.New) {
		return Result{State: Refused, List: l}, nil
	}
	if p.Address.Key() == c.Old.Key() {
		return w.ask(tx, Request{List: l, Address: c.New, Now: now}, list.Pending{Action: actionChaddr, Data: p.Data}, "confirm-chaddr")
	}
	err := list.Readdress(tx, l.ID, c.Old, c.New, now)
	if errors.Is(err, list.ErrNotMember) { // left meanwhile
		return Result{State: NotMember, List: l}, nil
	}
	if err != nil {
		return Result{}, err
	}
	w.Log.Info("chaddr", "list", l.Address.String(), "old", c.Old.String(), "new", c.New.String())
	return w.tell(tx, Request{List: l, Address: c.New, Verified: true, Now: now}, Changed, "changed")
}
