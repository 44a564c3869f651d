package list

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
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
	key      string
	address  address.Address
	name     string
	language string
	status   DeliveryStatus
	line     int
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
// or CSV whose first line names its columns: address, and if wanted display_name, language, delivery_status.
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
		errs = ro.add(errs, newcomer{line: line}, text)
		if len(errs) == maxLineErrors {
			return append(errs, errors.New("and perhaps more: the rest was not read"))
		}
	}
	if err := sc.Err(); err != nil {
		errs = append(errs, LineError{Line: line + 1, Text: err.Error()})
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
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if !slices.Contains([]string{"address", "display_name", "language", "delivery_status"}, name) {
			return []error{LineError{Line: 1, Text: fmt.Sprintf("unknown column %q: there are address, display_name, language, delivery_status", name)}}
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
		line, _ := cr.FieldPos(0)
		if err != nil {
			return append(errs, err) // it names its line
		}
		n := newcomer{line: line, name: strings.Clone(get(row, "display_name")), language: get(row, "language"), status: DeliveryStatus(get(row, "delivery_status"))}
		errs = ro.add(errs, n, get(row, "address"))
	}
	return append(errs, errors.New("and perhaps more: the rest was not read"))
}

// add checks one line and adds it to the rows, or its error to errs.
func (ro *Roster) add(errs []error, n newcomer, text string) []error {
	bad := func(format string, args ...any) []error {
		return append(errs, LineError{Line: n.line, Text: fmt.Sprintf(format, args...)})
	}
	addr, err := address.Parse(text)
	if err != nil && strings.HasSuffix(text, ">") {
		name, angle, _ := strings.Cut(strings.TrimSuffix(text, ">"), "<")
		if addr, err = address.Parse(angle); err == nil && n.name == "" {
			n.name = strings.Trim(strings.TrimSpace(name), `"`)
		}
	}
	if err != nil {
		return bad("%v", err)
	}
	if addr.Domain() == "" || strings.HasPrefix(addr.Domain(), "[") {
		return bad("%q has no domain name", text)
	}
	if hasControl(n.name) {
		return bad("the name has control characters")
	}
	if !slices.Contains([]string{"", "ja", "en"}, n.language) {
		return bad("language %q is neither ja nor en", n.language)
	}
	if !slices.Contains([]DeliveryStatus{"", DeliveryEnabled, DeliveryByUser, DeliveryByModerator}, n.status) {
		return bad("delivery_status %q is none of enabled, by_user, by_moderator", n.status)
	}
	n.address, n.key = addr, addr.Key()
	n.language, n.status = strings.Clone(n.language), DeliveryStatus(strings.Clone(string(n.status)))
	ro.rows = append(ro.rows, n)
	return errs
}

// importChunk is how many members one transaction adds.
const importChunk = 10_000

// Import makes the roster's addresses members, in chunks. Who is one already keeps everything. It can be run again after it was stopped.
func (ro *Roster) Import(ctx context.Context, db *storage.DB, l ID, now time.Time, progress func(done, total int)) (joined int, err error) {
	for at := 0; at < len(ro.rows); at += importChunk {
		rows := ro.rows[at:min(at+importChunk, len(ro.rows))]
		var n int
		err := db.Update(ctx, func(tx *storage.Tx) (err error) {
			n, err = joinAll(tx, l, rows, now)
			return err
		})
		if err != nil {
			return joined, fmt.Errorf("import members: %w", err)
		}
		joined += n
		progress(at+len(rows), len(ro.rows))
	}
	return joined, nil
}

// joinAll is Join for rows in key order. Each table is written in its own order, which is what keeps a large import quick.
func joinAll(tx *storage.Tx, l ID, rows []newcomer, now time.Time) (joined int, err error) {
	type index struct{ hash, key string }
	hashes := make([]index, 0, len(rows))
	for _, r := range rows {
		k := keyOf(l, RoleMember, r.key)
		if members.Has(tx, k) {
			continue
		}
		m := Member{Address: r.address, DisplayName: r.name, Language: r.language, DeliveryStatus: r.status, Token: NewToken(), Joined: now}
		if err := members.Put(tx, k, m); err != nil {
			return 0, err
		}
		hashes = append(hashes, index{TokenHash(m.Token), r.key})
		joined++
	}
	for _, h := range hashes {
		if err := memberLists.Put(tx, storage.P(h.key, storage.P(l, RoleMember)), true); err != nil {
			return 0, err
		}
	}
	slices.SortFunc(hashes, func(a, b index) int { return cmp.Compare(a.hash, b.hash) })
	for _, h := range hashes {
		if err := tokens.Put(tx, h.hash, memberRef{List: l, Address: h.key}); err != nil {
			return 0, err
		}
	}
	return joined, nil
}

// ForgetMembers removes up to n of a closed list's members in any role, and reports whether there are more.
func ForgetMembers(tx *storage.Tx, l ID, n int, now time.Time) (more bool, err error) {
	for _, role := range []Role{RoleMember, RoleNonmember, RoleModerator, RoleOwner} {
		for _, m := range Members(tx, l, role, "") {
			if n == 0 {
				return true, nil
			}
			n--
			if err := Leave(tx, l, role, m.Address, now); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}
