package list

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/storage/storagetest"
)

func findPeople(t testing.TB, db *storage.DB, q PersonQuery) (page PersonPage, names []string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *storage.Tx) error {
		page = FindPeople(tx, q)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range page.People {
		names = append(names, strings.TrimSuffix(p.Address.String(), "@a.test"))
	}
	return page, names
}

// People are found over all lists, each once, also those whose address is in none.
func TestFindPeople(t *testing.T) {
	t.Parallel()
	db := open(t)
	one, two := create(t, db, "one@example.jp"), create(t, db, "two@example.jp")
	update(t, db, func(tx *storage.Tx) error {
		for _, m := range []Member{
			{List: one.ID, Role: RoleMember, Address: address.Must("a@a.test")},
			{List: two.ID, Role: RoleMember, Address: address.Must("a@a.test"), DisplayName: "ヤマダ <b>"},
			{List: one.ID, Role: RoleOwner, Address: address.Must("a@a.test")},
			{List: two.ID, Role: RoleNonmember, Address: address.Must("B@a.test")},
			{List: two.ID, Role: RoleMember, Address: address.Must("da@a.test")},
			{List: one.ID, Role: RoleModerator, Address: address.Must("e@a.test"), DisplayName: "ｱｰﾝ Ann"},
		} {
			if err := Join(tx, m); err != nil {
				return err
			}
		}
		return errors.Join(PersonOf(tx, address.Must("da@a.test")).AddAddress(tx, address.Must("C@a.test"), noon), PersonOf(tx, address.Must("da@a.test")).AddAddress(tx, address.Must("z@a.test"), noon))
	})
	for _, tt := range []struct {
		name           string
		q              PersonQuery
		want           []string
		earlier, later bool
	}{
		{"all", PersonQuery{Leaf: Leaf{Limit: 9}}, []string{"a", "B", "C", "da", "e", "z"}, false, false},
		{"first", PersonQuery{Leaf: Leaf{Limit: 2}}, []string{"a", "B"}, false, true},
		{"second", PersonQuery{Leaf: Leaf{Limit: 2, After: "b@a.test"}}, []string{"C", "da"}, true, true},
		{"after one with several places", PersonQuery{Leaf: Leaf{Limit: 2, After: "a@a.test"}}, []string{"B", "C"}, true, true},
		{"last", PersonQuery{Leaf: Leaf{Limit: 2, After: "da@a.test"}}, []string{"e", "z"}, true, false},
		{"back", PersonQuery{Leaf: Leaf{Limit: 2, Before: "e@a.test"}}, []string{"C", "da"}, true, true},
		{"back to the start", PersonQuery{Leaf: Leaf{Limit: 2, Before: "b@a.test"}}, []string{"a", "B"}, false, true},
		{"beginning", PersonQuery{Prefix: "D", Leaf: Leaf{Limit: 9}}, []string{"da"}, false, false},
		{"beginning of one in no list", PersonQuery{Prefix: "z@", Leaf: Leaf{Limit: 9}}, []string{"z"}, false, false},
		{"part", PersonQuery{Part: "A@A", Leaf: Leaf{Limit: 9}}, []string{"a", "da"}, false, false},
		{"name", PersonQuery{Part: "ﾔﾏﾀﾞ", Leaf: Leaf{Limit: 9}}, []string{"a"}, false, false},
		{"name of a moderator", PersonQuery{Part: "ann", Leaf: Leaf{Limit: 9}}, []string{"e"}, false, false},
		{"nobody", PersonQuery{Part: "xyz", Leaf: Leaf{Limit: 9}}, nil, false, false},
	} {
		page, got := findPeople(t, db, tt.q)
		if diff := cmp.Diff(tt.want, got); diff != "" || page.Earlier != tt.earlier || page.Later != tt.later || page.Stopped != "" {
			t.Errorf("%s: %s%+v", tt.name, diff, page)
		}
	}
	page, _ := findPeople(t, db, PersonQuery{Leaf: Leaf{Limit: 9}})
	a, da := page.People[0], page.People[3]
	if a.Places != 3 || a.Name != "ヤマダ <b>" || len(a.Others) != 0 {
		t.Errorf("a is %+v", a)
	}
	if da.Places != 1 || !slices.Equal(da.Others, []address.Address{address.Must("C@a.test"), address.Must("z@a.test")}) {
		t.Errorf("da is %+v", da)
	}
}

// Among 500,000 members a page reads what it shows, and a search no more than its bounds; it says where it stopped and goes on from there.
func TestFindPeopleAmongMany(t *testing.T) {
	t.Parallel()
	db, counter := storagetest.OpenCounted(t, Migrations()...)
	const all, chunk = 500_000, 50_000
	l := create(t, db, "large@example.jp").ID
	for first := 0; first < all; first += chunk { // only the index: looking for a row that is not there counts as reading it
		update(t, db, func(tx *storage.Tx) error {
			for i := first; i < first+chunk; i++ {
				key := fmt.Sprintf("user%06d@isp%d.example.jp", i, i%40)
				if err := memberLists.Put(tx, storage.P(key, storage.P(l, RoleMember)), true); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, tt := range []struct {
		name string
		q    PersonQuery
		most int // rows
		want int // people
	}{
		{"a first page", PersonQuery{Leaf: Leaf{Limit: 50}}, 400, 50},
		{"one from the middle", PersonQuery{Leaf: Leaf{Limit: 50, After: "user030000@isp0.example.jp"}}, 400, 50},
		{"backwards", PersonQuery{Leaf: Leaf{Limit: 50, Before: "user030000@isp0.example.jp"}}, 400, 50},
		{"an address", PersonQuery{Prefix: "user049999@", Leaf: Leaf{Limit: 50}}, 20, 1},
		{"a part of an address", PersonQuery{Part: "000012@", Leaf: Leaf{Limit: 50}}, MaxKeys + 20, 1},
		{"nobody of that name", PersonQuery{Part: "nobody", Leaf: Leaf{Limit: 50}}, 2*MaxLook + 20, 0},
	} {
		counter.Rows()
		page, got := findPeople(t, db, tt.q)
		if n := counter.Rows(); n > tt.most || len(got) != tt.want {
			t.Errorf("%s: %d found, %d rows read, want %d and at most %d", tt.name, len(got), n, tt.want, tt.most)
		}
		if tt.q.Part == "" {
			continue
		}
		if page.Stopped == "" {
			t.Errorf("%s: it did not stop", tt.name)
		}
		tt.q.After = page.Stopped
		if page, _ := findPeople(t, db, tt.q); page.Stopped <= tt.q.After {
			t.Errorf("%s: it goes on to %q", tt.name, page.Stopped)
		}
	}
}
