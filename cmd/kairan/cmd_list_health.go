package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"kairan/list"
	"kairan/storage"
)

type listHealth struct {
	format
	List string `arg:"" help:"Posting address of the list."`
}

func (cmd *listHealth) run(ctx context.Context, app *App, _ call, std streams) error {
	var h *list.Health
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		l, err := parseList(tx, cmd.List)
		if err == nil {
			h, err = list.HealthOf(tx, l, time.Now().In(app.Site.Location))
		}
		return err
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, h, func(w io.Writer) { writeHealth(w, h) })
}

// writeHealth prints the numbers in tables. Days and weeks without any are left out.
func writeHealth(w io.Writer, h *list.Health) {
	fmt.Fprintf(w, "%d members, of whom %d have switched delivery off, %d were switched off because of bounces, %d by moderators\n",
		h.Members, h.Off[string(list.DeliveryByUser)], h.Off[string(list.DeliveryByBounces)], h.Off[string(list.DeliveryByModerator)])
	if h.Since != "" {
		fmt.Fprintf(w, "counted since %s\n", h.Since)
	}
	fmt.Fprintln(w)
	table(w, func(row func(...any)) {
		row("MONTH", "JOINED", "LEFT", "MEMBERS", "POSTS")
		for _, m := range h.Months {
			row(m.Month, m.Joined, m.Left, m.Members, m.Posts)
		}
	})
	fmt.Fprintln(w)
	table(w, func(row func(...any)) {
		row("DAY", "ACCEPTED", "DEFERRED", "REFUSED", "BOUNCES")
		for _, d := range h.Days {
			if d.All()+d.Bounces > 0 {
				row(d.Day, d.Accepted, d.Deferred, d.Refused, d.Bounces)
			}
		}
	})
	fmt.Fprintln(w)
	table(w, func(row func(...any)) {
		row("PROVIDER", "ACCEPTED", "DEFERRED", "REFUSED")
		for _, p := range h.Providers {
			name := p.Name
			if name == "" {
				name = "others"
			}
			row(name, p.Accepted, p.Deferred, p.Refused)
		}
	})
	fmt.Fprintln(w)
	table(w, func(row func(...any)) {
		row("BOUNCES", "N")
		for _, b := range h.Bounces {
			row(b.Class, b.N)
		}
	})
	fmt.Fprintln(w)
	table(w, func(row func(...any)) {
		row("WEEK", "PASSED", "REFUSED", "HELD", "APPROVED", "REJECTED", "DISCARDED")
		for _, x := range h.Weeks {
			if x.Accepted+x.Refused+x.Held+x.Approved+x.Rejected+x.Discarded > 0 {
				row(x.From, x.Accepted, x.Refused, x.Held, x.Approved, x.Rejected, x.Discarded)
			}
		}
	})
}
