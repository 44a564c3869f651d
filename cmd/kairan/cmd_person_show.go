package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

type personFind struct {
	Text  string `arg:"" help:"Stands in the address, or in a name that it has in a list, in any case and width."`
	Begin bool   `help:"The address begins with it. That is quick, however many there are."`
	Limit int    `default:"50" help:"Show so many at most."`
	format
}

// foundView is somebody as find prints it.
type foundView struct {
	Address string            `json:"address"`
	Name    string            `json:"name,omitempty"`
	Places  int               `json:"places"` // roles in lists
	Others  []address.Address `json:"others,omitempty"`
}

func (cmd *personFind) run(ctx context.Context, app *App, _ call, std streams) error {
	q := list.PersonQuery{Part: cmd.Text, Leaf: list.Leaf{Limit: max(cmd.Limit, 1)}}
	if cmd.Begin {
		q.Part, q.Prefix = "", cmd.Text
	}
	found := []foundView{}
	for more := true; more && len(found) < q.Limit; { // a page a transaction
		var page list.PersonPage
		err := app.DB.View(ctx, func(tx *storage.Tx) error {
			page = list.FindPeople(tx, q)
			return nil
		})
		if err != nil {
			return err
		}
		for _, p := range page.People[:min(len(page.People), q.Limit-len(found))] {
			found = append(found, foundView{Address: p.Address.String(), Name: p.Name, Places: p.Places, Others: p.Others})
		}
		q.After, more = page.Stopped, page.Stopped != ""
	}
	return cmd.show(std.out, found, func(w io.Writer) {
		table(w, func(row func(...any)) {
			row("ADDRESS", "NAME", "PLACES", "OTHERS")
			for _, f := range found {
				row(f.Address, cmp.Or(f.Name, "-"), f.Places, cmp.Or(joined(f.Others), "-"))
			}
		})
	})
}

func joined(all []address.Address) string {
	var texts []string
	for _, a := range all {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, " ")
}

// personView is a person as show prints it.
type personView struct {
	ID        list.PersonID     `json:"id,omitempty"` // "" for an address alone
	Addresses []address.Address `json:"addresses"`
	Lists     []placeView       `json:"lists"`
	Sessions  int               `json:"sessions"`
	Passkeys  []passkeyView     `json:"passkeys,omitempty"`
	Bans      []banHitView      `json:"bans,omitempty"`
	Waiting   []waitingView     `json:"waiting,omitempty"`
	Never     []address.Address `json:"never_mail,omitempty"`
	History   []historyView     `json:"history,omitempty"`
}

// placeView is what the person is in a list.
type placeView struct {
	List     string              `json:"list"`
	Address  string              `json:"address"`
	Role     list.Role           `json:"role"`
	Delivery list.DeliveryStatus `json:"delivery_status,omitempty"`
	Since    time.Time           `json:"since,omitzero"`
}

// passkeyView is a passkey without its key.
type passkeyView struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"`
	Suspect time.Time `json:"suspect,omitzero"` // when a copy of it was refused
}

// banHitView is an entry of a ban list that means the person; In is a list, "site" or "configuration".
type banHitView struct {
	In      string `json:"in"`
	Entry   string `json:"entry"`
	Address string `json:"address"`
}

// waitingView is something that waits for the person's word.
type waitingView struct {
	Action  string    `json:"action"`
	Address string    `json:"address"`
	Expires time.Time `json:"expires"`
}

// historyView is a line about the person; List is "" in the site's log.
type historyView struct {
	List string `json:"list,omitempty"`
	list.Event
}

type personShow struct {
	oneAddress
	format
}

func (cmd *personShow) run(ctx context.Context, app *App, _ call, std streams) error {
	addr, err := address.Parse(cmd.Address)
	if err != nil {
		return usageError{err}
	}
	var about *subscribe.About
	err = app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		about, err = app.Subscribe.About(tx, list.PersonOf(tx, addr), time.Now())
		return err
	})
	if err != nil {
		return err
	}
	v := viewPerson(about)
	return cmd.show(std.out, v, func(w io.Writer) { app.printPerson(w, v) })
}

func viewPerson(about *subscribe.About) personView {
	who := about.Person
	v := personView{ID: who.ID, Addresses: who.Addresses, Lists: []placeView{}, Sessions: len(about.Sessions), Never: about.Never}
	for _, p := range about.Places {
		row := placeView{List: p.List.Address.String(), Address: p.Member.Address.String(), Role: p.Member.Role, Since: p.Member.Joined}
		if p.Member.Role == list.RoleMember {
			row.Delivery = cmp.Or(p.Member.DeliveryStatus, list.DeliveryEnabled)
		}
		v.Lists = append(v.Lists, row)
	}
	for _, k := range about.Passkeys {
		v.Passkeys = append(v.Passkeys, passkeyView{Name: k.Name, Created: k.Created, Used: k.Used, Suspect: k.Suspect})
	}
	for _, b := range about.Bans {
		v.Bans = append(v.Bans, banHitView{In: bannedIn(b), Entry: b.Entry, Address: b.Address.String()})
	}
	for _, p := range about.Waiting {
		v.Waiting = append(v.Waiting, waitingView{Action: p.Kind(), Address: p.Address.String(), Expires: p.Expires})
	}
	for _, e := range about.History {
		row := historyView{Event: e.Event}
		if e.List != nil {
			row.List = e.List.Address.String()
		}
		v.History = append(v.History, row)
	}
	return v
}

func bannedIn(b subscribe.BanHit) string {
	switch {
	case b.Config:
		return "configuration"
	case b.List == nil:
		return theSite
	}
	return b.List.Address.String()
}

func (app *App) printPerson(w io.Writer, v personView) {
	for _, a := range v.Addresses {
		fmt.Fprintln(w, printable(a.String()))
	}
	if len(v.Lists) > 0 {
		fmt.Fprintln(w)
		table(w, func(row func(...any)) {
			row("LIST", "ADDRESS", "ROLE", "DELIVERY", "SINCE")
			for _, p := range v.Lists {
				row(p.List, p.Address, p.Role, cmp.Or(string(p.Delivery), "-"), app.when(p.Since))
			}
		})
	}
	if v.Sessions > 0 {
		fmt.Fprintf(w, "\nsessions: %d\n", v.Sessions)
	}
	for _, k := range v.Passkeys {
		fmt.Fprintf(w, "passkey %s, added %s\n", printable(k.Name), app.when(k.Created))
	}
	for _, b := range v.Bans {
		fmt.Fprintf(w, "%s is banned in %s: %s\n", printable(b.Address), printable(b.In), printable(b.Entry))
	}
	for _, p := range v.Waiting {
		fmt.Fprintf(w, "%s has not confirmed yet: %s, until %s\n", printable(p.Address), printable(p.Action), app.when(p.Expires))
	}
	for _, a := range v.Never {
		fmt.Fprintf(w, "%s wants no mail that others ask for\n", printable(a.String()))
	}
	for i, e := range v.History {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s  %s\n", app.when(e.At), printable(strings.TrimSpace(cmp.Or(e.List, theSite)+" "+e.Stage+" "+e.Text)+by(e.By)))
	}
}
