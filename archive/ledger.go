package archive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"kairan/storage"
)

// Deed is what an act does.
type Deed string

// The deeds, by their names in the ledger.
const (
	Hide     Deed = "hide"     // readers no longer see the message
	Redact   Deed = "redact"   // readers see that there was one
	Unhide   Deed = "unhide"   // readers see it whole again
	Split    Deed = "split"    // the message and its answers are a thread of their own
	Join     Deed = "join"     // the message answers another
	Unperson Deed = "unperson" // a person is named nowhere
	Purge    Deed = "purge"    // the message is gone from the disk
)

// Act is a line of a ledger: what was decided about a message after it was archived. The ledger is never rewritten; what
// holds is the sum of its lines.
type Act struct {
	At     time.Time `json:"at"`
	Do     Deed      `json:"do"`
	By     string    `json:"by"` // who decided
	Reason string    `json:"reason,omitempty"`

	Post   string  `json:"post,omitempty"`   // of the message
	ID     string  `json:"id,omitempty"`     // its Message-ID, for people who read the ledger
	Parent string  `json:"parent,omitempty"` // join: Message-ID of the message answered
	Person *Person `json:"person,omitempty"` // unperson

	Month      string `json:"month,omitempty"`      // purge: the month whose file was written anew,
	Generation int    `json:"generation,omitempty"` // as its nth generation
	Print      string `json:"print,omitempty"`      // purge: fingerprint, so that an import does not bring it back
}

// Order says who wants an act and why, as the ledger keeps it.
type Order struct {
	By     string // an address, or "operator"
	Reason string
}

// Limits of a ledger's line.
const (
	maxAct    = 64 << 10 // bytes
	maxReason = 2000
)

// ruling is the sum of the acts about a post.
type ruling struct {
	Hidden   bool   `json:"hidden,omitempty"`
	Redacted bool   `json:"redacted,omitempty"`
	Purged   bool   `json:"purged,omitempty"`
	Print    string `json:"print,omitempty"`
	Root     bool   `json:"root,omitempty"`   // it answers none of the messages that it refers to,
	Parent   string `json:"parent,omitempty"` // but this one
}

// add counts one more act.
func (r *ruling) add(act Act) {
	switch act.Do {
	case Hide:
		r.Hidden = true
	case Redact:
		r.Redacted = true
	case Unhide:
		r.Hidden, r.Redacted = r.Purged, false
	case Split:
		r.Root, r.Parent = true, ""
	case Join:
		r.Root, r.Parent = true, act.Parent
	case Purge:
		r.Hidden, r.Purged, r.Print = true, true, act.Print
	}
}

// mark applies the ruling to a message that is about to be indexed.
func (r ruling) mark(d *described) {
	d.Hidden, d.Redacted = r.Hidden, r.Redacted
	if r.Root {
		d.Parents, d.kin, d.reply = nil, nil, false
	}
	if r.Parent != "" {
		d.Parents = []string{r.Parent}
	}
}

// ledgerOf is the blob of a list's ledger; that of "" is the site's.
func ledgerOf(list string) string {
	if list == "" {
		return "archive/ledger.jsonl"
	}
	return "archive/" + list + "/ledger.jsonl"
}

// Ledger yields the acts about a list, oldest first; those of the list "" are about the whole site.
// The error ends it.
func (a *Archive) Ledger(ctx context.Context, list string) iter.Seq2[Act, error] {
	return func(yield func(Act, error) bool) {
		var row ledgerRow
		err := a.DB.View(ctx, func(tx *storage.Tx) (err error) {
			row, err = get(tx, ledgers, list)
			return err
		})
		if err == nil && row.Length > 0 {
			err = a.readLedger(list, 0, row.Length, func(act Act, _ int64) error {
				if !yield(act, nil) {
					return errStop
				}
				return nil
			})
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(Act{}, fmt.Errorf("ledger of list %q: %w", list, err))
		}
	}
}

var errStop = errors.New("stop")

// readLedger calls fn with each whole line between two offsets, and with the offset after it.
func (a *Archive) readLedger(list string, from, to int64, fn func(act Act, end int64) error) error {
	f, err := a.DB.Blobs.Open(ledgerOf(list))
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(io.NewSectionReader(f, from, to-from), maxAct+1)
	for {
		line, err := r.ReadSlice('\n')
		if err == io.EOF {
			return nil // what follows is no whole line
		}
		if err != nil {
			return fmt.Errorf("line at %d: %w", from, err)
		}
		var act Act
		if err := json.Unmarshal(line, &act); err != nil {
			return fmt.Errorf("line at %d: %w", from, err)
		}
		from += int64(len(line))
		if err := fn(act, from); err != nil {
			return err
		}
	}
}

// settleLedger carries out the acts behind the committed length of a ledger. A partial line moves to lost+found: whoever
// gave the order was not told that it succeeded. The caller has the right to write.
func (a *Archive) settleLedger(ctx context.Context, list string) error {
	var row ledgerRow
	err := a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		row, err = get(tx, ledgers, list)
		return err
	})
	if err != nil {
		return err
	}
	file := ledgerOf(list)
	length, err := a.DB.Blobs.Len(file)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if length == row.Length {
		return nil
	}
	if length < row.Length {
		return fmt.Errorf("%s has %d bytes and the index knows %d: restore the file from a backup, or reindex the list", file, length, row.Length)
	}
	end, purged := row.Length, false
	err = a.readLedger(list, end, length, func(act Act, after int64) error {
		if err := a.carryOut(ctx, list, act, after); err != nil {
			return err
		}
		end, purged = after, purged || act.Do == Purge
		return nil
	})
	if err == nil && purged { // not before the last line, which tells the last generation
		err = a.deleteOld(ctx, list)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if end == length {
		return nil
	}
	f, err := a.DB.Blobs.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return a.setAside(file, f, end, length)
}

// order writes an act to the ledger and carries it out. may says why it cannot be, before anything is written; it
// may run more than once. The caller has the right to write, and the ledger is settled.
func (a *Archive) order(ctx context.Context, w *writer, act Act, may func(*storage.Tx) error) error {
	var row ledgerRow
	err := a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if row, err = get(tx, ledgers, w.list); err != nil {
			return err
		}
		return may(tx)
	})
	if err != nil {
		return err
	}
	act.At = time.Now().UTC()
	act.Reason = clip(act.Reason, maxReason)
	line, err := json.Marshal(act)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if len(line) > maxAct || bytes.Count(line, []byte("\n")) != 1 {
		return fmt.Errorf("a line of %d bytes is too long for the ledger", len(line))
	}
	w.ledger = false
	if err := a.DB.Blobs.Append(ledgerOf(w.list), row.Length, line); err != nil {
		return err
	}
	if err := a.carryOut(ctx, w.list, act, row.Length+int64(len(line))); err != nil {
		return err
	}
	w.ledger = true
	return nil
}

// carryOut does what a line of the ledger says, in one transaction with its length. Doing it again does nothing.
func (a *Archive) carryOut(ctx context.Context, list string, act Act, length int64) error {
	var month *rewritten
	if act.Do == Purge {
		var err error
		if month, err = a.newMonth(ctx, list, act); err != nil {
			return err
		}
	}
	return a.DB.Update(ctx, func(tx *storage.Tx) error {
		row, err := get(tx, ledgers, list)
		if err != nil {
			return err
		}
		row.Length = length
		row.Acts++
		if err := ledgers.Put(tx, list, row); err != nil {
			return err
		}
		if err := a.tell(tx, list, act); err != nil {
			return err
		}
		if list == "" {
			return enactSite(tx, act, uint64(row.Acts))
		}
		return enact(tx, list, act, month)
	})
}

// tell calls Acted, unless the act was carried out before, and the index is only made again.
func (a *Archive) tell(tx *storage.Tx, list string, act Act) error {
	row, err := get(tx, lists, list)
	if err != nil || row.Rebuild || a.Acted == nil {
		return err
	}
	return a.Acted(tx, list, act)
}

// enact writes down what an act about a message means, and brings the rows of the message up to it if it is indexed.
func enact(tx *storage.Tx, list string, act Act, month *rewritten) error {
	k := storage.P(list, act.Post)
	r, err := get(tx, rulings, k)
	if err != nil {
		return err
	}
	r.add(act)
	if err := rulings.Put(tx, k, r); err != nil {
		return err
	}
	if act.Do == Purge {
		if err := swap(tx, list, act, month); err != nil {
			return err
		}
	}
	m, err := byPost(tx, list, act.Post)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // its record is read later
	}
	if err != nil {
		return err
	}
	switch act.Do {
	case Split:
		return split(tx, m)
	case Join:
		return joinTo(tx, m, act.Parent)
	}
	return show(tx, m, r)
}
