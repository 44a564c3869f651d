package main

import (
	"context"
	"fmt"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

type personCmd struct {
	Find   personFind   `cmd:"" help:"Find people over all lists by address or name."`
	Show   personShow   `cmd:"" help:"Show whose address it is: all addresses of the person, the preferred one first, and what is known of it."`
	Add    personAdd    `cmd:"" help:"Give a person one more address. On the web that takes a mail to the new address; here it does not."`
	Rm     personRm     `cmd:"" help:"Make an address a person of its own again. It keeps its lists."`
	Prefer personPrefer `cmd:"" help:"Make an address the preferred one of its person."`

	Sessions    personSessions    `cmd:"" help:"Show where a person is signed in on the web."`
	EndSessions personEndSessions `cmd:"" help:"Sign a person out everywhere, or in one browser."`
	Delivery    personDelivery    `cmd:"" help:"Switch the delivery of lists on or off for a person."`
	RmLists     personRmLists     `cmd:"" help:"Take a person off lists, whatever it is there."`
	Export      personExport      `cmd:"" help:"Print all that is kept about a person as JSON."`
	Erase       personErase       `cmd:"" help:"Take a person off all lists and forget what is kept about it. The records of its posts stay."`
	RmPasskeys  personRmPasskeys  `cmd:"" help:"Remove all passkeys of a person, for one who has lost a device."`
}

// operator is what the operator does now.
func operator(why string) list.Edit { return list.Edit{By: list.ByOperator, Why: why, At: time.Now()} }

// oneAddress names a person.
type oneAddress struct {
	Address string `arg:"" help:"One of the person's addresses."`
}

// change runs fn with the person in a transaction, and sees to the mails that it causes.
func (w *oneAddress) change(ctx context.Context, app *App, fn func(tx *storage.Tx, who *list.Person, addr address.Address) (subscribe.Result, error)) error {
	addr, err := address.Parse(w.Address)
	if err != nil {
		return usageError{err}
	}
	_, err = app.Subscribe.Do(ctx, func(tx *storage.Tx) (subscribe.Result, error) { return fn(tx, list.PersonOf(tx, addr), addr) })
	return err
}

type personAdd struct {
	oneAddress
	Other string `arg:"" help:"The address to add."`
}

func (cmd *personAdd) run(ctx context.Context, app *App, _ call, _ streams) error {
	other, err := address.Parse(cmd.Other)
	if err != nil {
		return usageError{err}
	}
	return cmd.change(ctx, app, func(tx *storage.Tx, who *list.Person, _ address.Address) (subscribe.Result, error) {
		return app.Subscribe.AddAddress(tx, who, other, operator(""))
	})
}

type personRm struct{ oneAddress }

func (cmd *personRm) run(ctx context.Context, app *App, _ call, _ streams) error {
	return cmd.change(ctx, app, func(tx *storage.Tx, who *list.Person, addr address.Address) (subscribe.Result, error) {
		return app.Subscribe.RemoveAddress(tx, who, addr, operator(""))
	})
}

type personPrefer struct{ oneAddress }

func (cmd *personPrefer) run(ctx context.Context, app *App, _ call, _ streams) error {
	return cmd.change(ctx, app, func(tx *storage.Tx, who *list.Person, addr address.Address) (subscribe.Result, error) {
		return subscribe.Result{}, app.Subscribe.Prefer(tx, who, addr, operator(""))
	})
}

type personRmPasskeys struct{ oneAddress }

func (cmd *personRmPasskeys) run(ctx context.Context, app *App, _ call, std streams) error {
	n := 0
	err := cmd.change(ctx, app, func(tx *storage.Tx, who *list.Person, _ address.Address) (all subscribe.Result, err error) {
		n = 0
		for _, k := range who.Passkeys(tx) {
			res, err := app.Subscribe.RemovePasskey(tx, who, k.Key, operator(""))
			if err != nil {
				return all, err
			}
			all.Mails = append(all.Mails, res.Mails...)
			n++
		}
		return all, nil
	})
	if err == nil {
		fmt.Fprintf(std.out, "%d passkeys removed\n", n)
	}
	return err
}
