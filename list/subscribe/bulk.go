package subscribe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Do is what a [Bulk] does with each address.
type Do string

const (
	DoAdd    Do = "add"    // a member at once
	DoInvite Do = "invite" // asked whether it wants to join
	DoRemove Do = "remove" // off the list
)

// Bulk is what an owner, or the operator, wants done with many addresses.
type Bulk struct {
	List   *list.List
	Roster *list.Roster
	Do     Do
	Role   list.Role   // member ("" too), or nonmember: who may post, or may not, without being a member
	Action list.Action // of the posts of nonmembers about whom the roster does not say it; "" is the list's default
	By     string
	// Tell says whether who is added is welcomed, and who is removed told goodbye.
	Tell bool
	Now  time.Time
}

// bulkChunk is how many addresses are invited or removed in one transaction.
const bulkChunk = 50

// Plan says what would become of each address if it were done now: Joined, Asked or Left, or why nothing would be done.
func (w *Workflow) Plan(tx *storage.Tx, b Bulk) (map[State][]address.Address, error) {
	plan := map[State][]address.Address{}
	if b.Role == list.RoleNonmember {
		for m := range b.Roster.Each() {
			s := b.knows(tx, m)
			plan[s] = append(plan[s], m.Address)
		}
		return plan, nil
	}
	room, err := w.Site.Room(tx, b.List)
	if err != nil {
		return nil, err
	}
	for a := range b.Roster.All() {
		s := NotMember
		switch {
		case b.Do != DoRemove:
			switch s = w.welcome(tx, b.List, a); {
			case s == Joined && room == 0:
				s = NoRoom
			case s == Joined && b.Do == DoInvite:
				s = Asked
			case s == Joined:
				room--
			}
		case list.Has(tx, b.List.ID, a, list.RoleMember):
			s = Left
		}
		plan[s] = append(plan[s], a)
	}
	return plan, nil
}

// maxNamed is how many addresses of a state an [Outcome] names.
const maxNamed = 100

// Outcome is what became of many addresses.
type Outcome struct {
	Count map[State]int
	// Named are the addresses with which nothing was done, by state, a hundred at most of each.
	Named map[State][]string
}

func (o *Outcome) add(s State, a address.Address) {
	if o.Count == nil {
		o.Count, o.Named = map[State]int{}, map[State][]string{}
	}
	if o.Count[s]++; s != Joined && s != Changed && s != Asked && s != Left && len(o.Named[s]) < maxNamed {
		o.Named[s] = append(o.Named[s], a.String())
	}
}

// Carry does it, in chunks. It can be done again after it was stopped: what was done is not done twice.
func (w *Workflow) Carry(ctx context.Context, b Bulk, progress func(done, total int)) (o Outcome, err error) {
	if b.Role == list.RoleNonmember {
		return w.knowAll(ctx, b, progress)
	}
	if b.Do == DoAdd {
		return w.addAll(ctx, b, progress)
	}
	n, total := 0, b.Roster.Len()
	for chunk := range slices.Chunk(slices.Collect(b.Roster.All()), bulkChunk) {
		states, err := w.carryChunk(ctx, b, chunk)
		if err != nil {
			return o, err
		}
		for i, s := range states {
			o.add(s, chunk[i])
		}
		n += len(chunk)
		progress(n, total)
	}
	if o.Count[Asked] == 0 {
		return o, nil
	}
	return o, w.DB.Update(context.WithoutCancel(ctx), func(tx *storage.Tx) error {
		return list.Log(tx, b.List.ID, list.Event{At: b.Now, Stage: "member", By: b.By, Word: "member.invited", Args: map[string]string{"n": fmt.Sprint(o.Count[Asked])}})
	})
}

// carryChunk invites or removes addresses in one transaction, and returns what became of each.
func (w *Workflow) carryChunk(ctx context.Context, b Bulk, chunk []address.Address) (states []State, err error) {
	step := w.Invite
	if b.Do == DoRemove {
		step = w.Release
	}
	_, err = w.Do(ctx, func(tx *storage.Tx) (Result, error) {
		var all Result
		states = nil
		for _, a := range chunk {
			res, err := step(tx, Request{List: b.List, Address: a, By: b.By, Many: true, Tell: &b.Tell, Now: b.Now})
			if err != nil {
				return all, err
			}
			states = append(states, res.State)
			all.Mails = append(all.Mails, res.Mails...)
		}
		return all, nil
	})
	return states, err
}

// addAll makes everybody a member who may be one.
func (w *Workflow) addAll(ctx context.Context, b Bulk, progress func(done, total int)) (o Outcome, err error) {
	err = w.DB.View(ctx, func(tx *storage.Tx) error {
		room, err := w.Site.Room(tx, b.List)
		if err != nil {
			return err
		}
		b.Roster.Remove(func(a address.Address) bool {
			s := w.welcome(tx, b.List, a)
			if s == Joined && room == 0 {
				s = NoRoom
			}
			if s != Joined {
				o.add(s, a)
				return true
			}
			room--
			return false
		})
		return nil
	})
	if err != nil {
		return o, fmt.Errorf("add members: %w", err)
	}
	how := list.Importing{Edit: list.Edit{By: b.By, At: b.Now}, Progress: progress}
	how.Room = func(tx *storage.Tx) (int, error) { return w.Site.Room(tx, b.List) }
	if b.Tell {
		how.Joined = func(tx *storage.Tx, m *list.Member) error {
			r := Request{List: b.List, Address: m.Address, By: b.By, Many: true, Tell: &b.Tell, Now: b.Now}
			res, err := w.passed(tx, r, passage{state: Joined, name: "welcome", text: b.List.Settings.WelcomeMsg})
			if err != nil {
				return err
			}
			return w.queue(tx, res.Mails)
		}
	}
	joined, left, err := b.Roster.Import(ctx, w.DB, b.List.ID, how)
	for _, a := range left {
		o.add(NoRoom, a)
	}
	if joined > 0 {
		o.add(Joined, address.Address{})
		o.Count[Joined] = joined
	}
	w.Path.Wake()
	if n := o.Count[NoRoom]; n > 0 {
		err = errors.Join(err, w.DB.Update(ctx, func(tx *storage.Tx) error { return list.TurnedAway(tx, b.List.ID, list.QuotaMembers, n) }))
	}
	return o, err
}
