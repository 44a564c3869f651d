package subscribe

import (
	"context"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Found makes a new list, and a DKIM key for its domain if it has none, and mails the owners what they may do unless it is
// to be quiet.
// newDomain reports whether the domain is new here: its records have to be published.
func (w *Workflow) Found(ctx context.Context, f list.Founding, e list.Edit) (l *list.List, newDomain bool, err error) {
	domain := f.Address.ASCIIDomain()
	key, err := list.NewKey(ctx, w.DB, domain, e.At)
	if err != nil {
		return nil, false, err
	}
	_, err = w.Do(ctx, func(tx *storage.Tx) (res Result, err error) {
		if l, err = list.Found(tx, f, e); err != nil {
			return res, err
		}
		if newDomain, err = list.GiveKey(tx, domain, key); err != nil {
			return res, err
		}
		if !f.Quiet {
			res.Mails, err = w.tellOwners(tx, l)
		}
		return res, err
	})
	return l, newDomain, err
}

// tellOwners writes to the owners of a new list.
func (w *Workflow) tellOwners(tx *storage.Tx, l *list.List) (mails []Notice, err error) {
	for _, m := range list.Members(tx, l.ID, list.RoleOwner, "") {
		n, err := w.Letter(tx, Letter{List: l, To: m.Address, Name: "list-owner", Unasked: true, Args: map[string]string{
			"settings": w.Site.URL + "/-/admin/" + l.Name + "/settings",
			"moderate": w.Site.URL + "/-/moderate",
			"admin":    w.Site.Admin.String(),
		}})
		if err != nil {
			return nil, err
		}
		mails = append(mails, n)
	}
	return mails, nil
}

// Rename gives a list another address, and a DKIM key to the domain of that if it has none. newDomain reports whether it had none.
func (w *Workflow) Rename(ctx context.Context, l *list.List, to address.Address, e list.Edit) (newDomain bool, err error) {
	key, err := list.NewKey(ctx, w.DB, to.ASCIIDomain(), e.At)
	if err != nil {
		return false, err
	}
	return newDomain, w.DB.Update(ctx, func(tx *storage.Tx) error {
		if err := list.Rename(tx, l.ID, to, e); err != nil {
			return err
		}
		newDomain, err = list.GiveKey(tx, to.ASCIIDomain(), key)
		return err
	})
}

// Remove closes a list and forgets its members. One that was closed before, and was not done with that, is taken up again.
func (w *Workflow) Remove(ctx context.Context, l *list.List, e list.Edit) error {
	err := w.DB.Update(ctx, func(tx *storage.Tx) error {
		now, err := list.Get(tx, l.ID)
		if err != nil || !now.Removed.IsZero() {
			return err
		}
		return list.Remove(tx, l.ID, e)
	})
	for more := true; more && err == nil; {
		err = w.DB.Update(ctx, func(tx *storage.Tx) (err error) {
			more, err = list.ForgetMembers(tx, l.ID, forgetChunk, e.At)
			return err
		})
	}
	return err
}

// forgetChunk is how many members of a closed list are forgotten in a transaction.
const forgetChunk = 5000
