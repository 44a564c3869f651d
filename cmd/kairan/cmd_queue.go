package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"kairan/smtpd/queue"
	"kairan/storage"
)

type queueCmd struct {
	Ls    queueLs    `cmd:"" help:"Show what waits, a line for each row of up to 100 recipients."`
	Show  queueShow  `cmd:"" help:"Show a row and its recipients."`
	Retry queueRetry `cmd:"" help:"Try rows now."`
	Drop  queueDrop  `cmd:"" help:"Give rows up; their recipients count as failed."`
}

// rowView is a row of the queue as ls and show print it.
type rowView struct {
	ID         queue.RowID `json:"id"`
	Post       string      `json:"post"`
	Domain     string      `json:"domain"`
	Waiting    int         `json:"waiting"`
	Attempts   int         `json:"attempts"`
	Queued     time.Time   `json:"queued"`
	Next       time.Time   `json:"next"`
	LastReply  string      `json:"last_reply,omitempty"`
	Recipients []string    `json:"recipients,omitempty"`
}

func viewRow(r queue.Row) rowView {
	return rowView{ID: r.ID, Post: r.Rendition, Domain: cmp.Or(r.Domain, "(several)"), Waiting: len(r.Recipients), Attempts: r.Attempts, Queued: r.Queued, Next: r.Next, LastReply: r.LastReply}
}

// queueFilter chooses rows.
type queueFilter struct {
	ID     queue.RowID `arg:"" optional:"" help:"ID of a row."`
	Post   string      `help:"Rows of this post."`
	Domain string      `help:"Rows for this domain."`
}

func (f queueFilter) filter() queue.Filter {
	return queue.Filter{ID: f.ID, Rendition: f.Post, Domain: f.Domain}
}

type queueLs struct {
	queueFilter
	format
}

func (cmd *queueLs) run(ctx context.Context, app *App, _ call, std streams) error {
	rows := []rowView{}
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		for r := range app.Outbox.Rows(tx) {
			if cmd.filter().Match(r) {
				rows = append(rows, viewRow(r))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, rows, func(w io.Writer) {
		table(w, func(row func(...any)) {
			row("ROW", "POST", "DOMAIN", "WAITING", "TRIED", "NEXT", "LAST REPLY")
			for _, r := range rows {
				row(r.ID, r.Post, r.Domain, r.Waiting, r.Attempts, app.when(r.Next), r.LastReply)
			}
		})
	})
}

type queueShow struct {
	ID queue.RowID `arg:"" help:"ID of a row."`
	format
}

func (cmd *queueShow) run(ctx context.Context, app *App, _ call, std streams) error {
	var v *rowView
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		for r := range app.Outbox.Rows(tx) {
			if r.ID != cmd.ID {
				continue
			}
			found := viewRow(r)
			for _, to := range r.Recipients {
				found.Recipients = append(found.Recipients, to.To.String())
			}
			v = &found
			return nil
		}
		return fmt.Errorf("the queue has no row %d", cmd.ID)
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, v, func(w io.Writer) {
		table(w, func(row func(...any)) {
			row("post", v.Post)
			row("queued", app.when(v.Queued))
			row("next", app.when(v.Next))
			row("tried", v.Attempts)
			row("last reply", v.LastReply)
			for _, to := range v.Recipients {
				row("to", to)
			}
		})
	})
}

type queueRetry struct{ queueFilter }

func (cmd *queueRetry) run(ctx context.Context, app *App, _ call, std streams) error {
	var n int
	err := app.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		n, err = app.Outbox.Retry(tx, cmd.filter())
		return err
	})
	if err != nil {
		return err
	}
	app.Outbox.Wake()
	fmt.Fprintf(std.out, "%d rows are tried now\n", n)
	return nil
}

type queueDrop struct {
	queueFilter
	Why string `default:"given up by the administrator" help:"Reason for the trace."`
}

func (cmd *queueDrop) run(ctx context.Context, app *App, _ call, std streams) error {
	if (cmd.filter() == queue.Filter{}) {
		return usageError{errors.New("say which: a row's ID, --post or --domain")}
	}
	var ids []queue.RowID
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		for r := range app.Outbox.Rows(tx) {
			if !cmd.filter().Match(r) {
				continue
			}
			if cmd.Domain != "" && cmd.ID == 0 && holdsOthers(r, cmd.Domain) {
				return fmt.Errorf("row %d holds recipients of other domains too: drop it by its ID", r.ID)
			}
			ids = append(ids, r.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var n int
	err = app.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		n, err = app.Outbox.Drop(tx, ids, cmd.Why)
		return err
	})
	if err != nil {
		return err
	}
	app.Outbox.Wake()
	fmt.Fprintf(std.out, "%d rows dropped\n", n)
	return nil
}

// holdsOthers reports whether a row has recipients outside a domain.
func holdsOthers(r queue.Row, domain string) bool {
	return slices.ContainsFunc(r.Recipients, func(to queue.Recipient) bool { return to.To.ASCIIDomain() != domain })
}

// waiting counts the recipients in the queue by rendition.
func (app *App) waiting(tx *storage.Tx) map[string]int {
	n := map[string]int{}
	for r := range app.Outbox.Rows(tx) {
		n[r.Rendition] += len(r.Recipients)
	}
	return n
}
