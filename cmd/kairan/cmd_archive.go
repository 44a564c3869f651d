package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/moderation"
	"kairan/smtpd/address"
	"kairan/smtpd/queue"
	"kairan/storage"
	"kairan/templates"
)

type archiveCmd struct {
	Import       archiveImport       `cmd:"" help:"Take in the archive of another program. It may be interrupted and run again: what is there is left alone."`
	Export       archiveExport       `cmd:"" help:"Write an archive as files for other programs, as readers may see it."`
	Reindex      archiveReindex      `cmd:"" help:"Make a list's index anew from its files, and the search index of all lists."`
	Hide         archiveHide         `cmd:"" help:"Take a message from its readers' sight; it stays on disk."`
	Unhide       archiveUnhide       `cmd:"" help:"Show a message that was hidden or redacted whole again."`
	Redact       archiveRedact       `cmd:"" help:"Leave of a message no more to read than that it was there."`
	RedactPerson archiveRedactPerson `cmd:"" help:"Take a person's name and address out of all that readers see, in every archive."`
	Split        archiveSplit        `cmd:"" help:"Make a thread of its own of a message and its answers."`
	Join         archiveJoin         `cmd:"" help:"Make a message an answer to another; the thread that it begins comes along."`
	Purge        archivePurge        `cmd:"" help:"Take a message off the disk, for ever."`
	Ledger       archiveLedger       `cmd:"" help:"Show what was decided about messages after they were archived."`
}

// withdrawn is what readers find in place of a message that was redacted, in every language: a message has only one text.
func (app *App) withdrawn() string {
	text := ""
	for _, lang := range templates.Languages() {
		text += app.Templates.T(lang, "message.withdrawn") + "\n"
	}
	return text
}

// archiveList returns a list by its posting address, also one that is closed: its archive stays.
func archiveList(tx *storage.Tx, arg string) (*list.List, error) {
	addr, err := address.Parse(arg)
	if err != nil {
		return nil, usageError{fmt.Errorf("a list is named by its posting address: %w", err)}
	}
	return list.ByAddress(tx, addr)
}

// archived names a message and says who decides about it and why.
type archived struct {
	List    string `arg:"" help:"Posting address of the list."`
	Message string `arg:"" help:"Message-ID, with or without <>, post number, or address in the web."`
	Nth     int    `default:"1" help:"Which message of that Message-ID, if there are several."`
	decision
}

// decision is what the ledger keeps of who decided.
type decision struct {
	By     string `default:"operator" help:"Who decides, for the ledger."`
	Reason string `help:"Why, for the ledger."`
}

func (d decision) order() archive.Order { return archive.Order{By: d.By, Reason: d.Reason} }

// find returns the message that is meant, hidden or not, and its list.
func (w archived) find(ctx context.Context, app *App) (l *list.List, m *archive.Message, err error) {
	err = app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if l, err = archiveList(tx, w.List); err == nil {
			m, err = findMessage(tx, l, w.Message, w.Nth)
		}
		return err
	})
	return l, m, err
}

func findMessage(tx *storage.Tx, l *list.List, name string, nth int) (*archive.Message, error) {
	m, err := moderation.FindMessage(tx, l, name, nth)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, fmt.Errorf("%s has no message <%s>", l.Address, printable(strings.Trim(name, "<> ")))
	}
	return m, err
}

// decide finds the message, does what is to be done, and says so.
func (w archived) decide(ctx context.Context, app *App, out io.Writer, do func(context.Context, *list.List, *archive.Message) error, done string) error {
	l, m, err := w.find(ctx, app)
	if err != nil {
		return err
	}
	if err := do(ctx, l, m); err != nil {
		return err
	}
	fmt.Fprintf(out, "<%s> %s\n", printable(m.ID), done)
	return nil
}

// edit is decide for what pages and mail can do as well.
func (w archived) edit(ctx context.Context, app *App, out io.Writer, word, done string) error {
	return w.decide(ctx, app, out, func(ctx context.Context, l *list.List, m *archive.Message) error {
		return moderation.Edit{List: l, Message: m, Word: word, By: w.By, Reason: w.Reason, Now: time.Now()}.Do(ctx, app.Archive)
	}, done)
}

type archiveHide struct{ archived }

func (cmd *archiveHide) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.edit(ctx, app, std.out, "hide", "is hidden")
}

type archiveUnhide struct{ archived }

func (cmd *archiveUnhide) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.edit(ctx, app, std.out, "unhide", "is shown")
}

type archiveRedact struct{ archived }

func (cmd *archiveRedact) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.edit(ctx, app, std.out, "redact", "is redacted")
}

type archiveSplit struct{ archived }

func (cmd *archiveSplit) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.edit(ctx, app, std.out, "split", "begins a thread of its own")
}

type archiveJoin struct {
	archived
	To string `required:"" placeholder:"MESSAGE" help:"The message that it answers."`
}

func (cmd *archiveJoin) run(ctx context.Context, app *App, _ call, std streams) error {
	to := cmd.archived
	to.Message, to.Nth = cmd.To, 1
	_, parent, err := to.find(ctx, app)
	if err != nil {
		return err
	}
	join := func(ctx context.Context, l *list.List, m *archive.Message) error {
		return moderation.Edit{List: l, Message: m, Word: "join", To: parent, By: cmd.By, Reason: cmd.Reason, Now: time.Now()}.Do(ctx, app.Archive)
	}
	return cmd.decide(ctx, app, std.out, join, "answers <"+printable(parent.ID)+">")
}

type archiveRedactPerson struct {
	Address string   `arg:"" help:"The person's address."`
	Name    []string `help:"A name that stands in messages; may be given several times."`
	DryRun  bool     `help:"Only count the messages that name the person."`
	decision
}

func (cmd *archiveRedactPerson) run(ctx context.Context, app *App, c call, std streams) error {
	p := archive.Person{Address: cmd.Address, Names: cmd.Name}
	progress, end := counter(c, std.err, "looking through")
	defer end()
	if cmd.DryRun {
		n, err := app.Archive.Mentions(ctx, p, progress)
		if err == nil {
			fmt.Fprintf(std.out, "%d messages name %s\n", n, printable(cmd.Address))
		}
		return err
	}
	n, err := app.Archive.RedactPerson(ctx, p, cmd.order(), progress)
	if err == nil {
		fmt.Fprintf(std.out, "readers no longer find %s in %d messages\n", printable(cmd.Address), n)
	}
	return err
}

type archivePurge struct{ archived }

func (cmd *archivePurge) run(ctx context.Context, app *App, _ call, std streams) error {
	_, m, err := cmd.find(ctx, app)
	if err != nil {
		return err
	}
	post := list.PostID(m.Post)
	err = app.DB.View(ctx, func(tx *storage.Tx) error {
		if _, err := list.GetProgress(tx, post); err == nil {
			return errors.New("the post is still going to the queue: purge it when it is published")
		}
		return nil
	})
	if err != nil {
		return err
	}
	// A purge that was interrupted goes on with what is left.
	if err := app.Archive.Purge(ctx, m, cmd.order()); err != nil && !errors.Is(err, archive.ErrPurged) {
		return err
	}
	copies, err := app.erasePost(ctx, m, cmd.By)
	if err == nil {
		err = app.DB.Scrub(ctx)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "<%s> is gone from this machine's disk; backups still hold it\n", printable(m.ID))
	if copies > 0 {
		fmt.Fprintf(std.out, "%d copies that were still in the queue were dropped\n", copies)
	}
	return nil
}

// erasePost forgets what is kept of a post beside the archive: copies in the queue, the message as it came, and what its record says. It
// returns how many copies there were.
func (app *App) erasePost(ctx context.Context, m *archive.Message, by string) (dropped int, err error) {
	id, ours, issue := list.PostID(m.Post), false, list.PostID("")
	err = app.DB.Update(ctx, func(tx *storage.Tx) error {
		p, err := list.GetPost(tx, id)
		if ours = err == nil && string(p.List) == m.List; !ours { // it was imported, under a post ID that somebody wrote into a file
			if errors.Is(err, storage.ErrNotFound) {
				return nil
			}
			return err
		}
		issue = p.Issue
		dropped, err = app.Outbox.Drop(tx, queue.Filter{Rendition: string(id)}, "the message was purged")
		return errors.Join(err, list.ErasePost(tx, id, by, time.Now()))
	})
	if err != nil || !ours {
		return 0, err
	}
	if issue != "" {
		n, err := app.Digests.Purge(ctx, issue)
		if dropped += n; err != nil {
			return dropped, err
		}
	}
	app.Outbox.Wake()
	return dropped, app.DB.Blobs.Delete(id.RawBlob())
}

type archiveLedger struct {
	List string `arg:"" optional:"" help:"Posting address of the list; without one, what was decided about people everywhere."`
	format
}

func (cmd *archiveLedger) run(ctx context.Context, app *App, _ call, std streams) error {
	id := ""
	if cmd.List != "" {
		err := app.DB.View(ctx, func(tx *storage.Tx) error {
			l, err := archiveList(tx, cmd.List)
			if err == nil {
				id = string(l.ID)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	acts := []archive.Act{}
	for act, err := range app.Archive.Ledger(ctx, id) {
		if err != nil {
			return err
		}
		acts = append(acts, act)
	}
	return cmd.show(std.out, acts, func(w io.Writer) {
		table(w, func(row func(...any)) {
			for _, act := range acts {
				about := "<" + act.ID + ">"
				if act.Person != nil {
					about = act.Person.Address
				}
				row(app.when(act.At), act.Do, about, act.By, act.Reason)
			}
		})
	})
}

type archiveReindex struct {
	List string `arg:"" help:"Posting address of the list."`
}

func (cmd *archiveReindex) run(ctx context.Context, app *App, c call, std streams) error {
	var l *list.List
	err := app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = archiveList(tx, cmd.List)
		return err
	})
	if err != nil {
		return err
	}
	n := 0
	progress, end := counter(c, std.err, "indexing")
	err = app.Archive.Reindex(ctx, string(l.ID), func(messages int) {
		n = messages
		progress(n)
	})
	end()
	if err == nil {
		err = app.Search.Rebuild(ctx)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s: indexed %d messages\n", l.Address, n)
	return nil
}
