package list

import (
	"fmt"
	"testing"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/storage/storagetest"
)

// Who is signed in is found, listed, ended and forgotten without a look at what others have.
func TestSessions(t *testing.T) {
	t.Parallel()
	db, counter := storagetest.OpenCounted(t, Migrations()...)
	ann, work, now := address.Must("ann@people.test"), address.Must("ann@work.test"), time.Now()
	do := func(most int, fn func(tx *storage.Tx) error) {
		t.Helper()
		counter.Rows()
		if err := db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
		if n := counter.Rows(); most > 0 && n > most {
			t.Errorf("%d rows read, want at most %d", n, most)
		}
	}
	const others = 3000
	do(0, func(tx *storage.Tx) error {
		for i := range others {
			g := Session{Key: TokenHash(fmt.Sprint(i)), Address: address.Must(fmt.Sprintf("p%d@people.test", i)), Begun: now, Until: now.Add(time.Hour)}
			if i%2 == 0 {
				g.Until = now.Add(-time.Minute)
			}
			if err := BeginSession(tx, g); err != nil {
				return err
			}
		}
		for i := range 3 {
			g := Session{Key: TokenHash(fmt.Sprint("ann", i)), Address: ann, Begun: now, Seen: now.Add(time.Duration(i) * time.Minute), Until: now.Add(time.Hour)}
			if i == 0 {
				g.Until = now.Add(-time.Second)
			}
			if err := BeginSession(tx, g); err != nil {
				return err
			}
		}
		p := PersonOf(tx, ann)
		return p.AddAddress(tx, work, now)
	})
	do(20, func(tx *storage.Tx) error {
		all := PersonOf(tx, work).Sessions(tx, now)
		if len(all) != 2 || all[0].Key != TokenHash("ann2") || all[1].Key != TokenHash("ann1") {
			t.Errorf("sessions of ann: %+v", all)
		}
		g := *all[0]
		g.Address = work // as when ann@people.test is given up
		return SetSession(tx, g)
	})
	do(30, func(tx *storage.Tx) error {
		if all := sessionsAt(tx, work); len(all) != 1 {
			t.Errorf("at the other address: %+v", all)
		}
		n, err := PersonOf(tx, ann).EndSessions(tx, func(g *Session) bool { return g.Key != TokenHash("ann1") }, Edit{By: "root@people.test", Why: "lost", At: now})
		if all := PersonOf(tx, ann).Sessions(tx, now); n != 2 || len(all) != 1 || all[0].Key != TokenHash("ann1") {
			t.Errorf("%d ended, left: %+v", n, all)
		}
		return err
	})
	do(20, func(tx *storage.Tx) error {
		own, err := PersonOf(tx, ann).EndSessions(tx, func(*Session) bool { return true }, Edit{By: "ann@work.test", At: now})
		var lines []string
		for e := range LogOf(tx, "") {
			lines = append(lines, e.Stage+" "+e.Text+" "+e.By)
		}
		if own != 1 || len(lines) != 1 || lines[0] != "person ann@people.test was signed out in 2 browsers (lost) root@people.test" {
			t.Errorf("%d of her own; the log: %q", own, lines)
		}
		return err
	})
	for _, want := range []int{1000, others/2 - 1000, 0} {
		do(2*want+2, func(tx *storage.Tx) error {
			n, err := ForgetSessions(tx, now, 1000)
			if n != want {
				t.Errorf("%d forgotten, want %d", n, want)
			}
			return err
		})
	}
	do(0, func(tx *storage.Tx) error {
		n := 0
		for range sessions.Scan(tx, storage.Range[string]{}) {
			n++
		}
		if n != others/2 {
			t.Errorf("%d sessions are left, want %d", n, others/2)
		}
		return nil
	})
}

// The oldest of a person's sessions ends where there would be too many, whatever address they were begun with.
func TestMostSessions(t *testing.T) {
	t.Parallel()
	db := open(t)
	ann, work, now := address.Must("ann@people.test"), address.Must("ann@work.test"), time.Now()
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		if err := PersonOf(tx, ann).AddAddress(tx, work, now); err != nil {
			return err
		}
		for i := range MaxSessions + 1 {
			g := Session{Key: fmt.Sprint(i), Address: []address.Address{ann, work}[i%2], Begun: now.Add(time.Duration(i)), Until: now.Add(time.Hour)}
			if err := BeginSession(tx, g); err != nil {
				return err
			}
		}
		if _, err := GetSession(tx, "0"); err == nil || len(PersonOf(tx, ann).Sessions(tx, now)) != MaxSessions {
			t.Error("the oldest is still there")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A store of before gets its indexes when it is opened.
func TestSessionsOfBefore(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now()
	ann := address.Must("ann@people.test")
	t.Run("before", func(t *testing.T) {
		db := storagetest.OpenAt(t, dir, Migrations()[:7]...)
		err := db.Update(t.Context(), func(tx *storage.Tx) error {
			return sessions.Put(tx, TokenHash("x"), Session{Address: ann, Begun: now, Until: now.Add(time.Hour)})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	db := storagetest.OpenAt(t, dir, Migrations()...)
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		if all := PersonOf(tx, ann).Sessions(tx, now); len(all) != 1 {
			t.Errorf("sessions: %+v", all)
		}
		n, err := ForgetSessions(tx, now.Add(2*time.Hour), 10)
		if n != 1 {
			t.Errorf("%d forgotten", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
