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
