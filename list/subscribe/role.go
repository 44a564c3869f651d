package subscribe

import (
	"kairan/list"
	"kairan/storage"
)

// Appoint makes the address of a request an owner or moderator, or knows it as a nonmember, in the name of r.By. Who gets a role is told what it
// means, unless r.Tell says not to. It returns list.ErrExists where the address has the role.
func (w *Workflow) Appoint(tx *storage.Tx, r Request, role list.Role) (Result, error) {
	l := r.List
	m := list.Member{List: l.ID, Role: role, Address: r.Address, DisplayName: r.Name, Joined: r.Now}
	res := Result{State: Joined, List: l}
	if err := list.GiveRole(tx, m, r.by()); err != nil || role == list.RoleNonmember || r.Tell != nil && !*r.Tell {
		return res, err
	}
	w.Log.Info("role", "list", l.Address.String(), "address", r.Address.String(), "role", string(role))
	page := "/members"
	if role == list.RoleOwner {
		page = "/settings"
	}
	n, err := w.Letter(tx, Letter{List: l, To: r.Address, Name: "role-" + string(role), Unasked: true, Args: map[string]string{
		"moderate": w.Site.URL + "/-/moderate",
		"manage":   w.Site.URL + "/-/admin/" + l.Name + page,
	}})
	res.Mails = append(res.Mails, n)
	return res, err
}

// Dismiss takes a role away again, in the name of r.By. It returns list.ErrNotMember where the address does not have it, and
// list.ErrLastOwner where the list would have no owner.
func (w *Workflow) Dismiss(tx *storage.Tx, r Request, role list.Role) (Result, error) {
	m, err := list.GetMember(tx, r.List.ID, role, r.Address)
	if err != nil {
		return Result{}, err
	}
	return Result{State: Left, List: r.List}, list.TakeRole(tx, m, list.Edit{By: r.by(), Why: r.Why, At: r.Now})
}
