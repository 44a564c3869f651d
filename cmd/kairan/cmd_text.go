package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

type textCmd struct {
	Ls    textLs    `cmd:"" help:"Name all mails, and who has other words for them."`
	Show  textShow  `cmd:"" help:"Show the words that hold for a mail, as set reads them."`
	Set   textSet   `cmd:"" help:"Give a mail other words, for the site or a list."`
	Unset textUnset `cmd:"" help:"Give a mail its former words back."`
}

// whichText names a mail in a language, for a list or the whole site.
type whichText struct {
	Name string `arg:"" help:"The mail's name, as text ls names it."`
	List string `help:"Posting address of the list; the whole site by default."`
	Lang string `enum:"ja,en" required:"" help:"${enum}."`
}

// find returns the list, or nil for the site.
func (w *whichText) find(tx *storage.Tx, set *templates.Set) (*list.List, error) {
	if _, ok := set.Wording(w.Name, w.Lang); !ok {
		return nil, usageError{fmt.Errorf("there is no mail %q; kairan text ls names them", w.Name)}
	}
	if w.List == "" {
		return nil, nil
	}
	return parseList(tx, w.List)
}

func idOf(l *list.List) list.ID {
	if l == nil {
		return ""
	}
	return l.ID
}

// textRow is a mail as text ls shows it.
type textRow struct {
	Name         string   `json:"name"`
	Placeholders []string `json:"placeholders"`
	Needed       []string `json:"needed"`
	Changed      []string `json:"changed,omitempty"` // "site ja", "janog@lists.example.jp en"
}

type textLs struct{ format }

func (cmd *textLs) run(ctx context.Context, app *App, _ call, std streams) error {
	changed := map[string][]string{}
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		clear(changed)
		note := func(who string, id list.ID) {
			for w := range list.Wordings(tx, id) {
				changed[w.Name] = append(changed[w.Name], who+" "+w.Lang)
			}
		}
		note("site", "")
		for l := range list.All(tx) {
			note(l.Address.String(), l.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var rows []textRow
	for _, name := range app.Templates.Mails() {
		all, needed := app.Templates.Placeholders(name)
		rows = append(rows, textRow{Name: name, Placeholders: all, Needed: needed, Changed: changed[name]})
	}
	return cmd.show(std.out, rows, func(w io.Writer) {
		table(w, func(row func(...any)) {
			for _, r := range rows {
				marked := make([]string, len(r.Placeholders))
				for i, p := range r.Placeholders {
					if marked[i] = "{" + p + "}"; slices.Contains(r.Needed, p) {
						marked[i] += "!"
					}
				}
				row(r.Name, strings.Join(marked, " "), strings.Join(r.Changed, ", "))
			}
		})
	})
}

type textShow struct{ whichText }

func (cmd *textShow) run(ctx context.Context, app *App, _ call, std streams) error {
	var w list.Wording
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		l, err := cmd.find(tx, app.Templates)
		if err == nil {
			w, err = list.GetWording(tx, app.Templates, l, cmd.Name, cmd.Lang)
		}
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s\n\n%s\n", w.Subject, strings.TrimRight(w.Body, "\n"))
	return nil
}

type textSet struct {
	whichText
	File string `arg:"" help:"The subject, a blank line, and the text, in UTF-8; - is standard input."`
}

func (cmd *textSet) inputFile() string { return cmd.File }

func (cmd *textSet) run(ctx context.Context, app *App, _ call, std streams) error {
	const most = 64 << 10
	b, err := io.ReadAll(io.LimitReader(std.in, most))
	if err != nil {
		return err
	}
	subject, body, ok := strings.Cut(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n\n")
	if !ok || strings.Contains(subject, "\n") {
		return fmt.Errorf("%s: the first line is the subject, the second is blank, then comes the text", cmd.File)
	}
	return app.DB.Update(ctx, func(tx *storage.Tx) error {
		l, err := cmd.find(tx, app.Templates)
		if err != nil {
			return err
		}
		w := list.Wording{List: idOf(l), Name: cmd.Name, Lang: cmd.Lang, Subject: subject, Body: body, By: list.ByOperator, At: time.Now()}
		if err := list.SetWording(tx, app.Templates, w); err != nil {
			return fmt.Errorf("%s: %w", cmd.File, err)
		}
		return nil
	})
}

type textUnset struct{ whichText }

func (cmd *textUnset) run(ctx context.Context, app *App, _ call, std streams) error {
	return app.DB.Update(ctx, func(tx *storage.Tx) error {
		l, err := cmd.find(tx, app.Templates)
		if err != nil {
			return err
		}
		err = list.UnsetWording(tx, list.Wording{List: idOf(l), Name: cmd.Name, Lang: cmd.Lang, By: list.ByOperator, At: time.Now()})
		if errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("mail %s (%s) has no other words here", cmd.Name, cmd.Lang)
		}
		return err
	})
}
