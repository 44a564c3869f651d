package thread

import (
	"slices"
	"time"
)

// Message is what the tree is made of.
type Message struct {
	ID      string
	Parents []string // Message-IDs that it refers to, nearest last
	Date    time.Time
}

// Row is a message at its place in the tree.
type Row struct {
	Index  int // of the message in what was given
	Parent int // index of the message answered, -1 for a root
	Depth  int // 0 for a root
}

// Arrange returns the messages in reading order: each followed by its answers.
// Rows deeper than maxDepth have that depth.
func Arrange(messages []Message, maxDepth int) []Row {
	order := make([]int, len(messages))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return messages[a].Date.Compare(messages[b].Date) })

	parents := findParents(messages, order)
	cutCircles(parents, order)

	answers := make([][]int, len(messages))
	var stack []Row
	for _, i := range order {
		if p := parents[i]; p >= 0 {
			answers[p] = append(answers[p], i)
		}
	}
	for _, i := range slices.Backward(order) {
		if parents[i] < 0 {
			stack = append(stack, Row{Index: i, Parent: -1})
		}
	}
	rows := make([]Row, 0, len(messages))
	for len(stack) > 0 {
		row := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		rows = append(rows, row)
		for _, i := range slices.Backward(answers[row.Index]) {
			stack = append(stack, Row{Index: i, Parent: row.Index, Depth: min(row.Depth+1, max(0, maxDepth))})
		}
	}
	return rows
}

// findParents returns for each message the index of its nearest parent that is there, or -1.
func findParents(messages []Message, order []int) []int {
	first := make(map[string]int, len(messages))
	for _, i := range order {
		if _, ok := first[messages[i].ID]; !ok && messages[i].ID != "" {
			first[messages[i].ID] = i
		}
	}
	parents := make([]int, len(messages))
	for i, m := range messages {
		parents[i] = -1
		for _, id := range slices.Backward(m.Parents) {
			if p, ok := first[id]; ok && p != i && id != m.ID {
				parents[i] = p
				break
			}
		}
	}
	return parents
}

// cutCircles makes the oldest message of each circle a root. Each message is walked over at most twice.
func cutCircles(parents, order []int) {
	age := make([]int, len(order)) // place of a message by date
	for n, i := range order {
		age[i] = n
	}
	walk := make([]int, len(parents)) // the walk that came by, from 1
	for n, start := range order {
		i := start
		for i >= 0 && walk[i] == 0 {
			walk[i] = n + 1
			i = parents[i]
		}
		if i < 0 || walk[i] != n+1 {
			continue // a root, or a way that was walked before
		}
		oldest := i
		for j := parents[i]; j != i; j = parents[j] {
			if age[j] < age[oldest] {
				oldest = j
			}
		}
		parents[oldest] = -1
	}
}
