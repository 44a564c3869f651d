package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/smtpd/message"
	"kairan/storage"
)

type heldCmd struct {
	Ls      heldLs      `cmd:"" help:"Name the held posts of a list."`
	Show    heldShow    `cmd:"" help:"Show a held post."`
	Accept  heldAccept  `cmd:"" help:"Let held posts go to the list."`
	Reject  heldReject  `cmd:"" help:"Refuse held posts and tell their authors."`
	Discard heldDiscard `cmd:"" help:"Drop held posts silently."`
}

type heldLs struct {
	List string `arg:"" optional:"" help:"Posting address of the list; all lists by default."`
	format
}

func (cmd *heldLs) run(ctx context.Context, app *App, _ call, std streams) error {
	posts := []*list.Post{}
	names := map[list.ID]string{}
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		var lists []*list.List
		if cmd.List != "" {
			l, err := parseList(tx, cmd.List)
			if err != nil {
				return err
			}
			lists = append(lists, l)
		} else {
			for l := range list.All(tx) {
				lists = append(lists, l)
			}
		}
		for _, l := range lists {
			names[l.ID] = l.Address.String()
			for p := range list.HeldPosts(tx, l.ID) {
				posts = append(posts, p)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, posts, func(w io.Writer) {
		table(w, func(row func(...any)) {
			for _, p := range posts {
				row(p.ID, names[p.List], app.when(p.Received), p.Author, p.Verdict, p.Subject)
			}
		})
	})
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

// heldPosts names posts to decide.
type heldPosts struct {
	Posts []list.PostID `arg:"" help:"IDs of the posts."`
}

// decide decides all posts or, if one of them cannot be, none. What follows is the same as by mail: authors and the other
// moderators are told.
func (h heldPosts) decide(ctx context.Context, app *App, d moderation.Decision, std streams) error {
	d.By = "command line"
	var undone []string
	err := app.DB.Update(ctx, func(tx *storage.Tx) error {
		var errs []error
		undone = nil
		for _, id := range h.Posts {
			d.Post = id
			out, err := app.Moderation.Decide(tx, d, time.Now())
			switch {
			case err != nil:
				errs = append(errs, err)
			case out.Late:
				errs = append(errs, fmt.Errorf("post %s is not held: %s by %s", id, out.Post.Verdict, cmp.Or(out.Post.Verdict.By, "the rules")))
			case out.Undone != "":
				undone = append(undone, fmt.Sprintf("%s: the author was neither trusted nor banned: %s", id, out.Undone))
			}
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return err
	}
	for _, id := range h.Posts {
		fmt.Fprintf(std.out, "%s: %s\n", id, d.Action)
	}
	for _, u := range undone {
		fmt.Fprintln(std.err, "kairan:", u)
	}
	app.Moderation.Wake()
	app.publishNow()
	return nil
}

type heldAccept struct {
	heldPosts
	Trust bool `help:"Accept the author's posts from now on."`
}

func (cmd *heldAccept) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.decide(ctx, app, moderation.Decision{Action: list.Accept, Trust: cmd.Trust}, std)
}

type heldReject struct {
	heldPosts
	Reason string `help:"Why, for the author."`
}

func (cmd *heldReject) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.decide(ctx, app, moderation.Decision{Action: list.Reject, Reason: cmd.Reason}, std)
}

type heldDiscard struct {
	heldPosts
	Ban bool `help:"Take no post of the author any more."`
}

func (cmd *heldDiscard) run(ctx context.Context, app *App, _ call, std streams) error {
	return cmd.decide(ctx, app, moderation.Decision{Action: list.Discard, Ban: cmd.Ban}, std)
}
