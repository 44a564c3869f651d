package list_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/storage/storagetest"
)

func TestPerson(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t, list.Migrations()...)
	ann, bob, work, now := address.Must("ann@example.jp"), address.Must("bob@example.jp"), address.Must("Ann.Work@example.com"), time.Now()
	update := func(fn func(tx *storage.Tx) error) {
		t.Helper()
		if err := db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	names := func(tx *storage.Tx, of address.Address) string {
		s := ""
		for _, a := range list.PersonOf(tx, of).Addresses {
			s += a.String() + " "
		}
		return s
	}
	update(func(tx *storage.Tx) error {
		p := list.PersonOf(tx, ann)
		if p.ID != "" || names(tx, ann) != "ann@example.jp " {
			t.Errorf("an address alone: %+v", p)
		}
		return errors.Join(p.AddAddress(tx, work, now), list.PersonOf(tx, work).Prefer(tx, address.Must("ann.work@example.com")))
	})
	update(func(tx *storage.Tx) error {
		for _, a := range []address.Address{ann, work, address.Must("ANN.WORK@example.com")} {
			if got := names(tx, a); got != "Ann.Work@example.com ann@example.jp " {
				t.Errorf("%s is %s", a, got)
			}
		}
		p := list.PersonOf(tx, ann)
		if err := p.AddAddress(tx, work, now); !errors.Is(err, list.ErrExists) {
			t.Error(err)
		}
		if err := list.PersonOf(tx, bob).AddAddress(tx, ann, now); !errors.Is(err, list.ErrTaken) {
			t.Errorf("an address of two people: %v", err)
		}
		if err := list.PersonOf(tx, bob).RemoveAddress(tx, bob); !errors.Is(err, list.ErrOnly) {
			t.Error(err)
		}
		if err := p.RemoveAddress(tx, bob); !errors.Is(err, list.ErrNotMember) {
			t.Error(err)
		}
		return p.RemoveAddress(tx, work)
	})
	update(func(tx *storage.Tx) error {
		if names(tx, work) != "Ann.Work@example.com " || names(tx, ann) != "ann@example.jp " {
			t.Errorf("after removing: %s and %s", names(tx, work), names(tx, ann))
		}
		return list.PersonOf(tx, bob).AddAddress(tx, ann, now) // ann has a row, and is alone
	})
	update(func(tx *storage.Tx) error {
		if names(tx, ann) != "bob@example.jp ann@example.jp " {
			t.Error(names(tx, ann))
		}
		return list.ExchangeAddress(tx, bob, work, now)
	})
	update(func(tx *storage.Tx) error {
		if names(tx, ann) != "Ann.Work@example.com ann@example.jp " || names(tx, bob) != "bob@example.jp " {
			t.Errorf("after exchanging: %s and %s", names(tx, ann), names(tx, bob))
		}
		p := list.PersonOf(tx, ann)
		for i := range list.MaxAddresses - 2 {
			if err := p.AddAddress(tx, address.Must(fmt.Sprintf("a%d@example.jp", i)), now); err != nil {
				return err
			}
		}
		if err := p.AddAddress(tx, bob, now); !errors.Is(err, list.ErrAddresses) {
			t.Errorf("one more than may be: %v", err)
		}
		return list.DropPerson(tx, p)
	})
	update(func(tx *storage.Tx) error {
		if names(tx, work) != "Ann.Work@example.com " || names(tx, address.Must("a1@example.jp")) != "a1@example.jp " {
			t.Error("a person that was dropped is there")
		}
		return nil
	})
}

// TestPostsOfAPerson: those of all addresses, the latest first, also one that has no number yet.
func TestPostsOfAPerson(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t, list.Migrations()...)
	now := time.Now()
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		l, err := list.Create(tx, address.Must("janog@example.jp"), list.DefaultSettings("ja"), now)
		if err != nil {
			return err
		}
		post := func(id, from string, age time.Duration, action list.Action, n uint64) error {
			p := &list.Post{
				ID: list.PostID(id), List: l.ID, MessageID: id + "@example.jp", Author: address.Must(from), Received: now.Add(-age),
				Verdict: list.Verdict{Action: action},
			}
			err := list.Record(tx, p, []byte("x"), nil)
			if err == nil && n > 0 {
				err = errors.Join(list.SetPostNumber(tx, p, n), list.Finish(tx, p, now))
			}
			return err
		}
		if err := errors.Join(
			list.PersonOf(tx, address.Must("ann@example.jp")).AddAddress(tx, address.Must("ann@work.test"), now),
			post("1", "ann@example.jp", 40*time.Hour, list.Accept, 1),
			post("2", "ann@work.test", 3*time.Hour, list.Hold, 0),
			post("3", "bob@example.jp", 2*time.Hour, list.Accept, 2),
			post("4", "ANN@example.jp", time.Hour, list.Accept, 3),
			post("5", "ann@work.test", 0, list.Accept, 0),
		); err != nil {
			return err
		}
		who := list.PersonOf(tx, address.Must("ann@work.test"))
		for _, c := range []struct {
			since time.Duration
			n     int
			want  string
		}{{100 * time.Hour, 100, "5421"}, {24 * time.Hour, 100, "542"}, {100 * time.Hour, 2, "54"}} {
			got := ""
			for _, p := range who.Posts(tx, now.Add(-c.since), c.n) {
				got += string(p.ID)
			}
			if got != c.want {
				t.Errorf("%v, %d: %s, want %s", c.since, c.n, got, c.want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
