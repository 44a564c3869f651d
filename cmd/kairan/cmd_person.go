package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

type personCmd struct {
	Show   personShow   `cmd:"" help:"Show whose address it is: all addresses of the person, the preferred one first."`
	Add    personAdd    `cmd:"" help:"Give a person one more address. On the web that takes a mail to the new address; here it does not."`
	Rm     personRm     `cmd:"" help:"Make an address a person of its own again. It keeps its lists."`
	Prefer personPrefer `cmd:"" help:"Make an address the preferred one of its person."`

	RmPasskeys personRmPasskeys `cmd:"" help:"Remove all passkeys of a person, for one who has lost a device."`
}

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

// personView is a person as show prints it.
type personView struct {
	ID        list.PersonID     `json:"id,omitempty"` // "" for an address alone
	Addresses []address.Address `json:"addresses"`
	Passkeys  []passkeyView     `json:"passkeys,omitempty"`
}

// passkeyView is a passkey without its key.
type passkeyView struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"`
	Suspect time.Time `json:"suspect,omitzero"` // when a copy of it was refused
}

type personShow struct {
	oneAddress
	format
}

func (cmd *personShow) run(ctx context.Context, app *App, _ call, std streams) error {
	addr, err := address.Parse(cmd.Address)
	if err != nil {
		return usageError{err}
	}
	var view personView
	err = app.DB.View(ctx, func(tx *storage.Tx) error {
		who := list.PersonOf(tx, addr)
		view = personView{ID: who.ID, Addresses: who.Addresses}
		for _, k := range who.Passkeys(tx) {
			view.Passkeys = append(view.Passkeys, passkeyView{Name: k.Name, Created: k.Created, Used: k.Used, Suspect: k.Suspect})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, view, func(w io.Writer) {
		for _, a := range view.Addresses {
			fmt.Fprintln(w, printable(a.String()))
		}
		for _, k := range view.Passkeys {
			fmt.Fprintf(w, "passkey %s, added %s\n", printable(k.Name), app.when(k.Created))
		}
	})
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
		return app.Subscribe.AddAddress(tx, who, other, time.Now())
	})
}

type personRm struct{ oneAddress }

func (cmd *personRm) run(ctx context.Context, app *App, _ call, _ streams) error {
	return cmd.change(ctx, app, func(tx *storage.Tx, who *list.Person, addr address.Address) (subscribe.Result, error) {
		return app.Subscribe.RemoveAddress(tx, who, addr)
	})
}

type personPrefer struct{ oneAddress }

func (cmd *personPrefer) run(ctx context.Context, app *App, _ call, _ streams) error {
	return cmd.change(ctx, app, func(tx *storage.Tx, who *list.Person, addr address.Address) (subscribe.Result, error) {
		return subscribe.Result{}, who.Prefer(tx, addr)
	})
}

type personRmPasskeys struct{ oneAddress }

func (cmd *personRmPasskeys) run(ctx context.Context, app *App, _ call, std streams) error {
	n := 0
	err := cmd.change(ctx, app, func(tx *storage.Tx, who *list.Person, _ address.Address) (all subscribe.Result, err error) {
		n = 0
		for _, k := range who.Passkeys(tx) {
			res, err := app.Subscribe.RemovePasskey(tx, who, k.Key)
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
