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

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

type personSessions struct {
	oneAddress
	format
}

// sessionView is a session as it is printed: without what the browser has.
type sessionView struct {
	ID string `json:"id"`
	list.Session
}

func (cmd *personSessions) run(ctx context.Context, app *App, _ call, std streams) error {
	addr, err := address.Parse(cmd.Address)
	if err != nil {
		return usageError{err}
	}
	var all []sessionView
	err = app.DB.View(ctx, func(tx *storage.Tx) error {
		all = []sessionView{}
		for _, g := range list.PersonOf(tx, addr).Sessions(tx, time.Now()) {
			all = append(all, sessionView{ID: g.Key, Session: *g})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, all, func(w io.Writer) {
		table(w, func(row func(...any)) {
			row("ID", "ADDRESS", "BEGUN", "SEEN", "BROWSER")
			for _, g := range all {
				row(g.ID, g.Address, app.when(g.Begun), app.when(g.Seen), g.Agent)
			}
		})
	})
}

type personEndSessions struct {
	oneAddress
	ID  string `help:"Only this one, as sessions names it."`
	Why string `help:"The reason, for the record."`
}

func (cmd *personEndSessions) run(ctx context.Context, app *App, _ call, std streams) error {
	n := 0
	err := cmd.change(ctx, app, func(tx *storage.Tx, who *list.Person, _ address.Address) (res subscribe.Result, err error) {
		n, err = who.EndSessions(tx, func(g *list.Session) bool { return cmd.ID == "" || g.Key == cmd.ID }, operator(cmd.Why))
		return res, err
	})
	if err == nil && n == 0 && cmd.ID != "" {
		err = errors.New("there is no such session")
	}
	if err == nil {
		fmt.Fprintf(std.out, "%d sessions ended\n", n)
	}
	return err
}

// somePlaces names a person, and in which of its lists something is to be done.
type somePlaces struct {
	oneAddress
	List []string `help:"Only in these lists, by posting address; all of the person's by default." placeholder:"ADDRESS"`
	Why  string   `help:"The reason, for the record."`
}

// find returns the places in the chosen lists.
func (s *somePlaces) find(tx *storage.Tx, who *list.Person) ([]subscribe.Place, error) {
	places, err := subscribe.Places(tx, who)
	if err != nil || len(s.List) == 0 {
		return places, err
	}
	var chosen []subscribe.Place
	for _, arg := range s.List {
		l, err := parseList(tx, arg)
		if err != nil {
			return nil, err
		}
		n := len(chosen)
		for _, p := range places {
			if p.List.ID == l.ID {
				chosen = append(chosen, p)
			}
		}
		if n == len(chosen) {
			return nil, fmt.Errorf("%s, %s: %w", s.Address, l.Address, list.ErrNotMember)
		}
	}
	return chosen, nil
}

type personDelivery struct {
	somePlaces
	State string `arg:"" enum:"on,off" help:"${enum}."`
}

func (cmd *personDelivery) run(ctx context.Context, app *App, _ call, std streams) error {
	n := 0
	err := cmd.change(ctx, app, func(tx *storage.Tx, who *list.Person, _ address.Address) (res subscribe.Result, err error) {
		places, err := cmd.find(tx, who)
		if err != nil {
			return res, err
		}
		n, err = subscribe.SetDelivery(tx, places, cmd.State == "on", operator(cmd.Why))
		return res, err
	})
	if err == nil {
		fmt.Fprintf(std.out, "changed in %d lists\n", n)
	}
	return err
}

type personRmLists struct {
	somePlaces
	Goodbye *bool `negatable:"" help:"Mail a member that it is none any more; as each list's settings say by default."`
}

func (cmd *personRmLists) run(ctx context.Context, app *App, _ call, std streams) error {
	var places []subscribe.Place
	err := cmd.change(ctx, app, func(tx *storage.Tx, who *list.Person, _ address.Address) (res subscribe.Result, err error) {
		if places, err = cmd.find(tx, who); err != nil {
			return res, err
		}
		return app.Subscribe.RemoveFrom(tx, places, subscribe.Request{By: list.ByOperator, Why: cmd.Why, Tell: cmd.Goodbye, Now: time.Now().In(app.Site.Location)})
	})
	if err != nil {
		return err
	}
	for _, p := range places {
		fmt.Fprintf(std.out, "%s is no longer %s of %s\n", printable(p.Member.Address.String()), p.Member.Role, p.List.Address)
	}
	return nil
}

type personExport struct{ oneAddress }

func (cmd *personExport) run(ctx context.Context, app *App, _ call, std streams) error {
	addr, err := address.Parse(cmd.Address)
	if err != nil {
		return usageError{err}
	}
	all, err := app.Subscribe.Export(ctx, addr, operator(""), nil)
	if err != nil {
		return err
	}
	e := json.NewEncoder(std.out)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

type personErase struct {
	oneAddress
	Archive bool   `help:"Archives name the person no more, either."`
	Why     string `help:"The reason, for the record."`
	Yes     bool   `help:"Really erase it."`
}

func (cmd *personErase) run(ctx context.Context, app *App, _ call, std streams) error {
	addr, err := address.Parse(cmd.Address)
	if err != nil {
		return usageError{err}
	}
	var who *list.Person
	var places []subscribe.Place
	err = app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		who = list.PersonOf(tx, addr)
		places, err = subscribe.Places(tx, who)
		return err
	})
	if err != nil {
		return err
	}
	if !cmd.Yes {
		return usageError{fmt.Errorf("this forgets %s, %d places in lists and their history; see person export, and say --yes", joined(who.Addresses), len(places))}
	}
	alone, err := app.Subscribe.Erase(ctx, subscribe.Erasure{Address: addr, Archive: cmd.Archive, Edit: operator(cmd.Why)})
	if err == nil && len(alone) > 0 {
		var names []string
		for _, l := range alone {
			names = append(names, l.Address.String())
		}
		return fmt.Errorf("it is the only owner of %s", strings.Join(slices.Sorted(slices.Values(names)), ", "))
	}
	if err == nil {
		fmt.Fprintf(std.out, "erased %s\n", printable(joined(who.Addresses)))
	}
	return err
}
