package list

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// importChunk is how many members one transaction adds.
const importChunk = 10_000

// Importing says how a roster is imported.
type Importing struct {
	Edit // who does it, and when they join: it is in the history of each and, once for all of them, in the list's log
	// Joined is called for each member, in the transaction that makes it one. Nil calls nothing.
	Joined func(tx *storage.Tx, m *Member) error
	// Room is asked, in each transaction, how many more may join. Nil is without a limit.
	Room     func(tx *storage.Tx) (int, error)
	Progress func(done, total int) // nil tells nobody
}

// joinedChunk is how many members one transaction adds where more is done for each.
const joinedChunk = 100

// Import makes the roster's addresses members, in chunks, and returns those for whom there was no room any more. Who is one already keeps
// everything. It can be run again after it was stopped.
//
// The tokens of all go into their index first, in its order: random keys a chunk at a time would write most of the
// index anew with each chunk. A token without its member, after a crash, means nobody.
func (ro *Roster) Import(ctx context.Context, db *storage.DB, l ID, o Importing) (joined int, left []address.Address, err error) {
	if err := errors.Join(ro.strangers(ctx, db, l), ro.putTokens(ctx, db, l)); err != nil {
		return 0, nil, fmt.Errorf("import members: %w", err)
	}
	size := importChunk
	if o.Joined != nil {
		size = joinedChunk
	}
	done := 0
	for rows := range slices.Chunk(ro.rows, size) {
		n, out := 0, []address.Address(nil)
		err = db.Update(ctx, func(tx *storage.Tx) (err error) {
			n, out, err = joinAll(tx, l, rows, o)
			return err
		})
		if err != nil {
			break
		}
		joined, left = joined+n, append(left, out...)
		if done += len(rows); o.Progress != nil {
			o.Progress(done, len(ro.rows))
		}
	}
	if joined > 0 { // also of what was done before it failed
		err = errors.Join(err, db.Update(context.WithoutCancel(ctx), func(tx *storage.Tx) error {
			return Log(tx, l, Event{At: o.At, Stage: "member", By: o.By, Word: "member.imported", Args: map[string]string{"n": fmt.Sprint(joined)}})
		}))
	}
	if err != nil {
		return joined, left, fmt.Errorf("import members: %w", err)
	}
	return joined, left, nil
}

// strangers leaves out who is a member already.
func (ro *Roster) strangers(ctx context.Context, db *storage.DB, l ID) error {
	return db.View(ctx, func(tx *storage.Tx) error {
		ro.rows = slices.DeleteFunc(ro.rows, func(n newcomer) bool { return members.Has(tx, keyOf(l, RoleMember, n.key)) })
		return nil
	})
}

// putTokens gives everyone a token and writes the index in its own order.
func (ro *Roster) putTokens(ctx context.Context, db *storage.DB, l ID) error {
	type entry struct {
		hash uint64 // its beginning, which is enough for the order
		row  int32
	}
	index := make([]entry, len(ro.rows))
	for i := range ro.rows {
		rand.Read(ro.rows[i].token[:])
		hash := sha256.Sum256([]byte(ro.rows[i].secret()))
		index[i] = entry{hash: binary.BigEndian.Uint64(hash[:]), row: int32(i)}
	}
	slices.SortFunc(index, func(a, b entry) int { return cmp.Compare(a.hash, b.hash) })
	for entries := range slices.Chunk(index, importChunk) {
		err := db.Update(ctx, func(tx *storage.Tx) error {
			for _, e := range entries {
				n := &ro.rows[e.row]
				if err := tokens.Put(tx, TokenHash(n.secret()), memberRef{List: l, Address: n.key}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// joinAll writes members in key order, each table in one go, and returns how many of them were none before, and for whom there was no room.
func joinAll(tx *storage.Tx, l ID, rows []newcomer, o Importing) (joined int, left []address.Address, err error) {
	all, room := make([]Member, 0, len(rows)), len(rows)
	if o.Room != nil {
		if room, err = o.Room(tx); err != nil {
			return 0, nil, err
		}
	}
	for _, r := range rows {
		addr, err := address.Parse(r.exact())
		if err != nil {
			return 0, nil, err // unreachable: it was parsed before
		}
		k := keyOf(l, RoleMember, r.key)
		if members.Has(tx, k) {
			continue // joined since strangers looked
		}
		if len(all) >= room {
			left = append(left, addr)
			continue
		}
		m := Member{List: l, Role: RoleMember, Address: addr, Token: r.secret(), Joined: o.At}
		if r.about != nil {
			r.about.fill(&m)
		}
		if err := members.Put(tx, k, m); err != nil {
			return 0, nil, err
		}
		if err := countOff(tx, l, RoleMember, "", m.DeliveryStatus); err != nil {
			return 0, nil, err
		}
		all = append(all, m)
	}
	for i := range all {
		m := &all[i]
		if err := memberLists.Put(tx, storage.P(m.Address.Key(), storage.P(l, RoleMember)), true); err != nil {
			return 0, nil, err
		}
	}
	for i := range all {
		m := &all[i]
		if err := Remember(tx, l, m.Address, Event{At: o.At, Stage: "join", By: o.By, Word: "member.added", Args: map[string]string{"address": m.Address.String()}}); err != nil {
			return 0, nil, err
		}
		if m.DeliveryMode != "" {
			if err := indexMode(tx, m); err != nil {
				return 0, nil, err
			}
		}
		if o.Joined != nil {
			if err := o.Joined(tx, m); err != nil {
				return 0, nil, err
			}
		}
	}
	joined = len(all)
	return joined, left, errors.Join(countMembers(tx, storage.P(l, RoleMember), joined), Count(tx, l, o.At, func(t *Tally) { t.Joined += joined }))
}

// ForgetMembers removes up to n of a closed list's members in any role, and reports whether there are more.
func ForgetMembers(tx *storage.Tx, l ID, n int, now time.Time) (more bool, err error) {
	for _, role := range []Role{RoleMember, RoleNonmember, RoleModerator, RoleOwner} {
		for _, m := range Members(tx, l, role, "") {
			if n == 0 {
				return true, nil
			}
			n--
			if err := leave(tx, l, role, m.Address, now); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}
