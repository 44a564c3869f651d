package posting

import (
	"fmt"

	"kairan/list"
	"kairan/smtpd/queue"
	"kairan/storage"
)

// Retry lets recipients in the queue be tried now, and writes into the site's log who wanted it. It returns how many they are.
func (p *Path) Retry(tx *storage.Tx, f queue.Filter, e list.Edit) (int, error) {
	n, err := p.Outbox.Retry(tx, f)
	if err != nil || n == 0 {
		return n, err
	}
	return n, list.Log(tx, "", list.Event{At: e.At, Stage: "queue", By: e.By, Word: "queue.retried", Args: chosen(f, n)})
}

// Drop gives recipients in the queue up, with e.Why as the reason for the trace, and writes into the site's log who did.
// It returns how many they are.
func (p *Path) Drop(tx *storage.Tx, f queue.Filter, e list.Edit) (int, error) {
	n, err := p.Outbox.Drop(tx, f, e.Why)
	if err != nil || n == 0 {
		return n, err
	}
	event := list.Event{At: e.At, Stage: "queue", By: e.By, Word: "queue.dropped", Args: chosen(f, n)}
	event.Args["why"] = e.Why
	return n, list.Log(tx, "", event)
}

// chosen says which recipients a filter chooses.
func chosen(f queue.Filter, n int) map[string]string {
	what := ""
	for _, part := range []string{f.Domain, f.Group, f.Rendition, f.To.String()} {
		if part != "" {
			what += " " + part
		}
	}
	if f.ID != 0 {
		what += fmt.Sprintf(" #%d", f.ID)
	}
	if what == "" {
		what = " *"
	}
	return map[string]string{"n": fmt.Sprint(n), "what": what[1:]}
}
