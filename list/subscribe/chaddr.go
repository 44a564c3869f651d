package subscribe

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// change is the Data of a Pending for a new address. The old one confirms first, so that a stranger's wish never reaches the new one.
type change struct {
	Old address.Address `json:"old"`
	New address.Address `json:"new"`
	// Lists are those in which the address is exchanged, if they are several.
	Lists []list.ID `json:"lists,omitempty"`
}

// in returns the lists of a change that are still there.
func (c *change) in(tx *storage.Tx, l *list.List) (lists []*list.List, err error) {
	if len(c.Lists) == 0 {
		return []*list.List{l}, nil
	}
	for _, id := range c.Lists {
		other, err := list.Get(tx, id)
		if err != nil {
			return nil, err
		}
		if other.Removed.IsZero() {
			lists = append(lists, other)
		}
	}
	return lists, nil
}

// Titles names the lists that a waiting request is about: that of l, or for a change of address in several lists all of them.
func Titles(tx *storage.Tx, p *list.Pending, l *list.List) string {
	var c change
	if p.Kind() != actionChaddr || json.Unmarshal(p.Data, &c) != nil {
		return l.Title()
	}
	lists, err := c.in(tx, l)
	if err != nil {
		return l.Title() // the transaction fails
	}
	return titles(lists)
}

func titles(lists []*list.List) string {
	var names []string
	for _, l := range lists {
		names = append(names, l.Title())
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// maxReaddress is in how many lists at most an address is exchanged at once.
const maxReaddress = 200

// ReaddressAll is Readdress in all the lists at once: each of the two addresses gets one mail. r.List is one of them.
func (w *Workflow) ReaddressAll(tx *storage.Tx, r Request, to address.Address, lists []*list.List) (Result, error) {
	c := change{Old: r.Address, New: to}
	for _, l := range lists[:min(len(lists), maxReaddress)] {
		if !w.banned(tx, l, to) {
			c.Lists = append(c.Lists, l.ID)
		}
	}
	if !r.Verified || r.Address.Key() == to.Key() || len(c.Lists) == 0 {
		return Result{State: Asked, List: r.List}, nil
	}
	return w.confirmOld(tx, r, c)
}

// Readdress is the request to have another address in a list; both confirm it, the old one first.
// It comes from one of the two, verified, and tells nobody whether the old one is a member.
func (w *Workflow) Readdress(tx *storage.Tx, r Request, to address.Address) (Result, error) {
	if !r.Verified || r.Address.Key() == to.Key() || w.banned(tx, r.List, to) ||
		!list.Has(tx, r.List.ID, r.Address, list.RoleMember, list.RoleOwner, list.RoleModerator) {
		return Result{State: Asked, List: r.List}, nil
	}
	return w.confirmOld(tx, r, change{Old: r.Address, New: to})
}

// ReaddressFrom is Readdress for a request that the new address made, verified: the old one is asked as after anybody's request.
func (w *Workflow) ReaddressFrom(tx *storage.Tx, r Request, old address.Address) (Result, error) {
	c := change{Old: old, New: r.Address}
	if !r.Verified || old.Key() == c.New.Key() || w.banned(tx, r.List, c.New) ||
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
	if len(c.Lists) == 0 && w.banned(tx, l, c.New) {
		return Result{State: Refused, List: l}, nil
	}
	if p.Address.Key() == c.Old.Key() {
		return w.ask(tx, Request{List: l, Address: c.New, Now: now}, list.Pending{Action: actionChaddr, Data: p.Data}, "confirm-chaddr")
	}
	lists, err := c.in(tx, l)
	if err != nil {
		return Result{}, err
	}
	var changed []*list.List
	for _, l := range lists {
		if w.banned(tx, l, c.New) {
			continue
		}
		err := list.Readdress(tx, l.ID, c.Old, c.New, now)
		if errors.Is(err, list.ErrNotMember) { // left meanwhile
			continue
		}
		if err != nil {
			return Result{}, err
		}
		changed = append(changed, l)
		w.Log.Info("chaddr", "list", l.Address.String(), "old", c.Old.String(), "new", c.New.String())
	}
	if len(c.Lists) > 0 {
		if err := list.ExchangeAddress(tx, c.Old, c.New, now); err != nil {
			return Result{}, err
		}
	}
	if len(changed) == 0 {
		return Result{State: NotMember, List: l}, nil
	}
	r := Request{List: changed[0], Address: c.New, Verified: true, Now: now}
	res := Result{State: Changed, List: changed[0]}
	if ok, err := MayAnswer(tx, r, c.New); err != nil || !ok {
		return res, err
	}
	n, err := w.Letter(tx, Letter{List: changed[0], To: c.New, Name: "changed", Args: map[string]string{"list": titles(changed)}})
	res.Mails = append(res.Mails, n)
	return res, err
}
