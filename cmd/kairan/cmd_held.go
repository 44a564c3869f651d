package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
)

type heldCmd struct {
	Ls      heldLs      `cmd:"" help:"Name the held posts of a list, and who waits to join or leave."`
	Show    heldShow    `cmd:"" help:"Show a held post."`
	Accept  heldAccept  `cmd:"" help:"Let held posts go to the list, and people join or leave."`
	Reject  heldReject  `cmd:"" help:"Refuse held posts or requests, and tell their authors."`
	Discard heldDiscard `cmd:"" help:"Drop held posts or requests silently."`
	Undo    heldUndo    `cmd:"" help:"Take back what was decided on a page within the last minute."`
}

type heldLs struct {
	List string `arg:"" optional:"" help:"Posting address of the list; all lists by default."`
	format
}

// heldView is what waits.
type heldView struct {
	Posts    []*list.Post  `json:"posts"`
	Requests []heldRequest `json:"requests"`
}

// heldRequest is somebody who waits to join or leave a list.
type heldRequest struct {
	List string `json:"list"`
	*moderation.Request
}

func (cmd *heldLs) run(ctx context.Context, app *App, _ call, std streams) error {
	view := heldView{Posts: []*list.Post{}, Requests: []heldRequest{}}
	names := map[list.ID]string{}
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		lists, err := theseLists(tx, cmd.List)
		if err != nil {
			return err
		}
		for _, l := range lists {
			names[l.ID] = l.Address.String()
			for p := range list.HeldPosts(tx, l.ID) {
				view.Posts = append(view.Posts, p)
			}
			for r := range moderation.Requests(tx, l.ID) {
				view.Requests = append(view.Requests, heldRequest{List: names[l.ID], Request: r})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, view, func(w io.Writer) {
		table(w, func(row func(...any)) {
			for _, p := range view.Posts {
				row(p.ID, names[p.List], app.when(p.Received), p.Author, p.Verdict, p.Subject)
			}
			for _, r := range view.Requests {
				row(r.Address, r.List, app.when(r.At), "wants to "+r.Action, r.Name, "")
			}
		})
	})
}

// theseLists returns the list of that address, or with "" all lists.
func theseLists(tx *storage.Tx, arg string) ([]*list.List, error) {
	if arg == "" {
		return slices.Collect(list.All(tx)), nil
	}
	l, err := parseList(tx, arg)
	return []*list.List{l}, err
}

type heldShow struct {
	Post list.PostID `arg:"" help:"The post's ID, as held ls names it."`
	format
}

func (cmd *heldShow) run(ctx context.Context, app *App, _ call, std streams) error {
	var p *list.Post
	var raw []byte
	err := app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if p, err = list.GetPost(tx, cmd.Post); err != nil {
			return err
		}
		raw, err = list.PostRaw(tx, app.DB.Blobs, cmd.Post)
		return err
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, p, func(w io.Writer) {
		table(w, func(row func(...any)) {
			row("received", app.when(p.Received))
			row("author", p.Author)
			row("subject", p.Subject)
			row("verdict", p.Verdict)
		})
		fmt.Fprintf(w, "\n%s\n", excerpt(raw, 40))
	})
}

// excerpt returns the first lines of a message's text, safe for a terminal.
func excerpt(raw []byte, lines int) string {
	var out []string
	_, msg := list.TakeApproval(message.Parse(raw))
	for line := range strings.Lines(msg.Text()) {
		if len(out) == lines {
			out = append(out, "[…]")
			break
		}
		out = append(out, printable(strings.TrimRight(line, "\n")))
	}
	return strings.Join(out, "\n")
}

// byCommandLine is who decides here.
const byCommandLine = "command line"

// heldThings names what to decide.
type heldThings struct {
	Things []string `arg:"" name:"id" help:"IDs of posts, or addresses that wait to join or leave."`
	List   string   `placeholder:"LIST" help:"Where the addresses wait, if that is not clear."`
}

// decide decides all or, if one of them cannot be, none. What follows is the same as by mail: authors and the other
// moderators are told.
func (h heldThings) decide(ctx context.Context, app *App, d moderation.Decision, std streams) error {
	d.By = byCommandLine
	var notes []string
	err := app.DB.Update(ctx, func(tx *storage.Tx) error {
		var errs []error
		notes = nil
		for _, id := range h.Things {
			if strings.Contains(id, "@") {
				claims, err := h.decideRequests(tx, app, id, d)
				errs, notes = append(errs, err), append(notes, claims...)
				continue
			}
			d.Post = list.PostID(id)
			out, err := app.Moderation.Decide(tx, d, time.Now())
			if err == nil && !out.Late {
				notes = append(notes, lookedAt(id, out.Claim)...)
			}
			switch {
			case err != nil:
				errs = append(errs, err)
			case out.Late:
				errs = append(errs, fmt.Errorf("post %s is not held: %s by %s", id, out.Post.Verdict, cmp.Or(out.Post.Verdict.By, "the rules")))
			case out.Undone != "":
				notes = append(notes, fmt.Sprintf("%s: the author was neither trusted nor banned: %s", id, out.Undone))
			}
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return err
	}
	for _, id := range h.Things {
		fmt.Fprintf(std.out, "%s: %s\n", id, d.Action)
	}
	for _, n := range notes {
		fmt.Fprintln(std.err, "kairan:", n)
	}
	app.Moderation.Wake()
	app.publishNow()
	return nil
}

// decideRequests decides about what an address waits for in one list.
func (h heldThings) decideRequests(tx *storage.Tx, app *App, arg string, d moderation.Decision) (notes []string, err error) {
	who, err := address.Parse(arg)
	if err != nil {
		return nil, usageError{err}
	}
	if d.Trust || d.Ban {
		return nil, usageError{fmt.Errorf("%s: --trust and --ban are for posts", who)}
	}
	lists, err := theseLists(tx, h.List)
	if err != nil {
		return nil, err
	}
	var places []string
	var in *list.List
	var waiting []*moderation.Request
	for _, l := range lists {
		all, err := moderation.RequestsOf(tx, l.ID, who)
		if err != nil {
			return nil, err
		}
		if all = slices.DeleteFunc(all, func(r *moderation.Request) bool { return !r.Waits() }); len(all) > 0 {
			in, waiting, places = l, all, append(places, l.Address.String())
		}
	}
	switch {
	case len(places) == 0:
		return nil, fmt.Errorf("%s does not wait for a moderator", who)
	case len(places) > 1:
		return nil, usageError{fmt.Errorf("%s waits in several lists: name one with --list: %s", who, strings.Join(places, ", "))}
	}
	for _, r := range waiting {
		claim, err := app.Moderation.DecideRequest(tx, in, r, d, time.Now())
		if err != nil {
			return nil, err
		}
		notes = append(notes, lookedAt(arg, claim)...)
	}
	return notes, nil
}

// lookedAt says that somebody else was looking at what was decided.
func lookedAt(id string, c moderation.Claim) []string {
	if c.By == "" {
		return nil
	}
	return []string{fmt.Sprintf("%s: %s has been looking at it since %s", id, c.By, c.At.Format("15:04"))}
}

type heldAccept struct {
	heldThings
	Trust bool `help:"Accept the author's posts from now on."`
}

func (cmd *heldAccept) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.decide(ctx, app, moderation.Decision{Action: list.Accept, Trust: cmd.Trust}, std)
}

type heldReject struct {
	heldThings
	Reason string `help:"Why, for the author."`
}

func (cmd *heldReject) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.decide(ctx, app, moderation.Decision{Action: list.Reject, Reason: cmd.Reason}, std)
}

type heldDiscard struct {
	heldThings
	Ban bool `help:"Take no post of the author any more."`
}

func (cmd *heldDiscard) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.decide(ctx, app, moderation.Decision{Action: list.Discard, Ban: cmd.Ban}, std)
}

// heldUndo takes decisions back that were made on a page; those of the command line are carried out at once.
type heldUndo struct {
	Things []string `arg:"" name:"id" help:"IDs of posts, or addresses that asked to join or leave."`
	List   string   `placeholder:"LIST" help:"Where the addresses asked; all lists by default."`
}

func (cmd *heldUndo) run(ctx context.Context, app *App, _ call, std streams) error {
	err := app.DB.Update(ctx, func(tx *storage.Tx) error {
		for _, id := range cmd.Things {
			if err := cmd.undo(tx, app, id); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range cmd.Things {
		fmt.Fprintf(std.out, "%s: waits again\n", id)
	}
	return nil
}

func (cmd *heldUndo) undo(tx *storage.Tx, app *App, id string) error {
	lists, err := theseLists(tx, cmd.List)
	if err != nil {
		return err
	}
	if !strings.Contains(id, "@") {
		p, err := list.GetPost(tx, list.PostID(id))
		if err != nil {
			return err
		}
		lists = slices.DeleteFunc(lists, func(l *list.List) bool { return l.ID != p.List })
	}
	undone := false
	for _, l := range lists {
		err := app.Moderation.Undo(tx, l, id, byCommandLine, time.Now())
		if err != nil && !errors.Is(err, moderation.ErrTooLate) {
			return err
		}
		undone = undone || err == nil
	}
	if !undone {
		return moderation.ErrTooLate
	}
	return nil
}
