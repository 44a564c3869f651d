package list

import (
	"slices"

	"kairan/smtpd/address"
	"kairan/storage"
)

// PersonEvent is a line that is remembered about a person.
type PersonEvent struct {
	List *List // nil: in the site's log
	Event
}

// maxPersonLog is how far back in the site's log a History looks.
const maxPersonLog = 2000

// History are the latest n lines about a person, the latest first: of what happened to the addresses in open lists, and of the site's log what
// was done to the person or by it, as far as the latest two thousand lines of that tell.
func (p *Person) History(tx *storage.Tx, n int) (all []PersonEvent) {
	for l := range All(tx) {
		for _, a := range p.Addresses {
			for e := range MemberHistory(tx, l.ID, a) {
				all = append(all, PersonEvent{List: l, Event: e})
			}
		}
	}
	looked := 0
	for e := range LogOf(tx, "") {
		if looked++; looked > maxPersonLog {
			break
		}
		if p.Did(e.By) || e.Stage == "person" && p.isNamed(e.Args["address"]) {
			all = append(all, PersonEvent{Event: e})
		}
	}
	slices.SortStableFunc(all, func(a, b PersonEvent) int { return b.At.Compare(a.At) })
	return all[:min(n, len(all))]
}

func (p *Person) isNamed(text string) bool {
	a, err := address.Parse(text)
	return err == nil && p.Has(a)
}
