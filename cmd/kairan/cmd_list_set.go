package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"kairan/list"
	"kairan/list/posting"
	"kairan/storage"
)

// settingsArgs are settings on a command line.
type settingsArgs struct {
	List     string   `arg:"" help:"Posting address."`
	Settings []string `arg:"" optional:"" help:"Settings as NAME=VALUE, in TOML: subject_prefix='[janog:%05d] ' emergency=true."`
	File     string   `short:"f" placeholder:"FILE" help:"All settings, those of a TOML file (- is standard input); what it leaves out has its default."`
}

func (cmd *settingsArgs) inputFile() string { return cmd.File }

type listSet struct {
	settingsArgs
	LastNumber *uint64 `placeholder:"N" help:"Set the post number counter, for a list that moved here."`

	Why    string        `placeholder:"TEXT" help:"Why, for the list's log."`
	Within time.Duration `placeholder:"TIME" help:"Take the change back after this time (10m), unless list keep has kept it."`
}

func (cmd *listSet) run(ctx context.Context, app *App, _ call, std streams) error {
	text, err := cmd.text(std.in)
	if err != nil {
		return err
	}
	if len(text) == 0 && cmd.LastNumber == nil {
		return usageError{errors.New("nothing to set: give NAME=VALUE, -f FILE or --last-number")}
	}
	edit := list.Edit{By: list.ByOperator, Admin: true, Why: cmd.Why, At: time.Now()}
	if cmd.Within < 0 {
		return usageError{fmt.Errorf("--within %s is negative", cmd.Within)}
	}
	if cmd.Within > 0 {
		edit.FallsBack = edit.At.Add(cmd.Within)
	}
	var r *list.Revision
	err = app.DB.Update(ctx, func(tx *storage.Tx) error {
		l, err := parseList(tx, cmd.List)
		if err != nil {
			return err
		}
		s, err := applied(l, text, cmd.File != "", app.Site.Language)
		errs := []error{err}
		if cmd.LastNumber != nil {
			errs = append(errs, list.SetNumber(tx, l.ID, *cmd.LastNumber))
		}
		r, err = list.Change(tx, l.ID, s, edit)
		return errors.Join(append(errs, err)...) // all that is wrong, and then nothing is changed
	})
	if err == nil && r != nil && cmd.Within > 0 {
		fmt.Fprintf(std.out, "revision %d falls back at %s; to keep it: kairan list keep %s\n", r.Number, app.when(r.FallsBack), cmd.List)
	}
	return err
}

// applied returns the settings of a list, or the defaults where they are replaced as a whole, with the pieces of text over them.
func applied(l *list.List, text []setting, whole bool, lang string) (list.Settings, error) {
	s := l.Settings
	if whole {
		s = list.DefaultSettings(lang)
	}
	var errs []error
	for _, t := range text {
		errs = append(errs, t.apply(&s))
	}
	return s, errors.Join(errs...)
}

// maxSettings bounds a file of settings, in bytes.
const maxSettings = 1 << 20

// setting is a piece of TOML and the file it stands in. plain is the same with the value as a string: a bare word.
type setting struct{ where, text, plain string }

// text reads what is to be set.
func (cmd *settingsArgs) text(in io.Reader) ([]setting, error) {
	var all []setting
	if cmd.File != "" {
		b, err := io.ReadAll(io.LimitReader(in, maxSettings+1))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cmd.File, err)
		}
		if len(b) > maxSettings {
			return nil, fmt.Errorf("%s: larger than %d bytes", cmd.File, maxSettings)
		}
		all = append(all, setting{where: cmd.File, text: string(b)})
	}
	for _, s := range cmd.Settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, usageError{fmt.Errorf("%q is not NAME=VALUE", s)}
		}
		quoted, err := json.Marshal(value) // a JSON string is a TOML string
		if err != nil {
			return nil, err
		}
		all = append(all, setting{text: s, plain: name + " = " + string(quoted)})
	}
	return all, nil
}

// apply decodes the piece over s; unknown names and wrong types are errors with their place.
func (t setting) apply(s *list.Settings) error {
	err := decodeTOML(t.where, t.text, s)
	if err == nil || t.plain == "" {
		return err
	}
	err2 := decodeTOML(t.where, t.plain, s)
	if _, notTOML := toml.Decode(t.text, &map[string]any{}); err2 == nil || notTOML != nil {
		return err2
	}
	return err
}

// writeSettings writes settings as list set -f reads them.
func writeSettings(w io.Writer, s list.Settings) error { return toml.NewEncoder(w).Encode(s) }

type listTry struct {
	settingsArgs
	Days int `default:"30" help:"How many days back (default: ${default}); posts are remembered for 30."`
	format
}

func (cmd *listTry) run(ctx context.Context, app *App, _ call, std streams) error {
	text, err := cmd.text(std.in)
	if err != nil {
		return err
	}
	if len(text) == 0 {
		return usageError{errors.New("nothing to try: give NAME=VALUE or -f FILE")}
	}
	var l *list.List
	err = app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = parseList(tx, cmd.List)
		return err
	})
	if err != nil {
		return err
	}
	s, err := applied(l, text, cmd.File != "", app.Site.Language)
	if err := errors.Join(err, s.Check()); err != nil {
		return err
	}
	replay, err := app.Path.Replay(ctx, l, s, time.Now().AddDate(0, 0, -cmd.Days))
	if err != nil {
		return err
	}
	return cmd.show(std.out, replay, func(w io.Writer) { app.printReplay(w, replay) })
}

func (app *App) printReplay(w io.Writer, r posting.Replay) {
	fmt.Fprintf(w, "%d posts looked at, %d would have been decided otherwise\n", r.Posts, r.Different)
	table(w, func(row func(...any)) {
		for _, d := range r.Differences {
			row(app.when(d.Post.Received), d.Post.Author, d.Was, "->", d.Is, printable(d.Post.Subject))
		}
	})
	if more := r.Different - len(r.Differences); more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
	if r.Forgotten > 0 {
		fmt.Fprintf(w, "%d posts could not be looked at: what they were is no longer kept\n", r.Forgotten)
	}
}

type listKeep struct {
	List string `arg:"" help:"Posting address."`
}

func (cmd *listKeep) run(ctx context.Context, app *App, _ call, std streams) error {
	var kept []*list.Revision
	err := app.DB.Update(ctx, func(tx *storage.Tx) error {
		l, err := parseList(tx, cmd.List)
		if err != nil {
			return err
		}
		kept = nil
		for r := range list.Unconfirmed(tx, l.ID) {
			kept = append(kept, r)
		}
		var errs []error
		for _, r := range kept {
			errs = append(errs, list.Confirm(tx, l.ID, r.Number, list.ByOperator, time.Now()))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return err
	}
	if len(kept) == 0 {
		return fmt.Errorf("%s: no change of settings waits to be kept", cmd.List)
	}
	for _, r := range kept {
		fmt.Fprintf(std.out, "kept %s\n", r)
	}
	return nil
}

type listRevert struct {
	List     string `arg:"" help:"Posting address."`
	Revision uint64 `arg:"" help:"Number of the change, as list log tells it."`
	Why      string `placeholder:"TEXT" help:"Why, for the list's log."`
}

func (cmd *listRevert) run(ctx context.Context, app *App, _ call, std streams) error {
	var r *list.Revision
	err := app.DB.Update(ctx, func(tx *storage.Tx) error {
		l, err := parseList(tx, cmd.List)
		if err != nil {
			return err
		}
		r, err = list.TakeBack(tx, l.ID, cmd.Revision, list.Edit{By: list.ByOperator, Admin: true, Why: cmd.Why, At: time.Now()})
		return err
	})
	if err != nil {
		return err
	}
	if r == nil {
		fmt.Fprintf(std.out, "nothing to take back: the settings are as they were before revision %d\n", cmd.Revision)
		return nil
	}
	fmt.Fprintf(std.out, "%s\n", r)
	return nil
}

type listLog struct {
	List string `arg:"" help:"Posting address."`
	Most int    `default:"100" help:"How many entries at most (default: ${default})."`
	// Setting leaves out all but the changes of one.
	Setting string `placeholder:"NAME" help:"Only the changes of this setting."`
	format
}

// logView is what list log shows.
type logView struct {
	Revisions []revisionView `json:"revisions"`
	Log       []list.Event   `json:"log"`
}

type revisionView struct {
	Number uint64 `json:"number"`
	*list.Revision
}

func (cmd *listLog) run(ctx context.Context, app *App, _ call, std streams) error {
	var v logView
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		l, err := parseList(tx, cmd.List)
		if err != nil {
			return err
		}
		v = logView{Revisions: []revisionView{}, Log: []list.Event{}}
		if cmd.Setting != "" {
			return cmd.changes(tx, l, &v)
		}
		for e := range list.LogOf(tx, l.ID) {
			if len(v.Log) == cmd.Most {
				break
			}
			v.Log = append(v.Log, e)
		}
		for r := range list.Revisions(tx, l.ID) {
			if len(v.Revisions) == cmd.Most {
				break
			}
			v.Revisions = append(v.Revisions, revisionView{r.Number, r})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, v, func(w io.Writer) {
		for _, e := range v.Log {
			fmt.Fprintf(w, "%s  %s\n", app.when(e.At), printable(e.Stage+": "+e.Text+by(e.By)))
		}
		for _, r := range v.Revisions {
			app.printRevision(w, r)
		}
	})
}

func (app *App) printRevision(w io.Writer, r revisionView) {
	fmt.Fprintf(w, "\nrevision %d, %s%s\n", r.Number, app.when(r.At), by(printable(r.By)))
	if r.Why != "" {
		fmt.Fprintf(w, "  %s\n", printable(r.Why))
	}
	if !r.FallsBack.IsZero() {
		fmt.Fprintf(w, "  falls back at %s\n", app.when(r.FallsBack))
	}
	for _, c := range r.Changes {
		fmt.Fprintf(w, "  %s: %s -> %s\n", c.Name, c.Was, c.Is)
	}
}

// changes has the revisions of one setting, with that setting alone.
func (cmd *listLog) changes(tx *storage.Tx, l *list.List, v *logView) error {
	if !slices.ContainsFunc(list.AllSettings(), func(a list.Setting) bool { return a.Name == cmd.Setting }) {
		return usageError{fmt.Errorf("there is no setting %q", cmd.Setting)}
	}
	for r, c := range list.Changes(tx, l.ID, cmd.Setting) {
		if len(v.Revisions) == cmd.Most {
			break
		}
		r.Changes = []list.SettingChange{c}
		v.Revisions = append(v.Revisions, revisionView{r.Number, r})
	}
	return nil
}
