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
	more := false
	for row := range rows(q.span("")) {
		if more = len(page) == q.Limit; more {
			break
		}
		page = append(page, row)
	}
	if q.Before != "" && !more && len(page) < q.Limit {
		q.Before = ""
		return Turn(q, rows)
	}
	earlier, later = ends(q, page, more)
	return page, earlier, later
}

// span is the range of keys beginning with prefix that the page is looked for in. Backwards the last of them come first.
func (q Leaf) span(prefix string) storage.Range[string] {
	r := storage.Range[string]{From: &prefix, Reverse: q.Before != ""}
	switch {
	case r.Reverse:
		r.To = &q.Before
	case q.After > prefix:
		r.After = &q.After
	}
	return r
}

// ends brings the rows of a page, which are in the order in which they were read, into that of their keys. Earlier and later say whether there
// are more before and behind them; more, whether reading would go on.
func ends[T any](q Leaf, page []T, more bool) (earlier, later bool) {
	if q.Before == "" {
		return q.After != "", more
	}
	slices.Reverse(page)
	return more, true
}
