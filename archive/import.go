package archive

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kairan/smtpd/message"
	"kairan/storage"
)

// Prepared is an entry that was read as far as it can be without the archive.
type Prepared struct {
	d     *described
	print string // fingerprint
}

// importedPost begins the post IDs that are made of fingerprints.
const importedPost = "import-"

// Prepare reads an entry for [Archive.Import]. It may be called on many at once. An entry without a Post gets one made of what
// its author wrote, so that importing it again finds it; one whose Message-ID is missing or absurd gets one made likewise.
func Prepare(e Entry) (*Prepared, error) {
	msg := message.Parse(e.Raw)
	p := &Prepared{print: fingerprint(msg)}
	if e.Post == "" {
		e.Post = importedPost + p.print
	}
	if len(e.ID) > maxID {
		e.ID = ""
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	p.d = describe(e.record(), msg)
	p.d.List, p.d.raw = e.List, e.Raw
	return p, nil
}

// Imported is what became of an entry.
type Imported struct {
	Seq         uint64 // its position in the archive
	Known       bool   // it was there already
	Purged      bool   // it was, until it was purged; it is not brought back
	NumberTaken bool   // another message has its post number; this one is found by its Message-ID
}

// Import adds entries of one list that are not there yet, in their order, with one sync of each month's file and one transaction
// for all of them. Between two calls posts are archived as usual. What an entry without a Post of its own wrote tells whether it is there;
// a second message of a Message-ID that says something else is added. Import may be called again after an error.
func (a *Archive) Import(ctx context.Context, list string, batch []*Prepared) ([]Imported, error) {
	w, done, err := a.write(ctx, list)
	if err != nil {
		return nil, fmt.Errorf("import into list %s: %w", list, err)
	}
	defer done()
	results, err := a.importBatch(ctx, w, batch)
	if err != nil {
		return nil, fmt.Errorf("import into list %s: %w", list, err)
	}
	return results, nil
}

func (a *Archive) importBatch(ctx context.Context, w *writer, batch []*Prepared) ([]Imported, error) {
	var months []string
	for _, p := range batch {
		if p.d.List != w.list {
			return nil, fmt.Errorf("an entry is of list %s", p.d.List)
		}
		months = append(months, a.month(p.d.Received))
	}
	if err := a.prepare(ctx, w, months...); err != nil {
		return nil, err
	}
	results := make([]Imported, len(batch))
	var fresh []*described
	var place []int                            // of each in batch
	first := make(map[string]int, len(batch))  // by fingerprint
	taken := make(map[string]bool, len(batch)) // post IDs
	for i, p := range batch {
		if before, ok := first[p.print]; ok {
			results[i] = results[before]
			results[i].Known = true
			continue
		}
		first[p.print] = i
		known, err := a.known(ctx, p)
		if err != nil {
			return nil, err
		}
		if results[i] = known; known.Known {
			continue
		}
		if taken[p.d.Post] {
			p.d.Post = importedPost + p.print
		}
		taken[p.d.Post] = true
		fresh = append(fresh, p.d)
		place = append(place, i)
	}
	if len(fresh) == 0 {
		return results, nil
	}
	err := a.store(ctx, w, fresh, func(tx *storage.Tx) error {
		for n, d := range fresh {
			seq, err := get(tx, numbers, storage.P(w.list, d.Number))
			if err != nil {
				return err
			}
			results[place[n]] = Imported{Seq: d.Seq, NumberTaken: d.Number != 0 && seq != d.Seq}
		}
		return nil
	})
	return results, err
}

// known looks for a message that says the same. If the entry's post ID belongs to another one, it gets one of its own.
func (a *Archive) known(ctx context.Context, p *Prepared) (Imported, error) {
	var alike []*Message // that have its post ID or its Message-ID
	var found Imported
	err := a.DB.View(ctx, func(tx *storage.Tx) error {
		alike, found = nil, Imported{}
		for _, post := range []string{importedPost + p.print, p.d.Post} {
			m, err := byPost(tx, p.d.List, post)
			if errors.Is(err, storage.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if strings.HasPrefix(post, importedPost) && post == importedPost+p.print {
				r, err := get(tx, rulings, storage.P(m.List, post))
				found = Imported{Seq: m.Seq, Known: true, Purged: r.Purged}
				return err
			}
			alike = append(alike, m)
		}
		row, err := get(tx, ids, firstID(p.d.List, p.d.ID))
		for nth := 1; nth <= min(row.Count, maxAlike) && err == nil; nth++ {
			var m *Message
			if m, err = Find(tx, p.d.List, p.d.ID, nth); err == nil && !strings.HasPrefix(m.Post, importedPost) {
				alike = append(alike, m)
			}
		}
		return err
	})
	if err != nil || found.Known {
		return found, err
	}
	for _, m := range alike {
		same, purged, err := a.same(ctx, m, p.print)
		if err != nil {
			return found, err
		}
		if same {
			return Imported{Seq: m.Seq, Known: true, Purged: purged}, nil
		}
		if m.Post == p.d.Post {
			p.d.Post = importedPost + p.print
		}
	}
	return found, nil
}

// maxAlike is how many messages of one Message-ID are compared with a new one.
const maxAlike = 100

// same reports whether a message has that fingerprint, or had it before it was purged.
func (a *Archive) same(ctx context.Context, m *Message, print string) (same, purged bool, err error) {
	var r ruling
	err = a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		r, err = get(tx, rulings, storage.P(m.List, m.Post))
		return err
	})
	if err != nil || r.Purged {
		return r.Print == print, true, err
	}
	raw, err := a.original(m)
	if errors.Is(err, errDamaged) {
		return false, false, nil // then it is good to have it once more
	}
	return err == nil && fingerprint(message.Parse(raw)) == print, false, err
}
