package list

import (
	"cmp"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"kairan/storage"
)

// MaxLook is how many members one page of a search looks at. A page of some that match takes as long as one of all others then, whatever
// the size of the list.
const MaxLook = 10_000

// NoAction asks a [MemberQuery] for members to whom the list's default action applies.
const NoAction Action = "default"

// MemberQuery asks for a page of the members of a list. What is left empty matches everybody.
type MemberQuery struct {
	List     ID
	Role     Role
	Prefix   string         // the address begins with it
	Part     string         // stands in the address or the name, in any case and width
	Delivery DeliveryStatus // as it is at Now
	Mode     DeliveryMode   // of the posts to come
	Action   Action         // or NoAction
	Leaf                    // by address keys
	Now      time.Time
}

// MemberPage is what was found.
type MemberPage struct {
	Members []*Member // in the order of their keys
	// Earlier and Later say that there are, or may be, more before and behind them.
	Earlier, Later bool
	// Stopped is the address key where the search gave up after MaxLook members; it goes on after it, or with Before, before it.
	// "" when it came to its end or the page was full.
	Stopped string
}

// FindMembers returns a page of members. It never reads more than MaxLook of them, and without Part, Delivery, Mode and Action no more than
// the page has.
func FindMembers(tx *storage.Tx, q MemberQuery) MemberPage {
	q.Prefix, q.Part = fold(q.Prefix), fold(q.Part)
	page := findMembers(tx, q)
	if q.Before != "" && !page.Earlier && page.Stopped == "" && len(page.Members) < q.Limit { // a whole first page reads better than a part of it
		q.Before = ""
		return findMembers(tx, q)
	}
	return page
}

func findMembers(tx *storage.Tx, q MemberQuery) (page MemberPage) {
	looked, more, may := 0, false, q.sieve()
	for k, row := range storage.Within(tx, memberRows, place, storage.P(q.List, q.Role), q.span(q.Prefix)) {
		if !strings.HasPrefix(k.B, q.Prefix) {
			break
		}
		if may(k.B, &row) {
			m, err := row.member(tx, k)
			if err != nil {
				return page
			}
			if matches := q.matches(k.B, m); matches && len(page.Members) == q.Limit {
				more = true
				break
			} else if matches {
				page.Members = append(page.Members, m)
			}
		}
		if looked++; looked == MaxLook {
			page.Stopped = k.B
			break
		}
	}
	page.Earlier, page.Later = ends(q.Leaf, page.Members, more)
	return page
}

func (q *MemberQuery) matches(key string, m *Member) bool {
	switch {
	case q.Part != "" && !strings.Contains(key, q.Part) && !strings.Contains(fold(m.DisplayName), q.Part):
		return false
	case q.Delivery != "" && q.Delivery != m.Delivery(q.Now):
		return false
	case q.Mode != "" && q.Mode != m.Mode():
		return false
	case q.Action != "" && q.Action != cmp.Or(m.ModerationAction, NoAction):
		return false
	}
	return true
}

// Delivery returns the delivery status at that time: what was switched off until then is on again.
func (m *Member) Delivery(now time.Time) DeliveryStatus {
	if m.Receives(now) {
		return DeliveryEnabled
	}
	return m.DeliveryStatus
}

// fold makes texts equal that differ in case and width only.
func fold(s string) string { return strings.ToLower(norm.NFKC.String(s)) }
