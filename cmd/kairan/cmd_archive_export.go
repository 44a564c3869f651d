package main

import (
	"context"
	"errors"
	"fmt"

	"kairan/archive"
	"kairan/archive/export"
	"kairan/list"
	listweb "kairan/list/web"
	"kairan/storage"
)

type archiveExport struct {
	List   string `arg:"" help:"Posting address of the list."`
	Dir    string `arg:"" help:"New or empty folder; for html also one with an earlier export of the list, which is brought up to date."`
	Format string `enum:"mbox,maildir,html" default:"mbox" help:"mbox (a file for each month), maildir, or html (a web site that needs no more than files)."`
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
	switch cmd.Format {
	case "maildir":
		write = export.Maildir
	case "html":
		if cmd.Raw || l.Settings.ArchivePolicy == list.ArchiveNever {
			return usageError{errors.New("html is the pages as readers see them: without --raw, and of a list that has an archive")}
		}
		site := listweb.Options{DB: app.DB, Archive: app.Archive, Site: app.Site, Templates: app.Templates, Log: app.Log}
		pages := export.Pages{Handler: listweb.Static(site, l), Base: "/" + archive.EscapeSegment(l.Name) + "/"}
		write = func(ctx context.Context, a *archive.Archive, o export.Options) (int, error) {
			return export.HTML(ctx, a, o, pages)
		}
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
