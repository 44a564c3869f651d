package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"kairan/archive"
	"kairan/list"
	"kairan/storage"
)

// blobs returns every blob that a row refers to, with the length that the rows know.
func (app *App) blobs(tx *storage.Tx) ([]storage.BlobRef, error) {
	var refs []storage.BlobRef
	for name, n := range archive.Files(tx) {
		refs = append(refs, storage.BlobRef{Name: name, Length: n})
	}
	for _, name := range app.Outbox.Blobs(tx) {
		refs = append(refs, storage.BlobRef{Name: name, Length: -1})
	}
	for name := range list.RawBlobs(tx) {
		refs = append(refs, storage.BlobRef{Name: name, Length: -1})
	}
	return refs, nil
}

type checkCmd struct{ format }

// finding is a storage.Problem as check prints it.
type finding struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

func (cmd *checkCmd) run(ctx context.Context, app *App, c call, std streams) error {
	found := []finding{}
	for _, p := range slices.Concat(storage.Check(ctx, app.DB), app.checkBlobs(ctx)) {
		found = append(found, finding(p))
	}
	for what := range app.Archive.Check(ctx) {
		found = append(found, finding{Where: "archive", What: what})
	}
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		for what := range list.CheckMembers(tx) {
			found = append(found, finding{Where: "members", What: what})
		}
		return nil
	})
	if err != nil {
		found = append(found, finding{Where: "members", What: err.Error()})
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err = cmd.show(std.out, found, func(w io.Writer) {
		for _, p := range found {
			fmt.Fprintf(w, "%s: %s\n", printable(p.Where), printable(p.What))
		}
		if len(found) == 0 {
			fmt.Fprintln(w, "store, archives and blobs agree")
		}
	})
	if err == nil && len(found) > 0 {
		return fmt.Errorf("%d problems", len(found))
	}
	return err
}

// checkBlobs compares what rows refer to with what is there.
func (app *App) checkBlobs(ctx context.Context) (found []storage.Problem) {
	bad := func(name, format string, args ...any) {
		found = append(found, storage.Problem{Where: name, What: fmt.Sprintf(format, args...)})
	}
	var refs []storage.BlobRef
	err := app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		refs, err = app.blobs(tx)
		return err
	})
	if err != nil {
		bad("rows", "%v", err)
		return found
	}
	for _, r := range refs {
		n, err := app.DB.Blobs.Len(r.Name)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			bad(r.Name, "is missing, and a row refers to it")
		case err != nil:
			bad(r.Name, "%v", err)
		case n < r.Length:
			bad(r.Name, "is %d bytes long, the index knows %d", n, r.Length)
		}
	}
	return found
}

type backupCmd struct {
	Folder string `arg:"" help:"New or empty folder for the copy."`
}

func (cmd *backupCmd) run(ctx context.Context, app *App, c call, std streams) error {
	config, err := os.ReadFile(app.Config.file)
	if err != nil {
		return err
	}
	update, end := progressBar(c, std.err, "copying")
	problems, err := storage.Backup(ctx, app.DB, c.path(cmd.Folder), storage.BackupOptions{
		Blobs:    app.blobs,
		Extra:    map[string][]byte{"kairan.toml": config},
		Progress: func(done, total int64) { update(int(done), int(total)) },
	})
	end()
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(std.err, "kairan: not in the copy:", p)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d blobs could not be copied; the rest is there", len(problems))
	}
	fmt.Fprintf(std.out, "the copy in %s is complete\n", cmd.Folder)
	return nil
}

type restoreCmd struct {
	Folder string `arg:"" help:"Folder that backup wrote."`
	Data   string `arg:"" optional:"" help:"New data folder; the configuration's by default."`
}

func (cmd *restoreCmd) runLocal(ctx context.Context, c *commands, std streams) error {
	if cmd.Data == "" {
		file, err := findConfig(c.ConfigFile)
		if err != nil {
			return fmt.Errorf("name the new data folder, or: %w", err)
		}
		cfg, err := loadConfig(file)
		if err != nil {
			return err
		}
		cmd.Data = cfg.Data
	}
	update, end := progressBar(call{Terminal: isTerminal(std.err)}, std.err, "copying")
	err := storage.Restore(ctx, cmd.Folder, cmd.Data, func(done, total int64) { update(int(done), int(total)) })
	end()
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "restored into %s\nThe configuration of then is %s; in the one you use, data must name the new folder.\n", cmd.Data, filepath.Join(cmd.Data, "kairan.toml"))
	return nil
}
