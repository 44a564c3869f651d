package thread_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/archive/thread"
)

// read makes messages of lines "ID day parent…".
func read(t *testing.T, text string) []thread.Message {
	t.Helper()
	var messages []thread.Message
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		var day int
		if _, err := fmt.Sscan(f[1], &day); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, thread.Message{ID: f[0], Date: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC), Parents: f[2:]})
	}
	return messages
}

func TestArrange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ messages, want string }{
		"nothing":              {"", ""},
		"answers by date":      {"a 1\nd 4 a\nb 2 a\nc 3 b", "a\n b\n  c\n d\n"},
		"roots by date":        {"b 2\na 1", "a\nb\n"},
		"equal dates as given": {"a 1\nc 2 a\nb 2 a", "a\n c\n b\n"},
		"nearest parent":       {"a 1\nb 2 a\nc 3 a b", "a\n b\n  c\n"},
		"missing parent":       {"a 1\nc 3 a b", "a\n c\n"},
		"all missing":          {"a 1 x\nb 2 x", "a\nb\n"},
		"answer dated before":  {"a 5\nb 1 a", "a\n b\n"},
		"itself":               {"a 1 a", "a\n"},
		"circle of two":        {"b 2 a\na 1 b", "a\n b\n"},
		"circle and what hangs on it": {"d 4 c\na 9 b\nb 2 c\nc 3 a\ne 5 d",
			"b\n a\n  c\n   d\n    e\n"},
		"duplicate":                  {"a 1\na 2\nb 3 a", "a\n b\na\n"},
		"duplicate that refers back": {"a 1\na 2 a", "a\na\n"},
		"depth has an end":           {"a 1\nb 2 a\nc 3 b\nd 4 c\ne 5 d\nf 6 e", "a\n b\n  c\n   d\n    e\n    f\n"},
		"no ID":                      {"a 1\n- 2 a", "a\n -\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			messages := read(t, c.messages)
			var got strings.Builder
			for _, row := range thread.Arrange(messages, 4) {
				got.WriteString(strings.Repeat(" ", row.Depth) + messages[row.Index].ID + "\n")
			}
			if diff := cmp.Diff(c.want, got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLongChains(t *testing.T) {
	t.Parallel()
	const n = 10_000
	messages := make([]thread.Message, n)
	for i := range messages {
		messages[i] = thread.Message{ID: fmt.Sprint(i), Parents: []string{fmt.Sprint((i + 1) % n)}, Date: time.Unix(int64(i), 0)}
	}
	rows := thread.Arrange(messages, n) // one circle
	if len(rows) != n || rows[0].Index != 0 || rows[n-1].Depth != n-1 {
		t.Errorf("%d rows, the first is %d, the last has depth %d", len(rows), rows[0].Index, rows[n-1].Depth)
	}
}

// TestEveryMessageOnce arranges messages that refer to each other at random.
func TestEveryMessageOnce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		n := r.IntN(12)
		messages := make([]thread.Message, n)
		for i := range messages {
			messages[i].ID = fmt.Sprint(r.IntN(n))
			messages[i].Date = time.Unix(r.Int64N(5), 0)
			for range r.IntN(4) {
				messages[i].Parents = append(messages[i].Parents, fmt.Sprint(r.IntN(n+2)))
			}
		}
		place := map[int]int{}
		for at, row := range thread.Arrange(messages, 100) {
			if _, twice := place[row.Index]; twice {
				t.Fatalf("message %d twice in %v", row.Index, messages)
			}
			if _, before := place[row.Parent]; row.Parent >= 0 && !before {
				t.Fatalf("message %d stands before its parent in %v", row.Index, messages)
			}
			place[row.Index] = at
		}
		if len(place) != n {
			t.Fatalf("%d of %d messages: %v", len(place), n, messages)
		}
	}
}

func BenchmarkArrange(b *testing.B) {
	messages := make([]thread.Message, 10_000)
	for i := range messages {
		messages[i] = thread.Message{ID: fmt.Sprint(i), Parents: []string{fmt.Sprint(i / 3)}, Date: time.Unix(int64(i), 0)}
	}
	for b.Loop() {
		thread.Arrange(messages, 8)
	}
}
