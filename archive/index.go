package archive

import (
	"errors"

	"kairan/storage"
)

// get is Table.Get with the zero value for a row that is not there.
func get[K, V any](tx *storage.Tx, t storage.Table[K, V], k K) (V, error) {
	v, err := t.Get(tx, k)
	if errors.Is(err, storage.ErrNotFound) {
		err = nil
	}
	return v, err
}

// index writes all rows of a message whose Seq and place are set. It sets Nth and Thread, and may run more than once.
// The number of rows it reads and writes has a limit, whatever the message refers to.
func index(tx *storage.Tx, d *described) error {
	m := &d.Message
	r, err := get(tx, rulings, storage.P(m.List, m.Post))
	if err != nil {
		return err
	}
	r.mark(d)
	if err := indexID(tx, m); err != nil {
		return err
	}
	if err := assignThread(tx, d); err != nil {
		return err
	}
	list, err := get(tx, lists, m.List)
	if err != nil {
		return err
	}
	list.Logged = list.Logged || list.Last == 0
	list.Last = max(list.Last, m.Seq)
	month, err := get(tx, months, storage.P(m.List, monthOf(m.File)))
	if err != nil {
		return err
	}
	month.count(m.Hidden, 1)
	month.File, month.Length = m.File, m.Offset+m.Length
	return errors.Join(indexNames(tx, m),
		lists.Put(tx, m.List, list),
		months.Put(tx, storage.P(m.List, monthOf(m.File)), month),
		monthRows.Put(tx, monthRow(m), placeOf(m)),
		posts.Put(tx, storage.P(m.List, m.Post), m.Seq),
		messages.Put(tx, storage.P(m.List, m.Seq), *m),
		logChange(tx, Change{List: m.List, Seq: m.Seq, Gone: m.Hidden}))
}

// count adds n messages to those that readers see, or to the others.
func (mo *Month) count(hidden bool, n int) {
	if hidden {
		mo.Hidden += n
		return
	}
	mo.Messages += n
}

// indexNames enters the message under its other names. Each leads to the first message that has it, so that what was found once is
// found again; of the messages of an import two may say that they have one number.
func indexNames(tx *storage.Tx, m *Message) error {
	var errs []error
	if k := storage.P(m.List, m.Number); m.Number != 0 && !numbers.Has(tx, k) {
		errs = append(errs, numbers.Put(tx, k, m.Seq))
	}
	if k := storage.P(m.List, m.Old); m.Old != "" && !oldNames.Has(tx, k) {
		errs = append(errs, oldNames.Put(tx, k, m.Seq))
	}
	if m.Nth == 0 {
		errs = append(errs, hashes.Put(tx, storage.P(m.List, HashID(m.ID)), m.Seq))
	}
	return errors.Join(errs...)
}

// indexID enters the message as the next of its Message-ID.
func indexID(tx *storage.Tx, m *Message) error {
	m.Nth = 0
	first, err := get(tx, ids, firstID(m.List, m.ID))
	if err != nil {
		return err
	}
	if first.Seq == 0 {
		return ids.Put(tx, firstID(m.List, m.ID), idRow{Seq: m.Seq, Count: 1})
	}
	first.Count++
	m.Nth = first.Count
	return errors.Join(
		ids.Put(tx, firstID(m.List, m.ID), first),
		ids.Put(tx, nthID(m.List, m.ID, m.Nth), idRow{Seq: m.Seq}))
}
