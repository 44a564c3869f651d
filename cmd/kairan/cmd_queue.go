package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/queue"
	"kairan/storage"
)

type queueCmd struct {
	Ls    queueLs    `cmd:"" help:"Show what waits: by row of up to 100 recipients, or by domain, group, post or recipient."`
	Show  queueShow  `cmd:"" help:"Show a row and its recipients, each with what was last said to it."`
	Retry queueRetry `cmd:"" help:"Try recipients now."`
	Drop  queueDrop  `cmd:"" help:"Give recipients up; they count as failed."`
}

// copyView is a recipient in the queue as ls and show print it.
type copyView struct {
	ID        queue.RowID `json:"id"` // of the row
	Post      string      `json:"post"`
	To        string      `json:"to"`
	Domain    string      `json:"domain"`
	Group     string      `json:"group,omitempty"` // "" before it was looked up
	Attempts  int         `json:"attempts"`
	Queued    time.Time   `json:"queued"`
	Next      time.Time   `json:"next"`
	LastReply string      `json:"last_reply,omitempty"`
}

// heapView is what waits together: a row, or all of a domain, a group or a post.
type heapView struct {
	ID        queue.RowID `json:"id,omitempty"`
	Post      string      `json:"post,omitempty"`
	Domain    string      `json:"domain,omitempty"`
	Group     string      `json:"group,omitempty"`
	Waiting   int         `json:"waiting"`
	Attempts  int         `json:"attempts"` // of the one tried most often
	Queued    time.Time   `json:"queued"`   // the oldest
	Next      time.Time   `json:"next"`     // the first to be tried
	LastReply string      `json:"last_reply,omitempty"`

	// Of a group that is being sent to:
	Sending     int        `json:"sending,omitempty"`
	Connections int        `json:"connections,omitempty"`
	Rate        float64    `json:"rate,omitempty"`
	Gate        *time.Time `json:"closed_until,omitempty"`
}

// queueFilter chooses recipients.
type queueFilter struct {
	ID     queue.RowID `arg:"" optional:"" help:"ID of a row."`
	Post   string      `help:"Those of this post."`
	Domain string      `help:"Those at this domain."`
	Group  string      `help:"Those whose mail hosts are this provider's, as ls --by group names it."`
	To     string      `help:"This address only."`
}

func (f queueFilter) filter() (queue.Filter, error) {
	q := queue.Filter{ID: f.ID, Rendition: f.Post, Domain: strings.ToLower(f.Domain), Group: f.Group}
	if f.To == "" {
		return q, nil
	}
	to, err := address.Parse(f.To)
	if err != nil {
		return q, usageError{fmt.Errorf("--to: %w", err)}
	}
	q.To = to
	return q, nil
}

// copies are the recipients that the filter chooses, in the order of the queue.
func (f queueFilter) copies(ctx context.Context, app *App) ([]copyView, error) {
	copies := []copyView{}
	q, err := f.filter()
	if err != nil {
		return nil, err
	}
	return copies, app.DB.View(ctx, func(tx *storage.Tx) error {
		for r := range app.Outbox.Rows(tx) {
			chosen, _ := app.Outbox.Choose(q, r)
			for _, to := range chosen {
				copies = append(copies, app.copyView(r, to))
			}
		}
		return nil
	})
}

// copyView is what is known of one recipient of a row.
func (app *App) copyView(r queue.Row, to queue.Recipient) copyView {
	domain := to.To.ASCIIDomain()
	return copyView{ID: r.ID, Post: string(list.RenditionPost(r.Rendition)), To: to.To.String(), Domain: domain, Group: cmp.Or(app.Outbox.GroupOf(domain), r.Group),
		Attempts: r.Attempts, Queued: r.Queued, Next: r.Next, LastReply: r.Reply(to)}
}

type queueLs struct {
	queueFilter
	By string `enum:"row,domain,group,post,recipient" default:"row" help:"What a line is: row, domain, group, post or recipient."`
	format
}

func (cmd *queueLs) run(ctx context.Context, app *App, _ call, std streams) error {
	copies, err := cmd.copies(ctx, app)
	if err != nil {
		return err
	}
	if cmd.By == "recipient" {
		return cmd.show(std.out, copies, func(w io.Writer) { app.printCopies(w, copies) })
	}
	heaps := gather(copies, cmd.By)
	if cmd.By == "group" {
		heaps = app.groupStates(heaps)
	}
	return cmd.show(std.out, heaps, func(w io.Writer) {
		table(w, func(row func(...any)) {
			head := []any{"WAITING", "TRIED", "OLDEST", "NEXT", "LAST REPLY"}
			switch cmd.By {
			case "row":
				row(append([]any{"ROW", "POST", "DOMAIN"}, head...)...)
			case "group":
				row(append([]any{"GROUP", "SENDING", "RATE", "CLOSED UNTIL"}, head...)...)
			default:
				row(append([]any{strings.ToUpper(cmd.By)}, head...)...)
			}
			for _, h := range heaps {
				row(append(app.heapCells(h, cmd.By), h.Waiting, h.Attempts, app.age(h.Queued), app.when(h.Next), h.LastReply)...)
			}
		})
	})
}

// heapCells are the first cells of a line of ls.
func (app *App) heapCells(h heapView, by string) []any {
	switch by {
	case "row":
		return []any{h.ID, h.Post, cmp.Or(h.Domain, "(several)")}
	case "group":
		rate, gate := "-", "-"
		if h.Rate > 0 {
			rate = fmt.Sprintf("%.1f/s", h.Rate)
		}
		if h.Gate != nil {
			gate = app.when(*h.Gate)
		}
		return []any{cmp.Or(h.Group, "(not known yet)"), fmt.Sprintf("%d/%d", h.Sending, h.Connections), rate, gate}
	case "post":
		return []any{h.Post}
	}
	return []any{h.Domain}
}

// age is how long ago something was, to the minute.
func (app *App) age(t time.Time) string {
	return max(0, time.Since(t)).Round(time.Second).String()
}

// gather adds up the copies that lie together.
func gather(copies []copyView, by string) []heapView {
	heaps, at := []heapView{}, map[heapView]int{}
	for _, c := range copies {
		key := map[string]heapView{"row": {ID: c.ID, Post: c.Post, Group: c.Group}, "domain": {Domain: c.Domain, Group: c.Group}, "group": {Group: c.Group}, "post": {Post: c.Post}}[by]
		same := key
		if by == "row" {
			same = heapView{ID: c.ID}
		}
		n, ok := at[same]
		if !ok {
			n = len(heaps)
			at[same] = n
			key.Queued, key.Next = c.Queued, c.Next
			if by == "row" {
				key.Domain = c.Domain
			}
			heaps = append(heaps, key)
		}
		h := &heaps[n]
		if by == "row" && h.Domain != c.Domain {
			h.Domain, h.Group = "", ""
		}
		h.Waiting++
		h.Attempts = max(h.Attempts, c.Attempts)
		if c.Queued.Before(h.Queued) {
			h.Queued = c.Queued
		}
		if c.Next.Before(h.Next) {
			h.Next = c.Next
		}
		h.LastReply = cmp.Or(c.LastReply, h.LastReply)
	}
	return heaps
}

// groupStates adds how the queue gets along with the groups.
func (app *App) groupStates(heaps []heapView) []heapView {
	for _, g := range app.Outbox.Groups() {
		for n := range heaps {
			h := &heaps[n]
			if h.Group != g.Name {
				continue
			}
			h.Sending, h.Connections, h.Rate = g.Sending, g.Connections, g.Rate
			if !g.Gate.IsZero() {
				h.Gate, h.LastReply = &g.Gate, cmp.Or(g.Reply, h.LastReply)
			}
		}
	}
	return heaps
}

func (app *App) printCopies(w io.Writer, copies []copyView) {
	table(w, func(row func(...any)) {
		row("ROW", "POST", "TO", "GROUP", "TRIED", "AGE", "NEXT", "LAST REPLY")
		for _, c := range copies {
			row(c.ID, c.Post, c.To, cmp.Or(c.Group, "-"), c.Attempts, app.age(c.Queued), app.when(c.Next), c.LastReply)
		}
	})
}

type queueShow struct {
	ID queue.RowID `arg:"" help:"ID of a row."`
	format
}

// rowView is a row with its recipients.
type rowView struct {
	heapView
	Recipients []copyView `json:"recipients"`
}

func (cmd *queueShow) run(ctx context.Context, app *App, _ call, std streams) error {
	copies, err := queueFilter{ID: cmd.ID}.copies(ctx, app)
	if err != nil {
		return err
	}
	if len(copies) == 0 || cmd.ID == 0 {
		return fmt.Errorf("the queue has no row %d", cmd.ID)
	}
	v := rowView{heapView: gather(copies, "row")[0], Recipients: copies}
	return cmd.show(std.out, v, func(w io.Writer) {
		table(w, func(row func(...any)) {
			row("post", v.Post)
			row("queued", app.when(v.Queued))
			row("next", app.when(v.Next))
			row("tried", v.Attempts)
			row("last reply", v.LastReply)
			for _, c := range v.Recipients {
				row("to", c.To, c.LastReply)
			}
		})
	})
}

type queueRetry struct{ queueFilter }

func (cmd *queueRetry) run(ctx context.Context, app *App, _ call, std streams) error {
	q, err := cmd.filter()
	if err != nil {
		return err
	}
	var n int
	err = app.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		n, err = app.Path.Retry(tx, q, list.Edit{By: list.ByOperator, At: time.Now()})
		return err
	})
	if err != nil {
		return err
	}
	app.Outbox.Wake()
	fmt.Fprintf(std.out, "%d recipients are tried now\n", n)
	return nil
}

type queueDrop struct {
	queueFilter
	Why string `default:"given up by the administrator" help:"Reason for the trace."`
}

func (cmd *queueDrop) run(ctx context.Context, app *App, _ call, std streams) error {
	q, err := cmd.filter()
	if err != nil {
		return err
	}
	if (q == queue.Filter{}) {
		return usageError{errors.New("say which: a row's ID, --post, --domain, --group or --to")}
	}
	var n int
	err = app.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		n, err = app.Path.Drop(tx, q, list.Edit{By: list.ByOperator, Why: cmd.Why, At: time.Now()})
		return err
	})
	if err != nil {
		return err
	}
	app.Outbox.Wake()
	fmt.Fprintf(std.out, "%d recipients dropped\n", n)
	return nil
}

// waiting counts the recipients in the queue by post.
func (app *App) waiting(tx *storage.Tx) map[string]int {
	n := map[string]int{}
	for r := range app.Outbox.Rows(tx) {
		n[string(list.RenditionPost(r.Rendition))] += len(r.Recipients)
	}
	return n
}
