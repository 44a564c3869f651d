package list

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/storage/storagetest"
)

// Who is erased leaves nothing behind, and nobody else's rows are read for it.
func TestForgetPerson(t *testing.T) {
	t.Parallel()
	db, counter := storagetest.OpenCounted(t, Migrations()...)
	ann, now := address.Must("ann@people.test"), time.Now()
	const others = 2000
	var l *List
	do := func(fn func(tx *storage.Tx) error) {
		t.Helper()
		if err := db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	do(func(tx *storage.Tx) (err error) {
		if l, err = Create(tx, address.Must("janog@people.test"), DefaultSettings("en"), now); err != nil {
			return err
		}
		for i := range others {
			a := address.Must(fmt.Sprintf("p%d@people.test", i))
			if err := Join(tx, Member{List: l.ID, Role: RoleMember, Address: a}); err != nil {
				return err
			}
			if _, err := NewPending(tx, Pending{Action: "x", List: l.ID, Address: a, Created: now, Expires: now.Add(time.Hour)}); err != nil {
				return err
			}
		}
		return Join(tx, Member{List: l.ID, Role: RoleMember, Address: ann})
	})
	var token, ask string
	do(func(tx *storage.Tx) error {
		m, err := GetMember(tx, l.ID, RoleMember, ann)
		if err != nil {
			return err
		}
		token = m.Token
		if _, _, err := LeaveByToken(tx, token, now); err != nil {
			return err
		}
		if ask, err = NewPending(tx, Pending{Action: "x", List: l.ID, Address: ann, Data: json.RawMessage("1"), Created: now, Expires: now.Add(time.Hour)}); err != nil {
			return err
		}
		if got := PendingsOf(tx, ann); len(got) != 1 || string(got[0].Data) != "1" {
			t.Errorf("waiting: %+v", got)
		}
		if err := PutLoginLink(tx, "link", LoginLink{Address: ann, Until: now.Add(time.Hour)}); err != nil {
			return err
		}
		return BeginSession(tx, Session{Key: "session", Address: ann, Begun: now, Until: now.Add(time.Hour)})
	})
	counter.Rows()
	do(func(tx *storage.Tx) error { return ForgetPerson(tx, PersonOf(tx, ann)) })
	if n := counter.Rows(); n > 100 {
		t.Errorf("%d rows were read", n)
	}
	do(func(tx *storage.Tx) error {
		if _, _, _, err := ByToken(tx, token); err == nil {
			t.Error("the unsubscribe link still leads to the address")
		}
		if _, err := GetDeparture(tx, UndoToken(token), now); err == nil {
			t.Error("leaving could be taken back")
		}
		if _, err := GetPending(tx, ask, now); err == nil || len(PendingsOf(tx, ann)) > 0 {
			t.Error("a request still waits")
		}
		if _, err := GetLoginLink(tx, "link"); err == nil {
			t.Error("a link still signs in")
		}
		if _, err := GetSession(tx, "session"); err == nil {
			t.Error("a session is left")
		}
		for range MemberHistory(tx, l.ID, ann) {
			t.Error("a history is left")
		}
		n := 0
		for range pendings.Scan(tx, storage.Range[string]{}) {
			n++
		}
		if n != others {
			t.Errorf("%d requests of others, want %d", n, others)
		}
		return nil
	})
}

// A store of before gets these indexes, too; who left and came back keeps the link.
func TestForgetPersonOfBefore(t *testing.T) {
	t.Parallel()
	dir, now, ann, bob := t.TempDir(), time.Now(), address.Must("ann@people.test"), address.Must("bob@people.test")
	t.Run("before", func(t *testing.T) {
		db := storagetest.OpenAt(t, dir, Migrations()[:8]...)
		err := db.Update(t.Context(), func(tx *storage.Tx) error {
			for token, ref := range map[string]memberRef{"left": {List: "l", Address: ann.Key(), Left: now}, "stays": {List: "l", Address: bob.Key()}} {
				if err := tokens.Put(tx, TokenHash(token), ref); err != nil {
					return err
				}
			}
			return pendings.Put(tx, hashToken("ask"), Pending{Action: "x", Address: ann, Expires: now.Add(time.Hour)})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	db := storagetest.OpenAt(t, dir, Migrations()...)
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		if err := leftTokens.Put(tx, storage.P(bob.Key(), TokenHash("stays")), true); err != nil { // bob left once
			return err
		}
		for _, a := range []address.Address{ann, bob} {
			if err := ForgetPerson(tx, PersonOf(tx, a)); err != nil {
				return err
			}
		}
		if tokens.Has(tx, TokenHash("left")) || !tokens.Has(tx, TokenHash("stays")) {
			t.Error("the link of who left is there, or that of a member is not")
		}
		if _, err := GetPending(tx, "ask", now); err == nil {
			t.Error("the request still waits")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
