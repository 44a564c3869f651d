package list

import (
	"context"
	"strings"
	"unicode/utf8"

	"kairan/storage"
)

// rosterColumns are the columns of a members file in CSV, as it is read and written.
var rosterColumns = []string{"address", "display_name", "language", "delivery_status", "delivery_mode", "moderation_action"}

// RosterColumns returns the header line of a members file in CSV.
func RosterColumns() []string { return append([]string(nil), rosterColumns...) }

// RosterRow returns the member's line of a members file in CSV. Cells that a spreadsheet would take for a formula are marked with "'";
// [ParseRoster] takes the mark away.
func (m *Member) RosterRow() []string {
	row := []string{m.Address.String(), m.DisplayName, m.Language, string(m.DeliveryStatus), string(m.DeliveryMode), string(m.ModerationAction)}
	for i, cell := range row {
		if isFormula(cell) {
			row[i] = "'" + cell
		}
	}
	return row
}

// isFormula reports whether a spreadsheet would compute the cell, or whether it looks like one of which we have marked that.
func isFormula(cell string) bool {
	cell = strings.TrimLeft(cell, "'")
	first, _ := utf8.DecodeRuneInString(cell)
	return cell != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", first)
}

// plainCell takes the mark of RosterRow away.
func plainCell(cell string) string {
	if rest, marked := strings.CutPrefix(cell, "'"); marked && isFormula(rest) {
		return rest
	}
	return cell
}

// rosterPage is how many members EachMember reads at a time.
const rosterPage = 1000

// EachMember calls f for each member of a role, in the order of keys. It reads a page a transaction, so that a slow reader holds none open.
func EachMember(ctx context.Context, db *storage.DB, l ID, r Role, f func(*Member) error) error {
	for q := (MemberQuery{List: l, Role: r, Leaf: Leaf{Limit: rosterPage}}); ; {
		var page MemberPage
		err := db.View(ctx, func(tx *storage.Tx) error {
			page = FindMembers(tx, q)
			return nil
		})
		if err != nil {
			return err
		}
		for _, m := range page.Members {
			if err := f(m); err != nil {
				return err
			}
			q.After = m.Address.Key()
		}
		if !page.Later {
			return nil
		}
	}
}
