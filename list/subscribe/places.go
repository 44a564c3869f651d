package subscribe

import (
	"time"

	"kairan/list"
	"kairan/storage"
)

// RemoveFrom takes a person off lists, in the name of r.By and for the reason r.Why: a member as [Workflow.Release] does, another role as
// [Workflow.Dismiss]. It is all or nothing: it returns list.ErrLastOwner where a list would have no owner.
func (w *Workflow) RemoveFrom(tx *storage.Tx, places []Place, r Request) (Result, error) {
	all := Result{State: Left}
	for _, p := range places {
		r.List, r.Address = p.List, p.Member.Address
		res, err := w.removeFrom(tx, p.Member.Role, r)
		if err != nil {
			return all, err
		}
		all.Mails = append(all.Mails, res.Mails...)
	}
	return all, nil
}

func (w *Workflow) removeFrom(tx *storage.Tx, role list.Role, r Request) (Result, error) {
	if role == list.RoleMember {
		return w.Release(tx, r)
	}
	return w.Dismiss(tx, r, role)
}

// SetDelivery switches the delivery of members on or off, in the name and for the reason of e, and returns how many it changed. Other roles
// get no posts and stay as they are.
func SetDelivery(tx *storage.Tx, places []Place, on bool, e list.Edit) (n int, err error) {
	for _, p := range places {
		if p.Member.Role != list.RoleMember || p.Member.Receives(e.At) == on {
			continue
		}
		m := *p.Member
		if m.DeliveryStatus = list.DeliveryEnabled; !on {
			m.DeliveryStatus = list.DeliveryByModerator
		}
		m.OffUntil = time.Time{}
		if err := list.EditMember(tx, m, e); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
