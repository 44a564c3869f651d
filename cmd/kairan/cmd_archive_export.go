package main

import (
	"context"
	"fmt"

	"kairan/archive/export"
	"kairan/list"
	"kairan/storage"
)

type archiveExport struct {
	List   string `arg:"" help:"Posting address of the list."`
	Dir    string `arg:"" help:"New or empty folder."`
	Format string `enum:"mbox,maildir" default:"mbox" help:"mbox (a file for each month) or maildir."`
	Raw    bool   `help:"With headers and tokens as they are, post numbers and IDs: for moving the archive, not for strangers."`
}

func (cmd *archiveExport) run(ctx context.Context, app *App, c call, std streams) error {
	var l *list.List
	err := app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = archiveList(tx, cmd.List)
		return err
	})
	if err != nil {
		return err
	}
	write := export.Mbox
	if cmd.Format == "maildir" {
		write = export.Maildir
	}
	progress, end := progressBar(c, std.err, "exporting")
	n, err := write(ctx, app.Archive, export.Options{List: string(l.ID), Dir: c.path(cmd.Dir), Raw: cmd.Raw, Progress: progress})
	end()
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s: %d messages are in %s\n", l.Address, n, cmd.Dir)
	return nil
}
