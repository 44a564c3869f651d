package list

import (
	"iter"
	"slices"

	"kairan/storage"
)

// Leaf says which rows of a long table a page has: those behind the key After, or those before the key Before, or with neither the first.
type Leaf struct {
	After, Before string
	Limit         int
}

// Turn reads a page of rows in the order of their keys, from rows that it asks for a range. Earlier and later say whether there are more before
// and behind them. A page before another that would be a part of the first is the whole first.
func Turn[T any](q Leaf, rows func(storage.Range[string]) iter.Seq[T]) (page []T, earlier, later bool) {
	r := storage.Range[string]{Reverse: q.Before != ""}
	switch {
	case r.Reverse:
		r.To = &q.Before
	case q.After != "":
		r.After = &q.After
	}
	more := false
	for row := range rows(r) {
		if more = len(page) == q.Limit; more {
			break
		}
		page = append(page, row)
	}
	if !r.Reverse {
		return page, q.After != "", more
	}
	if !more && len(page) < q.Limit {
		q.Before = ""
		return Turn(q, rows)
	}
	slices.Reverse(page)
	return page, more, true
}
