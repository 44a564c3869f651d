package list

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"kairan/smtpd/address"
)

// LineError is what is wrong with a line of a members file.
type LineError struct {
	Line  int
	Kind  LineFault
	Text  string // what is wrong, in English
	Input string // what stands there, or ""
}

// LineFault says what kind of thing is wrong with a line.
type LineFault string

const (
	BadAddress LineFault = "address" // there is no address that can be a member's
	BadField   LineFault = "field"   // the name, or another column
	BadColumn  LineFault = "column"  // the header line of CSV has a column that there is not
	BadCSV     LineFault = "csv"     // quotes, or the number of columns
	TooLong    LineFault = "long"    // the rest was not read
)

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
	action         Action
}

// Roster is a members file that was read whole and found right.
type Roster struct {
	rows     []newcomer // by key, each once
	Repeated int        // lines that name an address again
}

// Len returns the number of addresses.
func (r *Roster) Len() int { return len(r.rows) }

// All yields the addresses in the order of their keys.
func (r *Roster) All() iter.Seq[address.Address] {
	return func(yield func(address.Address) bool) {
		for _, n := range r.rows {
			if a, err := address.Parse(n.exact()); err == nil && !yield(a) {
				return
			}
		}
	}
}

// Each yields whom the file names and what it says about them, in the order of their keys.
func (r *Roster) Each() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for _, n := range r.rows {
			a, err := address.Parse(n.exact())
			if err != nil {
				continue // unreachable: it was parsed before
			}
			m := Member{Address: a}
			if n.about != nil {
				n.about.fill(&m)
			}
			if !yield(m) {
				return
			}
		}
	}
}

// fill puts what a file says into a member.
func (a *about) fill(m *Member) {
	m.DisplayName, m.Language, m.DeliveryStatus, m.DeliveryMode, m.ModerationAction = a.name, a.language, a.status, a.mode, a.action
}

// Remove leaves out the addresses that out is true for.
func (r *Roster) Remove(out func(address.Address) bool) {
	r.rows = slices.DeleteFunc(r.rows, func(n newcomer) bool {
		a, err := address.Parse(n.exact())
		return err != nil || out(a)
	})
}

// maxLineErrors is how many bad lines are told; a file with more of them is another kind of file.
const maxLineErrors = 100

// maxRosterLine bounds a line of a members file.
const maxRosterLine = 4096

// ReadRoster is ParseRoster for a file that has to be right: it returns every bad line as a LineError joined in one error, and then no roster,
// so that nothing is half imported.
func ReadRoster(r io.Reader) (*Roster, error) {
	ro, errs := ParseRoster(r)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return ro, nil
}

// ParseRoster reads an address a line ("Ann <ann@example.jp>" too; empty lines and those that start with "#" are skipped),
// or CSV whose first line names its columns: address, and if wanted display_name, language, delivery_status, delivery_mode, moderation_action.
// It returns those that are right, and for each line that is not a LineError; after a hundred of them, or an error of r, the rest is not read.
func ParseRoster(r io.Reader) (ro *Roster, errs []error) {
	br := bufio.NewReaderSize(r, 64<<10)
	first, err := br.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return &Roster{}, []error{err}
	}
	ro = &Roster{}
	if header, _, _ := bytes.Cut(first, []byte("\n")); bytes.ContainsRune(header, ',') && bytes.Contains(bytes.ToLower(header), []byte("address")) {
		errs = ro.readCSV(br)
	} else {
		errs = ro.readLines(br)
	}
	slices.SortStableFunc(ro.rows, func(a, b newcomer) int { return cmp.Compare(a.key, b.key) })
	n := len(ro.rows)
	ro.rows = slices.CompactFunc(ro.rows, func(a, b newcomer) bool { return a.key == b.key })
	ro.Repeated = n - len(ro.rows)
	return ro, errs
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
		errs = append(errs, LineError{Line: line + 1, Kind: TooLong, Text: fmt.Sprintf("longer than %d bytes; the rest was not read", maxRosterLine)})
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
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if !slices.Contains(rosterColumns, name) {
			return []error{LineError{Line: 1, Kind: BadColumn, Input: name, Text: fmt.Sprintf("unknown column %q: there are %s", name, strings.Join(rosterColumns, ", "))}}
		}
		column[name] = i
	}
	get := func(row []string, name string) string {
		if i, ok := column[name]; ok && i < len(row) {
			return plainCell(strings.TrimSpace(row[i]))
		}
		return ""
	}
	for len(errs) < maxLineErrors {
		row, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return errs
		}
		if pe, ok := errors.AsType[*csv.ParseError](err); ok {
			errs = append(errs, LineError{Line: pe.StartLine, Kind: BadCSV, Text: pe.Err.Error()})
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
			action:   Action(strings.Clone(get(row, "moderation_action"))),
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
	kind := BadAddress
	if err == nil {
		if addr.Domain() != "" && !strings.HasPrefix(addr.Domain(), "[") {
			kind = BadField
		}
		err = (&Member{Address: addr, DisplayName: a.name, Language: a.language, DeliveryStatus: a.status, DeliveryMode: a.mode, ModerationAction: a.action}).check()
	}
	if err != nil {
		return append(errs, LineError{Line: line, Kind: kind, Text: err.Error(), Input: text})
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
