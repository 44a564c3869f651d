package list

import (
	"testing"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/storage/storagetest"
)

// TestPostsOf finds the posts of an author: what is held at once, what is accepted with its number, nothing that was erased; and those of
// a store that is older than the index.
func TestPostsOf(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t)
	update := func(fn func(tx *storage.Tx) error) {
		t.Helper()
		if err := db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	ann := address.Must("Ann@people.test")
	want := func(ids ...PostID) {
		t.Helper()
		update(func(tx *storage.Tx) error {
			var got []PostID
			for p := range PostsOf(tx, address.Must("ann@PEOPLE.test")) {
				got = append(got, p.ID)
			}
			if len(got) != len(ids) {
				t.Fatalf("%q, want %q", got, ids)
			}
			for i := range ids {
				if got[i] != ids[i] {
					t.Errorf("%q, want %q", got, ids)
				}
			}
			return nil
		})
	}
	record := func(id PostID, author address.Address, v Action, leaves time.Time) {
		update(func(tx *storage.Tx) error {
			return Record(tx, &Post{ID: id, List: "l", MessageID: string(id) + "@id.test", Author: author, Verdict: Verdict{Action: v}, Leaves: leaves}, []byte("raw"), struct{}{})
		})
	}
	record("1", ann, Accept, time.Time{})
	record("2", ann, Hold, time.Time{})
	record("3", address.Must("bob@people.test"), Hold, time.Time{})
	record("4", ann, Accept, time.Now().Add(time.Hour))
	record("5", address.Address{}, Reject, time.Time{})
	want("4", "2")
	update(func(tx *storage.Tx) error {
		p, err := GetPost(tx, "1")
		if err != nil {
			return err
		}
		return SetPostNumber(tx, p, 1)
	})
	want("4", "2", "1")
	update(func(tx *storage.Tx) error { return ErasePost(tx, "2", "operator", time.Now()) })
	want("4", "1")
	update(func(tx *storage.Tx) error {
		for k := range byAuthor.Scan(tx, storage.Range[storage.Pair[string, PostID]]{}) {
			if err := byAuthor.Delete(tx, k); err != nil {
				return err
			}
		}
		return nil
	})
	want()
	update(indexAuthors)
	want("4", "1")
}
