package main

import (
	"context"
	"fmt"

	"kairan/list"
	"kairan/storage"
)

type archiveCmd struct {
	Reindex archiveReindex `cmd:"" help:"Make a list's index anew from its files."`
}

type archiveReindex struct {
	List string `arg:"" help:"Posting address of the list."`
}

func (cmd *archiveReindex) run(ctx context.Context, app *App, c call, std streams) error {
	var l *list.List
	err := app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = parseList(tx, cmd.List)
		return err
	})
	if err != nil {
		return err
	}
	n := 0
	err = app.Archive.Reindex(ctx, string(l.ID), func(messages int) {
		if n = messages; c.Terminal && n%100 == 0 {
			fmt.Fprintf(std.err, "\rindexing %d", n)
		}
	})
	if c.Terminal {
		fmt.Fprintln(std.err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s: indexed %d messages\n", l.Address, n)
	return nil
}
