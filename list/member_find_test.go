package list

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/address"
	"kairan/storage"
)

// fill gives a list n members, user000000@isp0.example.jp and so on.
func fill(t testing.TB, db *storage.DB, l ID, n int) {
	t.Helper()
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "user%06d@isp%d.example.jp\n", i, i%40)
	}
	r, err := ReadRoster(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Import(t.Context(), db, l, Importing{Edit: Edit{At: noon}}); err != nil {
		t.Fatal(err)
	}
}

func find(t testing.TB, db *storage.DB, q MemberQuery) (page MemberPage, names []string) {
	t.Helper()
	q.Role, q.Now = RoleMember, noon
	err := db.View(t.Context(), func(tx *storage.Tx) error {
		page = FindMembers(tx, q)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page.Members {
		names = append(names, strings.TrimSuffix(m.Address.String(), "@a.test"))
	}
	return page, names
}

// Pages go on from a key in both directions, and find what was asked for.
func TestFindMembers(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "l@example.jp")
	other := create(t, db, "other@example.jp")
	update(t, db, func(tx *storage.Tx) error {
		for _, m := range []Member{
			{Address: address.Must("a@a.test")},
			{Address: address.Must("b@a.test"), DisplayName: "ヤマダ <b>", DeliveryStatus: DeliveryByUser},
			{Address: address.Must("C@a.test"), ModerationAction: Hold},
			{Address: address.Must("d@a.test"), DeliveryStatus: DeliveryByUser, OffUntil: noon.Add(-time.Hour)},
			{Address: address.Must("da@a.test"), DeliveryMode: DeliveryMIMEDigests},
			{Address: address.Must("e@a.test"), DisplayName: "ｱｰﾝ Ann", DeliveryStatus: DeliveryByBounces},
		} {
			m.List, m.Role = l.ID, RoleMember
			if err := Join(tx, m); err != nil {
				return err
			}
		}
		return Join(tx, Member{List: other.ID, Role: RoleMember, Address: address.Must("aa@a.test")})
	})
	for _, tt := range []struct {
		name           string
		q              MemberQuery
		want           []string
		earlier, later bool
	}{
		{"all", MemberQuery{Leaf: Leaf{Limit: 9}}, []string{"a", "b", "C", "d", "da", "e"}, false, false},
		{"first", MemberQuery{Leaf: Leaf{Limit: 2}}, []string{"a", "b"}, false, true},
		{"second", MemberQuery{Leaf: Leaf{Limit: 2, After: "b@a.test"}}, []string{"C", "d"}, true, true},
		{"last", MemberQuery{Leaf: Leaf{Limit: 2, After: "d@a.test"}}, []string{"da", "e"}, true, false},
		{"back", MemberQuery{Leaf: Leaf{Limit: 2, Before: "da@a.test"}}, []string{"C", "d"}, true, true},
		{"back to the first", MemberQuery{Leaf: Leaf{Limit: 2, Before: "c@a.test"}}, []string{"a", "b"}, false, true},
		{"back to less than a page", MemberQuery{Leaf: Leaf{Limit: 2, Before: "b@a.test"}}, []string{"a", "b"}, false, true},
		{"beginning", MemberQuery{Prefix: "D", Leaf: Leaf{Limit: 9}}, []string{"d", "da"}, false, false},
		{"whole address", MemberQuery{Prefix: "c@A.test", Leaf: Leaf{Limit: 9}}, []string{"C"}, false, false},
		{"beginning, on", MemberQuery{Prefix: "d", Leaf: Leaf{Limit: 1, After: "d@a.test"}}, []string{"da"}, true, false},
		{"beginning, back", MemberQuery{Prefix: "d", Leaf: Leaf{Limit: 1, Before: "da@a.test"}}, []string{"d"}, false, true},
		{"part of the address", MemberQuery{Part: "A@A", Leaf: Leaf{Limit: 9}}, []string{"a", "da"}, false, false},
		{"part of the name", MemberQuery{Part: "ﾔﾏﾀﾞ", Leaf: Leaf{Limit: 9}}, []string{"b"}, false, false},
		{"part of the name, other width", MemberQuery{Part: "アーン aNN", Leaf: Leaf{Limit: 9}}, []string{"e"}, false, false},
		{"nobody", MemberQuery{Part: "zz", Leaf: Leaf{Limit: 9}}, nil, false, false},
		{"gets mail", MemberQuery{Delivery: DeliveryEnabled, Leaf: Leaf{Limit: 9}}, []string{"a", "C", "d", "da"}, false, false},
		{"no mail", MemberQuery{Delivery: DeliveryByUser, Leaf: Leaf{Limit: 9}}, []string{"b"}, false, false},
		{"bounces", MemberQuery{Delivery: DeliveryByBounces, Leaf: Leaf{Limit: 9}}, []string{"e"}, false, false},
		{"digests", MemberQuery{Mode: DeliveryMIMEDigests, Leaf: Leaf{Limit: 9}}, []string{"da"}, false, false},
		{"moderated", MemberQuery{Action: Hold, Leaf: Leaf{Limit: 9}}, []string{"C"}, false, false},
		{"not moderated", MemberQuery{Action: NoAction, Leaf: Leaf{Limit: 2, After: "b@a.test"}}, []string{"d", "da"}, true, true},
	} {
		tt.q.List = l.ID
		page, got := find(t, db, tt.q)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if page.Earlier != tt.earlier || page.Later != tt.later || page.Stopped != "" {
			t.Errorf("%s: earlier %v, later %v, stopped at %q", tt.name, page.Earlier, page.Later, page.Stopped)
		}
	}
}

// A search that finds little stops, and goes on from there: nobody is missed and nobody comes twice.
func TestFindMembersStops(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "l@example.jp")
	fill(t, db, l.ID, MaxLook*5/2)
	want := []string{"user000077@isp37.example.jp", "user007777@isp17.example.jp", "user017777@isp17.example.jp"}
	var got []string
	stops := 0
	q := MemberQuery{List: l.ID, Part: "77@isp", Leaf: Leaf{Limit: 1000}}
	for {
		page, names := find(t, db, q)
		for _, n := range names {
			if strings.Contains(n, "777@") || n == want[0] {
				got = append(got, n)
			}
		}
		if page.Stopped == "" {
			break
		}
		stops++
		q.After = page.Stopped
	}
	if stops != 2 || !slices.Contains(got, want[0]) || !slices.Contains(got, want[1]) || !slices.Contains(got, want[2]) || !slices.IsSorted(got) {
		t.Errorf("%d stops, found %v", stops, got)
	}
	if page, names := find(t, db, MemberQuery{List: l.ID, Part: "user000000", Leaf: Leaf{Before: "user020000@isp0.example.jp", Limit: 10}}); page.Stopped != "user010000@isp0.example.jp" || names != nil {
		t.Errorf("backwards it stopped at %q with %v", page.Stopped, names)
	}
}

func TestMembersAreCounted(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "l@example.jp")
	count := func(r Role) (n int) {
		t.Helper()
		update(t, db, func(tx *storage.Tx) (err error) {
			for wrong := range CheckMembers(tx) {
				t.Error(wrong)
			}
			n, err = CountMembers(tx, l.ID, r)
			return err
		})
		return n
	}
	fill(t, db, l.ID, 30)
	fill(t, db, l.ID, 40) // thirty of them again
	ann := Member{List: l.ID, Role: RoleMember, Address: address.Must("ann@example.jp")}
	var token string
	update(t, db, func(tx *storage.Tx) error {
		owner := ann
		owner.Role = RoleOwner
		if err := Join(tx, owner); err != nil {
			return err
		}
		return Join(tx, ann)
	})
	if err := db.Update(t.Context(), func(tx *storage.Tx) error { return Join(tx, ann) }); err == nil {
		t.Error("joined twice")
	}
	if n := count(RoleMember); n != 41 {
		t.Errorf("%d members", n)
	}
	update(t, db, func(tx *storage.Tx) error {
		if err := Readdress(tx, l.ID, ann.Address, address.Must("anna@example.jp"), noon); err != nil {
			return err
		}
		m, err := GetMember(tx, l.ID, RoleMember, address.Must("anna@example.jp"))
		if err != nil {
			return err
		}
		token = m.Token
		_, _, err = LeaveByToken(tx, token, noon)
		return err
	})
	if m, o := count(RoleMember), count(RoleOwner); m != 40 || o != 1 {
		t.Errorf("after one has left: %d members, %d owners", m, o)
	}
	update(t, db, func(tx *storage.Tx) error { return Undo(tx, UndoToken(token), noon) })
	if n := count(RoleMember); n != 41 {
		t.Errorf("after one has come back: %d", n)
	}
	update(t, db, func(tx *storage.Tx) error {
		_, err := ForgetMembers(tx, l.ID, 20, noon)
		return err
	})
	if n := count(RoleMember); n != 21 {
		t.Errorf("after twenty were forgotten: %d", n)
	}
	// A store of before, and one that is damaged.
	update(t, db, func(tx *storage.Tx) error {
		at := storage.P(l.ID, RoleMember)
		if err := memberCounts.Put(tx, at, 7); err != nil {
			return err
		}
		if wrong := slices.Collect(CheckMembers(tx)); len(wrong) != 1 {
			t.Errorf("a wrong count: %q", wrong)
		}
		if err := memberCounts.Delete(tx, at); err != nil {
			return err
		}
		if wrong := slices.Collect(CheckMembers(tx)); len(wrong) != 1 {
			t.Errorf("no count: %q", wrong)
		}
		return recountMembers(tx)
	})
	if n := count(RoleMember); n != 21 {
		t.Errorf("counted anew: %d", n)
	}
}

// BenchmarkFindMembers opens pages of 50 of a list of 7,000 and of one of 500,000. "x small" is the time to that of the small list.
func BenchmarkFindMembers(b *testing.B) {
	db := open(b)
	const small, large = "0small", "1large"
	fill(b, db, small, 7_000)
	fill(b, db, large, 500_000)
	for _, bb := range []struct {
		name string
		q    func(n int) MemberQuery
	}{
		{"first", func(int) MemberQuery { return MemberQuery{} }},
		{"middle", func(n int) MemberQuery { return MemberQuery{Leaf: Leaf{After: fmt.Sprintf("user%06d", n/2)}} }},
		{"last", func(int) MemberQuery { return MemberQuery{Leaf: Leaf{Before: "v"}} }},
		{"beginning", func(n int) MemberQuery { return MemberQuery{Prefix: fmt.Sprintf("user%05d", n/10-1)} }},
		{"nobody", func(int) MemberQuery { return MemberQuery{Part: "nobody"} }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			look := func(l ID, n int) time.Duration {
				begin := time.Now()
				q := bb.q(n)
				q.List, q.Limit = l, 50
				find(b, db, q)
				return time.Since(begin)
			}
			var in7k, in500k time.Duration
			for b.Loop() {
				in7k += look(small, 7_000)
				in500k += look(large, 500_000)
			}
			b.ReportMetric(float64(in500k.Microseconds())/1000/float64(b.N), "ms/page500k")
			b.ReportMetric(float64(in500k)/float64(in7k), "x-small")
		})
	}
}
