package main

import (
	"context"
	"fmt"
	"time"

	listweb "kairan/list/web"
	"kairan/smtpd/address"
	"kairan/storage"
)

type loginCmd struct {
	Address string `arg:"" help:"The address to sign in."`
}

func (cmd *loginCmd) run(ctx context.Context, app *App, _ call, std streams) error {
	addr, err := address.Parse(cmd.Address)
	if err != nil {
		return usageError{err}
	}
	var link string
	err = app.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		link, err = listweb.NewLoginLink(tx, app.Site, addr, time.Now())
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s\n\nIt signs %s in once, within 15 minutes.\n", link, addr)
	return nil
}
