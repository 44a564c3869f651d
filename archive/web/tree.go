package web

import (
	"kairan/archive"
	"kairan/archive/thread"
)

const (
	maxDepth  = 8    // deeper answers are shown at this depth; the style sheet knows no more
	maxThread = 2000 // messages of a thread that are arranged
)

// node is a message at its place in a thread.
type node struct {
	*archive.Message
	depth  int
	parent *archive.Message // the message answered, nil for none
}

// arrange puts messages into reading order: each followed by its answers.
func arrange(messages []*archive.Message) []node {
	in := make([]thread.Message, len(messages))
	for i, m := range messages {
		in[i] = thread.Message{ID: m.ID, Parents: m.Parents, Date: m.Received}
	}
	out := make([]node, 0, len(messages))
	for _, row := range thread.Arrange(in, maxDepth) {
		n := node{Message: messages[row.Index], depth: row.Depth}
		if row.Parent >= 0 {
			n.parent = messages[row.Parent]
		}
		out = append(out, n)
	}
	return out
}
