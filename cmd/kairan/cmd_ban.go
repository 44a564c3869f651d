package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

type banCmd struct {
	Ls  banLs  `cmd:"" help:"Name what is banned from a list or the site, when, why and by whom, the latest last."`
	Add banAdd `cmd:"" help:"Ban an address, a whole domain or a ^pattern from a list or the site: it neither posts nor joins."`
	Rm  banRm  `cmd:"" help:"Lift a ban."`
}

type banLs struct {
	List string `arg:"" help:"Posting address of the list, or site for all lists."`
	format
}

// theSite is what the commands about bans call the site in the place of a list.
const theSite = "site"

func (cmd *banLs) run(ctx context.Context, app *App, _ call, std streams) error {
	all := []list.Banned{}
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		bans, err := cmd.bans(tx)
		all = append(all[:0], bans...)
		return err
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, all, func(w io.Writer) {
		table(w, func(row func(...any)) {
			row("BAN", "SINCE", "BY", "WHY")
			for _, v := range all {
				row(printable(v.Entry), app.when(v.At), printable(v.By), printable(v.Why))
			}
		})
	})
}

func (cmd *banLs) bans(tx *storage.Tx) ([]list.Banned, error) {
	if cmd.List == theSite {
		return list.SiteBans(tx)
	}
	l, err := parseList(tx, cmd.List)
	if err != nil {
		return nil, err
	}
	return list.Bans(tx, l.ID)
}

// whichBan names a ban of a list.
type whichBan struct {
	List  string `arg:"" help:"Posting address of the list, or site for all lists."`
	Entry string `arg:"" help:"An address, a domain such as example.com, or a ^pattern (RE2, any case)."`
	Why   string `help:"The reason, for the record."`
}

func (cmd *whichBan) edit() list.Edit {
	return list.Edit{By: list.ByOperator, Why: cmd.Why, At: time.Now()}
}

type banAdd struct{ whichBan }

func (cmd *banAdd) run(ctx context.Context, app *App, _ call, std streams) error {
	return app.DB.Update(ctx, func(tx *storage.Tx) error {
		added, err := cmd.add(tx, app.Site.Admin)
		switch {
		case errors.Is(err, list.ErrBan):
			return usageError{err}
		case err == nil && !added:
			return fmt.Errorf("%s is banned already", cmd.Entry)
		}
		return err
	})
}

func (cmd *banAdd) add(tx *storage.Tx, admin address.Address) (bool, error) {
	if cmd.List == theSite {
		return list.BanFromSite(tx, admin, cmd.Entry, cmd.edit())
	}
	l, err := parseList(tx, cmd.List)
	if err != nil {
		return false, err
	}
	r, err := list.Ban(tx, l.ID, cmd.Entry, cmd.edit())
	return r != nil, err
}

type banRm struct{ whichBan }

func (cmd *banRm) run(ctx context.Context, app *App, _ call, std streams) error {
	return app.DB.Update(ctx, func(tx *storage.Tx) error {
		lifted, err := cmd.lift(tx)
		if err == nil && !lifted {
			return fmt.Errorf("%s is not banned", cmd.Entry)
		}
		return err
	})
}

func (cmd *banRm) lift(tx *storage.Tx) (bool, error) {
	if cmd.List == theSite {
		return list.LiftFromSite(tx, cmd.Entry, cmd.edit())
	}
	l, err := parseList(tx, cmd.List)
	if err != nil {
		return false, err
	}
	r, err := list.Unban(tx, l.ID, cmd.Entry, cmd.edit())
	return r != nil, err
}
