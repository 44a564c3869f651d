package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"kairan/archive"
	"kairan/archive/ingest"
	"kairan/list"
	"kairan/storage"
)

type archiveImport struct {
	List      string   `arg:"" help:"Posting address of the list."`
	Files     []string `arg:"" name:"file" help:"mbox files of any dialect (gzipped too), Maildir and MH folders, folders of mboxes, public-inbox repositories, single messages; - is standard input."`
	Dialect   string   `enum:"auto,mboxo,mboxrd,mboxcl,mboxcl2" default:"auto" help:"How an mbox quotes: auto, mboxo, mboxrd, mboxcl or mboxcl2."`
	Tag       []string `placeholder:"NAME" help:"A name in subjects like [NAME:123], beside the list's own; may be given several times."`
	Pipermail bool     `help:"The file is LIST.mbox of Mailman 2: keep the addresses that pipermail gave its messages."`
	By        string   `default:"operator" help:"Who imports, for the list's log."`
	format
}

// inputFile implements reader.
func (cmd *archiveImport) inputFile() string {
	if len(cmd.Files) == 1 && cmd.Files[0] == "-" {
		return "-"
	}
	return ""
}

const standardInput = "standard input"

// imported is what import prints.
type imported struct {
	ingest.Result
	Notices []ingest.Notice `json:"notices"`
}

func (cmd *archiveImport) run(ctx context.Context, app *App, c call, std streams) error {
	l, last, err := cmd.list(ctx, app)
	if err != nil {
		return err
	}
	out := imported{Notices: []ingest.Notice{}}
	progress, end := importProgress(c, std.err)
	out.Result, err = ingest.Run(ctx, app.Archive, ingest.Options{
		List:      string(l.ID),
		Names:     cmd.names(l),
		Sources:   cmd.sources(c, std.in),
		Pipermail: cmd.Pipermail,
		Progress:  progress,
		Report: func(n *ingest.Notice) {
			if cmd.JSON {
				out.Notices = append(out.Notices, *n)
				return
			}
			fmt.Fprintln(std.out, cmd.sentence(n))
		},
	})
	end()
	if out.Added > 0 { // what is there stays, even if who waits for it has gone
		err = errors.Join(err, cmd.log(context.WithoutCancel(ctx), app, l, out.Added))
	}
	if showErr := cmd.show(std.out, out, func(w io.Writer) { cmd.tell(w, l, out.Result, last) }); err == nil {
		err = showErr
	}
	if err != nil {
		return fmt.Errorf("%w; what was read before it is archived, and the same command goes on", err)
	}
	if out.Lost > 0 {
		return fmt.Errorf("%d pieces of the sources were not imported", out.Lost)
	}
	return nil
}

// sentence tells of one message.
func (cmd *archiveImport) sentence(n *ingest.Notice) string {
	what := "not imported"
	if !n.Lost {
		what = "imported"
	}
	return printable(fmt.Sprintf("%s: %s: %s", n.Place(), what, n.Why))
}

// log writes into the list's log who brought how many messages from where.
func (cmd *archiveImport) log(ctx context.Context, app *App, l *list.List, n int) error {
	const shown = 3 // files
	files := strings.Join(cmd.Files[:min(shown, len(cmd.Files))], ", ")
	if cmd.inputFile() == "-" {
		files = standardInput
	}
	if more := len(cmd.Files) - shown; more > 0 {
		files += fmt.Sprintf(" (+%d)", more)
	}
	return app.DB.Update(ctx, func(tx *storage.Tx) error {
		return list.Log(tx, l.ID, list.Event{
			At: time.Now(), Stage: "archive", By: cmd.By, Word: "archive.imported",
			Args: map[string]string{"n": fmt.Sprint(n), "files": printable(files)},
		})
	})
}

// tell sums up.
func (cmd *archiveImport) tell(w io.Writer, l *list.List, r ingest.Result, last uint64) {
	fmt.Fprintf(w, "%s: %d messages: %d imported, %d were there already, %d not imported\n", l.Address, r.Read, r.Added, r.Known, r.Lost)
	if r.Declined > 0 {
		fmt.Fprintf(w, "%d more were left out, as their authors asked that they not be archived\n", r.Declined)
	}
	if r.Purged > 0 {
		fmt.Fprintf(w, "%d of them were purged here and were not brought back\n", r.Purged)
	}
	if r.Highest > last {
		fmt.Fprintf(w, "the highest post number is %d, and this list counts from %d: to go on where the old list ended, kairan list set %s --last-number %d\n", r.Highest, last+1, l.Address, r.Highest)
	}
}

// list returns the list and the last number it gave.
func (cmd *archiveImport) list(ctx context.Context, app *App) (l *list.List, last uint64, err error) {
	err = app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if l, err = archiveList(tx, cmd.List); err != nil {
			return err
		}
		last, err = list.LastNumber(tx, l.ID)
		return err
	})
	return l, last, err
}

// names are what the list may have been called in the tags of its subjects.
func (cmd *archiveImport) names(l *list.List) []string {
	names := append([]string{l.Address.Local()}, cmd.Tag...)
	for _, former := range l.Former {
		local, _, _ := strings.Cut(former, "@")
		names = append(names, local)
	}
	return names
}

func (cmd *archiveImport) sources(c call, in io.Reader) []ingest.Source {
	var all []ingest.Source
	dialect := ingest.Dialect(strings.TrimPrefix(cmd.Dialect, "auto"))
	for _, name := range cmd.Files {
		s := ingest.Source{Path: c.path(name), Dialect: dialect, Limit: archive.MaxMessage}
		if cmd.inputFile() == "-" {
			s.Path, s.Stdin = standardInput, in
		}
		all = append(all, s)
	}
	return all
}

// importProgress draws how far an import is: a bar where its length is known, else a count.
func importProgress(c call, w io.Writer) (update func(ingest.Progress), end func()) {
	bar, end := progressBar(c, w, "importing")
	count, _ := counter(c, w, "importing")
	return func(p ingest.Progress) {
		if p.Total == 0 {
			count(p.Messages)
			return
		}
		bar(int(min(p.Done, p.Total)>>10), int(p.Total>>10))
	}, end
}
