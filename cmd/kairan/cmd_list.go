package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"kairan/list"
	"kairan/list/bounce"
	"kairan/smtpd/address"
	"kairan/storage"
)

type listCmd struct {
	Create listCreate `cmd:"" help:"Make a list."`
	Show   listShow   `cmd:"" help:"Show a list and its settings."`
	Set    listSet    `cmd:"" help:"Change settings."`
	Try    listTry    `cmd:"" help:"Say what the rules would have decided about the posts of the last days with other settings."`
	Keep   listKeep   `cmd:"" help:"Keep changes of settings that would fall back."`
	Revert listRevert `cmd:"" help:"Take a change of settings back."`
	Log    listLog    `cmd:"" help:"Tell who changed settings or decided what, and why, the latest first."`
	Health listHealth `cmd:"" help:"Tell how a list is doing: members, posts, deliveries by day and provider, bounces, decisions about held posts."`
	Rename listRename `cmd:"" help:"Give a list a new address; the old one is still accepted."`
	Rm     listRm     `cmd:"" help:"Close a list. Its archive stays."`
	Ls     listLs     `cmd:"" help:"Name the lists."`
	Digest listDigest `cmd:"" help:"Send now what waits for the list's next digest."`
}

// parseList reads the argument that names a list: its posting address.
func parseList(tx *storage.Tx, arg string) (*list.List, error) {
	addr, err := address.Parse(arg)
	if err != nil {
		return nil, usageError{fmt.Errorf("a list is named by its posting address: %w", err)}
	}
	l, err := list.ByAddress(tx, addr)
	if err == nil && !l.Removed.IsZero() {
		return nil, fmt.Errorf("the list %s was closed", addr)
	}
	return l, err
}

type listCreate struct {
	Address  string     `arg:"" help:"Posting address, such as janog@lists.example.jp."`
	Owner    []string   `required:"" placeholder:"ADDRESS" help:"Who owns the list; may be given several times. Owners are mailed what they may do."`
	Style    list.Style `enum:"discussion,announcements,private" default:"discussion" help:"What the list is for, which decides its first settings: ${enum} (a working group that keeps to itself)."`
	Quiet    bool       `help:"Mail the owners nothing."`
	Language string     `enum:"ja,en," default:"" help:"ja or en; the site's by default."`
}

func (cmd *listCreate) run(ctx context.Context, app *App, _ call, std streams) error {
	addr, err := address.Parse(cmd.Address)
	if err != nil {
		return usageError{err}
	}
	owners, err := parseAddresses(cmd.Owner)
	if err != nil {
		return usageError{err}
	}
	settings, err := list.StyleSettings(cmd.Style, cmp.Or(cmd.Language, app.Site.Language))
	if err != nil {
		return usageError{err}
	}
	f := list.Founding{Address: addr, Style: cmd.Style, Settings: settings, Owners: owners, Quiet: cmd.Quiet}
	_, created, err := app.Subscribe.Found(ctx, f, list.Edit{By: list.ByOperator, At: time.Now()})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "created %s\n", addr)
	if created {
		fmt.Fprintf(std.out, "\n%s is new here. ", addr.ASCIIDomain())
		return app.printRecords(ctx, std.out, addr.ASCIIDomain())
	}
	return nil
}

func parseAddresses(args []string) ([]address.Address, error) {
	var as []address.Address
	for _, s := range args {
		a, err := address.Parse(s)
		if err != nil {
			return nil, err
		}
		as = append(as, a)
	}
	return as, nil
}

type listShow struct {
	List string `arg:"" help:"Posting address."`
	TOML bool   `name:"toml" help:"Print the settings as TOML, for list set -f."`
	format
}

// listView is a list as show prints it.
type listView struct {
	*list.List
	Members int `json:"members"`
	// Modes counts the members by delivery mode.
	Modes      map[list.DeliveryMode]int `json:"delivery_modes"`
	Digest     list.DigestState          `json:"digest"`
	Held       int                       `json:"held"`
	LastNumber uint64                    `json:"last_number"`
	Complaints int                       `json:"complaints"` // that providers have reported
	Usage      []list.Usage              `json:"usage"`
}

func (cmd *listShow) run(ctx context.Context, app *App, _ call, std streams) error {
	var v listView
	err := app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if v.List, err = parseList(tx, cmd.List); err != nil {
			return err
		}
		v.Members, v.Modes = 0, map[list.DeliveryMode]int{}
		for _, m := range list.Members(tx, v.ID, list.RoleMember, "") {
			v.Members++
			v.Modes[m.Mode()]++
		}
		if v.Digest, err = list.GetDigestState(tx, v.ID); err != nil {
			return err
		}
		for range list.HeldPosts(tx, v.ID) {
			v.Held++
		}
		if v.LastNumber, err = list.LastNumber(tx, v.ID); err != nil {
			return err
		}
		if v.Usage, err = app.Site.UsageOf(tx, v.List, time.Now()); err != nil {
			return err
		}
		v.Complaints, err = bounce.Complaints(tx, v.ID)
		return err
	})
	if err != nil {
		return err
	}
	if cmd.TOML {
		return writeSettings(std.out, v.Settings)
	}
	return cmd.show(std.out, v, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n", v.Address)
		table(w, func(row func(...any)) {
			row("  created", app.when(v.Created))
			row("  page", app.Site.ListURL(v.List))
			row("  members", v.Members)
			for _, mode := range list.DeliveryModes()[1:] {
				row("    "+string(mode), v.Modes[mode])
			}
			row("  digest", app.digestWords(v.Digest))
			row("  complaints", v.Complaints)
			row("  held posts", v.Held)
			row("  last post number", v.LastNumber)
			for _, u := range v.Usage {
				used, most := u.Words()
				row("  "+string(u.Quota), used+" of "+cmp.Or(most, "no limit"))
			}
		})
		fmt.Fprintln(w)
		writeSettings(w, v.Settings)
	})
}

type listRename struct {
	List string `arg:"" help:"Posting address."`
	To   string `arg:"" help:"New posting address."`
}

func (cmd *listRename) run(ctx context.Context, app *App, _ call, std streams) error {
	to, err := address.Parse(cmd.To)
	if err != nil {
		return usageError{err}
	}
	var l *list.List
	err = app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = parseList(tx, cmd.List)
		return err
	})
	if err != nil {
		return err
	}
	created, err := app.Subscribe.Rename(ctx, l, to, list.Edit{By: list.ByOperator, At: time.Now()})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s is now %s; mail to the old address is still taken\n", cmd.List, to)
	if created {
		fmt.Fprintf(std.out, "\n%s is new here. ", to.ASCIIDomain())
		return app.printRecords(ctx, std.out, to.ASCIIDomain())
	}
	return nil
}

type listRm struct {
	List string `arg:"" help:"Posting address."`
	Yes  bool   `help:"Really close it and forget its members."`
}

func (cmd *listRm) run(ctx context.Context, app *App, _ call, std streams) error {
	if !cmd.Yes {
		return usageError{fmt.Errorf("closing %s forgets its members and keeps its archive; say --yes", cmd.List)}
	}
	addr, err := address.Parse(cmd.List)
	if err != nil {
		return usageError{err}
	}
	var l *list.List
	err = app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = list.ByAddress(tx, addr)
		return err
	})
	if err == nil {
		err = app.Subscribe.Remove(ctx, l, list.Edit{By: list.ByOperator, At: time.Now()})
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "closed %s; its archive stays at %s\n", l.Address, app.Site.ListURL(l))
	return nil
}

type listLs struct{ format }

func (cmd *listLs) run(ctx context.Context, app *App, _ call, std streams) error {
	all := []*list.List{}
	err := app.DB.View(ctx, func(tx *storage.Tx) error {
		for l := range list.All(tx) {
			all = append(all, l)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, all, func(w io.Writer) {
		table(w, func(row func(...any)) {
			for _, l := range all {
				row(l.Address, l.Settings.Description.In(app.Site.Language))
			}
		})
	})
}
