package list

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kairan/smtpd/address"
	"kairan/storage"
)

// LineError is what is wrong with a line of a members file.
type LineError struct {
	Line int
	Text string
}

func (e LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// newcomer is a member to be, as small as 500,000 of them ask for.
type newcomer struct {
	key   string
	about *about // nil for all defaults
	token [16]byte
}

// exact is the address as it was given.
func (n *newcomer) exact() string {
	if n.about != nil && n.about.exact != "" {
		return n.about.exact
	}
	return n.key
}

// secret is the token as a member carries it.
func (n *newcomer) secret() string { return hex.EncodeToString(n.token[:]) }

// about is what a CSV file may say beside the address, and the address where it is not its own key.
type about struct {
	exact          string
	name, language string
	status         DeliveryStatus
	mode           DeliveryMode
}

// Roster is a members file that was read whole and found right.
type Roster struct {
	rows     []newcomer // by key, each once
	Repeated int        // lines that name an address again
}

// Len returns the number of addresses.
func (r *Roster) Len() int { return len(r.rows) }

// maxLineErrors is how many bad lines are told; a file with more of them is another kind of file.
const maxLineErrors = 100

// maxRosterLine bounds a line of a members file.
const maxRosterLine = 4096

// ReadRoster reads an address a line ("Ann <ann@example.jp>" too; empty lines and those that start with "#" are skipped),
// or CSV whose first line names its columns: address, and if wanted display_name, language, delivery_status, delivery_mode.
// It returns every bad line as a LineError joined in one error, and then no roster: nothing is half imported.
func ReadRoster(r io.Reader) (*Roster, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	first, err := br.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	ro := &Roster{}
	var errs []error
	if header, _, _ := bytes.Cut(first, []byte("\n")); bytes.ContainsRune(header, ',') && bytes.Contains(bytes.ToLower(header), []byte("address")) {
		errs = ro.readCSV(br)
	} else {
		errs = ro.readLines(br)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	slices.SortStableFunc(ro.rows, func(a, b newcomer) int { return cmp.Compare(a.key, b.key) })
	n := len(ro.rows)
	ro.rows = slices.CompactFunc(ro.rows, func(a, b newcomer) bool { return a.key == b.key })
	ro.Repeated = n - len(ro.rows)
	return ro, nil
}

func (ro *Roster) readLines(br *bufio.Reader) (errs []error) {
	sc := bufio.NewScanner(br)
	sc.Buffer(make([]byte, maxRosterLine), maxRosterLine)
	line := 0
	for sc.Scan() {
		line++
		text := strings.TrimSpace(strings.TrimPrefix(sc.Text(), "\ufeff"))
		if text == "" || text[0] == '#' {
			continue
		}
		errs = ro.add(errs, line, text, about{})
		if len(errs) == maxLineErrors {
			return append(errs, errors.New("and perhaps more: the rest was not read"))
		}
	}
	switch err := sc.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		errs = append(errs, LineError{Line: line + 1, Text: fmt.Sprintf("longer than %d bytes; the rest was not read", maxRosterLine)})
	case err != nil:
		errs = append(errs, err)
	}
	return errs
}

func (ro *Roster) readCSV(br *bufio.Reader) (errs []error) {
	cr := csv.NewReader(br)
	cr.ReuseRecord = true
	cr.TrimLeadingSpace = true
	header, err := cr.Read()
	if err != nil {
		return []error{err}
	}
	column := map[string]int{}
	known := []string{"address", "display_name", "language", "delivery_status", "delivery_mode"}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if !slices.Contains(known, name) {
			return []error{LineError{Line: 1, Text: fmt.Sprintf("unknown column %q: there are %s", name, strings.Join(known, ", "))}}
		}
		column[name] = i
	}
	get := func(row []string, name string) string {
		if i, ok := column[name]; ok && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	for len(errs) < maxLineErrors {
		row, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return errs
		}
		if pe, ok := errors.AsType[*csv.ParseError](err); ok {
			errs = append(errs, LineError{Line: pe.StartLine, Text: pe.Err.Error()})
			continue
		}
		if err != nil {
			return append(errs, err)
		}
		line, _ := cr.FieldPos(0)
		errs = ro.add(errs, line, get(row, "address"), about{
			name:     strings.Clone(get(row, "display_name")),
			language: strings.Clone(get(row, "language")),
			status:   DeliveryStatus(strings.Clone(get(row, "delivery_status"))),
			mode:     DeliveryMode(strings.Clone(get(row, "delivery_mode"))),
		})
	}
	return append(errs, errors.New("and perhaps more: the rest was not read"))
}

// add checks one line and adds it to the rows, or its error to errs.
func (ro *Roster) add(errs []error, line int, text string, a about) []error {
	addr, err := address.Parse(text)
	if err != nil && strings.HasSuffix(text, ">") {
		name, angle, _ := strings.Cut(strings.TrimSuffix(text, ">"), "<")
		if addr, err = address.Parse(angle); err == nil && a.name == "" {
			a.name = strings.Trim(strings.TrimSpace(name), `"`)
		}
	}
	if err == nil {
		err = (&Member{Address: addr, DisplayName: a.name, Language: a.language, DeliveryStatus: a.status, DeliveryMode: a.mode}).check()
	}
	if err != nil {
		return append(errs, LineError{Line: line, Text: err.Error()})
	}
	if a.mode == DeliveryRegular {
		a.mode = ""
	}
	n := newcomer{key: addr.Key()}
	if exact := addr.String(); exact != n.key {
		a.exact = exact
	}
	if a != (about{}) {
		kept := a
		n.about = &kept
	}
	ro.rows = append(ro.rows, n)
	return errs
}

// importChunk is how many members one transaction adds.
const importChunk = 10_000

// Import makes the roster's addresses members, in chunks. Who is one already keeps everything. It can be run again after it was stopped.
// e says who imports them, for the list's log.
//
// The tokens of all go into their index first, in its order: random keys a chunk at a time would write most of the
// index anew with each chunk. A token without its member, after a crash, means nobody.
func (ro *Roster) Import(ctx context.Context, db *storage.DB, l ID, e Edit, progress func(done, total int)) (joined int, err error) {
	if err := ro.strangers(ctx, db, l); err != nil {
		return 0, fmt.Errorf("import members: %w", err)
	}
	if err := ro.putTokens(ctx, db, l); err != nil {
		return 0, fmt.Errorf("import members: %w", err)
	}
	for rows := range slices.Chunk(ro.rows, importChunk) {
		err := db.Update(ctx, func(tx *storage.Tx) error { return joinAll(tx, l, rows, e.At) })
		if err != nil {
			return joined, fmt.Errorf("import members: %w", err)
		}
		joined += len(rows)
		progress(joined, len(ro.rows))
	}
	if joined == 0 {
		return 0, nil
	}
	return joined, db.Update(ctx, func(tx *storage.Tx) error {
		return Log(tx, l, Event{At: e.At, Stage: "member", By: e.By, Word: "member.imported", Args: map[string]string{"n": fmt.Sprint(joined)}})
	})
}

// strangers leaves out who is a member already.
func (ro *Roster) strangers(ctx context.Context, db *storage.DB, l ID) error {
	return db.View(ctx, func(tx *storage.Tx) error {
		ro.rows = slices.DeleteFunc(ro.rows, func(n newcomer) bool { return members.Has(tx, keyOf(l, RoleMember, n.key)) })
		return nil
	})
}

// putTokens gives everyone a token and writes the index in its own order.
func (ro *Roster) putTokens(ctx context.Context, db *storage.DB, l ID) error {
	type entry struct {
		hash uint64 // its beginning, which is enough for the order
		row  int32
	}
	index := make([]entry, len(ro.rows))
	for i := range ro.rows {
		rand.Read(ro.rows[i].token[:])
		hash := sha256.Sum256([]byte(ro.rows[i].secret()))
		index[i] = entry{hash: binary.BigEndian.Uint64(hash[:]), row: int32(i)}
	}
	slices.SortFunc(index, func(a, b entry) int { return cmp.Compare(a.hash, b.hash) })
	for entries := range slices.Chunk(index, importChunk) {
		err := db.Update(ctx, func(tx *storage.Tx) error {
			for _, e := range entries {
				n := &ro.rows[e.row]
				if err := tokens.Put(tx, TokenHash(n.secret()), memberRef{List: l, Address: n.key}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// joinAll writes members in key order, each table in one go.
func joinAll(tx *storage.Tx, l ID, rows []newcomer, now time.Time) error {
	joined := 0
	for _, r := range rows {
		addr, err := address.Parse(r.exact())
		if err != nil {
			return err // unreachable: it was parsed before
		}
		m := Member{List: l, Role: RoleMember, Address: addr, Token: r.secret(), Joined: now}
		if r.about != nil {
			m.DisplayName, m.Language, m.DeliveryStatus, m.DeliveryMode = r.about.name, r.about.language, r.about.status, r.about.mode
		}
		k := keyOf(l, RoleMember, r.key)
		if members.Has(tx, k) {
			continue // joined since strangers looked
		}
		if err := members.Put(tx, k, m); err != nil {
			return err
		}
		joined++
		if err := countOff(tx, l, RoleMember, "", m.DeliveryStatus); err != nil {
			return err
		}
		if m.DeliveryMode == "" {
			continue
		}
		if err := indexMode(tx, &m); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if err := memberLists.Put(tx, storage.P(r.key, storage.P(l, RoleMember)), true); err != nil {
			return err
		}
	}
	return errors.Join(countMembers(tx, storage.P(l, RoleMember), joined), Count(tx, l, now, func(t *Tally) { t.Joined += joined }))
}

// ForgetMembers removes up to n of a closed list's members in any role, and reports whether there are more.
func ForgetMembers(tx *storage.Tx, l ID, n int, now time.Time) (more bool, err error) {
	for _, role := range []Role{RoleMember, RoleNonmember, RoleModerator, RoleOwner} {
		for _, m := range Members(tx, l, role, "") {
			if n == 0 {
				return true, nil
			}
			n--
			if err := leave(tx, l, role, m.Address, now); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}
