package storage_test

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"kairan/storage"
	"kairan/storage/bolt"
	"kairan/storage/storagetest"
)

type triple = storage.Pair[string, storage.Pair[uint64, string]]

var tripleCodec = storage.Pairs(storage.Strings[string](), storage.Pairs(storage.Uints[uint64](), storage.Strings[string]()))

func compareTriples(a, b triple) int {
	return cmp.Or(strings.Compare(a.A, b.A), cmp.Compare(a.B.A, b.B.A), strings.Compare(a.B.B, b.B.B))
}

// FuzzCodec compares the order of keys with that of their encodings, and decodes these.
func FuzzCodec(f *testing.F) {
	f.Add("a", uint64(1), "b", "a\x00", uint64(1), "b")
	f.Add("", uint64(0), "\x00\x01", "", uint64(0), "\x00\xff")
	f.Add("a\x00\x01", uint64(255), "", "a\x00", uint64(256), "")
	f.Add("\xff\xff", uint64(1)<<63, "x", "\xff", ^uint64(0), "xy")
	f.Fuzz(func(t *testing.T, a1 string, a2 uint64, a3 string, b1 string, b2 uint64, b3 string) {
		a, b := storage.P(a1, storage.P(a2, a3)), storage.P(b1, storage.P(b2, b3))
		ka, kb := tripleCodec.Append(nil, a), tripleCodec.Append([]byte("x"), b)[1:]
		if got, want := bytes.Compare(ka, kb), compareTriples(a, b); got != want {
			t.Errorf("%+v and %+v: encodings compare as %d, keys as %d", a, b, got, want)
		}
		if len(ka) < len(kb) && bytes.HasPrefix(kb, ka) {
			t.Errorf("%x is a prefix of %x", ka, kb)
		}
		got, rest, err := tripleCodec.Parse(append(bytes.Clone(ka), "rest"...))
		if err != nil || got != a || string(rest) != "rest" {
			t.Errorf("%+v came back as %+v, rest %q, %v", a, got, rest, err)
		}
	})
}

// FuzzParse reads keys that nobody wrote: what parses encodes to the same bytes.
func FuzzParse(f *testing.F) {
	f.Add([]byte("a\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01b\x00\x01"))
	f.Add([]byte("a\x00\x02"))
	f.Add([]byte("a\x00"))
	f.Add([]byte("a\x00\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, rest, err := tripleCodec.Parse(b)
		if err == nil && !bytes.Equal(append(tripleCodec.Append(nil, k), rest...), b) {
			t.Errorf("%x reads as %+v and %x", b, k, rest)
		}
	})
}

type person struct{ Name string }

var (
	strs    = storage.Strings[string]()
	people  = storage.NewTable[storage.Pair[string, uint64], person]("people", storage.Pairs(strs, storage.Uints[uint64]()))
	numbers = storage.NewTable[storage.Pair[string, uint64], int]("people", storage.Pairs(strs, storage.Uints[uint64]()))
)

func fill(t *testing.T, db *storage.DB) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		var err error
		for _, k := range []storage.Pair[string, uint64]{{A: "a", B: 2}, {A: "a", B: 1}, {A: "a~", B: 7}, {A: "b", B: 1}, {A: "a", B: 300}} {
			err = errors.Join(err, people.Put(tx, k, person{Name: k.A}))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t)
	fill(t, db)
	type key = storage.Pair[string, uint64]
	a2 := key{A: "a", B: 2}
	err := db.View(t.Context(), func(tx *storage.Tx) error {
		for name, c := range map[string]struct {
			rows func(func(key, person) bool)
			want []key
		}{
			"all":        {people.Scan(tx, storage.Range[key]{}), []key{{A: "a", B: 1}, a2, {A: "a", B: 300}, {A: "a~", B: 7}, {A: "b", B: 1}}},
			"from to":    {people.Scan(tx, storage.Range[key]{From: &a2, To: &key{A: "b"}}), []key{a2, {A: "a", B: 300}, {A: "a~", B: 7}}},
			"after":      {people.Scan(tx, storage.Range[key]{After: &a2}), []key{{A: "a", B: 300}, {A: "a~", B: 7}, {A: "b", B: 1}}},
			"to reverse": {people.Scan(tx, storage.Range[key]{To: &a2, Reverse: true}), []key{{A: "a", B: 1}}},
			"under":      {storage.Under(tx, people, strs, "a"), []key{{A: "a", B: 1}, a2, {A: "a", B: 300}}},
			"reverse":    {storage.UnderReverse(tx, people, strs, "a"), []key{{A: "a", B: 300}, a2, {A: "a", B: 1}}},
			"underafter": {storage.UnderAfter(tx, people, strs, a2), []key{{A: "a", B: 300}}},
			"none":       {storage.Under(tx, people, strs, "c"), nil},
		} {
			var got []key
			for k, p := range c.rows {
				got = append(got, k)
				if p.Name != k.A {
					t.Errorf("%s: %+v is %+v", name, k, p)
				}
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if !people.Has(tx, a2) || people.Has(tx, key{A: "a", B: 3}) {
			t.Error("Has is wrong")
		}
		_, err := people.Get(tx, key{A: "a", B: 3})
		if !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("get of a missing row: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Errorf("a missing row failed the transaction: %v", err)
	}
}

// A row that cannot be decoded fails the transaction, though its function does not look.
func TestUndecodableRow(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t)
	fill(t, db)
	for name, read := range map[string]func(*storage.Tx){
		"get": func(tx *storage.Tx) { _, _ = numbers.Get(tx, storage.P("a", uint64(1))) },
		"scan": func(tx *storage.Tx) {
			for range numbers.Scan(tx, storage.Range[storage.Pair[string, uint64]]{}) {
			}
		},
		"key": func(tx *storage.Tx) {
			short := storage.NewTable[string, person]("people", strs)
			for range short.Scan(tx, storage.Range[string]{}) {
			}
		},
	} {
		err := db.View(t.Context(), func(tx *storage.Tx) error { read(tx); return nil })
		if err == nil || !strings.Contains(err.Error(), "people") {
			t.Errorf("%s in a view: %v", name, err)
		}
		err = db.Update(t.Context(), func(tx *storage.Tx) error {
			read(tx)
			return people.Put(tx, storage.P("new", uint64(1)), person{})
		})
		if err == nil {
			t.Errorf("%s in an update: no error", name)
		}
	}
	err := db.View(t.Context(), func(tx *storage.Tx) error {
		if people.Has(tx, storage.P("new", uint64(1))) {
			t.Error("an update that failed left a row")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	var ran []int
	var failure error
	step := func(version int) storage.Migration {
		return storage.Migration{Version: version, Name: "step", Run: func(tx *storage.Tx) error {
			ran = append(ran, version)
			if version == 3 && failure != nil {
				return errors.Join(people.Put(tx, storage.P("half", uint64(version)), person{}), failure)
			}
			return people.Put(tx, storage.P("done", uint64(version)), person{})
		}}
	}
	dir := t.TempDir()
	rows := func(e storage.Engine) (n int) {
		err := e.View(t.Context(), func(tx storage.EngineTx) error {
			return tx.Scan("people", storage.Span{}, func(_, _ []byte) bool { n++; return true })
		})
		if err != nil {
			t.Error(err)
		}
		return n
	}
	no := errors.New("no")
	for _, c := range []struct {
		what     string
		versions []int
		failure  error
		ran      []int
		fails    string
		rows     int
	}{
		{"fresh", []int{1}, nil, []int{1}, "", 1},
		{"again", []int{1}, nil, nil, "", 1},
		{"older, and the last fails", []int{1, 2, 3}, no, []int{2, 3}, "migrate to schema 3 (step): no", 2},
		{"only what lacks", []int{1, 2, 3}, nil, []int{3}, "", 3},
		{"newer store", []int{1, 2}, nil, nil, "schema 3, this kairan knows 2", 3},
		{"a gap", []int{1, 2, 3, 5}, nil, nil, "is number 5 and stands at 4", 3},
	} {
		ran, failure = nil, c.failure
		var migrations []storage.Migration
		for _, v := range c.versions {
			migrations = append(migrations, step(v))
		}
		e, files, err := bolt.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		_, err = storage.New(t.Context(), e, files, migrations)
		if c.fails == "" && err != nil || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
			t.Errorf("%s: %v, want %q", c.what, err, c.fails)
		}
		if !slices.Equal(ran, c.ran) {
			t.Errorf("%s: ran %d, want %d", c.what, ran, c.ran)
		}
		if got := rows(e); got != c.rows {
			t.Errorf("%s: %d rows, want %d", c.what, got, c.rows)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}
