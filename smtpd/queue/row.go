package queue

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"kairan/storage"
)

// RowID numbers the rows of the outbox in the order they were made.
type RowID uint64

// Row is recipients of one rendition who are tried together.
// It is stored as it stands; fields may be added, and their zero value then means what was before.
type Row struct {
	ID         RowID       `json:"-"`
	Rendition  string      `json:"m"`
	Domain     string      `json:"d,omitempty"` // of all recipients, in A-labels; "" if they differ
	Recipients []Recipient `json:"to"`
	Attempts   int         `json:"n,omitempty"`
	Queued     time.Time   `json:"q"`
	Next       time.Time   `json:"t"` // not tried before
	LastReply  string      `json:"r,omitempty"`
	Group      string      `json:"g,omitempty"` // where it was last tried
}

// Reply is what was last said to a copy for one of the row's recipients.
func (r Row) Reply(to Recipient) string { return cmp.Or(to.LastReply, r.LastReply) }

const (
	maxRow = 100 // recipients of a row
	// maxMixed is how many recipients of several groups share a row: each group reads and settles it by itself.
	maxMixed = 20
	// A domain with fewer recipients than this in one call of Enqueue shares rows with others, if it can with those of its group.
	ownRow = 10

	stateLast    = "last"
	stateTurn    = "turn"
	stateReached = "reached"
)

var (
	outbox = storage.NewTable[RowID, Row]("outbox", storage.Uints[RowID]())
	state  = storage.NewTable[string, uint64]("outboxstate", storage.Strings[string]())
)

// Enqueue adds recipients of a rendition that is stored and that Seal has not closed.
// Call it with at most about 10,000 recipients a transaction, and Wake after the commit.
func (o *Outbox) Enqueue(tx *storage.Tx, rendition string, to []Recipient) error {
	rec, err := renditions.Get(tx, rendition)
	if err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	if rec.Sealed {
		return fmt.Errorf("enqueue: rendition %s is sealed", rendition)
	}
	now := time.Now()
	var rows []Row
	for domain, some := range o.grouped(to) {
		rows = append(rows, Row{Rendition: rendition, Domain: domain, Recipients: some, Queued: now, Next: now})
	}
	rec.Rows += len(rows)
	if err := addRows(tx, rows); err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	return renditions.Put(tx, rendition, rec)
}

// grouped yields the recipients of rows: of one domain up to maxRow, and those of domains with few recipients together under "",
// up to maxRow where one next hop serves them, else up to maxMixed.
func (o *Outbox) grouped(to []Recipient) iter.Seq2[string, []Recipient] {
	return func(yield func(string, []Recipient) bool) {
		order, of := byDomain(to)
		var few []Recipient
		kin, groups := map[string][]Recipient{}, []string{}
		for _, d := range order {
			if len(of[d]) >= ownRow {
				if !rowsOf(of[d], maxRow, yield) {
					return
				}
				continue
			}
			name := o.GroupOf(d)
			if name == "" { // not looked up yet
				few = append(few, of[d]...)
				continue
			}
			if kin[name] == nil {
				groups = append(groups, name)
			}
			kin[name] = append(kin[name], of[d]...)
		}
		for _, name := range groups {
			if len(kin[name]) < ownRow {
				few = append(few, kin[name]...)
			} else if !rowsOf(kin[name], maxRow, yield) {
				return
			}
		}
		mixed := maxMixed
		if o.Smarthost {
			mixed = maxRow
		}
		rowsOf(few, mixed, yield)
	}
}

// rowsOf yields recipients in rows of up to most, with their domain where they have one in common.
func rowsOf(to []Recipient, most int, yield func(string, []Recipient) bool) bool {
	for some := range chunks(to, most) {
		domain := some[0].To.ASCIIDomain()
		if slices.ContainsFunc(some, func(r Recipient) bool { return r.To.ASCIIDomain() != domain }) {
			domain = ""
		}
		if !yield(domain, some) {
			return false
		}
	}
	return true
}

// chunks is slices.Chunk with chunks of nearly equal length, at most most.
func chunks(to []Recipient, most int) iter.Seq[[]Recipient] {
	return func(yield func([]Recipient) bool) {
		for n := (len(to) + most - 1) / most; n > 0; n-- {
			size := (len(to) + n - 1) / n
			if !yield(to[:size]) {
				return
			}
			to = to[size:]
		}
	}
}

// byDomain sorts recipients by domain and drops repeated ones; order names the domains as they came.
func byDomain(to []Recipient) (order []string, of map[string][]Recipient) {
	of = map[string][]Recipient{}
	seen := make(map[Recipient]bool, len(to))
	for _, r := range to {
		if seen[r] {
			continue
		}
		seen[r] = true
		d := r.To.ASCIIDomain()
		if _, ok := of[d]; !ok {
			order = append(order, d)
		}
		of[d] = append(of[d], r)
	}
	return order, of
}

// addRows numbers and stores rows.
func addRows(tx *storage.Tx, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	last := RowID(stateOf(tx, stateLast))
	for _, r := range rows {
		last++
		if err := outbox.Put(tx, last, r); err != nil {
			return err
		}
	}
	return state.Put(tx, stateLast, uint64(last))
}

// stateOf returns a counter, 0 before it was set. A row that cannot be read fails the transaction.
func stateOf(tx *storage.Tx, key string) uint64 {
	for k, n := range state.Scan(tx, storage.Range[string]{}) {
		if k == key {
			return n
		}
	}
	return 0
}

// Rows yields the rows of the outbox, oldest first.
func (o *Outbox) Rows(tx *storage.Tx) iter.Seq[Row] { return rowsAfter(tx, 0) }

// rowsAfter yields the rows numbered higher than after. A scan in an update
// copies its span, so it goes in steps.
func rowsAfter(tx *storage.Tx, after RowID) iter.Seq[Row] {
	const step = 1000
	return func(yield func(Row) bool) {
		last := RowID(stateOf(tx, stateLast))
		for ; after < last; after += step {
			to := after + step + 1
			for id, r := range outbox.Scan(tx, storage.Range[RowID]{After: &after, To: &to}) {
				r.ID = id
				if !yield(r) {
					return
				}
			}
		}
	}
}
