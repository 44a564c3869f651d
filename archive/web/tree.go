package web

import "kairan/archive"

const (
	maxDepth  = 8    // deeper answers are shown at this depth
	maxThread = 2000 // messages of a thread that are arranged
)

// node is a message at its place in a thread.
type node struct {
	*archive.Message
	depth  int
	parent *archive.Message // the message answered, if it is among those shown
}

// arrange puts messages, oldest first, into reading order: each followed by its answers, oldest first.
// A message hangs under the nearest of its parents that is there and arrived before it, so there is no circle.
func arrange(messages []*archive.Message) []node {
	index := make(map[string]int, len(messages))
	parents := make([]int, len(messages))
	answers := make(map[int][]int, len(messages))
	for i, m := range messages {
		parents[i] = -1
		for j := len(m.Parents) - 1; j >= 0 && parents[i] < 0; j-- {
			if p, ok := index[m.Parents[j]]; ok {
				parents[i] = p
			}
		}
		answers[parents[i]] = append(answers[parents[i]], i)
		if _, ok := index[m.ID]; !ok {
			index[m.ID] = i
		}
	}
	out := make([]node, 0, len(messages))
	depth := make([]int, len(messages))
	var stack []int
	push := func(of int) {
		list := answers[of]
		for j := len(list) - 1; j >= 0; j-- {
			stack = append(stack, list[j])
		}
	}
	push(-1)
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n := node{Message: messages[i]}
		if p := parents[i]; p >= 0 {
			depth[i] = depth[p] + 1
			n.parent = messages[p]
		} else if i > 0 && len(out) > 0 {
			depth[i] = 1 // answers something that is not here: beside the answers to the first
		}
		n.depth = depth[i]
		out = append(out, n)
		push(i)
	}
	return out
}
