package subscribe

import (
	"context"
	"errors"
	"strconv"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Erasure is somebody who is to be forgotten, by own wish or by what a person with the right to do it has decided.
type Erasure struct {
	Address address.Address // one of the person's
	Archive bool            // archives name the person no more
	list.Edit
}

// Erase takes a person off all lists and forgets what is kept about it, but for the records of its posts and the logs of lists. Where a list
// would be left without an owner, nothing is done, and alone has these lists. What somebody else does is in the site's log, which names nobody.
func (w *Workflow) Erase(ctx context.Context, e Erasure) (alone []*list.List, err error) {
	var who *list.Person
	_, err = w.Do(ctx, func(tx *storage.Tx) (res Result, err error) {
		who = list.PersonOf(tx, e.Address)
		if alone, err = OnlyOwner(tx, who); err != nil || len(alone) > 0 {
			return res, err
		}
		return w.forget(tx, who, e)
	})
	if err != nil || len(alone) > 0 {
		return alone, err
	}
	w.Log.Info("erased", "address", who.Preferred().String(), "archive", e.Archive, "by", e.By)
	if !e.Archive {
		return nil, nil
	}
	order := archive.Order{By: e.By, Reason: list.WhyErased}
	if e.Why != "" {
		order.Reason = e.Why
	}
	for _, addr := range who.Addresses {
		// Half of it would be worse than to let the reader go.
		if _, err := w.Path.Archive.RedactPerson(context.WithoutCancel(ctx), archive.Person{Address: addr.String()}, order, nil); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// forget takes a person off all lists and forgets what is kept about it.
func (w *Workflow) forget(tx *storage.Tx, who *list.Person, e Erasure) (all Result, err error) {
	places := 0
	for _, addr := range who.Addresses {
		n, err := w.releaseAll(tx, addr, e.At, &all)
		if err != nil {
			return all, err
		}
		places += n
	}
	if err := list.ForgetPerson(tx, who); err != nil || who.Did(e.By) {
		return all, err
	}
	return all, list.Log(tx, "", list.Event{At: e.At, Stage: "person", By: e.By, Word: "person.erased", Args: map[string]string{
		"addresses": strconv.Itoa(len(who.Addresses)), "n": strconv.Itoa(places), "why": e.Why,
	}})
}

// releaseAll takes an address off all lists, adds the mails about that to all, and returns how many places the address had.
func (w *Workflow) releaseAll(tx *storage.Tx, addr address.Address, now time.Time, all *Result) (int, error) {
	places := placesOf(tx, addr)
	for _, p := range places {
		l, err := list.Get(tx, p.list)
		if err != nil {
			return 0, err
		}
		if p.role == list.RoleMember && l.Removed.IsZero() {
			res, err := w.Release(tx, Request{List: l, Address: addr, Now: now})
			if err != nil {
				return 0, err
			}
			all.Mails = append(all.Mails, res.Mails...)
			continue
		}
		if err := list.Leave(tx, p.list, p.role, addr, now); err != nil && !errors.Is(err, list.ErrNotMember) {
			return 0, err
		}
	}
	return len(places), nil
}

// place is what an address is in a list.
type place struct {
	list list.ID
	role list.Role
}

func placesOf(tx *storage.Tx, addr address.Address) (places []place) {
	for id, role := range list.Memberships(tx, addr) {
		places = append(places, place{id, role})
	}
	return places
}

// OnlyOwner returns the open lists that have no owner but a person.
func OnlyOwner(tx *storage.Tx, who *list.Person) (alone []*list.List, err error) {
	seen := map[list.ID]bool{}
	for _, addr := range who.Addresses {
		for _, p := range placesOf(tx, addr) {
			if p.role != list.RoleOwner || seen[p.list] {
				continue
			}
			seen[p.list] = true
			l, err := list.Get(tx, p.list)
			if err != nil {
				return nil, err
			}
			if l.Removed.IsZero() && !ownedByOthers(tx, l, who) {
				alone = append(alone, l)
			}
		}
	}
	return alone, nil
}

func ownedByOthers(tx *storage.Tx, l *list.List, who *list.Person) bool {
	for _, m := range list.Members(tx, l.ID, list.RoleOwner, "") {
		if !who.Has(m.Address) {
			return true
		}
	}
	return false
}
