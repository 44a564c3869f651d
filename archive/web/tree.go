package web

import (
	"kairan/archive"
	"kairan/archive/thread"
)

// maxDepth is the depth at which deeper answers are shown; the style sheet knows no more.
const maxDepth = 8

// node is a message at its place in a thread.
type node struct {
	*archive.Message
	depth  int
	parent *archive.Message // the message answered, nil for none
}

// arrange puts messages into reading order: each followed by its answers, or all by time.
func arrange(messages []*archive.Message, byTime bool) []node {
	in := make([]thread.Message, len(messages))
	for i, m := range messages {
		in[i] = thread.Message{ID: m.ID, Parents: m.Parents, Date: m.Received}
	}
	out := make([]node, len(messages))
	for i, row := range thread.Arrange(in, maxDepth) {
		n := node{Message: messages[row.Index], depth: row.Depth}
		if row.Parent >= 0 {
			n.parent = messages[row.Parent]
		}
		if byTime { // as they came
			i, n.depth = row.Index, 0
		}
		out[i] = n
	}
	return out
}
