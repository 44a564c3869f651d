package storagetest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kairan/storage"
)

// testModel compares random transactions with a map: gets, scans in both
// directions with and without bounds, writes while a scan runs, and rollback.
func testModel(t *testing.T, e storage.Engine) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	model := map[string]string{}
	for round := range 150 {
		after := maps.Clone(model)
		fail := r.IntN(4) == 0
		err := e.Update(t.Context(), func(tx storage.EngineTx) error {
			m := &modelTx{t: t, tx: tx, rows: after, r: r}
			for range 1 + r.IntN(8) {
				m.step()
			}
			if fail {
				return context.DeadlineExceeded
			}
			return nil
		})
		if fail != (err != nil) {
			t.Fatal(err)
		}
		if !fail {
			model = after
		}
		var want []string
		for _, k := range slices.Sorted(maps.Keys(model)) {
			want = append(want, "t "+k+"="+model[k])
		}
		if diff := cmp.Diff(want, dump(t, e)); diff != "" {
			t.Fatalf("seed %d, round %d: rows (-want +got):\n%s", seed, round, diff)
		}
	}
}

// modelTx does the same to a transaction and to a map.
type modelTx struct {
	t    *testing.T
	tx   storage.EngineTx
	rows map[string]string
	r    *rand.Rand
}

func (m *modelTx) key() string { return fmt.Sprintf("%03d", m.r.IntN(400)) }

func (m *modelTx) step() {
	switch m.r.IntN(8) {
	case 0, 1:
		m.write(m.key(), m.r.IntN(3) == 0)
	case 2: // so many that pages fill
		for range 60 {
			m.write(m.key(), false)
		}
	case 3: // a run of keys, so that pages become empty
		from := m.r.IntN(400)
		for k := from; k < min(from+150, 400); k++ {
			m.write(fmt.Sprintf("%03d", k), true)
		}
	case 4:
		key := m.key()
		got, err := m.tx.Get("t", []byte(key))
		if want, ok := m.rows[key]; ok != (err == nil) || string(got) != want {
			m.t.Errorf("get %s: %q, %v, want %q, %t", key, got, err, want, ok)
		}
	default:
		m.scan(m.r.IntN(2) == 0)
	}
}

func (m *modelTx) write(key string, remove bool) {
	var err error
	if remove {
		delete(m.rows, key)
		err = m.tx.Delete("t", []byte(key))
	} else {
		// Long enough that the rows take dozens of pages.
		m.rows[key] = fmt.Sprintf("%0*d", 200+m.r.IntN(200), m.r.Uint64())
		err = m.tx.Put("t", []byte(key), []byte(m.rows[key]))
	}
	if err != nil {
		m.t.Error(err)
	}
}

// scan compares a scan with the rows at its start, and writes while it runs if
// writing is set.
func (m *modelTx) scan(writing bool) {
	span := storage.Span{Reverse: m.r.IntN(2) == 0}
	if m.r.IntN(2) == 0 {
		span.From = []byte(m.key())
	}
	if m.r.IntN(2) == 0 {
		span.To = []byte(m.key())
	}
	var want, got []string
	for _, k := range slices.Sorted(maps.Keys(m.rows)) {
		if k >= string(span.From) && (span.To == nil || k < string(span.To)) {
			want = append(want, k+"="+m.rows[k])
		}
	}
	if span.Reverse {
		slices.Reverse(want)
	}
	stop := m.r.IntN(600)
	want = want[:min(len(want), stop)]
	err := m.tx.Scan("t", span, func(k, v []byte) bool {
		if len(got) == stop {
			return false
		}
		got = append(got, fmt.Sprintf("%s=%s", k, v))
		switch {
		case writing && m.r.IntN(3) == 0:
			m.write(m.key(), m.r.IntN(2) == 0)
		case writing && m.r.IntN(3) == 0:
			m.write(string(k), m.r.IntN(2) == 0)
		case writing && m.r.IntN(20) == 0:
			m.step() // a scan in a scan, or a run of writes
		}
		return true
	})
	if err != nil {
		m.t.Error(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		m.t.Errorf("scan %+v (-want +got):\n%s", span, diff)
	}
}
