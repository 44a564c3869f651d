package list

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kairan/smtpd/address"
	"kairan/storage"
)

// TestModeSwitch gives numbers to posts that stay due, switches between them, and asks for the mode of each: a post has one, and it is that of its time.
func TestModeSwitch(t *testing.T) {
	t.Parallel()
	db := open(t)
	l, addr := create(t, db, "talk@lists.test"), address.Must("ann@people.test")
	const regular, mime, plain = DeliveryRegular, DeliveryMIMEDigests, DeliveryPlaintextDigests
	update(t, db, func(tx *storage.Tx) error { return Join(tx, Member{List: l.ID, Role: RoleMember, Address: addr}) })
	post := func(n int) {
		update(t, db, func(tx *storage.Tx) error {
			number, err := NextNumber(tx, l.ID)
			if err != nil {
				return err
			}
			p := &Post{ID: PostID(fmt.Sprint("p", n)), List: l.ID, Verdict: Verdict{Action: Accept}}
			if err := Record(tx, p, []byte("x"), nil); err != nil {
				return err
			}
			return SetPostNumber(tx, p, number)
		})
	}
	set := func(mode DeliveryMode) (m *Member) {
		update(t, db, func(tx *storage.Tx) (err error) {
			if m, err = GetMember(tx, l.ID, RoleMember, addr); err != nil {
				return err
			}
			m.DeliveryMode, m.Earlier = mode, nil // what a caller makes of Earlier is of no account
			if err := SetMember(tx, *m); err != nil {
				return err
			}
			m, err = GetMember(tx, l.ID, RoleMember, addr)
			return err
		})
		return m
	}
	var m *Member
	for n, modes := range [][]DeliveryMode{{regular}, {mime, mime}, {regular, plain, mime}, {plain, mime, plain}, {mime, plain}, {regular}} {
		for _, mode := range modes {
			m = set(mode)
		}
		post(n + 1)
	}
	var got []DeliveryMode
	for n := range uint64(7) {
		got = append(got, m.ModeFor(n+1))
	}
	if want := []DeliveryMode{regular, mime, mime, plain, plain, regular, regular}; !slices.Equal(got, want) {
		t.Errorf("modes of posts 1 to 7: %v, want %v", got, want)
	}
	if len(m.Earlier) != 3 || m.Mode() != regular || m.DigestMode() != plain {
		t.Errorf("now %s, digests in %s, earlier %v", m.Mode(), m.DigestMode(), m.Earlier)
	}
	update(t, db, func(tx *storage.Tx) error {
		for n := range 6 {
			p, err := GetPost(tx, PostID(fmt.Sprint("p", n+1)))
			if err != nil {
				return err
			}
			if err := Finish(tx, p, noon); err != nil {
				return err
			}
		}
		return nil
	})
	if m = set(mime); len(m.Earlier) != 0 || m.ModeFor(1) != mime {
		t.Errorf("nothing is due any more, and yet there are earlier modes: %v", m.Earlier)
	}
}

// TestDigestMembers follows who gets digests through all ways to become and to stop being one.
func TestDigestMembers(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "talk@lists.test")
	roster, err := ReadRoster(strings.NewReader("address,delivery_mode\nann@people.test,mime_digests\nbob@people.test,regular\ncid@people.test,\ndan@people.test,plaintext_digests\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := roster.Import(t.Context(), db, l.ID, Importing{Edit: Edit{At: noon}}); err != nil {
		t.Fatal(err)
	}
	got := func() (who string) {
		update(t, db, func(tx *storage.Tx) error {
			who = ""
			for key, m := range DigestMembers(tx, l.ID, "") {
				who += key + " " + string(m.Mode()) + "\n"
			}
			if HasDigestMembers(tx, l.ID) != (who != "") {
				t.Errorf("HasDigestMembers is wrong about %q", who)
			}
			return nil
		})
		return who
	}
	want := func(who string) {
		t.Helper()
		if got := got(); got != who {
			t.Errorf("got\n%swant\n%s", got, who)
		}
	}
	change := func(addr string, mode DeliveryMode) {
		update(t, db, func(tx *storage.Tx) error {
			m, err := GetMember(tx, l.ID, RoleMember, address.Must(addr))
			if err != nil {
				return err
			}
			m.DeliveryMode = mode
			return SetMember(tx, *m)
		})
	}
	want("ann@people.test mime_digests\ndan@people.test plaintext_digests\n")
	change("bob@people.test", DeliveryMIMEDigests)
	change("dan@people.test", DeliveryRegular)
	want("ann@people.test mime_digests\nbob@people.test mime_digests\n")
	update(t, db, func(tx *storage.Tx) error {
		return Readdress(tx, l.ID, address.Must("bob@people.test"), address.Must("zoe@people.test"), noon)
	})
	want("ann@people.test mime_digests\nzoe@people.test mime_digests\n")
	update(t, db, func(tx *storage.Tx) error {
		ann := Member{List: l.ID, Role: RoleOwner, Address: address.Must("ann@people.test")}
		if err := Join(tx, ann); err != nil {
			return err
		}
		return Leave(tx, l.ID, RoleOwner, ann.Address, noon)
	})
	want("ann@people.test mime_digests\nzoe@people.test mime_digests\n")
	for _, a := range []string{"ann@people.test", "zoe@people.test"} {
		update(t, db, func(tx *storage.Tx) error { return Leave(tx, l.ID, RoleMember, address.Must(a), noon) })
	}
	want("")
	if _, err := ReadRoster(strings.NewReader("address,delivery_mode\nann@people.test,weekly\n")); err == nil || !strings.Contains(err.Error(), "weekly") {
		t.Errorf("an unknown mode: %v", err)
	}
}
