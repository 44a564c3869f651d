package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/queue"
	"kairan/storage"
)

type traceCmd struct {
	Message    string `arg:"" help:"Message-ID, with or without <>, or a post's ID."`
	Recipients bool   `short:"r" help:"Name every recipient, delivered ones too."`
	format
}

// postTrace is everything known about one post.
type postTrace struct {
	List       string          `json:"list"`
	Post       *list.Post      `json:"post"`
	History    []list.Event    `json:"history"`
	Counts     map[string]int  `json:"counts,omitempty"` // attempts by outcome
	Deliveries []list.Delivery `json:"deliveries,omitempty"`
	Waiting    int             `json:"waiting"` // recipients still in the queue
	Delayed    []copyView      `json:"delayed,omitempty"`
}

// delayedAfter is how long a copy waits before that is worth a line of its own.
const delayedAfter = time.Hour

// delayed are the copies of each post that wait for long, by post.
func (app *App) delayed(tx *storage.Tx, posts []*list.Post, now time.Time) map[string][]copyView {
	closed := map[string]queue.GroupState{}
	for _, g := range app.Outbox.Groups() {
		closed[g.Name] = g
	}
	late := map[string][]copyView{}
	for _, p := range posts {
		late[string(p.ID)] = nil
	}
	for r := range app.Outbox.Rows(tx) {
		post := string(list.RenditionPost(r.Rendition))
		if _, wanted := late[post]; !wanted || now.Sub(r.Queued) < delayedAfter {
			continue
		}
		for _, to := range r.Recipients {
			c := app.copyView(r, to)
			if g := closed[c.Group]; g.Gate.After(c.Next) {
				c.Next, c.LastReply = g.Gate, cmp.Or(c.LastReply, g.Reply)
			}
			late[post] = append(late[post], c)
		}
	}
	return late
}

func (cmd *traceCmd) run(ctx context.Context, app *App, _ call, std streams) error {
	var traces []postTrace
	err := app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		traces, err = app.trace(tx, strings.Trim(cmd.Message, "<> "))
		return err
	})
	if err != nil {
		return err
	}
	if len(traces) == 0 {
		return fmt.Errorf("nothing is known of <%s>: it never came here, was refused before its content was sent, or is older than is kept", strings.Trim(cmd.Message, "<> "))
	}
	return cmd.show(std.out, traces, func(w io.Writer) {
		for i, t := range traces {
			if i > 0 {
				fmt.Fprintln(w)
			}
			app.printTrace(w, t, cmd.Recipients)
		}
	})
}

// trace collects the posts of a Message-ID, or the one of a post's ID.
func (app *App) trace(tx *storage.Tx, id string) ([]postTrace, error) {
	var posts []*list.Post
	for _, p := range list.PostsByMessageID(tx, id) {
		posts = append(posts, p)
	}
	if p, err := list.GetPost(tx, list.PostID(id)); err == nil {
		posts = append(posts, p)
	}
	waiting, late := app.waiting(tx), app.delayed(tx, posts, time.Now())
	var traces []postTrace
	for _, p := range posts {
		l, err := list.Get(tx, p.List)
		if err != nil {
			return nil, err
		}
		t := postTrace{List: l.Address.String(), Post: p, Waiting: waiting[string(p.ID)], Delayed: late[string(p.ID)]}
		t.History = slices.Collect(list.History(tx, p.ID))
		t.Deliveries = slices.Collect(list.Deliveries(tx, p.ID))
		if t.Counts, err = list.DeliveryCounts(tx, p.ID); err != nil {
			return nil, err
		}
		traces = append(traces, t)
	}
	return traces, nil
}

// said is who answered what to a copy.
func said(d list.Delivery) string {
	words := []string{d.Host, "", d.Enhanced, d.Text}
	if d.Code != 0 {
		words[1] = strconv.Itoa(d.Code)
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

func (app *App) printTrace(w io.Writer, t postTrace, all bool) {
	p := t.Post
	fmt.Fprintf(w, "<%s> to %s\n", printable(p.MessageID), t.List)
	fmt.Fprintf(w, "  From: %s   Subject: %s\n", printable(p.Author.String()), printable(p.Subject))
	for _, e := range t.History {
		by := ""
		if e.By != "" {
			by = " (by " + printable(e.By) + ")"
		}
		fmt.Fprintf(w, "  %s  %-12s %s%s\n", app.when(e.At), e.Stage, printable(e.Text), by)
	}
	for _, status := range slices.Sorted(maps.Keys(t.Counts)) {
		fmt.Fprintf(w, "  %-19s  %-12s %d %s\n", "", "deliver", t.Counts[status], status)
	}
	if t.Waiting > 0 {
		fmt.Fprintf(w, "  %-19s  %-12s %d still wait in the queue\n", "", "deliver", t.Waiting)
	}
	for _, d := range t.Deliveries {
		if d.Status == string(queue.Delivered) && !all {
			continue
		}
		for _, to := range d.To {
			fmt.Fprintf(w, "  %s  %-12s %s: %s\n", app.when(d.At), d.Status, printable(to), printable(said(d)))
		}
	}
	for _, c := range t.Delayed {
		fmt.Fprintf(w, "  %s  %-12s %s waits for %s, tried %d times, next %s: %s\n", app.when(time.Now()), "delayed", printable(c.To), app.age(c.Queued), c.Attempts, app.when(c.Next), printable(c.LastReply))
	}
}
