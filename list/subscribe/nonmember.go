package subscribe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"kairan/list"
	"kairan/storage"
)

// knows says what would become of a nonmember: Joined where the address is none yet, Changed where it is one and gets another action, Already
// where nothing would be different, MemberState where it is a member, whose own action holds; of who is removed Left or NotMember.
func (b *Bulk) knows(tx *storage.Tx, m list.Member) State {
	old, err := list.GetMember(tx, b.List.ID, list.RoleNonmember, m.Address)
	known := err == nil
	switch {
	case b.Do == DoRemove && known:
		return Left
	case b.Do == DoRemove:
		return NotMember
	case list.Has(tx, b.List.ID, m.Address, list.RoleMember):
		return MemberState
	case !known:
		return Joined
	case old.ModerationAction == cmp.Or(m.ModerationAction, b.Action) && cmp.Or(m.DisplayName, old.DisplayName) == old.DisplayName:
		return Already
	}
	return Changed
}

// knowAll adds, changes or removes nonmembers, some in each transaction.
func (w *Workflow) knowAll(ctx context.Context, b Bulk, progress func(done, total int)) (o Outcome, err error) {
	n, total := 0, b.Roster.Len()
	for chunk := range slices.Chunk(slices.Collect(b.Roster.Each()), bulkChunk) {
		var states []State
		err := w.DB.Update(ctx, func(tx *storage.Tx) error {
			states = nil
			for _, m := range chunk {
				s, err := b.know(tx, m)
				if err != nil {
					return err
				}
				states = append(states, s)
			}
			return nil
		})
		if err != nil {
			return o, fmt.Errorf("nonmembers: %w", err)
		}
		for i, s := range states {
			o.add(s, chunk[i].Address)
		}
		n += len(chunk)
		progress(n, total)
	}
	did := o.Count[Joined] + o.Count[Changed] + o.Count[Left]
	if did == 0 {
		return o, nil
	}
	event := list.Event{At: b.Now, Stage: "member", By: b.By, Word: "member.known-many", Args: map[string]string{"n": fmt.Sprint(did)}}
	if b.Do == DoRemove {
		event.Word = "member.unknown-many"
	}
	return o, w.DB.Update(context.WithoutCancel(ctx), func(tx *storage.Tx) error { return list.Log(tx, b.List.ID, event) })
}

// know does with one address what is wanted of all.
func (b *Bulk) know(tx *storage.Tx, m list.Member) (State, error) {
	s := b.knows(tx, m)
	m.List, m.ModerationAction = b.List.ID, cmp.Or(m.ModerationAction, b.Action)
	switch s {
	case Joined, Changed:
		m.DeliveryStatus, m.DeliveryMode = "", "" // a nonmember gets nothing
		_, err := list.Know(tx, m, true, list.Edit{By: b.By, At: b.Now})
		return s, err
	case Left:
		return s, errors.Join(
			list.Leave(tx, b.List.ID, list.RoleNonmember, m.Address, b.Now),
			list.Remember(tx, b.List.ID, m.Address, list.Event{At: b.Now, Stage: "role", By: b.By, Word: "role.taken", Args: map[string]string{"address": m.Address.String(), "role": string(list.RoleNonmember)}}),
		)
	}
	return s, nil
}
