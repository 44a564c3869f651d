package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

type memberPending struct {
	List string `arg:"" help:"Posting address of the list."`
	format
}

// pendingView is somebody who waits in a list, or of whom an answer is awaited.
type pendingView struct {
	Kind    string          `json:"kind"` // held, or what is to be answered
	Address address.Address `json:"address"`
	Action  string          `json:"action"` // what it is about
	Since   time.Time       `json:"since"`
	Until   time.Time       `json:"until,omitzero"`
	By      string          `json:"by,omitempty"`
}

func (cmd *memberPending) run(ctx context.Context, app *App, _ call, std streams) error {
	views := []pendingView{}
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		l, err := parseList(tx, cmd.List)
		if err != nil {
			return err
		}
		for r := range moderation.Requests(tx, l.ID) {
			views = append(views, pendingView{Kind: "held", Address: r.Address, Action: r.Action, Since: r.At, Until: r.Expires(l)})
		}
		for _, kind := range subscribe.Unanswered() {
			for p := range list.PendingIn(tx, kind, l.ID, time.Now()) {
				views = append(views, pendingView{Kind: kind, Address: p.Address, Action: kind, Since: p.Created, Until: p.Expires, By: p.By})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, views, func(w io.Writer) {
		table(w, func(row func(...any)) {
			row("ADDRESS", "WAITS FOR", "SINCE", "UNTIL", "BY")
			for _, v := range views {
				what := map[string]string{"held": "a moderator (" + v.Action + ")", "chaddr": "its answer (change of address)"}[v.Kind]
				until := "-"
				if !v.Until.IsZero() {
					until = app.when(v.Until)
				}
				row(v.Address, cmp.Or(what, "its answer ("+v.Kind+")"), app.when(v.Since), until, cmp.Or(v.By, "-"))
			}
		})
	})
}

// unanswered names addresses of which an answer is awaited.
type unanswered struct {
	List      string   `arg:"" help:"Posting address of the list."`
	Addresses []string `arg:"" name:"address" help:"Addresses of which an answer is awaited."`
	Kind      string   `enum:",invite,join,leave,chaddr" default:"" help:"Which answer, if not each: invite, join, leave or chaddr."`
}

type memberResend struct{ unanswered }

type memberWithdraw struct{ unanswered }

// pendingStates say what became of an address. They are of [subscribe.State].
var pendingStates = map[subscribe.State]string{
	subscribe.Asked:     "is mailed again",
	subscribe.Withdrawn: "withdrawn",
	subscribe.TooOften:  "was mailed less than 15 minutes ago, or three times today",
	subscribe.Full:      "the list has sent as many invitations as it may in a day",
	subscribe.Already:   "is a member",
	subscribe.Refused:   "is banned",
	subscribe.Unwanted:  "wants no mail that others ask for",
}

func (cmd *memberResend) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.each(ctx, app, std, app.Subscribe.Resend)
}

func (cmd *memberWithdraw) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.each(ctx, app, std, app.Subscribe.Withdraw)
}

// each takes a step with all that is asked of the addresses, each in a transaction, and says what became of it. It fails where nothing is asked of one.
func (u *unanswered) each(ctx context.Context, app *App, std streams, step func(*storage.Tx, subscribe.Request, string) (subscribe.Result, error)) error {
	kinds := subscribe.Unanswered()
	if u.Kind != "" {
		kinds = []string{u.Kind}
	}
	var none []string
	for _, arg := range u.Addresses {
		a, err := address.Parse(arg)
		if err != nil {
			return usageError{err}
		}
		found := false
		for _, kind := range kinds {
			res, err := app.Subscribe.Do(ctx, func(tx *storage.Tx) (subscribe.Result, error) {
				l, err := parseList(tx, u.List)
				if err != nil {
					return subscribe.Result{}, err
				}
				return step(tx, subscribe.Request{List: l, Address: a, By: list.ByOperator, Now: time.Now()}, kind)
			})
			if err != nil {
				return err
			}
			if res.State != subscribe.Settled {
				found = true
				fmt.Fprintf(std.out, "%s (%s): %s\n", a, kind, pendingStates[res.State])
			}
		}
		if !found {
			none = append(none, a.String())
		}
	}
	if len(none) > 0 {
		return fmt.Errorf("no answer of %s is awaited", strings.Join(slices.Compact(none), ", "))
	}
	return nil
}
