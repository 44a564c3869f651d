package list

import (
	"cmp"
	"errors"

	"kairan/storage"
)

// Know makes an address a nonmember: one whose posts have the m.ModerationAction, "" for the list's default, without being a member. One that is a
// nonmember already gets that action, and the name if m has one. It reports whether anything is different now. What one does with many addresses is in the history of
// each and not in the list's log.
func Know(tx *storage.Tx, m Member, many bool, e Edit) (changed bool, err error) {
	m.Role = RoleNonmember
	old, err := GetMember(tx, m.List, m.Role, m.Address)
	switch {
	case errors.Is(err, ErrNotMember):
		m.Joined = e.At
		err = Join(tx, m)
	case err != nil:
		return false, err
	case old.ModerationAction == m.ModerationAction && cmp.Or(m.DisplayName, old.DisplayName) == old.DisplayName:
		return false, nil
	default:
		old.ModerationAction, old.DisplayName = m.ModerationAction, cmp.Or(m.DisplayName, old.DisplayName)
		err = SetMember(tx, *old)
	}
	if err != nil {
		return false, err
	}
	event := Event{At: e.At, Stage: "role", By: e.By, Word: "member.known", Args: map[string]string{
		"address": m.Address.String(), "action": cmp.Or(string(m.ModerationAction), "default"),
	}}
	if many {
		return true, Remember(tx, m.List, m.Address, event)
	}
	return true, NoteMember(tx, m.List, m.Address, event)
}
